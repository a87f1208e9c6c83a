//! Attributes protected by a pin, in credentials of the default provider.
//!
//! `base64url(salt(32) ‖ nonce(12) ‖ ciphertext ‖ tag)`, the salt also as additional data, the key derived from the pin
//! by 100,000 rounds of PBKDF2-HMAC-SHA512. The pin has six digits and travels beside the credential, so that this is
//! no protection once the event is open; it costs some 50 ms of processor time per value.

use openssl::{error::ErrorStack, hash::MessageDigest, pkcs5::pbkdf2_hmac};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::hybrid::{NONCE, TAG, gcm_open, gcm_seal};
use crate::encoding::{from_base64, to_base64url};

const SALT: usize = 32;
const ROUNDS: usize = 100_000;

/// Why a protected attribute does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// Not base64, or too short.
    #[error("the protected attribute is not salt, nonce and ciphertext in base64")]
    Layout,
    /// The tag does not fit.
    #[error("the pin does not open the attribute, or it was altered")]
    Pin,
    /// It is not text.
    #[error("the opened attribute is not utf-8")]
    NotText,
    /// The crypto library failed.
    #[error("the key could not be derived from the pin")]
    Crypto,
}

/// Opens an attribute with the event's pin (`protectionKey`).
pub fn open_protected(pin: &SecretString, value: &str) -> Result<Zeroizing<String>, PinError> {
    let blob = from_base64(value).filter(|blob| blob.len() >= SALT + NONCE + TAG).ok_or(PinError::Layout)?;
    let (salt, rest) = blob.split_at(SALT);
    let (nonce, sealed) = rest.split_at(NONCE);
    let key = derive(pin, salt).map_err(|_| PinError::Crypto)?;
    let plain = gcm_open(key.as_slice(), nonce, salt, sealed).ok_or(PinError::Pin)?;
    std::str::from_utf8(&plain).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| PinError::NotText)
}

/// The randomness of one protected value.
pub struct PinEntropy {
    /// Salt of the derivation.
    pub salt: [u8; 32],
    /// Nonce of AES-GCM.
    pub nonce: [u8; 12],
}

/// Protects an attribute as MOSIP does.
pub fn seal_protected(pin: &SecretString, value: &str, entropy: &PinEntropy) -> Result<String, PinError> {
    let key = derive(pin, &entropy.salt).map_err(|_| PinError::Crypto)?;
    let sealed =
        gcm_seal(&key, &entropy.nonce, &entropy.salt, value.as_bytes()).map_err(|_| PinError::Crypto)?;
    Ok(to_base64url(&[&entropy.salt[..], &entropy.nonce, &sealed].concat()))
}

fn derive(pin: &SecretString, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, ErrorStack> {
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2_hmac(pin.expose_secret().as_bytes(), salt, ROUNDS, MessageDigest::sha512(), key.as_mut_slice())?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str =
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKitHKzjo4CGj9MTgtKuefEx89ankkxCZcTY";

    fn entropy() -> PinEntropy {
        PinEntropy {
            salt: std::array::from_fn(|i| u8::try_from(i).unwrap()),
            nonce: std::array::from_fn(|i| u8::try_from(0x20 + i).unwrap()),
        }
    }

    #[test]
    fn the_published_vector_is_derived_sealed_and_opened() {
        let pin = SecretString::from("275700");
        let key = derive(&pin, &entropy().salt).unwrap();
        assert_eq!(hex::encode(*key), "9ffb6f05eec6ddf0562f98e9e53cbbad170cbb4377ae227f10e046700ea1cde6");
        assert_eq!(seal_protected(&pin, "Asha Rao", &entropy()).unwrap(), VALUE);
        assert_eq!(open_protected(&pin, VALUE).unwrap().as_str(), "Asha Rao");
    }

    #[test]
    fn another_pin_and_altered_values_do_not_open() {
        assert_eq!(open_protected(&"275701".into(), VALUE), Err(PinError::Pin));
        let altered = VALUE.replacen("AAEC", "AQEC", 1);
        assert_eq!(open_protected(&"275700".into(), &altered), Err(PinError::Pin));
        assert_eq!(open_protected(&"275700".into(), &VALUE[..60]), Err(PinError::Layout));
        assert_eq!(open_protected(&"275700".into(), "~"), Err(PinError::Layout));
    }
}
