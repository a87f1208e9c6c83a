//! `POST /authenticate/clientidsecretkey`: a token for client id and secret.
//!
//! authmanager answers HTTP 200 also when it refuses; only the body tells.

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{Method, header::DATE};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{
    Mosip, Role, envelope,
    token::Fresh,
    transport::{Body, Call, Effect, Reply, health},
    wire_time,
};
use crate::{CallError, Class, Service, breaker::Health};

/// One client of ours in MOSIP's Keycloak.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// `mosip-crvs1-client`, or the partner's id.
    pub client_id: String,
    /// Its secret.
    pub secret: SecretString,
    /// authmanager's application: `regproc`, `ida`, `admin`.
    pub app_id: String,
}

/// What an authentication showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthCheck {
    /// authmanager's clock, by the `Date` of its answer, in whole seconds.
    pub server_time: Option<Timestamp>,
}

impl Mosip {
    /// Authenticates each of our clients anew, past the cache, and stops at the first that is refused.
    pub async fn check_auth(&self, now: Timestamp) -> Result<AuthCheck, CallError> {
        let mut server_time = None;
        let mut checked: Vec<&str> = Vec::new();
        for role in [Role::Packet, Role::Partner, Role::Status, Role::Identity] {
            let credentials = &self.source(role).credentials;
            if checked.contains(&credentials.client_id.as_str()) {
                continue;
            }
            let reply = self.authenticate(credentials, now).await?;
            Fresh::from_headers(&reply.headers, now).ok_or_else(|| no_token(credentials))?;
            server_time = server_time.or_else(|| date_of(&reply));
            checked.push(&credentials.client_id);
        }
        Ok(AuthCheck { server_time })
    }

    pub(super) async fn fetch_token(
        &self,
        credentials: &Credentials,
        now: Timestamp,
    ) -> Result<Fresh, CallError> {
        let reply = self.authenticate(credentials, now).await?;
        Fresh::from_headers(&reply.headers, now).ok_or_else(|| no_token(credentials))
    }

    async fn authenticate(&self, credentials: &Credentials, now: Timestamp) -> Result<Reply, CallError> {
        let body = json!({
            "id": "string",
            "version": "string",
            "requesttime": wire_time(now),
            "metadata": {},
            "request": {
                "clientId": credentials.client_id,
                "secretKey": credentials.secret.expose_secret(),
                "appId": credentials.app_id,
            },
        });
        let call = Call {
            service: Service::Auth,
            role: Role::Packet,
            effect: Effect::Harmless,
            what: "clientidsecretkey",
            method: Method::POST,
            url: format!("{}/authenticate/clientidsecretkey", self.shared.endpoints.auth),
            body: Body::Json(body.to_string()),
        };
        let mut entry = self.enter(&call, now).await?;
        let reply = self.send(&call, None, now).await;
        // A refusal of our secret will be one for every call that asks: it parks them as an outage would.
        let turned_away = reply.as_ref().is_ok_and(|reply| !has_token(reply));
        entry.settle(if turned_away { Health::Failing(None) } else { health(&call, &reply) });
        let reply = reply?;
        if matches!(reply.status, 400 | 401 | 403) {
            return Err(refused(credentials, &reply.status.to_string()));
        }
        let envelope = envelope::open(&call, &reply)?;
        let Some(first) = envelope.errors.first() else { return Ok(reply) };
        let code = first.code.clone().unwrap_or_default();
        // Keycloak's refusal is passed on inside the message of a code "500"; so is its failure.
        let told = first.message.to_ascii_lowercase();
        let is_refusal = code.starts_with("KER-ATH-")
            || ["401", "400", "403", "unauthorized", "invalid", "not found"]
                .iter()
                .any(|sign| told.contains(sign));
        if is_refusal {
            return Err(refused(credentials, &code));
        }
        let summary =
            format!("authentication of client {:?} failed with code {code:?}", credentials.client_id);
        Err(CallError::known(Service::Auth, "auth-failed", summary))
    }
}

/// Whether there is a token in an answer, whatever its status.
fn has_token(reply: &Reply) -> bool {
    Fresh::from_headers(&reply.headers, Timestamp::UNIX_EPOCH).is_some()
}

fn refused(credentials: &Credentials, code: &str) -> CallError {
    let summary =
        format!("authentication of client {:?} was refused with code {code:?}", credentials.client_id);
    CallError::classed(Service::Auth, Class::Unauthorised, "auth-refused", summary)
}

fn no_token(credentials: &Credentials) -> CallError {
    let summary =
        format!("authentication of client {:?} was answered without a token", credentials.client_id);
    CallError::known(Service::Auth, "auth-no-token", summary)
}

fn date_of(reply: &Reply) -> Option<Timestamp> {
    Some(rfc2822::parse(reply.headers.get(DATE)?.to_str().ok()?).ok()?.timestamp())
}
