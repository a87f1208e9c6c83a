//! Encrypted tokens: RSA-OAEP-256 with A256GCM, deflated or not. What the discovery document of e-Signet says about
//! the algorithms is not what it does.

use std::io::Read as _;

use flate2::read::DeflateDecoder;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    credential::hybrid::gcm_open,
    encoding::from_base64,
    keys::{KeyRing, TokenError, UnwrapError},
};

/// Why a token does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JweError {
    /// Not five parts, not base64, not JSON, not text inside.
    #[error("it is not an encrypted token: {0}")]
    Form(&'static str),
    /// Of other algorithms.
    #[error("it is not encrypted by RSA-OAEP-256 and A256GCM")]
    Algorithm,
    /// For another key, or altered.
    #[error("none of our keys opens it")]
    Key,
    /// A bomb, or far too large.
    #[error("it inflates to more than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: usize,
    },
    /// The token that holds the key cannot be asked.
    #[error(transparent)]
    Token(#[from] TokenError),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    enc: String,
    #[serde(default)]
    zip: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
}

/// What is inside: a token again. Half a millisecond, or as long as a token takes: off the async workers.
pub(crate) fn open(token: &str, keys: &KeyRing, limit: usize) -> Result<Zeroizing<String>, JweError> {
    let parts: Vec<&str> = token.trim().split('.').collect();
    let [head, wrapped, nonce, ciphertext, tag] = parts.as_slice() else {
        return Err(JweError::Form("it has not five parts"));
    };
    let bytes = |text: &str| from_base64(text).ok_or(JweError::Form("a part of it is not base64"));
    let header: Header =
        serde_json::from_slice(&bytes(head)?).map_err(|_| JweError::Form("its header cannot be read"))?;
    let deflated = match header.zip.as_deref() {
        None => false,
        Some("DEF") => true,
        Some(_) => return Err(JweError::Algorithm),
    };
    if header.alg != "RSA-OAEP-256" || header.enc != "A256GCM" || header.crit.is_some() {
        return Err(JweError::Algorithm);
    }
    let (wrapped, nonce) = (bytes(wrapped)?, bytes(nonce)?);
    let mut sealed = bytes(ciphertext)?;
    sealed.extend(bytes(tag)?);
    let mut away = None;
    for key in keys.all() {
        let key = match key.unwrap(&wrapped) {
            Ok(key) => key,
            Err(UnwrapError::Refused) => continue,
            Err(UnwrapError::Token(error)) => {
                away = Some(error);
                continue;
            }
        };
        let Some(plain) = gcm_open(&key, &nonce, head.as_bytes(), &sealed) else { continue };
        let plain = if deflated { inflated(&plain, limit)? } else { plain };
        let text = std::str::from_utf8(&plain).map_err(|_| JweError::Form("what is inside is no text"))?;
        return Ok(Zeroizing::new(text.to_owned()));
    }
    // What failed tries left behind is not the next caller's.
    let _ = openssl::error::ErrorStack::get();
    Err(away.map_or(JweError::Key, JweError::Token))
}

fn inflated(deflated: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, JweError> {
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut plain = Zeroizing::new(Vec::new());
    DeflateDecoder::new(deflated)
        .take(most)
        .read_to_end(&mut plain)
        .map_err(|_| JweError::Form("what is inside does not inflate"))?;
    if plain.len() > limit { Err(JweError::TooLarge { limit }) } else { Ok(plain) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::DeflateEncoder};
    use serde_json::json;

    use super::super::jws::tests::{keys, vector};
    use super::*;
    use crate::{
        credential::{hybrid::gcm_seal, wrap_key},
        encoding::to_base64url,
    };

    fn ring() -> KeyRing {
        let key = include_bytes!("../../tests/vectors/ida/client-key.pem");
        let other = include_bytes!("../../tests/vectors/key.pem");
        KeyRing::from_pem([
            (other.as_slice(), include_bytes!("../../tests/vectors/cert.pem").as_slice()),
            (key.as_slice(), include_bytes!("../../tests/vectors/ida/client-cert.pem").as_slice()),
        ])
        .unwrap()
    }

    fn sealed(header: &Value, plain: &[u8]) -> String {
        let certificate = include_bytes!("../../tests/vectors/ida/client-cert.pem");
        let key = openssl::x509::X509::from_pem(certificate).unwrap().public_key().unwrap();
        let head = to_base64url(header.to_string().as_bytes());
        let sealed = gcm_seal(&[7; 32], &[1; 12], head.as_bytes(), plain).unwrap();
        let (text, tag) = sealed.split_at(sealed.len() - 16);
        let wrapped = wrap_key(&key, &[7; 32]).unwrap();
        [head, to_base64url(&wrapped), to_base64url(&[1; 12]), to_base64url(text), to_base64url(tag)]
            .join(".")
    }

    fn deflated(plain: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn recorded_tokens_open_to_the_signed_ones() {
        let vector = vector();
        for name in ["jwe_of_jws", "jwe_of_jws_zip_def"] {
            let inner = open(vector["accept"][name].as_str().unwrap(), &ring(), 65_536).unwrap();
            let now = "2026-12-01T00:00:00Z".parse().unwrap();
            let claims = super::super::verified(&inner, &keys(&vector), now).unwrap();
            assert_eq!(Value::Object(claims), vector["payload"], "{name}");
        }
        let token = vector["accept"]["jwe_of_jws"].as_str().unwrap();
        assert_eq!(open(token, &KeyRing::new(), 65_536), Err(JweError::Key));
    }

    #[test]
    fn what_was_altered_or_is_encrypted_otherwise_does_not_open() {
        let good = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM" });
        assert_eq!(*open(&sealed(&good, b"abc"), &ring(), 10).unwrap(), "abc");
        for header in [
            json!({ "alg": "RSA-OAEP", "enc": "A256GCM" }),
            json!({ "alg": "RSA-OAEP-256", "enc": "A128GCM" }),
            json!({ "alg": "dir", "enc": "A256GCM" }),
            json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "zip": "GZ" }),
            json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "crit": ["x"] }),
        ] {
            assert_eq!(open(&sealed(&header, b"abc"), &ring(), 10), Err(JweError::Algorithm), "{header}");
        }
        let token = sealed(&good, b"abc");
        let renamed = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": "x" });
        let head = to_base64url(renamed.to_string().as_bytes());
        let swapped = format!("{head}.{}", token.split_once('.').unwrap().1);
        assert_eq!(open(&swapped, &ring(), 10), Err(JweError::Key), "the header is covered");
        assert!(matches!(open("a.b.c", &ring(), 10), Err(JweError::Form(_))));
    }

    #[test]
    fn what_inflates_beyond_the_limit_is_refused() {
        let header = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "zip": "DEF" });
        let bomb = sealed(&header, &deflated(&vec![b'a'; 50_000_000]));
        assert!(bomb.len() < 100_000);
        assert_eq!(open(&bomb, &ring(), 1000), Err(JweError::TooLarge { limit: 1000 }));
        let fits = sealed(&header, &deflated(&[b'a'; 1000]));
        assert_eq!(open(&fits, &ring(), 1000).unwrap().len(), 1000);
        let torn = sealed(&header, b"\xff\xff\xff");
        assert!(matches!(open(&torn, &ring(), 1000), Err(JweError::Form(_))));
    }
}
