//! Signed tokens in compact form.

use jiff::Timestamp;
use openssl::{
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{PKey, Private},
    sign::Signer,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::KeySet;
use crate::{
    encoding::{from_base64, to_base64url},
    keys::SignatureAlgorithm,
};

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not three parts, not base64, not JSON.
    #[error("it is not a signed token: {0}")]
    Form(&'static str),
    /// None, an HMAC, an extension, or an algorithm that is not known.
    #[error("its algorithm is neither PS256 nor RS256, or it has an extension")]
    Algorithm,
    /// No key has the name that it gives.
    #[error("no published key has the name that it gives")]
    UnknownKey,
    /// The key's own time is over.
    #[error("the key that it names has expired")]
    ExpiredKey,
    /// Altered, or signed by somebody else.
    #[error("its signature does not fit")]
    Signature,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
    #[serde(default)]
    b64: Option<Value>,
}

/// The claims of a token that one of these keys signed. The header only chooses among two algorithms.
pub(crate) fn verified(token: &str, keys: &KeySet, now: Timestamp) -> Result<Map<String, Value>, JwsError> {
    let token = token.trim();
    let mut parts = token.split('.');
    let (Some(head), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(JwsError::Form("it has not three parts"));
    };
    let header = from_base64(head).ok_or(JwsError::Form("its header is not base64"))?;
    let header: Header =
        serde_json::from_slice(&header).map_err(|_| JwsError::Form("its header cannot be read"))?;
    let algorithm = SignatureAlgorithm::of_name(&header.alg).ok_or(JwsError::Algorithm)?;
    if header.crit.is_some() || header.b64.is_some() {
        return Err(JwsError::Algorithm);
    }
    let signature = from_base64(signature).ok_or(JwsError::Form("its signature is not base64"))?;
    let candidates = keys.candidates(header.kid.as_deref(), now);
    if candidates.keys.is_empty() {
        return Err(if candidates.expired { JwsError::ExpiredKey } else { JwsError::UnknownKey });
    }
    let input = &token.as_bytes()[..head.len() + 1 + payload.len()];
    if !candidates.keys.iter().any(|key| algorithm.fits(key, input, &signature)) {
        return Err(JwsError::Signature);
    }
    claims(payload)
}

fn claims(payload: &str) -> Result<Map<String, Value>, JwsError> {
    let payload = from_base64(payload).ok_or(JwsError::Form("its claims are not base64"))?;
    serde_json::from_slice(&payload).map_err(|_| JwsError::Form("its claims are not a json object"))
}

/// The claims of a token, whoever signed it: to be compared with what is proven, never to be believed.
pub(crate) fn payload_unverified(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.trim().split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    claims(payload).ok()
}

/// A token of ours, RS256; half a millisecond.
pub(crate) fn sign_rs256(header: &Value, claims: &Value, key: &PKey<Private>) -> Result<String, ErrorStack> {
    let part = |value: &Value| to_base64url(value.to_string().as_bytes());
    let input = format!("{}.{}", part(header), part(claims));
    let signature = Signer::new(MessageDigest::sha256(), key)?.sign_oneshot_to_vec(input.as_bytes())?;
    Ok(format!("{input}.{}", to_base64url(&signature)))
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in crate::jose) fn vector() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/esignet/userinfo.json")).unwrap()
    }

    pub(in crate::jose) fn keys(vector: &Value) -> KeySet {
        KeySet::read(vector["jwks"].to_string().as_bytes()).unwrap()
    }

    fn now() -> Timestamp {
        "2026-12-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn recorded_tokens_are_accepted_and_refused() {
        let vector = vector();
        let read =
            |group: &str, name: &str| verified(vector[group][name].as_str().unwrap(), &keys(&vector), now());
        for name in ["jws_ps256", "jws_rs256"] {
            assert_eq!(Value::Object(read("accept", name).unwrap()), vector["payload"], "{name}");
        }
        assert_eq!(read("refuse", "alg_none"), Err(JwsError::Algorithm));
        assert_eq!(read("refuse", "hs256_with_the_certificate_as_secret"), Err(JwsError::Algorithm));
        assert_eq!(read("refuse", "payload_changed"), Err(JwsError::Signature));
    }

    #[test]
    fn every_flipped_bit_of_a_signature_is_noticed() {
        let vector = vector();
        let token = vector["accept"]["jws_rs256"].as_str().unwrap();
        let (input, signature) = token.rsplit_once('.').unwrap();
        let signature = from_base64(signature).unwrap();
        for byte in (0..signature.len()).step_by(17) {
            let mut altered = signature.clone();
            altered[byte] ^= 1;
            let altered = format!("{input}.{}", to_base64url(&altered));
            assert_eq!(verified(&altered, &keys(&vector), now()), Err(JwsError::Signature));
        }
    }

    #[test]
    fn a_token_by_an_unknown_or_expired_key_or_with_an_extension_is_refused() {
        let vector = vector();
        let key = PKey::private_key_from_pem(include_bytes!("../../tests/vectors/ida/ida-key.pem")).unwrap();
        let signed = |header: Value| sign_rs256(&header, &json!({ "sub": "1" }), &key).unwrap();
        let read = |header: Value| verified(&signed(header), &keys(&vector), now());
        assert!(read(json!({ "alg": "RS256" })).is_ok(), "without a name each key is tried");
        assert_eq!(read(json!({ "alg": "RS256", "kid": "other" })), Err(JwsError::UnknownKey));
        assert_eq!(read(json!({ "alg": "RS256", "crit": ["b64"], "b64": false })), Err(JwsError::Algorithm));
        assert_eq!(read(json!({ "alg": "RS512" })), Err(JwsError::Algorithm));
        let late = verified(&signed(json!({ "alg": "RS256" })), &keys(&vector), Timestamp::MAX);
        assert_eq!(late, Err(JwsError::ExpiredKey));
        for text in ["", "a.b", "a.b.c.d", "a{.b.c"] {
            assert!(matches!(verified(text, &keys(&vector), now()), Err(JwsError::Form(_))), "{text}");
        }
    }
}
