//! Keys as JSON: sets of public ones that others publish, and the private one that OpenCRVS's countries have.

use std::fmt;

use jiff::Timestamp;
use openssl::{
    bn::BigNum,
    error::ErrorStack,
    pkey::{Id, PKey, Private, Public},
    rsa::Rsa,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::encoding::from_base64;

/// Fewest bits of a key that is used.
const LEAST_BITS: u32 = 2048;

/// Public keys that somebody publishes.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: Vec<Published>,
}

#[derive(Clone)]
struct Published {
    kid: Option<String>,
    key: PKey<Public>,
    until: Option<Timestamp>,
}

/// Why there is no key set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not `{"keys": […]}`.
    #[error("it is not a json web key set")]
    Form,
    /// Nothing that could be used.
    #[error("it holds no rsa key for signatures")]
    Empty,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    n: String,
    e: String,
    #[serde(default)]
    exp: Option<Value>,
}

impl KeySet {
    /// Reads a set. Keys of other kinds, for encryption, or too short are left out.
    pub fn read(json: &[u8]) -> Result<Self, KeySetError> {
        let set: Set = serde_json::from_slice(json).map_err(|_| KeySetError::Form)?;
        let keys: Vec<Published> = set.keys.into_iter().filter_map(published).collect();
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(KeySet { keys }) }
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that may have signed under this name, or any where none is named; none that has expired.
    pub(super) fn candidates(&self, kid: Option<&str>, now: Timestamp) -> Candidates<'_> {
        let mut expired = false;
        let mut keys = Vec::new();
        for published in &self.keys {
            if kid.is_some() && published.kid.as_deref() != kid {
                continue;
            }
            if published.until.is_some_and(|until| until <= now) {
                expired = true;
            } else {
                keys.push(&published.key);
            }
        }
        Candidates { keys, expired }
    }
}

/// Keys to try.
pub(super) struct Candidates<'a> {
    pub(super) keys: Vec<&'a PKey<Public>>,
    /// Whether one was left out because its time is over.
    pub(super) expired: bool,
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySet({})", self.keys.len())
    }
}

fn published(value: Value) -> Option<Published> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    if jwk.kty != "RSA" || jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let rsa = Rsa::from_public_components(number(&jwk.n)?, number(&jwk.e)?).ok()?;
    let key = PKey::from_rsa(rsa).ok()?;
    (key.bits() >= LEAST_BITS).then_some(())?;
    let until = match jwk.exp {
        None | Some(Value::Null) => None,
        // e-Signet writes the end of the certificate as a text, others write seconds.
        Some(Value::String(text)) => Some(text.parse().ok()?),
        Some(other) => Some(Timestamp::from_second(other.as_i64()?).ok()?),
    };
    Some(Published { kid: jwk.kid, key, until })
}

