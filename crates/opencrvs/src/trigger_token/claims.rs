//! What a trigger's token says.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::TokenError;
use crate::client::check::scope_name;

/// The claims of a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The record.
    pub event_id: Uuid,
    /// The pending action.
    pub action_id: Uuid,
    /// The registrar's user id.
    pub subject: Option<String>,
    /// `user` or `system`.
    pub user_type: Option<String>,
    /// When the token expires; until then it can answer the action (trigger-token mode).
    pub expires_at: Timestamp,
    /// The scopes as they stand in the token, plain (1.9) or `type=…&event=…` (2.0).
    pub scopes: Vec<String>,
}

impl Claims {
    /// Whether the token carries a scope, by name, in either encoding.
    pub fn has_scope(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope_name(scope) == name)
    }
}

/// Who shows a token that need not be about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The record, where the token is about one.
    pub event_id: Option<Uuid>,
    /// The action, where the token is about one.
    pub action_id: Option<Uuid>,
    /// The user's id.
    pub subject: Option<String>,
    /// When the token expires.
    pub expires_at: Option<Timestamp>,
    /// The scopes as they stand in the token.
    pub scopes: Vec<String>,
}

impl Caller {
    /// What a token says, believed as it stands: for where something in front admits nobody but OpenCRVS.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] for what is no token.
    pub fn unverified(token: &str) -> Result<Self, TokenError> {
        let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let claims: Option<RawClaims> = payload.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        claims.map(RawClaims::caller).ok_or(TokenError::Invalid("claims missing or malformed"))
    }

    /// Whether the token carries a scope, by name, in either encoding.
    pub fn has_scope(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope_name(scope) == name)
    }
}

/// The claims before they are believed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawClaims {
    pub(super) iss: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    sub: Option<String>,
    #[serde(default)]
    scope: Vec<String>,
    user_type: Option<String>,
    event_id: Option<String>,
    action_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl RawClaims {
    pub(super) fn is_for(&self, audience: &str) -> bool {
        match &self.aud {
            Audience::One(one) => one == audience,
            Audience::Many(many) => many.iter().any(|one| one == audience),
        }
    }

    fn caller(self) -> Caller {
        let id = |claim: Option<String>| claim.and_then(|id| id.parse().ok());
        Caller {
            event_id: id(self.event_id),
            action_id: id(self.action_id),
            subject: self.sub,
            expires_at: instant(self.exp),
            scopes: self.scope,
        }
    }

    /// Who shows the token, if it is in force now.
    pub(super) fn identified(self, now: Timestamp) -> Result<Caller, TokenError> {
        self.in_force(now)?;
        Ok(self.caller())
    }

    fn in_force(&self, now: Timestamp) -> Result<Timestamp, TokenError> {
        let expires_at = instant(self.exp).ok_or(TokenError::Invalid("expiry out of range"))?;
        if expires_at <= now {
            return Err(TokenError::Expired);
        }
        if self.nbf.is_some_and(|from| instant(from).is_none_or(|from| now < from)) {
            return Err(TokenError::Invalid("not in force yet"));
        }
        Ok(expires_at)
    }

    /// The claims, if the token is in force now and names a record and an action.
    pub(super) fn checked(self, now: Timestamp) -> Result<Claims, TokenError> {
        let expires_at = self.in_force(now)?;
        let id = |claim: Option<String>| claim.and_then(|id| id.parse().ok()).ok_or(TokenError::WrongRecord);
        Ok(Claims {
            event_id: id(self.event_id)?,
            action_id: id(self.action_id)?,
            subject: self.sub,
            user_type: self.user_type,
            expires_at,
            scopes: self.scope,
        })
    }
}

fn instant(seconds: f64) -> Option<Timestamp> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, and what is out of range is refused next"
    )]
    Timestamp::from_second(seconds as i64).ok()
}
