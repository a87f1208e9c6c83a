//! The token endpoint.

use super::super::ida;
use super::super::state::Mosip;
use super::published::OWN_KEY;
use super::{CODE_LIFE, JTI_KEPT, SERVICE, domain, refused, signed};
use crate::faults::ESignetFault;
use crate::jwt::b64;
use crate::keys::IdentityKeys;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{StatusCode, Uri};
use openssl::hash::MessageDigest;
use openssl::sha::sha256;
use openssl::sign::Verifier;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far clocks may be apart, in seconds.
const SKEW: i64 = 5;
/// Life of tokens, in seconds.
const TOKEN_LIFE: i64 = 3600;

/// `POST …/oauth/token` and `…/oauth/v2/token`.
pub(crate) async fn token(
    State(mosip): State<Arc<Mosip>>,
    uri: Uri,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    mosip.office.books().token_calls += 1;
    let Ok(keys) = mosip.keys().identity_owned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if get("grant_type") != "authorization_code" {
        return refused("unsupported_grant_type", "unsupported_grant_type");
    }
    // Gone with its first call, whatever else is wrong with that.
    let code = mosip.office.books().codes.remove(get("code"));
    if get("client_id") != mosip.options.esignet.client_id {
        return refused("invalid_request", "invalid_client_id");
    }
    let endpoint = format!("{}{}", domain(&mosip), uri.path());
    if get("client_assertion_type") != ASSERTION
        || !asserted(&mosip, &keys, get("client_assertion"), &endpoint)
    {
        return refused("invalid_client", "invalid_client");
    }
    let now = mosip.pace.now();
    let Some(code) = code.filter(|code| now.duration_since(code.at) <= CODE_LIFE) else {
        return refused("invalid_grant", "invalid_transaction");
    };
    if code.redirect_uri != get("redirect_uri") {
        return refused("invalid_request", "invalid_redirect_uri");
    }
    let client = &mosip.options.esignet.client_id;
    let subject = ida::token(&code.uin, client, &mosip.options.ida);
    let (at, fault) = (now.as_second(), mosip.faults.identity().esignet);
    let jti = mosip.dice.uuid();
    let access = json!({"iss": domain(&mosip), "sub": subject, "aud": client, "azp": client, "client_id": client,
        "scope": "openid profile", "iat": at, "exp": at + TOKEN_LIFE, "jti": jti});
    let Ok(access) = signed(&keys.esignet, false, OWN_KEY, &access) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut claims = json!({"iss": domain(&mosip), "sub": subject, "aud": client, "iat": at, "exp": at + TOKEN_LIFE,
        "auth_time": code.at.as_second(), "acr": "mosip:idp:acr:generated-code",
        "at_hash": b64(&sha256(access.as_bytes())[..16])});
    if let Some(nonce) = &code.nonce {
        claims["nonce"] = json!(nonce);
    }
    match fault {
        Some(ESignetFault::WrongAudience) => claims["aud"] = json!("another-client"),
        Some(ESignetFault::Expired) => claims["exp"] = json!(at - 60),
        _ => {}
    }
    let kid = if fault == Some(ESignetFault::UnknownKey) { "a-key-that-is-not-published" } else { OWN_KEY };
    let Ok(id_token) = signed(&keys.esignet, false, kid, &claims) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    mosip.office.books().codes.insert(access.clone(), code);
    Json(json!({"id_token": id_token, "token_type": "Bearer", "access_token": access, "expires_in": TOKEN_LIFE}))
        .into_response()
}

/// Whether an assertion is the client's, for this endpoint or for the issuer, of now, and was not there before.
fn asserted(mosip: &Mosip, keys: &IdentityKeys, assertion: &str, endpoint: &str) -> bool {
    let Some(claims) = verified(keys, assertion) else { return false };
    let now = mosip.pace.now();
    let client = mosip.options.esignet.client_id.as_str();
    let audience = claims["aud"].as_str().unwrap_or_default();
    let for_us = audience == endpoint
        || audience == domain(mosip)
        || audience == format!("{}{SERVICE}", domain(mosip));
    let in_time = claims["exp"].as_i64().is_some_and(|exp| exp + SKEW > now.as_second())
        && claims["iat"].as_i64().is_some_and(|iat| iat <= now.as_second() + SKEW);
    if claims["iss"] != client || claims["sub"] != client || !for_us || !in_time {
        return false;
    }
    let Some(jti) = claims["jti"].as_str().filter(|jti| !jti.is_empty()) else { return false };
    let mut books = mosip.office.books();
    books.jtis.retain(|_, at| now.duration_since(*at) < JTI_KEPT);
    books.jtis.insert(jti.to_owned(), now).is_none()
}

fn verified(keys: &IdentityKeys, assertion: &str) -> Option<Value> {
    let (input, signature) = assertion.rsplit_once('.')?;
    let (header, payload) = input.split_once('.')?;
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let header: Value = serde_json::from_slice(&part(header)?).ok()?;
    let mut verifier = Verifier::new(MessageDigest::sha256(), &keys.relying_party).ok()?;
    let good =
        header["alg"] == "RS256" && verifier.verify_oneshot(&part(signature)?, input.as_bytes()).ok()?;
    if good { serde_json::from_slice(&part(payload)?).ok() } else { None }
}
