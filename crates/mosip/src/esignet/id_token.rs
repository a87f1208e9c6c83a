//! The ID token: e-Signet says that somebody signed in, to us, just now.

use jiff::Timestamp;
use openssl::sha::sha256;
use serde_json::{Map, Value};

use super::LoginError;
use crate::{
    encoding::to_base64url,
    jose::{JwsError, KeySet, payload_unverified, verified},
};

/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 5;

/// What an ID token proves.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) subject: String,
    pub(super) acr: Option<String>,
    pub(super) auth_time: Option<i64>,
}

/// Verifies an ID token, and that the access token belongs to it.
pub(super) fn verify(
    id_token: &str,
    access_token: &str,
    keys: &KeySet,
    issuer: &str,
    client_id: &str,
    now: Timestamp,
) -> Result<Proven, LoginError> {
    let claims = verified(id_token, keys, now).map_err(LoginError::IdToken)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let wrong = |why| Err(LoginError::IdTokenClaims(why));
    if text("iss").map(trimmed) != Some(trimmed(issuer)) {
        return wrong("it is by another issuer");
    }
    if !is_for(&claims, client_id) {
        return wrong("it is for another client");
    }
    let second = |name: &str| claims.get(name).and_then(Value::as_i64);
    let Some(expires) = second("exp") else { return wrong("it does not say when it expires") };
    if expires.saturating_add(LEEWAY) <= now.as_second() {
        return wrong("it has expired");
    }
    let Some(made_at) = second("iat") else { return wrong("it does not say when it was issued") };
    if made_at > now.as_second().saturating_add(LEEWAY) {
        return wrong("it is of the future");
    }
    let Some(subject) = text("sub").filter(|subject| !subject.is_empty()) else {
        return wrong("it names nobody");
    };
    if text("at_hash").is_some_and(|hash| hash != at_hash(access_token)) {
        return wrong("it belongs to another access token");
    }
    let of_access = payload_unverified(access_token).and_then(|claims| claims.get("sub").cloned());
    if of_access.is_some_and(|other| other.as_str() != Some(subject)) {
        return Err(LoginError::Subject);
    }
    Ok(Proven {
        subject: subject.to_owned(),
        acr: text("acr").map(str::to_owned),
        auth_time: second("auth_time"),
    })
}

/// Whether a failed verification may mend with newer keys.
pub(super) fn wants_newer_keys(error: &LoginError) -> bool {
    matches!(
        error,
        LoginError::IdToken(JwsError::UnknownKey | JwsError::ExpiredKey)
            | LoginError::Signature(JwsError::UnknownKey | JwsError::ExpiredKey)
    )
}

fn trimmed(issuer: &str) -> &str {
    issuer.trim_end_matches('/')
}

/// The only audience, or one of several of which we are the authorised party.
fn is_for(claims: &Map<String, Value>, client_id: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(audience)) => audience == client_id,
        Some(Value::Array(all)) => {
            let ours = all.iter().any(|audience| audience == client_id);
            ours && (all.len() == 1 || claims.get("azp").is_some_and(|party| party == client_id))
        }
        _ => false,
    }
}

/// The left half of the access token's hash.
fn at_hash(access_token: &str) -> String {
    to_base64url(&sha256(access_token.as_bytes())[..16])
}
