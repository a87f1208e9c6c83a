//! The proof of a credential event: MOSIP's signature over the whole decrypted document.
//!
//! A detached JWS, RS256, over base64url of the plaintext. Anybody can encrypt to our certificate, which is public;
//! only this says that MOSIP did. The key is one that was configured; a certificate inside the proof may only point
//! to it. The algorithm is named here and not taken from the header.

use std::fmt;

use openssl::{
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{Id, PKey, Private, Public},
    sign::Signer,
    x509::X509,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    encoding::{from_base64, to_base64, to_base64url},
    keys::{SignatureAlgorithm, thumbprint},
};

/// The one algorithm that MOSIP signs events with.
const ALGORITHM: &str = "RS256";

/// Why an event is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not three parts with an empty middle one, or not readable.
    #[error("the proof is not a detached jws: {0}")]
    Form(&'static str),
    /// Another algorithm, or an extension that we do not know.
    #[error("the proof is not plain {ALGORITHM}, the one algorithm accepted")]
    Algorithm,
    /// It carries a certificate that is not configured.
    #[error(
        "the proof carries the certificate {thumbprint}, which is not configured; if MOSIP rotated its key, add it"
    )]
    UnknownCertificate {
        /// SHA-256 of the certificate, hexadecimal.
        thumbprint: String,
    },
    /// No key is configured.
    #[error("no certificate of MOSIP's signing key (KERNEL, SIGN) is configured")]
    NoKeys,
    /// The signature does not fit.
    #[error("the signature of the proof does not fit the credential")]
    Signature,
    /// The crypto library failed.
    #[error("the signature could not be made")]
    Crypto,
}

/// MOSIP's signing keys that we trust: the present one and its predecessors.
#[derive(Clone, Default)]
pub struct ProofKeys {
    keys: Vec<Pinned>,
}

#[derive(Clone)]
struct Pinned {
    key: PKey<Public>,
    /// DER, if a certificate was configured.
    certificate: Option<Vec<u8>>,
}

/// Why a key is not taken.
#[derive(Debug, thiserror::Error)]
#[error("a signing key of MOSIP is neither a PEM certificate nor a PEM public key of RSA")]
pub struct ProofKeyError(#[source] Option<ErrorStack>);

impl ProofKeys {
    /// No keys: proves nothing.
    pub fn new() -> Self {
        ProofKeys::default()
    }

    /// Reads certificates (each file may hold several) and bare public keys, in PEM.
    pub fn from_pem<'a>(pems: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, ProofKeyError> {
        let mut keys = Vec::new();
        for pem in pems {
            let certificates = X509::stack_from_pem(pem).unwrap_or_default();
            if certificates.is_empty() {
                let key = PKey::public_key_from_pem(pem).map_err(|error| ProofKeyError(Some(error)))?;
                keys.push(Pinned { key, certificate: None });
            }
            for certificate in certificates {
                let key = certificate.public_key().map_err(|error| ProofKeyError(Some(error)))?;
                let der = certificate.to_der().map_err(|error| ProofKeyError(Some(error)))?;
                keys.push(Pinned { key, certificate: Some(der) });
            }
        }
        if keys.iter().any(|pinned| pinned.key.id() != Id::RSA) {
            return Err(ProofKeyError(None));
        }
        Ok(ProofKeys { keys })
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// SHA-256 of each certificate that was configured, hexadecimal.
    pub fn thumbprints(&self) -> Vec<String> {
        let certificates = self.keys.iter().filter_map(|pinned| pinned.certificate.as_deref());
        certificates.map(|der| hex::encode(openssl::sha::sha256(der))).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &PKey<Public>> {
        self.keys.iter().map(|pinned| &pinned.key)
    }

    /// The keys that may have made the proof.
    fn candidates(&self, x5c: Option<&Vec<String>>) -> Result<Vec<&PKey<Public>>, ProofError> {
        let Some(x5c) = x5c else { return Ok(self.keys.iter().map(|pinned| &pinned.key).collect()) };
        let first = x5c.first().ok_or(ProofError::Form("its x5c is empty"))?;
        let der = from_base64(first).ok_or(ProofError::Form("its x5c is not base64"))?;
        // The common case, before any of it is parsed: that costs OpenSSL more than the verification.
        if let Some(pinned) = self.keys.iter().find(|pinned| pinned.certificate.as_deref() == Some(&der)) {
            return Ok(vec![&pinned.key]);
        }
        let certificate =
            X509::from_der(&der).map_err(|_| ProofError::Form("its x5c is not a certificate"))?;
        let certified = certificate.public_key().map_err(|_| ProofError::Form("its x5c has no key"))?;
        // Where only the key was configured, that is what has to be equal.
        let is_it = |pinned: &&Pinned| pinned.certificate.is_none() && pinned.key.public_eq(&certified);
        if let Some(pinned) = self.keys.iter().find(is_it) {
            return Ok(vec![&pinned.key]);
        }
        let thumbprint = thumbprint(&certificate).map(hex::encode).unwrap_or_default();
        Err(ProofError::UnknownCertificate { thumbprint })
    }
}

impl fmt::Debug for ProofKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProofKeys({})", self.keys.len())
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    x5c: Option<Vec<String>>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
    #[serde(default)]
    b64: Option<bool>,
}

/// A decrypted credential whose event MOSIP proved: only [`verify_event_proof`] makes one, and only from it is a
/// credential read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Proven<'a>(&'a [u8]);

impl<'a> Proven<'a> {
    pub(super) fn bytes(self) -> &'a [u8] {
        self.0
    }

    #[cfg(test)]
    pub(super) fn assumed(plaintext: &'a [u8]) -> Self {
        Proven(plaintext)
    }
}

