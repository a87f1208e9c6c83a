//! The authmanager: `clientidsecretkey`, and the check of the cookie it sets.

use super::state::Mosip;
use crate::entropy::lock;
use crate::jwt;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// A token that was handed out.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) client: String,
    roles: Vec<String>,
    expires: Timestamp,
}

/// Tokens in circulation: looked up, not verified, since only we issue them.
#[derive(Default)]
pub(crate) struct Grants(Mutex<HashMap<String, Grant>>);

impl Grants {
    /// From now on no token of before is good.
    pub(crate) fn revoke_all(&self) {
        lock(&self.0).clear();
    }

    pub(crate) fn count(&self) -> usize {
        lock(&self.0).len()
    }
}

impl Grant {
    /// True if the client holds one of the roles.
    pub(crate) fn any(&self, roles: &[&str]) -> bool {
        roles.iter().any(|role| self.roles.iter().any(|held| held == role))
    }
}

pub(crate) async fn authenticate(State(mosip): State<Arc<Mosip>>, body: axum::body::Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| body["request"][name].as_str().unwrap_or_default();
    let at = mosip.pace.iso();
    let known = mosip.options.clients.iter().find(|client| {
        client.id == text("clientId")
            && client.secret.expose_secret() == text("secretKey")
            && !text("appId").is_empty()
    });
    let Some(client) = known else {
        let errors = json!([{"errorCode": "500", "message": "401 Unauthorized"}]);
        return Json(json!({"id": "string", "version": "string", "responsetime": at, "metadata": null, "response": null, "errors": errors}))
            .into_response();
    };
    let life = mosip.options.token_life;
    let now = mosip.pace.now();
    let expires = now + life;
    let claims = json!({
        "iss": format!("https://iam.{}/auth/realms/mosip", mosip.options.host), "aud": [client.id],
        "azp": client.id, "clientId": client.id, "preferred_username": format!("service-account-{}", client.id),
        "iat": now.as_second(), "exp": expires.as_second(), "jti": mosip.dice.uuid(),
        "realm_access": {"roles": client.roles},
    });
    let grant = Grant { client: client.id.clone(), roles: client.roles.clone(), expires };
    let key = mosip.keys().kernel.clone();
    let Ok(Ok(token)) = tokio::task::spawn_blocking(move || jwt::sign(&key, &claims)).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    {
        let mut grants = lock(&mosip.grants.0);
        grants.retain(|_, grant| grant.expires > now);
        grants.insert(token.clone(), grant);
    }
    let message = "Clientid and Token combination had been validated successfully";
    let answer = json!({
        "id": "string", "version": "string", "responsetime": at, "metadata": null,
        "response": {"status": "Success", "message": message}, "errors": null,
    });
    let cookie = format!("Authorization={token}; Path=/; Max-Age={}; HttpOnly", life.as_secs());
    ([(SET_COOKIE.as_str(), cookie), ("authorization", token)], Json(answer)).into_response()
}

/// The grant behind a request's cookie.
pub(crate) fn grant(mosip: &Mosip, headers: &HeaderMap) -> Option<Grant> {
    let token = cookie(headers)?;
    let now = mosip.pace.now();
    lock(&mosip.grants.0).get(token).filter(|grant| grant.expires > now).cloned()
}

/// As the hub does it: split on `"; "`, text after `=`. A trailing `;` becomes
/// part of the token.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(COOKIE)?.to_str().ok()?;
    header.split("; ").find_map(|part| part.strip_prefix("Authorization="))
}

/// For Spring services: 401 without a good token, 403 without one of the roles.
pub(crate) fn spring(mosip: &Mosip, headers: &HeaderMap, roles: &[&str]) -> Result<Grant, StatusCode> {
    let grant = grant(mosip, headers).ok_or(StatusCode::UNAUTHORIZED)?;
    if grant.any(roles) { Ok(grant) } else { Err(StatusCode::FORBIDDEN) }
}

/// For the registration processor (Vert.x): always HTTP 200; the code says it.
pub(crate) fn vertx(
    mosip: &Mosip,
    headers: &HeaderMap,
    roles: &[&str],
) -> Result<Grant, (&'static str, &'static str)> {
    match spring(mosip, headers, roles) {
        Ok(grant) => Ok(grant),
        Err(StatusCode::FORBIDDEN) => Err(("KER-ATH-403", "Forbidden")),
        Err(_) => Err(("KER-ATH-401", "Invalid Token")),
    }
}