/// Why a private key is not taken.
#[derive(Debug, thiserror::Error)]
pub enum JwkError {
    /// None of the forms.
    #[error("it is neither a JWK in JSON, nor the base64 of one, nor a private key in PEM")]
    Form,
    /// Of another kind, or too short.
    #[error("it is not an RSA key of 2048 bits or more")]
    Kind,
    /// Public, or its numbers do not belong together.
    #[error("it is not a whole private key")]
    NotWhole(#[source] Option<ErrorStack>),
}

#[derive(Deserialize)]
struct PrivateJwk {
    kty: String,
    n: Option<SecretString>,
    e: Option<SecretString>,
    d: Option<SecretString>,
    p: Option<SecretString>,
    q: Option<SecretString>,
    dp: Option<SecretString>,
    dq: Option<SecretString>,
    qi: Option<SecretString>,
}

/// Reads a private key: the base64 of a JWK (as mosip-api has it), the JWK itself, or PEM.
pub(crate) fn private_key(text: &str) -> Result<PKey<Private>, JwkError> {
    let text = text.trim();
    let key = if text.starts_with("-----BEGIN") {
        PKey::private_key_from_pem_callback(text.as_bytes(), |_| Ok(0)).map_err(|_| JwkError::Form)?
    } else if text.starts_with('{') {
        of_jwk(text.as_bytes())?
    } else {
        of_jwk(&Zeroizing::new(from_base64(text).ok_or(JwkError::Form)?))?
    };
    if key.id() != Id::RSA || key.bits() < LEAST_BITS { Err(JwkError::Kind) } else { Ok(key) }
}

fn of_jwk(json: &[u8]) -> Result<PKey<Private>, JwkError> {
    let jwk: PrivateJwk = serde_json::from_slice(json).map_err(|_| JwkError::Form)?;
    if jwk.kty != "RSA" {
        return Err(JwkError::Kind);
    }
    let part = |text: &Option<SecretString>| {
        text.as_ref().and_then(|text| number(text.expose_secret())).ok_or(JwkError::NotWhole(None))
    };
    let wrong = |error| JwkError::NotWhole(Some(error));
    let rsa = Rsa::from_private_components(
        part(&jwk.n)?,
        part(&jwk.e)?,
        part(&jwk.d)?,
        part(&jwk.p)?,
        part(&jwk.q)?,
        part(&jwk.dp)?,
        part(&jwk.dq)?,
        part(&jwk.qi)?,
    )
    .map_err(wrong)?;
    if !rsa.check_key().unwrap_or(false) {
        // What OpenSSL noted on the way is not the next caller's.
        let _ = ErrorStack::get();
        return Err(JwkError::NotWhole(None));
    }
    PKey::from_rsa(rsa).map_err(wrong)
}

fn number(text: &str) -> Option<BigNum> {
    BigNum::from_slice(&Zeroizing::new(from_base64(text)?)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::encoding::{to_base64, to_base64url};

    const KEY: &str = include_str!("../../tests/vectors/ida/client-key.pem");

    fn jwk() -> Value {
        let rsa = PKey::private_key_from_pem(KEY.as_bytes()).unwrap().rsa().unwrap();
        let part = |number: &openssl::bn::BigNumRef| to_base64url(&number.to_vec());
        json!({
            "kty": "RSA", "n": part(rsa.n()), "e": part(rsa.e()), "d": part(rsa.d()), "p": part(rsa.p().unwrap()),
            "q": part(rsa.q().unwrap()), "dp": part(rsa.dmp1().unwrap()), "dq": part(rsa.dmq1().unwrap()),
            "qi": part(rsa.iqmp().unwrap()), "use": "sig", "alg": "RS256",
        })
    }

    #[test]
    fn each_form_of_a_private_key_is_read() {
        let pem = PKey::private_key_from_pem(KEY.as_bytes()).unwrap();
        let json = jwk().to_string();
        for text in [KEY.to_owned(), json.clone(), format!("{}\n", to_base64(json.as_bytes()))] {
            assert!(private_key(&text).unwrap().public_eq(&pem));
        }
    }

    #[test]
    fn what_is_no_whole_private_key_says_why() {
        let mut public = jwk();
        public.as_object_mut().unwrap().remove("d");
        let mut torn = jwk();
        torn["p"] = torn["q"].clone();
        let short = Rsa::generate(1024).unwrap().private_key_to_pem().unwrap();
        assert!(matches!(private_key(&public.to_string()), Err(JwkError::NotWhole(None))));
        assert!(matches!(private_key(&torn.to_string()), Err(JwkError::NotWhole(_))));
        assert!(matches!(private_key(r#"{"kty":"EC"}"#), Err(JwkError::Kind)));
        assert!(matches!(private_key(std::str::from_utf8(&short).unwrap()), Err(JwkError::Kind)));
        assert!(matches!(private_key("nonsense"), Err(JwkError::Form)));
    }

    #[test]
    fn of_a_set_only_rsa_keys_for_signatures_are_taken_and_expired_ones_not_tried() {
        let key = |kid: &str, more: Value| {
            let mut key = jwk();
            let fields = key.as_object_mut().unwrap();
            fields.retain(|name, _| matches!(name.as_str(), "kty" | "n" | "e"));
            fields.insert("kid".to_owned(), json!(kid));
            fields.extend(more.as_object().unwrap().clone());
            key
        };
        let set = json!({ "keys": [
            key("a", json!({ "use": "sig", "exp": "2026-06-01T00:00:00.000Z" })),
            key("b", json!({ "exp": 1_767_225_600 })),
            key("c", json!({})),
            key("d", json!({ "use": "enc" })),
            { "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "e" },
        ] });
        let set = KeySet::read(set.to_string().as_bytes()).unwrap();
        assert_eq!(set.len(), 3);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let tried = |kid, now| set.candidates(kid, at(now)).keys.len();
        assert_eq!(tried(None, "2026-05-31T00:00:00Z"), 2, "b is over");
        assert_eq!(tried(Some("a"), "2026-05-31T00:00:00Z"), 1);
        let over = set.candidates(Some("a"), at("2026-06-01T00:00:00Z"));
        assert!(over.keys.is_empty() && over.expired);
        assert_eq!(tried(Some("e"), "2026-05-31T00:00:00Z"), 0);
        assert_eq!(KeySet::read(b"{}").unwrap_err(), KeySetError::Form);
        assert_eq!(KeySet::read(br#"{"keys":[]}"#).unwrap_err(), KeySetError::Empty);
    }
}