impl fmt::Debug for Proven<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proven({} bytes)", self.0.len())
    }
}

/// Verifies the proof of a decrypted credential.
pub fn verify_event_proof<'a>(
    plaintext: &'a [u8],
    jws: &str,
    keys: &ProofKeys,
) -> Result<Proven<'a>, ProofError> {
    if keys.is_empty() {
        return Err(ProofError::NoKeys);
    }
    let mut parts = jws.trim().split('.');
    let (Some(head), Some(""), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(ProofError::Form("it is not header, nothing, signature"));
    };
    let header = from_base64(head).ok_or(ProofError::Form("its header is not base64"))?;
    let header: Header =
        serde_json::from_slice(&header).map_err(|_| ProofError::Form("its header is not json"))?;
    if header.alg != ALGORITHM || header.crit.is_some() || header.b64 == Some(false) {
        return Err(ProofError::Algorithm);
    }
    let signature = from_base64(signature).ok_or(ProofError::Form("its signature is not base64"))?;
    let input = signing_input(head, plaintext);
    let fits = |key: &&PKey<Public>| SignatureAlgorithm::Rs256.fits(key, input.as_bytes(), &signature);
    let proven = keys.candidates(header.x5c.as_ref())?.iter().any(fits);
    if proven { Ok(Proven(plaintext)) } else { Err(ProofError::Signature) }
}

/// What signs events in MOSIP's stead.
#[derive(Clone)]
pub struct EventSigner {
    key: PKey<Private>,
    /// DER.
    certificate: Option<Vec<u8>>,
}

impl EventSigner {
    /// Reads a private key and, to be carried in each proof, its certificate.
    pub fn from_pem(key_pem: &[u8], certificate_pem: Option<&[u8]>) -> Result<Self, ProofKeyError> {
        let wrong = |error: ErrorStack| ProofKeyError(Some(error));
        let key = PKey::private_key_from_pem_callback(key_pem, |_| Ok(0)).map_err(wrong)?;
        let certificate = match certificate_pem {
            Some(pem) => {
                Some(X509::from_pem(pem).and_then(|certificate| certificate.to_der()).map_err(wrong)?)
            }
            None => None,
        };
        Ok(EventSigner { key, certificate })
    }
}

/// Signs a plaintext credential as MOSIP does.
pub fn sign_event_proof(plaintext: &[u8], signer: &EventSigner) -> Result<String, ProofError> {
    let header = match &signer.certificate {
        Some(der) => {
            let hash = to_base64url(&openssl::sha::sha256(der));
            json!({ "x5c": [to_base64(der)], "x5t#S256": hash, "alg": ALGORITHM })
        }
        None => json!({ "alg": ALGORITHM }),
    };
    let head = to_base64url(header.to_string().as_bytes());
    let signature = Signer::new(MessageDigest::sha256(), &signer.key)
        .and_then(|mut signer| signer.sign_oneshot_to_vec(signing_input(&head, plaintext).as_bytes()))
        .map_err(|_| ProofError::Crypto)?;
    Ok(format!("{head}..{}", to_base64url(&signature)))
}

