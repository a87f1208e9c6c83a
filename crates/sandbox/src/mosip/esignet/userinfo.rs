//! The user info endpoint: claims signed by the ID system, encrypted besides where the client is registered so.

use super::super::ida;
use super::super::state::Mosip;
use super::claims::released;
use super::published::KYC_KEY;
use super::signed;
use crate::faults::ESignetFault;
use crate::jwt::b64;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use openssl::encrypt::Encrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, encrypt_aead};
use openssl::x509::X509;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET …/oidc/userinfo`. A refusal has no body.
pub(crate) async fn userinfo(State(mosip): State<Arc<Mosip>>, headers: HeaderMap) -> Response {
    let refused = |error: &str| {
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, format!("error=\"{error}\""))]).into_response()
    };
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = given.and_then(|given| given.strip_prefix("Bearer ")) else {
        return refused("missing_header");
    };
    let Some(code) = mosip.office.books().codes.get(token).cloned() else { return refused("invalid_token") };
    let Ok(keys) = mosip.keys().identity_owned() else { return refused("unknown_error") };
    let fault = mosip.faults.identity().esignet;
    let subject = match fault {
        Some(ESignetFault::AnotherPerson) => "258008647108301360320646006005841751".to_owned(),
        _ => ida::token(&code.uin, &mosip.options.esignet.client_id, &mosip.options.ida),
    };
    let claims = {
        let registry = mosip.registry();
        let Some(identity) = registry.by_uin(&code.uin) else { return refused("invalid_token") };
        Value::Object(released(identity, &code, &subject))
    };
    let Ok(mut jws) = signed(&keys.ida, true, KYC_KEY, &claims) else { return refused("unknown_error") };
    match fault {
        Some(ESignetFault::AlteredUserinfo) => {
            let mut altered = claims;
            altered["name"] = json!("Somebody Else");
            let parts: Vec<&str> = jws.split('.').collect();
            jws = format!("{}.{}.{}", parts[0], b64(altered.to_string()), parts[2]);
        }
        Some(ESignetFault::UnsignedUserinfo) => {
            jws = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(claims.to_string()));
        }
        _ => {}
    }
    if mosip.options.esignet.encrypted {
        match encrypted(&mosip, &keys.client_certificate, &jws) {
            Ok(jwe) => jws = jwe,
            Err(_) => return refused("unknown_error"),
        }
    }
    ([(header::CONTENT_TYPE, "application/jwt")], jws).into_response()
}

/// What is done, whatever discovery says: RSA-OAEP-256 and A256GCM.
fn encrypted(mosip: &Mosip, certificate: &X509, jws: &str) -> Result<String, ErrorStack> {
    let mut random = [0; 44];
    mosip.dice.fill(&mut random);
    let (key, nonce) = random.split_at(32);
    let public = certificate.public_key()?;
    let mut encrypter = Encrypter::new(&public)?;
    encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    encrypter.set_rsa_oaep_md(MessageDigest::sha256())?;
    encrypter.set_rsa_mgf1_md(MessageDigest::sha256())?;
    let mut wrapped = vec![0; encrypter.encrypt_len(key)?];
    let length = encrypter.encrypt(key, &mut wrapped)?;
    wrapped.truncate(length);
    let head = b64(json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT"}).to_string());
    let mut tag = [0; 16];
    let sealed =
        encrypt_aead(Cipher::aes_256_gcm(), key, Some(nonce), head.as_bytes(), jws.as_bytes(), &mut tag)?;
    Ok([head, b64(wrapped), b64(nonce), b64(sealed), b64(tag)].join("."))
}
