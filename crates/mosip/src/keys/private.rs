//! A private key, wherever it is.

use std::sync::Arc;

use openssl::{
    encrypt::Decrypter,
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{PKey, PKeyRef, Private},
    rsa::Padding,
};
use zeroize::Zeroizing;

use super::token::{TokenError, TokenKey};

/// The kinds of private keys.
#[derive(Clone)]
pub(crate) enum PrivateKey {
    /// In this process's memory, wiped by OpenSSL when dropped.
    Memory(PKey<Private>),
    /// In a token, which it never leaves.
    Token(Arc<TokenKey>),
}

/// Why a wrapped key is not unwrapped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// It was altered, or wrapped for another key.
    #[error("it does not unwrap with this key: it was altered, or wrapped for another one")]
    Refused,
    /// The token that holds the key cannot be asked; it may be later.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl PrivateKey {
    /// Unwraps an AES key. Half a millisecond in memory, and as long as the token takes otherwise: off the async
    /// workers.
    pub(crate) fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
        match self {
            PrivateKey::Memory(key) => in_memory(key, wrapped).map_err(|_| UnwrapError::Refused),
            PrivateKey::Token(key) => key.unwrap(wrapped),
        }
    }
}

/// RSA-OAEP with SHA-256 for both hash and mask.
fn in_memory(key: &PKeyRef<Private>, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let mut decrypter = Decrypter::new(key)?;
    decrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    decrypter.set_rsa_oaep_md(MessageDigest::sha256())?;
    decrypter.set_rsa_mgf1_md(MessageDigest::sha256())?;
    let mut plain = Zeroizing::new(vec![0; decrypter.decrypt_len(wrapped)?]);
    let length = decrypter.decrypt(wrapped, &mut plain)?;
    plain.truncate(length);
    Ok(plain)
}