/// The header exactly as received, a dot, the payload in base64url.
fn signing_input(head: &str, plaintext: &[u8]) -> String {
    format!("{head}.{}", to_base64url(plaintext))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::envelope::tests::test_key_pem;

    const PLAIN: &[u8] = br#"{"vcVer":"VC-V1"}"#;
    const JWS: &str = "eyJhbGciOiJSUzI1NiJ9..Mz-uShV0YFFQfUluQZYKkHTh92xzJLzx4MwMGiVdOwQTJF5COTCjtFIiE5MGo2ByHB1AXc_f5eu3Pw1SSmeGycLkHp-bb0dKaW7FbexnA5Umz-L4m4KjkDuUOO3hC3eD8ZBNSvhmRUO7VVLfWGJQWbqSn4uGyc3Hb8-gbItZP-EHV3lSED1BOMY3pCFnCZAdTvo9EGOuQSQXGpOXv0nFBZ3h6i3l4r5JzQe7M_s-ViGxY4kC4V1asoWF1HbGmmh2Ut96pcN6DPDesJnpwpQs2QH0Rhk3e6KmSzbpZNkyCoJf0y7Fbhi0VpcNhEbvdJIkuHLgKnY3oAlX0yYcN6UO9w";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA30Kocn6/YVURJbq/qn9k
rF6xOqNvVbRwHzuuCJFJYB/1zZoJNx45wz9YPSVKWA8fdU/vO3GY3xsxNPpglBAK
kSa5KAy3bhn6T/rdEqBM+mpvz2oWFeh6hGaUtTy8Mng0riw/yMoR5Uyb4rF+7ZOX
rn6n7iRakjxRjORL/smtASzGyQcpiGwC6rYm1XAAqDiZ9QZcCdxKg+1LSBUoCdw1
BYEphMa9iPxmADIxDgWsoyrLxQpKfum1BboYI4MbW35FRq2TWx3q9aIK+RyEIUwl
uLQH4zeZmLiTbOIQGJdTMUtx2ipQ8DdubCxVmLc2R+MG+5d2ac8Of9yg2O8cLnZh
SwIDAQAB
-----END PUBLIC KEY-----
";
    const CERTIFICATE: &[u8] = include_bytes!("../../tests/vectors/cert.pem");
    const KEY: &[u8] = include_bytes!("../../tests/vectors/key.pem");

    fn verified(plaintext: &[u8], jws: &str, keys: &ProofKeys) -> Result<(), ProofError> {
        verify_event_proof(plaintext, jws, keys).map(|proven| assert_eq!(proven.bytes(), plaintext))
    }

    fn published() -> ProofKeys {
        ProofKeys::from_pem([PUBLIC.as_bytes()]).unwrap()
    }

    fn certified() -> ProofKeys {
        ProofKeys::from_pem([CERTIFICATE]).unwrap()
    }

    fn with_header(header: &str) -> String {
        format!("{}..{}", to_base64url(header.as_bytes()), JWS.rsplit('.').next().unwrap())
    }

    #[test]
    fn the_published_vector_is_made_and_verified() {
        let signer = EventSigner::from_pem(&test_key_pem(), None).unwrap();
        assert_eq!(sign_event_proof(PLAIN, &signer).unwrap(), JWS, "RS256 is deterministic");
        assert_eq!(verified(PLAIN, JWS, &published()), Ok(()));
    }

    #[test]
    fn any_change_of_the_document_is_noticed() {
        assert_eq!(verified(br#"{"vcVer":"VC-V2"}"#, JWS, &published()), Err(ProofError::Signature));
        assert_eq!(verified(br#"{"vcVer":"VC-V1"} "#, JWS, &published()), Err(ProofError::Signature));
        assert_eq!(verified(PLAIN, JWS, &certified()), Err(ProofError::Signature), "another key");
    }

    #[test]
    fn a_configured_certificate_in_the_proof_selects_its_key() {
        let jws = sign_event_proof(PLAIN, &EventSigner::from_pem(KEY, Some(CERTIFICATE)).unwrap()).unwrap();
        assert_eq!(verified(PLAIN, &jws, &certified()), Ok(()));
        let both = ProofKeys::from_pem([PUBLIC.as_bytes(), CERTIFICATE]).unwrap();
        assert_eq!((both.len(), verified(PLAIN, &jws, &both)), (2, Ok(())));
    }

    #[test]
    fn a_certificate_that_somebody_brings_along_is_not_believed() {
        let jws = sign_event_proof(PLAIN, &EventSigner::from_pem(KEY, Some(CERTIFICATE)).unwrap()).unwrap();
        let thumbprint = "94ebd921a9ee41b9cdb84afdab4564de8e79aa7b44870f9ad1e9e2af0bd8b9dd".to_owned();
        assert_eq!(verified(PLAIN, &jws, &published()), Err(ProofError::UnknownCertificate { thumbprint }));
        assert_eq!(verified(PLAIN, &jws, &ProofKeys::new()), Err(ProofError::NoKeys));
    }

    #[test]
    fn the_right_certificate_with_a_strangers_signature_is_not_believed() {
        let forger = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        let pem = forger.private_key_to_pem_pkcs8().unwrap();
        let jws = sign_event_proof(PLAIN, &EventSigner::from_pem(&pem, Some(CERTIFICATE)).unwrap()).unwrap();
        assert_eq!(verified(PLAIN, &jws, &certified()), Err(ProofError::Signature));
    }

    /// A certificate other than the recorded one.
    fn other_certificate(key: &PKey<Private>) -> Vec<u8> {
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_pubkey(key).unwrap();
        builder.set_not_before(&openssl::asn1::Asn1Time::from_unix(1_700_000_000).unwrap()).unwrap();
        builder.set_not_after(&openssl::asn1::Asn1Time::from_unix(1_900_000_000).unwrap()).unwrap();
        builder.sign(key, MessageDigest::sha256()).unwrap();
        builder.build().to_pem().unwrap()
    }

    #[test]
    fn of_several_certificates_the_one_in_the_proof_has_to_be_configured_itself() {
        let key = PKey::private_key_from_pem(KEY).unwrap();
        let renewed = other_certificate(&key);
        let jws = sign_event_proof(PLAIN, &EventSigner::from_pem(KEY, Some(&renewed)).unwrap()).unwrap();
        assert!(matches!(verified(PLAIN, &jws, &certified()), Err(ProofError::UnknownCertificate { .. })));
        let stranger = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        let retired = other_certificate(&stranger);
        let both = ProofKeys::from_pem([retired.as_slice(), &renewed]).unwrap();
        assert_eq!(verified(PLAIN, &jws, &both), Ok(()), "not the first, but the right one");
        let bundle = [retired, renewed].concat();
        assert_eq!(verified(PLAIN, &jws, &ProofKeys::from_pem([bundle.as_slice()]).unwrap()), Ok(()));
    }

    #[test]
    fn no_other_algorithm_is_accepted() {
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"PS256"}"#,
            r#"{"alg":"rs256"}"#,
            r#"{"alg":"RS256","b64":false,"crit":["b64"]}"#,
            r#"{"alg":"RS256","b64":false}"#,
            r#"{"alg":"RS256","crit":["exp"]}"#,
        ] {
            assert_eq!(
                verified(PLAIN, &with_header(header), &published()),
                Err(ProofError::Algorithm),
                "{header}"
            );
        }
    }

    #[test]
    fn what_is_not_a_detached_jws_says_so() {
        let attached = JWS.replacen("..", ".eyJ2Y1ZlciI6IlZDLVYxIn0.", 1);
        for jws in ["", "a", "a..", "..", "a.b.c", "a..b.c", &attached, "e30..AA", "~..AA"] {
            assert!(matches!(verified(PLAIN, jws, &published()), Err(ProofError::Form(_))), "{jws}");
        }
    }

    #[test]
    fn only_keys_are_taken_for_keys() {
        assert!(ProofKeys::from_pem([b"nonsense".as_slice()]).is_err());
        let curve = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(openssl::ec::EcKey::generate(&curve).unwrap()).unwrap();
        assert!(ProofKeys::from_pem([key.public_key_to_pem().unwrap().as_slice()]).is_err());
    }
}
