//! Private keys in a token: an HSM, a smart card or SoftHSM behind PKCS#11.
//!
//! Only the unwrapping of a credential's AES key happens there. Where the token does not know OAEP with SHA-256 (older
//! SoftHSM knows SHA-1 only) it does the bare RSA, and the padding is taken off here, in constant time; which of the
//! two is found out by trying when the token is first used.
//!
//! Everything here blocks: call it off the async workers.

mod error;
mod key;
mod module;
mod oaep;
#[cfg(test)]
mod softoken;

use std::{fmt, path::PathBuf};

use secrecy::SecretString;

pub use self::error::TokenError;
pub(crate) use self::key::TokenKey;

/// Which key, in which token, behind which module.
#[derive(Clone)]
pub struct TokenAddress {
    /// The vendor's library, such as `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// Which of the module's tokens.
    pub token: TokenName,
    /// Which of the token's private keys.
    pub key: KeyName,
    /// The user's PIN.
    pub pin: SecretString,
    /// Most operations that are asked of the token at a time.
    pub sessions: usize,
}

/// How a token is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenName {
    /// By its label.
    Label(String),
    /// By its serial number.
    Serial(String),
    /// By the slot that it is in; slots of some modules change when tokens come and go.
    Slot(u64),
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenName::Label(label) => write!(f, "labelled `{label}`"),
            TokenName::Serial(serial) => write!(f, "with the serial number {serial}"),
            TokenName::Slot(slot) => write!(f, "in slot {slot}"),
        }
    }
}

/// How a private key in a token is named: by label, by id, or by both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyName {
    /// `CKA_LABEL`.
    pub label: Option<String>,
    /// `CKA_ID`.
    pub id: Option<Vec<u8>>,
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.label, &self.id) {
            (Some(label), None) => write!(f, "labelled `{label}`"),
            (None, Some(id)) => write!(f, "with the id {}", hex::encode(id)),
            (Some(label), Some(id)) => write!(f, "labelled `{label}` with the id {}", hex::encode(id)),
            (None, None) => f.write_str("without a name"),
        }
    }
}

impl fmt::Debug for TokenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAddress")
            .field("module", &self.module)
            .field("token", &self.token)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
