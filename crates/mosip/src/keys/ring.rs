//! Our partner keys, by the thumbprint of the certificate that MOSIP has of each.
//!
//! After a rotation the old key stays until no event can refer to it any more.

use std::{collections::HashMap, fmt};

use super::{KeyError, KeyPair, PrivateKey, pair::read_key};

/// Several private keys, each with its certificate.
#[derive(Default, Clone)]
pub struct KeyRing {
    keys: HashMap<[u8; 32], PrivateKey>,
}

impl KeyRing {
    /// A ring without keys: opens nothing.
    pub fn new() -> Self {
        KeyRing::default()
    }

    /// A ring of pairs (private key PEM, certificate PEM).
    pub fn from_pem<'a>(pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Result<Self, KeyError> {
        let mut ring = KeyRing::new();
        for (key, certificate) in pairs {
            ring.add(key, certificate)?;
        }
        Ok(ring)
    }

    /// Adds a pair in PEM, the key without a password.
    pub fn add(&mut self, key_pem: &[u8], certificate_pem: &[u8]) -> Result<(), KeyError> {
        self.insert(KeyPair::from_pem(key_pem, None, certificate_pem)?);
        Ok(())
    }

    /// Adds a pair.
    pub fn insert(&mut self, pair: KeyPair) {
        let (thumbprint, private) = pair.into_parts();
        self.keys.insert(thumbprint, private);
    }

    /// Adds a key of which only the thumbprint of its certificate is known.
    pub fn add_by_thumbprint(&mut self, thumbprint: [u8; 32], key_pem: &[u8]) -> Result<(), KeyError> {
        self.keys.insert(thumbprint, PrivateKey::Memory(read_key(key_pem, None)?));
        Ok(())
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether opening may take as long as a token does.
    pub fn asks_a_token(&self) -> bool {
        self.all().any(|key| matches!(key, PrivateKey::Token(_)))
    }

    /// The thumbprints of the certificates, in hexadecimal, sorted.
    pub fn thumbprints(&self) -> Vec<String> {
        let mut list: Vec<String> = self.keys.keys().map(hex::encode).collect();
        list.sort_unstable();
        list
    }

    pub(crate) fn by_thumbprint(&self, thumbprint: &[u8]) -> Option<&PrivateKey> {
        self.keys.get(thumbprint)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &PrivateKey> {
        self.keys.values()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.thumbprints()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = include_bytes!("../../tests/vectors/key.pem");
    const CERTIFICATE: &[u8] = include_bytes!("../../tests/vectors/cert.pem");

    #[test]
    fn a_pair_is_named_by_the_hash_of_its_certificate() {
        let ring = KeyRing::from_pem([(KEY, CERTIFICATE)]).unwrap();
        let recorded = "94ebd921a9ee41b9cdb84afdab4564de8e79aa7b44870f9ad1e9e2af0bd8b9dd";
        assert_eq!(ring.thumbprints(), [recorded]);
        assert!(format!("{ring:?}").contains(recorded));
    }
}
