//! Why there is no login.

use openssl::error::ErrorStack;

use crate::{
    CallError,
    jose::{JweError, JwsError, KeySetError},
};

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginFault {
    /// The person's: sign in again.
    Code,
    /// The operator's: what we are configured with is not what e-Signet has of us.
    Configuration,
    /// Nobody's: e-Signet does not answer as it should.
    Service,
    /// Nobody's, and nothing of it is believed: the answer is not proven.
    Untrusted,
}

impl LoginFault {
    /// Its name in metrics and the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            LoginFault::Code => "code",
            LoginFault::Configuration => "configuration",
            LoginFault::Service => "service",
            LoginFault::Untrusted => "untrusted",
        }
    }
}

/// Why there is no login. Holds nothing of the person.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// e-Signet refuses the code, or us.
    #[error("e-signet gave no token: {error}{}", .detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default())]
    Refused {
        /// `invalid_grant`, `invalid_client`, …
        error: String,
        /// e-Signet's own name for it, where it says one.
        detail: Option<String>,
    },
    /// e-Signet refuses the access token that it gave.
    #[error("e-signet gave no user info: {error}")]
    UserInfo {
        /// `invalid_token`, …, or the status.
        error: String,
    },
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// An answer that is none.
    #[error("e-signet's answer cannot be used: {0}")]
    Answer(&'static str),
    /// Its keys are not to be had.
    #[error("e-signet's keys cannot be used: {0}")]
    Keys(KeySetError),
    /// The ID token does not prove anything.
    #[error("the id token is not believed: {0}")]
    IdToken(JwsError),
    /// The ID token is signed, and not for this login.
    #[error("the id token is not believed: {0}")]
    IdTokenClaims(&'static str),
    /// The user info does not prove anything.
    #[error("the user info is not believed: {0}")]
    Signature(JwsError),
    /// The user info does not open.
    #[error("the user info does not open: {0}")]
    Encryption(JweError),
    /// The three are not about the same person.
    #[error("id token, access token and user info are not about the same person")]
    Subject,
    /// OpenSSL failed.
    #[error("the client assertion could not be signed")]
    Assertion(#[source] ErrorStack),
}

impl LoginError {
    /// Whose turn it is.
    pub fn fault(&self) -> LoginFault {
        match self {
            LoginError::Refused { error, detail } => refused(error, detail.as_deref()),
            LoginError::UserInfo { .. }
            | LoginError::Call(_)
            | LoginError::Answer(_)
            | LoginError::Keys(_)
            | LoginError::Encryption(JweError::Token(_)) => LoginFault::Service,
            LoginError::Encryption(JweError::Key | JweError::Algorithm) | LoginError::Assertion(_) => {
                LoginFault::Configuration
            }
            LoginError::IdToken(_)
            | LoginError::IdTokenClaims(_)
            | LoginError::Signature(_)
            | LoginError::Encryption(_)
            | LoginError::Subject => LoginFault::Untrusted,
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match (self, self.fault()) {
            (LoginError::Call(error), _) => error.advice,
            (LoginError::Encryption(_), LoginFault::Configuration) => {
                "name the key to which e-Signet encrypts for us in mosip.esignet.keys"
            }
            (LoginError::Refused { error, .. }, _)
                if error == "invalid_client" || error == "invalid_assertion" =>
            {
                "compare mosip.esignet.client_id, client_key_file and url with the client as e-Signet has it, and \
                 keep the clocks by NTP"
            }
            (_, LoginFault::Code) => "the person signs in again: a code can be used once, within minutes",
            (_, LoginFault::Configuration) => {
                "compare mosip.esignet with the client as e-Signet has it; `civitas doctor` looks at ours"
            }
            (_, LoginFault::Service) => {
                "the person signs in again later; `civitas doctor` says whether e-Signet answers"
            }
            (_, LoginFault::Untrusted) => {
                "nothing of it was used; compare mosip.esignet.issuer and keys_url with e-Signet's discovery document"
            }
        }
    }
}

/// The codes of the token endpoint: most say something about us, some about the code.
fn refused(error: &str, detail: Option<&str>) -> LoginFault {
    let name = if error == "invalid_request" { detail.unwrap_or(error) } else { error };
    match name {
        "invalid_grant" | "invalid_transaction" | "invalid_code" | "invalid_redirect_uri" => LoginFault::Code,
        "invalid_client"
        | "invalid_assertion"
        | "invalid_client_id"
        | "unsupported_grant_type"
        | "invalid_scope"
        | "use_pkce"
        | "invalid_pkce_challenge"
        | "use_dpop_nonce"
        | "invalid_dpop_proof"
        | "unauthorized_client" => LoginFault::Configuration,
        _ => LoginFault::Service,
    }
}
