//! Whether we could confirm anything if we had to: asked at start-up and by `doctor`, not when a record waits.

use jiff::Timestamp;
use uuid::Uuid;

use super::Client;
use super::auth::{Claims, Mode};
use super::error::{CallError, Cause, Class};
use super::search::SearchQuery;
use crate::Version;

/// What the credentials are good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthCheck {
    /// When the system token that was issued expires; none in trigger-token mode, or if it does not say.
    pub expires_at: Option<Timestamp>,
    /// The scopes of the token, names only (`record.register`), without their qualifiers.
    pub scopes: Vec<String>,
    /// Scopes that this mode needs and the token does not carry. Empty if the token names no scopes at all, since then
    /// nothing can be told.
    pub missing: Vec<&'static str>,
}

impl Client {
    /// Buys a system token afresh and compares its scopes with what the confirmation mode needs.
    ///
    /// In trigger-token mode without a reader there is nothing to buy, and only the mode itself is checked.
    ///
    /// # Errors
    /// [`Cause::WrongMode`] if the mode cannot work with the version; [`Class::Unauthorised`] if the credentials are
    /// refused.
    pub async fn check_auth(&self, now: Timestamp) -> Result<AuthCheck, CallError> {
        if !self.mode_fits() {
            return Err(CallError::new("auth.token", Class::Permanent, Cause::WrongMode));
        }
        let Some(tokens) = &self.tokens else {
            return Ok(AuthCheck { expires_at: None, scopes: Vec::new(), missing: Vec::new() });
        };
        let lease = tokens.renew(now).await?;
        let claims = Claims::peek(&lease.token).unwrap_or_default();
        let scopes: Vec<String> = claims.scope.iter().map(|scope| scope_name(scope).to_owned()).collect();
        let missing = if scopes.is_empty() {
            Vec::new()
        } else {
            self.needed()
                .iter()
                .copied()
                .filter(|needed| !scopes.iter().any(|scope| scope == needed))
                .collect()
        };
        Ok(AuthCheck { expires_at: claims.expires_at(), scopes, missing })
    }

    /// The release line as which the OpenCRVS on the other side behaves, whatever is configured, and with it the
    /// confirmation mode that works. Found out by asking for tokens alone; none without a client to ask with.
    ///
    /// # Errors
    /// The [`CallError`] of a token that is refused for another reason.
    pub async fn version_there(&self, now: Timestamp) -> Result<Option<Version>, CallError> {
        match &self.tokens {
            Some(tokens) => tokens.version_there(now).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether an action can be answered of which no trigger came: in trigger-token mode it cannot.
    pub fn answers_unasked(&self) -> bool {
        self.mode != Mode::TriggerToken
    }

    /// Whether records can be searched and read, as looking for lost triggers takes: a search for one record, and a
    /// read of a record that does not exist, which leaves no trace in any.
    ///
    /// # Errors
    /// The [`CallError`] of whichever is refused; [`Cause::Forbidden`] from a 1.9, which lets no client read.
    pub async fn check_reading(&self, now: Timestamp) -> Result<(), CallError> {
        self.search(&SearchQuery { limit: 1, ..SearchQuery::awaiting(None) }, now).await?;
        match self.get_raw(Uuid::nil(), now).await {
            Err(error) if !matches!(error.cause, Cause::RecordNotFound | Cause::InvalidInput) => Err(error),
            _ => Ok(()),
        }
    }

    /// The scopes that the system client needs. An exchanged token gets its confirmation scopes from the exchange.
    fn needed(&self) -> &'static [&'static str] {
        match (self.mode, self.version) {
            (Mode::ClientCredentials, Version::V2_1) => {
                &["record.register", "record.correct", "record.read", "record.search"]
            }
            // Its client may search and no more.
            (_, Version::V1_9) => &["recordsearch"],
            _ => &["record.read", "record.search"],
        }
    }
}

/// The name in a scope: `record.register` of `type=record.register&event=birth,death`, or the scope itself in 1.9.
pub(crate) fn scope_name(scope: &str) -> &str {
    scope.split('&').find_map(|part| part.strip_prefix("type=")).unwrap_or(scope)
}

#[cfg(test)]
mod tests {
    use super::scope_name;

    #[test]
    fn scopes_have_a_name_in_both_encodings() {
        assert_eq!(scope_name("record.confirm-registration"), "record.confirm-registration");
        assert_eq!(scope_name("type=record.register&event=birth,death"), "record.register");
        assert_eq!(scope_name("event=birth&type=record.read"), "record.read");
    }
}
