//! The bearer token of a trigger: that it is OpenCRVS's, meant for us, in force, and about this action of this record.
//!
//! RS256 and nothing else. The key is a PEM text (OpenCRVS publishes no JWKS and no key ids), so a rotation shows as a
//! bad signature: the key is then fetched again, at most once a minute, and what is not a key never replaces one.
//!
//! A token that is *provably* bad may be refused. One that cannot be checked, since the key is not to be had, must not
//! stop a registration: [`TokenError::KeyUnavailable`] keeps the two apart.

mod claims;
mod key;

use jiff::Timestamp;
use josekit::JoseError;
use uuid::Uuid;

pub use claims::{Caller, Claims};
pub use key::{KeyError, KeySource, PublicKey};

use claims::RawClaims;
use key::KeyStore;

/// `iss` of every OpenCRVS token.
pub const ISSUER: &str = "opencrvs:auth-service";
/// `aud` of tokens that a country configuration server may take.
pub const AUDIENCE: &str = "opencrvs:countryconfig-user";

/// No token of OpenCRVS comes near this many bytes.
const MAX_TOKEN: usize = 32 * 1024;

/// Why a token was not taken. Never quotes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("the trigger carries no bearer token")]
    Missing,
    /// It is forged, malformed, or meant for somebody else.
    #[error("the trigger's token is not valid: {0}")]
    Invalid(&'static str),
    /// It was good once.
    #[error("the trigger's token has expired")]
    Expired,
    /// It is good, for another record or action.
    #[error("the trigger's token is for another record or action")]
    WrongRecord,
    /// It could not be checked.
    #[error("the trigger's token could not be checked: {0}")]
    KeyUnavailable(#[source] KeyError),
}

impl TokenError {
    /// Whether the token is bad for certain, so that refusing it cannot stop a genuine trigger.
    pub const fn is_provable(&self) -> bool {
        !matches!(self, Self::KeyUnavailable(_))
    }
}

/// Verifies trigger tokens.
#[derive(Debug)]
pub struct TriggerTokens {
    keys: KeyStore,
    issuer: String,
    audience: String,
}

impl TriggerTokens {
    /// A verifier of tokens by `issuer` for `audience`, normally [`ISSUER`] and [`AUDIENCE`].
    ///
    /// `http` should have a time-out of a second or so: a trigger waits for the key.
    pub fn new(
        http: reqwest::Client,
        key: KeySource,
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Self {
        Self { keys: KeyStore::new(http, key), issuer: issuer.into(), audience: audience.into() }
    }

    /// Verifies a token (without `Bearer `) and that it is about this action of this record.
    ///
    /// # Errors
    /// [`TokenError`]; ask [`TokenError::is_provable`] before refusing a trigger.
    pub async fn verify(
        &self,
        token: &str,
        event_id: Uuid,
        action_id: Uuid,
        now: Timestamp,
    ) -> Result<Claims, TokenError> {
        let claims = self.ours(token, now).await?.checked(now)?;
        if claims.event_id == event_id && claims.action_id == action_id {
            Ok(claims)
        } else {
            Err(TokenError::WrongRecord)
        }
    }

    /// Verifies a token (without `Bearer `) and says who shows it; it may be about a record or not.
    ///
    /// # Errors
    /// [`TokenError`], but never [`TokenError::WrongRecord`].
    pub async fn identify(&self, token: &str, now: Timestamp) -> Result<Caller, TokenError> {
        self.ours(token, now).await?.identified(now)
    }

    /// The claims of a token that OpenCRVS signed for us.
    async fn ours(&self, token: &str, now: Timestamp) -> Result<RawClaims, TokenError> {
        if token.is_empty() {
            return Err(TokenError::Missing);
        }
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Invalid("too long"));
        }
        let claims = self.read(token, now).await?;
        if claims.iss != self.issuer {
            return Err(TokenError::Invalid("another issuer"));
        }
        if !claims.is_for(&self.audience) {
            return Err(TokenError::Invalid("another audience"));
        }
        Ok(claims)
    }

    /// The claims, once the signature is right; with a new key if it is not by the old one.
    async fn read(&self, token: &str, now: Timestamp) -> Result<RawClaims, TokenError> {
        let key = self.keys.current(now).await.map_err(TokenError::KeyUnavailable)?;
        let mut payload = verified(token, &key);
        if payload == Err(TokenError::Invalid(BAD_SIGNATURE))
            && let Some(newer) = self.keys.newer_than(&key, now).await.map_err(TokenError::KeyUnavailable)?
        {
            payload = verified(token, &newer);
        }
        serde_json::from_slice(&payload?).map_err(|_| TokenError::Invalid("claims missing or malformed"))
    }
}

const BAD_SIGNATURE: &str = "wrong signature";

fn verified(token: &str, key: &PublicKey) -> Result<Vec<u8>, TokenError> {
    match josekit::jws::deserialize_compact(token, key.verifier()) {
        Ok((payload, _)) => Ok(payload),
        Err(JoseError::InvalidSignature(_)) => Err(TokenError::Invalid(BAD_SIGNATURE)),
        Err(_) => Err(TokenError::Invalid("not an RS256 token")),
    }
}
