//! What a trigger's token says.

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

    /// The claims, if the token is in force now and names a record and an action.
    pub(super) fn checked(self, now: Timestamp) -> Result<Claims, TokenError> {
        let expires_at = instant(self.exp).ok_or(TokenError::Invalid("expiry out of range"))?;
        if expires_at <= now {
            return Err(TokenError::Expired);
        }
        if self.nbf.is_some_and(|from| instant(from).is_none_or(|from| now < from)) {
            return Err(TokenError::Invalid("not in force yet"));
        }
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
