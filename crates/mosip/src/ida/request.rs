//! A request, byte by byte: what is compared is sealed to IDA's certificate, and its hash beside it under the same key.
//!
//! Other than everywhere else at MOSIP, nonces are 16 bytes long, and stand last.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use jiff::Timestamp;
use openssl::{error::ErrorStack, sha::sha256};
use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    client::wire_time,
    credential::hybrid::{gcm_seal, wrap_key},
    packet::EncryptionCertificate,
};

/// What IDA is the generation of, by the form that it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// Up to 1.1.5: wants to be told which kinds of authentication a request holds.
    V1_1,
    /// From 1.2 on: finds out by itself.
    V1_2,
}

/// What kind a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdType {
    /// The permanent number.
    Uin,
    /// A virtual one.
    Vid,
    /// A handle: telephone, e-mail and the like.
    Handle,
}

impl IdType {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            IdType::Uin => "UIN",
            IdType::Vid => "VID",
            IdType::Handle => "HANDLE",
        }
    }
}

/// The random parts of one request.
pub struct RequestEntropy {
    /// Seals both parts.
    pub key: [u8; 32],
    /// Nonce of the data.
    pub nonce: [u8; 16],
    /// Nonce of the hash.
    pub hash_nonce: [u8; 16],
    /// Names the request: becomes ten digits.
    pub transaction: [u8; 8],
}

impl RequestEntropy {
    /// Draws all of them.
    pub fn draw(fill: &dyn Fn(&mut [u8])) -> Self {
        let mut drawn =
            RequestEntropy { key: [0; 32], nonce: [0; 16], hash_nonce: [0; 16], transaction: [0; 8] };
        fill(&mut drawn.key);
        fill(&mut drawn.nonce);
        fill(&mut drawn.hash_nonce);
        fill(&mut drawn.transaction);
        drawn
    }

    pub(super) fn transaction_id(&self) -> String {
        format!("{:010}", u64::from_be_bytes(self.transaction) % 10_000_000_000)
    }
}

impl Drop for RequestEntropy {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl fmt::Debug for RequestEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestEntropy")
    }
}

/// Why a request could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the request could not be encrypted or signed")]
pub struct SealError(#[from] ErrorStack);

/// The sealed parts of a request, base64url with padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Data ‖ tag ‖ nonce.
    pub request: String,
    /// The key, wrapped for IDA's certificate.
    pub session_key: String,
    /// Hash ‖ tag ‖ nonce: no HMAC, whatever it is called.
    pub hash: String,
    /// SHA-256 of IDA's certificate.
    pub thumbprint: String,
}

/// Seals what is compared. The padding of the wrapped key is OpenSSL's own randomness, so that no two are the same.
pub fn seal(
    plaintext: &[u8],
    certificate: &EncryptionCertificate,
    entropy: &RequestEntropy,
) -> Result<Sealed, SealError> {
    let hash = Zeroizing::new(hex::encode_upper(sha256(plaintext)));
    let part = |nonce: &[u8; 16], plain: &[u8]| -> Result<String, ErrorStack> {
        let mut sealed = gcm_seal(&entropy.key, nonce, &[], plain)?;
        sealed.extend_from_slice(nonce);
        Ok(URL_SAFE.encode(sealed))
    };
    Ok(Sealed {
        request: part(&entropy.nonce, plaintext)?,
        session_key: URL_SAFE.encode(wrap_key(certificate.key(), &entropy.key)?),
        hash: part(&entropy.hash_nonce, hash.as_bytes())?,
        thumbprint: URL_SAFE.encode(certificate.thumbprint()),
    })
}

/// What is sealed.
#[derive(Serialize)]
struct Inner<'a> {
    biometrics: [(); 0],
    demographics: &'a Map<String, Value>,
    otp: &'static str,
    timestamp: &'a str,
}

pub(super) fn plaintext(demographics: &Map<String, Value>, now: Timestamp) -> Zeroizing<Vec<u8>> {
    let inner = Inner { biometrics: [], demographics, otp: "", timestamp: &wire_time(now) };
    // Maps of texts are always JSON.
    Zeroizing::new(serde_json::to_vec(&inner).unwrap_or_default())
}

/// What is sent, in the order of the published clients.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outer<'a> {
    pub(super) id: &'static str,
    pub(super) version: &'static str,
    pub(super) individual_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) individual_id_type: Option<&'static str>,
    #[serde(rename = "transactionID")]
    pub(super) transaction_id: &'a str,
    pub(super) request_time: &'a str,
    pub(super) spec_version: &'static str,
    pub(super) thumbprint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) domain_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) env: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) requested_auth: Option<RequestedAuth>,
    pub(super) consent_obtained: bool,
    #[serde(rename = "requestHMAC")]
    pub(super) request_hmac: &'a str,
    pub(super) request_session_key: &'a str,
    pub(super) request: &'a str,
    pub(super) metadata: Map<String, Value>,
}

/// The kinds of authentication in a request, for IDA up to 1.1.5.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "as the wire has it")]
pub(super) struct RequestedAuth {
    demo: bool,
    pin: bool,
    otp: bool,
    bio: bool,
}

