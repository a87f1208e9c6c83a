//! ID authentication: decrypts, checks signature and hash, compares with the issued identity, and answers HTTP 200 to
//! whatever it could read.

mod matching;
mod psut;
mod request;

pub(crate) use psut::token;

use super::registry::{Identity, Registry};
use super::state::Mosip;
use crate::jwt::{b64, rs256};
use crate::keys::IdentityKeys;
use crate::options::IdaOptions;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use openssl::sha::sha256;
use serde_json::{Value, json};
use std::sync::Arc;

/// One of IDA's errors.
pub(super) struct Fault {
    code: String,
    message: String,
}

pub(super) fn fault(code: &'static str, message: impl Into<String>) -> Fault {
    Fault { code: code.to_owned(), message: message.into() }
}

/// What a request that was understood came to.
enum Said {
    Matched {
        token: String,
    },
    Failed {
        faults: Vec<Fault>,
        token: Option<String>,
    },
    /// The normaliser loops.
    Never,
}

/// `POST /idauthentication/v1/auth/{MISP-LK}/{Auth-Partner-ID}/{API-Key}`.
pub(crate) async fn authenticate(
    State(mosip): State<Arc<Mosip>>,
    Path((license, partner, api_key)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(keys) = mosip.keys().identity_owned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let outer: Value = serde_json::from_slice(&body).unwrap_or_default();
    let transaction = outer["transactionID"].clone();
    let shared = Arc::clone(&mosip);
    let judged = tokio::task::spawn_blocking(move || {
        let path = [license.as_str(), &partner, &api_key];
        let said = judge(&shared, &keys, path, &headers, &body, &outer);
        (said, keys)
    });
    let Ok((said, keys)) = judged.await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let (faults, response) = match said {
        Ok(Said::Matched { token }) => (Vec::new(), json!({"authStatus": true, "authToken": token})),
        Ok(Said::Failed { faults, token }) => (faults, json!({"authStatus": false, "authToken": token})),
        Ok(Said::Never) => std::future::pending().await,
        Err(fault) => (vec![fault], Value::Null),
    };
    answer(&mosip, &keys, &transaction, &faults, &response)
}

/// The answer, with IDA's own signature over its bytes.
fn answer(
    mosip: &Mosip,
    keys: &IdentityKeys,
    transaction: &Value,
    faults: &[Fault],
    response: &Value,
) -> Response {
    let errors: Vec<Value> = faults
        .iter()
        .map(|fault| json!({"errorCode": &fault.code, "errorMessage": fault.message, "actionMessage": null}))
        .collect();
    let errors = if errors.is_empty() { Value::Null } else { json!(errors) };
    let body = json!({
        "transactionID": transaction, "version": "1.0", "id": "mosip.identity.auth", "errors": errors,
        "responseTime": mosip.pace.iso(), "response": response,
    })
    .to_string();
    let der = keys.ida_certificate.to_der().unwrap_or_default();
    let header = json!({"alg": "RS256", "x5c": [STANDARD.encode(&der)], "x5t#S256": b64(sha256(&der))});
    let header = b64(header.to_string());
    let signature = rs256(&keys.ida, format!("{header}.{}", b64(&body)).as_bytes()).unwrap_or_default();
    let signature = format!("{header}..{}", b64(signature));
    ([("content-type", "application/json"), ("response-signature", signature.as_str())], body).into_response()
}

fn judge(
    mosip: &Mosip,
    keys: &IdentityKeys,
    path: [&str; 3],
    headers: &HeaderMap,
    body: &[u8],
    outer: &Value,
) -> Result<Said, Fault> {
    let options = &mosip.options.ida;
    if headers.get("authorization").is_none_or(|value| value.as_bytes().trim_ascii().is_empty()) {
        return Err(fault("IDA-MLC-006", "Missing Input Parameter - Authorization - header"));
    }
    partner(options, path)?;
    request::signed(keys, headers, body)?;
    let now = mosip.pace.now();
    request::outer(options, outer, now)?;
    let inner = request::opened(keys, outer)?;
    request::inner(&inner, now)?;
    let registry = mosip.registry();
    if let Some(code) = mosip.faults.identity().ida_code {
        return Ok(Said::Failed {
            faults: vec![Fault { code, message: "as it was told".to_owned() }],
            token: None,
        });
    }
    let id = outer["individualId"].as_str().unwrap_or_default();
    let (identity, found_by) = find(&registry, id, outer["individualIdType"].as_str())?;
    // Every attempt about somebody who was found is told to that person, and kept.
    mosip.office.tell(found_by);
    let token = token(&identity.uin, path[1], options);
    let demographics = inner["demographics"].as_object().cloned().unwrap_or_default();
    match matching::compare(options, &identity.fields, &demographics) {
        matching::Compared::Loops => Ok(Said::Never),
        matching::Compared::Refused(fault) => Err(fault),
        matching::Compared::Same => Ok(Said::Matched { token }),
        matching::Compared::Differs(faults) => {
            Ok(Said::Failed { faults, token: options.token_on_failure.then_some(token) })
        }
    }
}

fn partner(options: &IdaOptions, [license, partner, api_key]: [&str; 3]) -> Result<(), Fault> {
    if license != options.license_key {
        return Err(fault("IDA-MPA-007", "License key does not belong to a registered MISP"));
    }
    if partner != options.partner {
        return Err(fault("IDA-MPA-009", "Partner is not registered"));
    }
    if api_key != options.api_key {
        return Err(fault("IDA-MPA-017", "API key does not belong to this partner"));
    }
    Ok(())
}

/// The identity, and the number by which it was found.
fn find<'r>(
    registry: &'r Registry,
    id: &'r str,
    kind: Option<&str>,
) -> Result<(&'r Identity, &'r str), Fault> {
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    // Without a kind IDA guesses by the number.
    let kind = kind.unwrap_or(if id.len() == 16 { "VID" } else { "UIN" });
    let identity = match kind {
        "UIN" if id.len() != 10 || !digits => return Err(fault("IDA-MLC-002", "Invalid UIN")),
        "VID" if id.len() != 16 || !digits => return Err(fault("IDA-MLC-004", "Invalid VID")),
        "UIN" => registry.by_uin(id),
        "VID" => registry.owner_of(id),
        _ => {
            return Err(fault(
                "IDA-MLC-015",
                format!("Identity Type - {kind} not configured for the country"),
            ));
        }
    };
    let identity =
        identity.ok_or_else(|| fault("IDA-MLC-018", format!("{kind} not available in database")))?;
    match (kind, identity.status.as_ref()) {
        ("UIN", "BLOCKED") => return Err(fault("IDA-MLC-022", "UIN is deactivated/blocked")),
        ("UIN", "DEACTIVATED") => return Err(fault("IDA-MLC-003", "UIN has been deactivated")),
        ("VID", "BLOCKED" | "DEACTIVATED") => {
            return Err(fault("IDA-MLC-010", "VID corresponding to a deactivated UIN"));
        }
        ("VID", _) if registry.by_vid(id).is_none() => {
            return Err(fault("IDA-MLC-023", "VID is expired/deactivated"));
        }
        _ => {}
    }
    Ok((identity, id))
}
