//! Encrypted event documents: compact JWE, RSA-OAEP-256 for the key and A256GCM for the content.
//!
//! The algorithms are ours, never the header's: a header that names others is refused before any key is used.
//! So are `zip` (a few bytes could unfold to gigabytes) and `crit` (something we would have to understand).
//! The key is chosen by the header's `kid`; a header without one is accepted where only one key is configured.
//!
//! Opening costs one RSA private-key operation, about half a millisecond: callers keep it off the async workers.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwe::alg::rsaes::{RsaesJweDecrypter, RsaesJweEncrypter};
use josekit::jwe::{JweHeader, RSA_OAEP_256, deserialize_compact, serialize_compact};
use secrecy::ExposeSecret;

use crate::config::{ConfigError, PayloadEncryption};

const CONTENT_ENCRYPTION: &str = "A256GCM";

/// The content type of a JWE, also as CloudEvents `datacontenttype`.
pub(crate) const CONTENT_TYPE: &str = "application/jose";

/// Why a key does not load.
#[derive(Debug, thiserror::Error)]
#[error("not an RSA key of at least 2048 bits in PEM")]
pub struct KeyError(#[source] josekit::JoseError);

/// Why an encrypted document could not be opened. Never says anything of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecryptionError {
    /// No keys are configured.
    #[error("the document is encrypted and no decryption key is configured: set payload_encryption")]
    NotConfigured,
    /// Not a compact JWE.
    #[error("the encrypted document is not a compact JWE")]
    Malformed,
    /// The header names an algorithm that is not ours, or an extension.
    #[error("the JWE header must name RSA-OAEP-256 and A256GCM, and neither zip nor crit")]
    Algorithm,
    /// The header names a key that we do not have, or none while there are several.
    #[error(
        "the JWE was made for a key that is not configured: compare its kid with payload_encryption.keys"
    )]
    UnknownKey,
    /// The key is right by name and the content does not open with it.
    #[error("the JWE does not open with the key that it names: it was damaged or made with another key")]
    Damaged,
}

/// The keys that open documents.
pub(crate) struct Decrypter {
    keys: Vec<(String, RsaesJweDecrypter)>,
}

impl fmt::Debug for Decrypter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(kid, _)| kid)).finish()
    }
}

impl Decrypter {
    pub(crate) fn new(config: &PayloadEncryption) -> Result<Self, ConfigError> {
        let mut keys: Vec<(String, RsaesJweDecrypter)> = Vec::with_capacity(config.keys.len());
        for key in &config.keys {
            if keys.iter().any(|(kid, _)| *kid == key.kid) {
                return Err(ConfigError::DuplicateKey(key.kid.clone()));
            }
            let decrypter = RSA_OAEP_256
                .decrypter_from_pem(key.private_key.expose_secret())
                .map_err(|source| ConfigError::Key { kid: key.kid.clone(), source: KeyError(source) })?;
            keys.push((key.kid.clone(), decrypter));
        }
        Ok(Self { keys })
    }

    /// Opens a compact JWE.
    pub(crate) fn open(&self, compact: &[u8]) -> Result<Vec<u8>, DecryptionError> {
        let compact = std::str::from_utf8(compact).map_err(|_| DecryptionError::Malformed)?;
        let mut parts = compact.split('.');
        let header = parts
            .next()
            .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
            .and_then(|bytes| JweHeader::from_bytes(&bytes).ok())
            .filter(|_| parts.count() == 4)
            .ok_or(DecryptionError::Malformed)?;
        let ours = header.algorithm() == Some("RSA-OAEP-256")
            && header.content_encryption() == Some(CONTENT_ENCRYPTION)
            && header.claim("zip").is_none()
            && header.claim("crit").is_none();
        if !ours {
            return Err(DecryptionError::Algorithm);
        }
        let decrypter = match header.key_id() {
            Some(kid) => self.keys.iter().find(|(known, _)| known == kid),
            None if self.keys.len() == 1 => self.keys.first(),
            None => None,
        };
        let (_, decrypter) = decrypter.ok_or(DecryptionError::UnknownKey)?;
        deserialize_compact(compact, decrypter)
            .map(|(document, _)| document)
            .map_err(|_| DecryptionError::Damaged)
    }
}

/// Encrypts documents for one recipient: for producers of events.
#[derive(Clone)]
pub struct Encrypter {
    kid: String,
    key: RsaesJweEncrypter,
}