impl RequestedAuth {
    pub(super) fn of(generation: Generation) -> Option<Self> {
        let demographic = RequestedAuth { demo: true, pin: false, otp: false, bio: false };
        (generation == Generation::V1_1).then_some(demographic)
    }
}

#[cfg(test)]
mod tests {
    use openssl::pkey::PKey;

    use super::*;
    use crate::{encoding::from_base64, keys::PrivateKey};

    const CERTIFICATE: &[u8] = include_bytes!("../../tests/vectors/ida/ida-cert.pem");
    const KEY: &[u8] = include_bytes!("../../tests/vectors/ida/ida-key.pem");

    fn vector() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/ida/request.json")).unwrap()
    }

    fn bytes<const N: usize>(vector: &Value, key: &str) -> [u8; N] {
        hex::decode(vector[key].as_str().unwrap()).unwrap().try_into().unwrap()
    }

    fn recorded(vector: &Value) -> RequestEntropy {
        RequestEntropy {
            key: bytes(vector, "aes_key_hex"),
            nonce: bytes(vector, "iv_request_hex"),
            hash_nonce: bytes(vector, "iv_hmac_hex"),
            transaction: 9_911_669_816_u64.to_be_bytes(),
        }
    }

    #[test]
    fn the_recorded_request_is_made_byte_for_byte() {
        let vector = vector();
        let person = super::super::Person {
            name: Some(Zeroizing::new("Émana Sar".to_owned())),
            dob: Some(jiff::civil::date(1992, 1, 1)),
            gender: Some(Zeroizing::new("Male".to_owned())),
            ..super::super::Person::default()
        };
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let plain = plaintext(&person.demographics("eng", &[]), at);
        assert_eq!(std::str::from_utf8(&plain).unwrap(), vector["plaintext"]);
        let certificate = EncryptionCertificate::from_pem(CERTIFICATE).unwrap();
        let entropy = recorded(&vector);
        assert_eq!(entropy.transaction_id(), "9911669816");
        let sealed = seal(&plain, &certificate, &entropy).unwrap();
        assert_eq!(sealed.request, vector["request_b64url"]);
        assert_eq!(sealed.hash, vector["requestHMAC_b64url"]);
        assert_eq!(sealed.thumbprint, vector["thumbprint_b64url"]);
        assert_eq!(sealed.session_key.len(), 344);
        let key = PrivateKey::Memory(PKey::private_key_from_pem(KEY).unwrap());
        let opened = |text: &str| key.unwrap(&from_base64(text).unwrap()).unwrap().to_vec();
        assert_eq!(opened(&sealed.session_key), entropy.key);
        assert_eq!(opened(vector["requestSessionKey_b64url_sample"].as_str().unwrap()), entropy.key);
    }

    #[test]
    fn the_body_is_that_of_the_published_client_in_the_same_order() {
        let vector = vector();
        let theirs: Value = serde_json::from_str(vector["body"].as_str().unwrap()).unwrap();
        let of = |key: &str| theirs[key].as_str().unwrap().to_owned();
        let (session_key, hash, request) = (of("requestSessionKey"), of("requestHMAC"), of("request"));
        let mut outer = Outer {
            id: "mosip.identity.auth",
            version: "1.0",
            individual_id: "2014391641350000",
            individual_id_type: Some(IdType::Vid.as_str()),
            transaction_id: "9911669816",
            request_time: "2026-01-01T00:00:00.000Z",
            spec_version: "1.0",
            thumbprint: vector["thumbprint_b64url"].as_str().unwrap(),
            domain_uri: Some("https://api.example.org"),
            env: Some("Staging"),
            requested_auth: RequestedAuth::of(Generation::V1_2),
            consent_obtained: true,
            request_hmac: &hash,
            request_session_key: &session_key,
            request: &request,
            metadata: Map::new(),
        };
        assert_eq!(serde_json::to_string(&outer).unwrap(), vector["body"].as_str().unwrap());
        outer.requested_auth = RequestedAuth::of(Generation::V1_1);
        (outer.individual_id_type, outer.domain_uri, outer.env) = (None, None, None);
        let older: Value = serde_json::to_value(&outer).unwrap();
        assert_eq!(
            older["requestedAuth"].to_string(),
            r#"{"demo":true,"pin":false,"otp":false,"bio":false}"#
        );
        assert!(older.get("individualIdType").is_none() && older.get("env").is_none());
    }

    #[test]
    fn no_two_requests_have_a_random_part_in_common() {
        let drawn = std::cell::Cell::new(0_u8);
        let fill = |buffer: &mut [u8]| {
            drawn.set(drawn.get() + 1);
            buffer.fill(drawn.get());
        };
        let (one, other) = (RequestEntropy::draw(&fill), RequestEntropy::draw(&fill));
        assert_ne!(one.nonce, one.hash_nonce);
        assert_ne!(one.key, other.key);
        assert_eq!(one.transaction_id().len(), 10);
    }
}
