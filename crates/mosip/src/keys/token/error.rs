//! What can go wrong with a token, and whose turn it then is.

use cryptoki::error::{Error, RvError};

/// Why a token does not do its work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The library cannot be loaded.
    #[error("the PKCS#11 module {module} cannot be loaded: {why}")]
    Module {
        /// Its path.
        module: String,
        /// What the system or the module said.
        why: String,
    },
    /// No such token at present.
    #[error("there is no token {token}; the module has {present}")]
    Missing {
        /// The one asked for.
        token: String,
        /// Those that are there.
        present: String,
    },
    /// Two tokens of one label.
    #[error("there is more than one token {token}")]
    Ambiguous {
        /// The name.
        token: String,
    },
    /// The PIN is wrong, or locked.
    #[error("the token refuses the PIN ({why}); it is not tried again, so that the token is not locked")]
    Pin {
        /// What the token said.
        why: String,
    },
    /// No such key.
    #[error("the token has no RSA private key {key}; it has {present}")]
    Key {
        /// The one asked for.
        key: String,
        /// Those that are there.
        present: String,
    },
    /// Two keys of one name.
    #[error("the token has more than one private key {key}")]
    AmbiguousKey {
        /// The name.
        key: String,
    },
    /// The key is another one than the certificate's.
    #[error("the token's private key does not belong to the certificate")]
    Pair,
    /// Neither OAEP with SHA-256 nor bare RSA.
    #[error(
        "the token can decrypt neither RSA-OAEP with SHA-256 (CKM_RSA_PKCS_OAEP) nor bare RSA (CKM_RSA_X_509): {why}"
    )]
    Mechanism {
        /// What it said.
        why: String,
    },
    /// All sessions are in use, and stay so.
    #[error("the token is busy: none of its {sessions} sessions came free in time")]
    Busy {
        /// How many there are.
        sessions: usize,
    },
    /// Anything else: unplugged, restarted, out of sessions.
    #[error("the token cannot be asked: {why}")]
    Away {
        /// What the module said.
        why: String,
    },
}

impl TokenError {
    /// Whether it may work later without anybody changing anything here.
    pub fn may_pass(&self) -> bool {
        matches!(self, TokenError::Missing { .. } | TokenError::Busy { .. } | TokenError::Away { .. })
    }

    /// What a person can do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            TokenError::Module { .. } => "install the token's PKCS#11 library, or correct `module`",
            TokenError::Missing { .. } => {
                "plug the token in or start its service, or correct `token`; SoftHSM finds its tokens by SOFTHSM2_CONF"
            }
            TokenError::Ambiguous { .. } => "name it by `serial` instead",
            TokenError::Pin { .. } => {
                "correct the file that `pin_file` names, then restart; mind that few tries are left"
            }
            TokenError::Key { .. } => "correct `key` or `key_id`, or import the key into this token",
            TokenError::AmbiguousKey { .. } => "name it by `key_id` as well",
            TokenError::Pair => "name the certificate that MOSIP has of this very key: `certificate_file`",
            TokenError::Mechanism { .. } => {
                "allow the key to decrypt (CKA_DECRYPT) and the token one of the two mechanisms"
            }
            TokenError::Busy { .. } => "give it more `sessions` if it bears them",
            TokenError::Away { .. } => "look at the token or its service; the engine goes on trying",
        }
    }

    /// An error of the module in no special place.
    pub(super) fn away(error: &Error) -> Self {
        TokenError::Away { why: words(error) }
    }
}

/// The module's code, or what else failed. None of it holds data.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::Pkcs11(code, function) => format!("{code:?} from {function:?}"),
        other => other.to_string(),
    }
}

/// Whether the session, the login or the token is gone, so that all has to be opened anew.
pub(super) fn is_lost(error: &Error) -> bool {
    let Error::Pkcs11(code, _) = error else { return false };
    matches!(
        code,
        RvError::CryptokiNotInitialized
            | RvError::DeviceError
            | RvError::DeviceMemory
            | RvError::DeviceRemoved
            | RvError::FunctionFailed
            | RvError::GeneralError
            | RvError::KeyHandleInvalid
            | RvError::ObjectHandleInvalid
            | RvError::OperationActive
            | RvError::OperationNotInitialized
            | RvError::SessionClosed
            | RvError::SessionHandleInvalid
            | RvError::SlotIdInvalid
            | RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            | RvError::UserNotLoggedIn
    )
}

/// Whether it is about what was to be decrypted.
pub(super) fn is_about_data(error: &Error) -> bool {
    let Error::Pkcs11(code, _) = error else { return false };
    matches!(
        code,
        RvError::EncryptedDataInvalid
            | RvError::EncryptedDataLenRange
            | RvError::DataInvalid
            | RvError::DataLenRange
            | RvError::ArgumentsBad
    )
}

/// Whether it may mean the token as well as the data.
pub(super) fn is_vague(error: &Error) -> bool {
    let Error::Pkcs11(code, _) = error else { return false };
    matches!(code, RvError::DeviceError | RvError::FunctionFailed | RvError::GeneralError)
}

/// Whether the PIN is at fault.
pub(super) fn is_about_pin(error: &Error) -> bool {
    let Error::Pkcs11(code, _) = error else { return false };
    matches!(
        code,
        RvError::PinIncorrect
            | RvError::PinInvalid
            | RvError::PinLenRange
            | RvError::PinExpired
            | RvError::PinLocked
            | RvError::UserPinNotInitialized
    )
}