impl fmt::Debug for Encrypter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypter").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Encrypter {
    /// For the RSA public key (PEM, SubjectPublicKeyInfo) that the recipient knows as `kid`.
    pub fn new(kid: impl Into<String>, public_key_pem: &str) -> Result<Self, KeyError> {
        let key = RSA_OAEP_256.encrypter_from_pem(public_key_pem).map_err(KeyError)?;
        Ok(Self { kid: kid.into(), key })
    }

    /// A compact JWE of the document, under a fresh content key.
    pub(crate) fn seal(&self, document: &[u8]) -> Result<String, josekit::JoseError> {
        let mut header = JweHeader::new();
        header.set_content_encryption(CONTENT_ENCRYPTION);
        header.set_key_id(&self.kid);
        serialize_compact(document, &header, &self.key)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use josekit::jwe::{Dir, RSA_OAEP};
    use openssl::rsa::Rsa;

    use super::*;
    use crate::config::DecryptionKey;

    /// A fresh key pair: (private PEM, public PEM).
    pub(crate) fn key_pair() -> (String, String) {
        let key = Rsa::generate(2048).unwrap();
        let private = String::from_utf8(key.private_key_to_pem().unwrap()).unwrap();
        let public = String::from_utf8(key.public_key_to_pem().unwrap()).unwrap();
        (private, public)
    }

    fn keys(pairs: &[(&str, &str)]) -> Decrypter {
        let keys = pairs
            .iter()
            .map(|(kid, pem)| DecryptionKey { kid: (*kid).into(), private_key: (*pem).into() })
            .collect();
        Decrypter::new(&PayloadEncryption { keys, required: true }).unwrap()
    }

    #[test]
    fn the_key_is_chosen_by_its_id() {
        let (old, new) = (key_pair(), key_pair());
        let both = keys(&[("old", &old.0), ("new", &new.0)]);
        for (kid, pair) in [("old", &old), ("new", &new)] {
            let sealed = Encrypter::new(kid, &pair.1).unwrap().seal(b"{}").unwrap();
            assert_eq!(both.open(sealed.as_bytes()).unwrap(), b"{}");
        }
        let stranger = Encrypter::new("other", &old.1).unwrap().seal(b"{}").unwrap();
        assert_eq!(both.open(stranger.as_bytes()), Err(DecryptionError::UnknownKey));
        let swapped = Encrypter::new("new", &old.1).unwrap().seal(b"{}").unwrap();
        assert_eq!(both.open(swapped.as_bytes()), Err(DecryptionError::Damaged));
    }

    #[test]
    fn without_an_id_only_a_single_key_will_do() {
        let (one, two) = (key_pair(), key_pair());
        let mut header = JweHeader::new();
        header.set_content_encryption(CONTENT_ENCRYPTION);
        let encrypter = RSA_OAEP_256.encrypter_from_pem(&one.1).unwrap();
        let sealed = serialize_compact(b"{}", &header, &encrypter).unwrap();
        assert_eq!(keys(&[("one", &one.0)]).open(sealed.as_bytes()).unwrap(), b"{}");
        let both = keys(&[("one", &one.0), ("two", &two.0)]);
        assert_eq!(both.open(sealed.as_bytes()), Err(DecryptionError::UnknownKey));
    }

    #[test]
    fn other_algorithms_and_extensions_are_refused_before_a_key_is_used() {
        let pair = key_pair();
        let keys = keys(&[("one", &pair.0)]);
        let sha1 = RSA_OAEP.encrypter_from_pem(&pair.1).unwrap();
        let sha256 = RSA_OAEP_256.encrypter_from_pem(&pair.1).unwrap();
        let direct = Dir.encrypter_from_bytes([7; 32]).unwrap();
        let header = |enc: &str, zip: bool, critical: bool| {
            let mut header = JweHeader::new();
            header.set_content_encryption(enc);
            if zip {
                header.set_compression("DEF");
            }
            if critical {
                header.set_critical(&vec!["exp"]);
            }
            header
        };
        for sealed in [
            serialize_compact(b"{}", &header("A256GCM", false, false), &sha1),
            serialize_compact(b"{}", &header("A256GCM", false, false), &direct),
            serialize_compact(b"{}", &header("A128GCM", false, false), &sha256),
            serialize_compact(b"{}", &header("A256GCM", true, false), &sha256),
            serialize_compact(b"{}", &header("A256GCM", false, true), &sha256),
        ] {
            assert_eq!(keys.open(sealed.unwrap().as_bytes()), Err(DecryptionError::Algorithm));
        }
    }

    #[test]
    fn damage_anywhere_is_noticed() {
        let pair = key_pair();
        let keys = keys(&[("one", &pair.0)]);
        let sealed = Encrypter::new("one", &pair.1).unwrap().seal(b"{\"id\":1}").unwrap();
        let starts: Vec<usize> =
            std::iter::once(0).chain(sealed.match_indices('.').map(|(dot, _)| dot + 1)).collect();
        // The header decodes to something else, or to nothing; the other parts no longer fit together.
        for start in &starts[1..] {
            let mut damaged = sealed.clone().into_bytes();
            damaged[*start] = if damaged[*start] == b'A' { b'B' } else { b'A' };
            assert_eq!(keys.open(&damaged), Err(DecryptionError::Damaged));
        }
        for malformed in ["", "not a jwe", "a.b.c.d.e", &sealed[..starts[4] - 1], &format!("{sealed}.x")] {
            assert_eq!(keys.open(malformed.as_bytes()), Err(DecryptionError::Malformed), "{malformed}");
        }
    }

    #[test]
    fn a_key_that_is_none_or_too_short_or_given_twice_is_refused() {
        let config = |keys: Vec<(&str, &str)>| PayloadEncryption {
            keys: keys
                .into_iter()
                .map(|(kid, pem)| DecryptionKey { kid: kid.into(), private_key: pem.into() })
                .collect(),
            required: false,
        };
        let short = Rsa::generate(1024).unwrap().private_key_to_pem().unwrap();
        let short = String::from_utf8(short).unwrap();
        for pem in ["", "not a key", &short] {
            let error = Decrypter::new(&config(vec![("k", pem)])).unwrap_err();
            assert!(matches!(error, ConfigError::Key { ref kid, .. } if kid == "k"), "{error}");
        }
        let pair = key_pair();
        let twice = Decrypter::new(&config(vec![("k", &pair.0), ("k", &pair.0)]));
        assert!(matches!(twice, Err(ConfigError::DuplicateKey(kid)) if kid == "k"));
    }
}
