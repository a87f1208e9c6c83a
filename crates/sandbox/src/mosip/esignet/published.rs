//! What e-Signet says of itself.

use super::super::state::Mosip;
use super::{SERVICE, domain};
use crate::jwt::b64;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use openssl::x509::X509;
use serde_json::{Value, json};
use std::sync::Arc;

/// Names of the two keys.
pub(super) const OWN_KEY: &str = "esignet-sign-1";
pub(super) const KYC_KEY: &str = "kyc-sign-1";

/// `GET …/oauth/.well-known/jwks.json`: its own key, and the one by which the ID system signs user info.
pub(crate) async fn jwks(State(mosip): State<Arc<Mosip>>) -> Response {
    let Ok(keys) = mosip.keys().identity_owned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let until = (mosip.pace.now() + jiff::SignedDuration::from_hours(24 * 365)).to_string();
    let all = [
        published(OWN_KEY, &keys.esignet, None, &until),
        published(KYC_KEY, &keys.ida, Some(&keys.ida_certificate), &until),
    ];
    let all: Vec<Value> = all.into_iter().flatten().collect();
    ([("cache-control", "max-age=3600")], Json(json!({"keys": all}))).into_response()
}

fn published(kid: &str, key: &PKey<Private>, certificate: Option<&X509>, until: &str) -> Option<Value> {
    let rsa = key.rsa().ok()?;
    let mut jwk = json!({"kty": "RSA", "use": "sig", "kid": kid, "n": b64(rsa.n().to_vec()),
        "e": b64(rsa.e().to_vec()), "alg": "RS256", "exp": until});
    if let Some(der) = certificate.and_then(|certificate| certificate.to_der().ok()) {
        jwk["x5c"] = json!([STANDARD.encode(&der)]);
        jwk["x5t#S256"] = json!(b64(sha256(&der)));
    }
    Some(jwk)
}

/// `GET …/oidc/.well-known/openid-configuration`; what it says about encryption is not what is done.
pub(crate) async fn discovery(State(mosip): State<Arc<Mosip>>) -> Json<Value> {
    let domain = domain(&mosip);
    let service = format!("{domain}{SERVICE}");
    Json(json!({
        "issuer": domain, "authorization_endpoint": format!("{domain}/authorize"),
        "token_endpoint": format!("{service}/oauth/v2/token"),
        "userinfo_endpoint": format!("{service}/oidc/userinfo"),
        "jwks_uri": format!("{service}/oauth/.well-known/jwks.json"),
        "scopes_supported": ["openid", "profile"], "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"], "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256"],
        "userinfo_signing_alg_values_supported": ["PS256", "RS256"],
        "userinfo_encryption_alg_values_supported": ["RSAXXXXX"],
        "userinfo_encryption_enc_values_supported": ["A128GCM"],
        "claims_supported": ["name", "gender", "birthdate", "email", "phone_number", "individual_id"],
        "claims_parameter_supported": true, "request_parameter_supported": false,
    }))
}
