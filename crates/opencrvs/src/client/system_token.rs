//! The system client's token: asked for once, used until shortly before it expires, renewed by one caller at a time.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::answer::rest_result;
use super::auth::{Claims, SystemClient};
use super::error::{CallError, Cause, Class};
use super::transport::{Call, Transport};
use crate::Version;

/// A token is not used in its last seconds: it must still be good when the request arrives.
const SKEW: SignedDuration = SignedDuration::from_secs(30);
/// The default of OpenCRVS, where neither the answer nor the token says how long it lives.
const DEFAULT_LIFE: SignedDuration = SignedDuration::from_secs(600);

const TOKEN: Call = Call::reads("auth.token");
const EXCHANGE: Call = Call::reads("auth.token.exchange");

/// Where the token service reads what it is asked: 1.9 the query alone; later ones a form, and 2.1 refuses the query.
#[derive(Clone, Copy)]
enum Way {
    Query,
    Form,
}

/// A token, and which renewal it came from, so that a refused one is renewed once and not by every caller in turn.
#[derive(Clone)]
pub(super) struct Lease {
    pub(super) token: SecretString,
    pub(super) generation: u64,
}

struct Cached {
    lease: Lease,
    usable_until: Timestamp,
}

/// The tokens of one system client.
pub(super) struct SystemTokens {
    transport: Transport,
    auth: Arc<str>,
    client: SystemClient,
    version: Version,
    /// Held while renewing: that is what makes renewal single-flight.
    cached: Mutex<Option<Cached>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    expires_in: Option<i64>,
}

impl SystemTokens {
    pub(super) fn new(transport: Transport, auth: Arc<str>, client: SystemClient, version: Version) -> Self {
        Self { transport, auth, client, version, cached: Mutex::new(None) }
    }

    /// The current token; a new one if it is about to expire or is the `refused` one.
    pub(super) async fn lease(&self, refused: Option<u64>, now: Timestamp) -> Result<Lease, CallError> {
        let mut cached = self.cached.lock().await;
        if let Some(Cached { lease, usable_until }) = &*cached
            && now < *usable_until
            && refused != Some(lease.generation)
        {
            return Ok(lease.clone());
        }
        self.buy(&mut cached, now).await
    }

    /// A new token, whether or not the current one is still good.
    pub(super) async fn renew(&self, now: Timestamp) -> Result<Lease, CallError> {
        self.buy(&mut *self.cached.lock().await, now).await
    }

    async fn buy(&self, cached: &mut Option<Cached>, now: Timestamp) -> Result<Lease, CallError> {
        let generation = cached.as_ref().map_or(0, |cached| cached.lease.generation.wrapping_add(1));
        let way = if self.version == Version::V1_9 { Way::Query } else { Way::Form };
        let answer = self.own(way, now).await?;
        let life = answer.expires_in.map_or(DEFAULT_LIFE, SignedDuration::from_secs);
        let claimed = Claims::peek(&answer.access_token).and_then(|claims| claims.expires_at());
        let expires_at = claimed.or_else(|| now.checked_add(life).ok()).unwrap_or(now);
        let lease = Lease { token: answer.access_token, generation };
        let usable_until = expires_at.checked_sub(SKEW).unwrap_or(now);
        *cached = Some(Cached { lease: lease.clone(), usable_until });
        Ok(lease)
    }

    /// Exchanges a system token for one that may answer one action of one record (2.0 only).
    pub(super) async fn exchange(
        &self,
        subject: &SecretString,
        event_id: Uuid,
        action_id: Uuid,
        now: Timestamp,
    ) -> Result<SecretString, CallError> {
        let (event_id, action_id) = (event_id.to_string(), action_id.to_string());
        let form = [
            ("grant_type", "urn:opencrvs:oauth:grant-type:token-exchange"),
            ("subject_token", subject.expose_secret()),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("requested_token_type", "urn:opencrvs:oauth:token-type:single_record_token"),
            ("event_id", event_id.as_str()),
            ("action_id", action_id.as_str()),
        ];
        Ok(self.ask(EXCHANGE, Way::Form, &form, now).await?.access_token)
    }

    /// The release line as which the token service behaves, whatever is configured: 1.9 reads no form, or writes scopes
    /// plainly; 2.0 exchanges for any record, so for none too; later ones do not know the exchange.
    pub(super) async fn version_there(&self, now: Timestamp) -> Result<Version, CallError> {
        let token = match self.own(Way::Form, now).await {
            // Refused, perhaps because it was not read: the query tells.
            Err(error) if matches!(error.status, Some(400..=499)) => {
                self.own(Way::Query, now).await.map_err(|_| error)?;
                return Ok(Version::V1_9);
            }
            answer => answer?.access_token,
        };
        let scopes = Claims::peek(&token).unwrap_or_default().scope;
        if !scopes.is_empty() && !scopes.iter().any(|scope| scope.contains("type=")) {
            return Ok(Version::V1_9);
        }
        match self.exchange(&token, Uuid::nil(), Uuid::nil(), now).await {
            Ok(_) => Ok(Version::V2_0),
            Err(error) if error.code.as_deref() == Some("unsupported_grant_type") => Ok(Version::V2_1),
            Err(error) => Err(error),
        }
    }

    /// Asks for the client's own token.
    async fn own(&self, way: Way, now: Timestamp) -> Result<TokenAnswer, CallError> {
        let form = [
            ("client_id", self.client.id.as_str()),
            ("client_secret", self.client.secret.expose_secret()),
            ("grant_type", "client_credentials"),
        ];
        self.ask(TOKEN, way, &form, now).await
    }

    async fn ask(
        &self,
        call: Call,
        way: Way,
        form: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<TokenAnswer, CallError> {
        let request = self.transport.post(&format!("{}/token", self.auth));
        let request = match way {
            Way::Query => request.query(form),
            Way::Form => request.form(form),
        };
        let answer = self.transport.send(call, request, now).await?;
        let token: TokenAnswer = rest_result(call, &answer)?;
        if token.access_token.expose_secret().is_empty() {
            return Err(call.fails(Class::Transient, Cause::Unreadable));
        }
        Ok(token)
    }
}
