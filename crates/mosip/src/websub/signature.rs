//! `X-Hub-Signature: sha256=<hex of HMAC-SHA256(secret, body)>`.
//!
//! The hub parses and re-serialises what was published, so that only the bytes received can be checked.

use openssl::{error::ErrorStack, hash::MessageDigest, memcmp, pkey::PKey, sign::Signer};
use secrecy::{ExposeSecret, SecretString};

/// The header, in the form in which HTTP libraries look it up.
pub const SIGNATURE_HEADER: &str = "x-hub-signature";

/// Why a delivery is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No header.
    #[error("the delivery has no X-Hub-Signature header; the hub signs each delivery")]
    Missing,
    /// Not `sha256=` and 64 hexadecimal digits.
    #[error("the X-Hub-Signature header is not sha256= and 64 hexadecimal digits")]
    Malformed,
    /// Signed with none of our secrets, or altered.
    #[error(
        "the X-Hub-Signature header matches none of the configured secrets; after a rotation keep the old one too"
    )]
    Mismatch,
    /// We have nothing to compare with.
    #[error("no hub secret is configured, so that no delivery can be believed")]
    NoSecret,
    /// The crypto library failed.
    #[error("the signature could not be computed")]
    Crypto,
}

/// Verifies a delivery over its raw bytes, in constant time, against each secret: during a rotation there are two.
/// The place of the secret that it was signed with.
pub fn verify_signature(
    secrets: &[SecretString],
    raw: &[u8],
    header: Option<&str>,
) -> Result<usize, SignatureError> {
    let header = header.ok_or(SignatureError::Missing)?.trim();
    let (method, digits) = header.split_once('=').ok_or(SignatureError::Malformed)?;
    let given = hex::decode(digits).map_err(|_| SignatureError::Malformed)?;
    if !method.eq_ignore_ascii_case("sha256") || given.len() != 32 {
        return Err(SignatureError::Malformed);
    }
    let usable = |secret: &&SecretString| !secret.expose_secret().is_empty();
    if !secrets.iter().any(|secret| usable(&secret)) {
        return Err(SignatureError::NoSecret);
    }
    let mut signed_with = None;
    for (place, secret) in secrets.iter().enumerate().filter(|(_, secret)| usable(secret)) {
        let expected = hmac(secret, raw).map_err(|_| SignatureError::Crypto)?;
        // No early end: the time taken says nothing about which secret is the right one.
        if expected.len() == given.len() && memcmp::eq(&expected, &given) {
            signed_with = Some(place);
        }
    }
    signed_with.ok_or(SignatureError::Mismatch)
}

/// The header's value for a body, as the hub writes it.
pub fn sign(secret: &SecretString, raw: &[u8]) -> Result<String, SignatureError> {
    if secret.expose_secret().is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let mac = hmac(secret, raw).map_err(|_| SignatureError::Crypto)?;
    Ok(format!("sha256={}", hex::encode(mac)))
}

fn hmac(secret: &SecretString, raw: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let key = PKey::hmac(secret.expose_secret().as_bytes())?;
    Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"instanceId":"10001200420000120260102030405","resultCode":"PROCESSED","workflowType":"CRVS_NEW","errorCode":null}"#;
    const HEADER: &str = "sha256=4ea6ab7a4157a4c05f07ed48431abfd59590107866256c4882a73375fbc320c2";

    fn secrets(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|text| SecretString::from(*text)).collect()
    }

    #[test]
    fn the_recorded_vector_is_signed_and_verified() {
        assert_eq!(sign(&"test-secret".into(), BODY).unwrap(), HEADER);
        assert_eq!(verify_signature(&secrets(&["test-secret"]), BODY, Some(HEADER)), Ok(0));
    }

    #[test]
    fn any_of_several_secrets_will_do() {
        assert_eq!(verify_signature(&secrets(&["new", "test-secret"]), BODY, Some(HEADER)), Ok(1));
        assert_eq!(verify_signature(&secrets(&["test-secret", "old"]), BODY, Some(HEADER)), Ok(0));
        assert_eq!(
            verify_signature(&secrets(&["new", "old"]), BODY, Some(HEADER)),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn one_changed_byte_is_noticed() {
        let mut body = BODY.to_vec();
        body[20] ^= 1;
        assert_eq!(
            verify_signature(&secrets(&["test-secret"]), &body, Some(HEADER)),
            Err(SignatureError::Mismatch)
        );
        assert!(verify_signature(&secrets(&["test-secret"]), &BODY[..113], Some(HEADER)).is_err());
    }

    #[test]
    fn a_missing_or_malformed_header_is_told_from_a_wrong_one() {
        let ours = secrets(&["test-secret"]);
        assert_eq!(verify_signature(&ours, BODY, None), Err(SignatureError::Missing));
        for header in ["", "sha256", "sha256=", "sha1=00", "sha256=zz", "sha512=00", "sha256=4ea6"] {
            assert_eq!(
                verify_signature(&ours, BODY, Some(header)),
                Err(SignatureError::Malformed),
                "{header:?}"
            );
        }
        assert_eq!(
            verify_signature(&ours, BODY, Some(&HEADER.to_uppercase())),
            Ok(0),
            "hexadecimal has no case"
        );
    }

    #[test]
    fn without_a_secret_nothing_is_believed() {
        assert_eq!(verify_signature(&[], BODY, Some(HEADER)), Err(SignatureError::NoSecret));
        let of_nothing = secrets(&[""]);
        assert_eq!(verify_signature(&of_nothing, BODY, Some(HEADER)), Err(SignatureError::NoSecret));
        assert_eq!(sign(&of_nothing[0], BODY), Err(SignatureError::NoSecret));
    }
}
