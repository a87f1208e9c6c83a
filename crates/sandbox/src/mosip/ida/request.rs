//! What must hold of a request before anything is compared, in IDA's own order: the first group with an error ends it.

use super::{Fault, fault};
use crate::keys::IdentityKeys;
use crate::options::IdaOptions;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderMap;
use jiff::Timestamp;
use openssl::encrypt::Decrypter;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::sha::sha256;
use openssl::sign::Verifier;
use openssl::symm::{Cipher, decrypt_aead};
use openssl::x509::X509;
use serde_json::Value;

/// `authrequest.received-time-allowed.seconds`, and the adjustment that is allowed besides for the past.
const ALLOWED: i64 = 30;
const ADJUSTMENT: i64 = 30;

/// The signature, as keymanager 1.3.0 checks it: its base64 reader takes no line ends.
pub(super) fn signed(keys: &IdentityKeys, headers: &HeaderMap, body: &[u8]) -> Result<(), Fault> {
    let wrong = || fault("IDA-MPA-001", "Digital signature verification failed for Request");
    let header = headers.get("signature").and_then(|value| value.to_str().ok()).ok_or_else(wrong)?;
    let (head, signature) = header.split_once("..").ok_or_else(wrong)?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong());
    let protected: Value = serde_json::from_slice(&decode(head)?).map_err(|_| wrong())?;
    let missing = || fault("IDA-MPA-022", "Certificate not found in the header");
    let x5c = protected["x5c"][0].as_str().ok_or_else(missing)?;
    let certificate = STANDARD.decode(x5c).map_err(|_| wrong())?;
    let certificate =
        X509::from_der(&certificate).or_else(|_| X509::from_pem(&certificate)).map_err(|_| wrong())?;
    let of = |certificate: &X509| certificate.to_der().map(|der| sha256(&der)).ok();
    if of(&certificate) != of(&keys.client_certificate) {
        return Err(fault("IDA-MPA-021", "Partner certificate not matched"));
    }
    let input = format!("{head}.{}", URL_SAFE_NO_PAD.encode(body));
    let key = certificate.public_key().map_err(|_| wrong())?;
    let good = protected["alg"] == "RS256"
        && Verifier::new(MessageDigest::sha256(), &key)
            .and_then(|mut verifier| {
                verifier.verify_oneshot(&decode(signature).unwrap_or_default(), input.as_bytes())
            })
            .unwrap_or(false);
    if good { Ok(()) } else { Err(wrong()) }
}

/// The outer body.
pub(super) fn outer(options: &IdaOptions, outer: &Value, now: Timestamp) -> Result<(), Fault> {
    let text = |name: &str| outer[name].as_str().unwrap_or_default();
    let missing = |name: &str| fault("IDA-MLC-006", format!("Missing Input Parameter - {name}"));
    let invalid = |name: &str| fault("IDA-MLC-009", format!("Invalid Input Parameter - {name}"));
    for (name, value) in [("id", "mosip.identity.auth"), ("version", "1.0")] {
        match text(name) {
            "" => return Err(missing(name)),
            given if given != value => return Err(invalid(name)),
            _ => {}
        }
    }
    if outer["consentObtained"] != true {
        return Err(fault("IDA-MLC-012", "Individual's Consent is not available"));
    }
    timely(text("requestTime"), "requestTime", now)?;
    let one_of = |name: &str, allowed: &[String]| {
        outer.get(name).is_none_or(|given| {
            allowed.iter().any(|known| given.as_str().is_some_and(|given| known.eq_ignore_ascii_case(given)))
        })
    };
    if !one_of("domainUri", &options.domain_uris) {
        return Err(invalid("request/domainUri"));
    }
    let environments = ["Staging", "Developer", "Pre-Production", "Production"].map(str::to_owned);
    if !one_of("env", &environments) {
        return Err(invalid("request/env"));
    }
    let transaction = text("transactionID");
    if transaction.is_empty() {
        return Err(missing("transactionID"));
    }
    if transaction.len() != 10 || !transaction.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(invalid("transactionID"));
    }
    if text("individualId").is_empty() {
        return Err(missing("individualId"));
    }
    Ok(())
}

/// At most sixty seconds old, and thirty ahead.
fn timely(at: &str, name: &str, now: Timestamp) -> Result<(), Fault> {
    let at: Timestamp =
        at.parse().map_err(|_| fault("IDA-MLC-009", format!("Invalid Input Parameter - {name}")))?;
    let age = now.as_second() - at.as_second();
    if (-ALLOWED..=ALLOWED + ADJUSTMENT).contains(&age) {
        return Ok(());
    }
    Err(fault("IDA-MLC-001", format!("Request to be received at MOSIP within {ALLOWED} seconds")))
}

/// What is sealed in it, once thumbprint, key and hash fit.
pub(super) fn opened(keys: &IdentityKeys, outer: &Value) -> Result<Value, Fault> {
    let unable = || fault("IDA-MPA-003", "Unable to decrypt Request");
    let part = |name: &str| {
        let text = outer[name].as_str().unwrap_or_default().trim_end_matches('=');
        URL_SAFE_NO_PAD.decode(text).map_err(|_| unable())
    };
    let der = keys.ida_certificate.to_der().map_err(|_| unable())?;
    // Hexadecimal is tried first, then base64url.
    let given = outer["thumbprint"].as_str().unwrap_or_default();
    let given = hex::decode(given).or_else(|_| part("thumbprint"))?;
    if given != sha256(&der) {
        return Err(unable());
    }
    let key = unwrapped(&keys.ida, &part("requestSessionKey")?).ok_or_else(unable)?;
    let plain = unsealed(&key, &part("request")?).ok_or_else(unable)?;
    let hash = unsealed(&key, &part("requestHMAC")?).ok_or_else(unable)?;
    if hash != hex::encode_upper(sha256(&plain)).as_bytes() {
        return Err(fault("IDA-MPA-016", "HMAC Validation failed"));
    }
    serde_json::from_slice(&plain).map_err(|_| unable())
}

/// What was sealed: its own time, and something to compare.
pub(super) fn inner(inner: &Value, now: Timestamp) -> Result<(), Fault> {
    timely(inner["timestamp"].as_str().unwrap_or_default(), "request/timestamp", now)?;
    let demographics = inner["demographics"].as_object().is_some_and(|demographics| !demographics.is_empty());
    if demographics { Ok(()) } else { Err(fault("IDA-MLC-008", "No authentication type selected")) }
}

fn unwrapped(key: &PKey<Private>, wrapped: &[u8]) -> Option<Vec<u8>> {
    let mut decrypter = Decrypter::new(key).ok()?;
    decrypter.set_rsa_padding(Padding::PKCS1_OAEP).ok()?;
    decrypter.set_rsa_oaep_md(MessageDigest::sha256()).ok()?;
    decrypter.set_rsa_mgf1_md(MessageDigest::sha256()).ok()?;
    let mut plain = vec![0; decrypter.decrypt_len(wrapped).ok()?];
    let length = decrypter.decrypt(wrapped, &mut plain).ok()?;
    plain.truncate(length);
    Some(plain)
}

/// Ciphertext, tag, and a nonce of sixteen bytes at the end.
fn unsealed(key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (rest, nonce) = sealed.split_at_checked(sealed.len().checked_sub(16)?)?;
    let (ciphertext, tag) = rest.split_at_checked(rest.len().checked_sub(16)?)?;
    decrypt_aead(Cipher::aes_256_gcm(), key, Some(nonce), &[], ciphertext, tag).ok()
}
