//! Who we are to OpenCRVS when we answer an action: three modes, one per release line.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// An integration client of OpenCRVS.
#[derive(Debug, Clone)]
pub struct SystemClient {
    /// The client id.
    pub id: String,
    /// The client secret, shown once when the integration was made.
    pub secret: SecretString,
}

/// Under whose authority a pending action is answered.
#[derive(Debug, Clone)]
pub enum ConfirmationAuth {
    /// The bearer token that came with the trigger; acts as the registrar. 1.9, and works in 2.0.
    TriggerToken,
    /// The client's own token, exchanged for one that is good for one action of one record. 2.0.
    Exchange {
        /// The integration.
        client: SystemClient,
    },
    /// The client's own token as it is. From 2.1.
    ClientCredentials {
        /// The integration.
        client: SystemClient,
    },
}

/// [`ConfirmationAuth`] without the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    TriggerToken,
    Exchange,
    ClientCredentials,
}

impl ConfirmationAuth {
    pub(super) fn into_parts(self) -> (Mode, Option<SystemClient>) {
        match self {
            Self::TriggerToken => (Mode::TriggerToken, None),
            Self::Exchange { client } => (Mode::Exchange, Some(client)),
            Self::ClientCredentials { client } => (Mode::ClientCredentials, Some(client)),
        }
    }
}

/// What we read of a token that was made for us; its signature is the reader's business, not ours.
#[derive(Deserialize, Default)]
pub(super) struct Claims {
    exp: Option<f64>,
    #[serde(default)]
    pub(super) scope: Vec<String>,
}

impl Claims {
    pub(super) fn peek(token: &SecretString) -> Option<Self> {
        let payload = token.expose_secret().split('.').nth(1)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a fraction of a second of an expiry means nothing"
        )]
        Timestamp::from_second(self.exp? as i64).ok()
    }
}

/// When a JWT expires by its own word, unverified. None if it is no JWT or says nothing.
///
/// For trigger tokens that could not be verified when they came, so that their expiry can be watched.
pub fn token_expiry(token: &SecretString) -> Option<Timestamp> {
    Claims::peek(token)?.expires_at()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> SecretString {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload)).into()
    }

    #[test]
    fn reads_the_expiry_of_a_token() {
        let expected = Timestamp::from_second(1_780_905_660).unwrap();
        assert_eq!(token_expiry(&token(r#"{"exp":1780905660,"scope":["a"]}"#)), Some(expected));
    }

    #[test]
    fn a_token_that_says_nothing_has_no_expiry() {
        for text in ["", "opaque", "a.b.c"] {
            assert_eq!(token_expiry(&text.into()), None);
        }
        assert_eq!(token_expiry(&token("{}")), None);
        assert_eq!(token_expiry(&token(r#"{"exp":1e300}"#)), None);
    }
}
