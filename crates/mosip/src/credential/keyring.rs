//! Our partner keys, by the thumbprint of the certificate that MOSIP has of each.
//!
//! After a rotation the old key stays until no event can refer to it any more.

use std::{collections::HashMap, fmt};

use openssl::{
    error::ErrorStack,
    pkey::{Id, PKey, PKeyRef, Private},
    x509::X509,
};

use super::{hybrid::WRAPPED_KEY, x509::thumbprint};

/// Several private keys, each with its certificate.
#[derive(Default, Clone)]
pub struct KeyRing {
    keys: HashMap<[u8; 32], PKey<Private>>,
}

/// Why a key is not taken.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// Not a private key in PEM, or encrypted with a password.
    #[error("the private key is not an unencrypted PEM key")]
    Key(#[source] ErrorStack),
    /// Not a certificate in PEM.
    #[error("the certificate is not a PEM certificate")]
    Certificate(#[source] ErrorStack),
    /// The two do not belong together.
    #[error("the private key does not belong to the certificate {thumbprint}; give the pair that MOSIP has")]
    Pair {
        /// Of the certificate.
        thumbprint: String,
    },
    /// MOSIP encrypts to RSA-2048 only.
    #[error("the private key is not RSA of 2048 bits, to which alone MOSIP encrypts credentials")]
    Kind,
}

impl KeyRing {
    /// A ring without keys: opens nothing.
    pub fn new() -> Self {
        KeyRing::default()
    }

    /// A ring of pairs (private key PEM, certificate PEM).
    pub fn from_pem<'a>(pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Result<Self, KeyRingError> {
        let mut ring = KeyRing::new();
        for (key, certificate) in pairs {
            ring.add(key, certificate)?;
        }
        Ok(ring)
    }

    /// Adds a pair.
    pub fn add(&mut self, key_pem: &[u8], certificate_pem: &[u8]) -> Result<(), KeyRingError> {
        let certificate = X509::from_pem(certificate_pem).map_err(KeyRingError::Certificate)?;
        let thumbprint = thumbprint(&certificate).map_err(KeyRingError::Certificate)?;
        let key = read_key(key_pem)?;
        let certified = certificate.public_key().map_err(KeyRingError::Certificate)?;
        if !certified.public_eq(&key) {
            return Err(KeyRingError::Pair { thumbprint: hex::encode(thumbprint) });
        }
        self.keys.insert(thumbprint, key);
        Ok(())
    }

    /// Adds a key of which only the thumbprint of its certificate is known.
    pub fn add_by_thumbprint(&mut self, thumbprint: [u8; 32], key_pem: &[u8]) -> Result<(), KeyRingError> {
        self.keys.insert(thumbprint, read_key(key_pem)?);
        Ok(())
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The thumbprints of the certificates, in hexadecimal, sorted.
    pub fn thumbprints(&self) -> Vec<String> {
        let mut list: Vec<String> = self.keys.keys().map(hex::encode).collect();
        list.sort_unstable();
        list
    }

    pub(super) fn by_thumbprint(&self, thumbprint: &[u8]) -> Option<&PKeyRef<Private>> {
        self.keys.get(thumbprint).map(|key| &**key)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &PKeyRef<Private>> {
        self.keys.values().map(|key| &**key)
    }
}

fn read_key(pem: &[u8]) -> Result<PKey<Private>, KeyRingError> {
    // A callback that gives no password, so that an encrypted key fails instead of asking on the terminal.
    let key = PKey::private_key_from_pem_callback(pem, |_| Ok(0)).map_err(KeyRingError::Key)?;
    if key.id() != Id::RSA || key.size() != WRAPPED_KEY {
        return Err(KeyRingError::Kind);
    }
    Ok(key)
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.thumbprints()).finish()
    }
}

#[cfg(test)]
mod tests {
    use openssl::rsa::Rsa;

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

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let other = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap().private_key_to_pem_pkcs8().unwrap();
        assert!(matches!(KeyRing::new().add(&other, CERTIFICATE), Err(KeyRingError::Pair { .. })));
    }

    #[test]
    fn other_kinds_of_keys_and_locked_ones_are_refused() {
        let short = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap().private_key_to_pem_pkcs8().unwrap();
        assert!(matches!(KeyRing::new().add_by_thumbprint([0; 32], &short), Err(KeyRingError::Kind)));
        let key = PKey::private_key_from_pem(KEY).unwrap();
        let cipher = openssl::symm::Cipher::aes_256_cbc();
        let locked = key.private_key_to_pem_pkcs8_passphrase(cipher, b"secret").unwrap();
        assert!(matches!(KeyRing::new().add_by_thumbprint([0; 32], &locked), Err(KeyRingError::Key(_))));
        assert!(matches!(KeyRing::new().add(KEY, b"nonsense"), Err(KeyRingError::Certificate(_))));
    }
}
