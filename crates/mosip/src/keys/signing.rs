//! Our signature over a request: a detached JWS with our certificate in its header.

use std::fmt;

use openssl::{
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{PKey, Private},
    sign::Signer,
};
use serde_json::json;

use super::{Certificate, KeyError, KeyPair, PrivateKey};
use crate::encoding::{to_base64, to_base64url};

/// A key that signs what we ask ID authentication. Not of a token: those that we know of are set up to unwrap keys.
#[derive(Clone)]
pub struct SigningKey {
    key: PKey<Private>,
    /// base64url, as it stands in each signature.
    protected: String,
    certificate: Certificate,
}

impl SigningKey {
    /// The key of a pair.
    pub fn of(pair: &KeyPair) -> Result<Self, KeyError> {
        let PrivateKey::Memory(key) = pair.private() else {
            return Err(KeyError::CannotSign);
        };
        // One line of standard base64 of the DER: keymanager 1.3 reads no line ends.
        let header = json!({ "alg": "RS256", "x5c": [to_base64(pair.der())] });
        let protected = to_base64url(header.to_string().as_bytes());
        Ok(SigningKey { key: key.clone(), protected, certificate: pair.certificate().clone() })
    }

    /// The certificate that MOSIP has of it.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Signs exactly these bytes; half a millisecond.
    pub(crate) fn sign_detached(&self, body: &[u8]) -> Result<String, ErrorStack> {
        let input = format!("{}.{}", self.protected, to_base64url(body));
        let signature =
            Signer::new(MessageDigest::sha256(), &self.key)?.sign_oneshot_to_vec(input.as_bytes())?;
        Ok(format!("{}..{}", self.protected, to_base64url(&signature)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.certificate.thumbprint).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_recorded_signatures_are_made_byte_for_byte() {
        let key = include_bytes!("../../tests/vectors/ida/client-key.pem");
        let certificate = include_bytes!("../../tests/vectors/ida/client-cert.pem");
        let key = SigningKey::of(&KeyPair::from_pem(key, None, certificate).unwrap()).unwrap();
        let vector = read(include_str!("../../tests/vectors/ida/signature.json"));
        let small = &vector["forms"]["der_base64"];
        let payload = small["payload"].as_str().unwrap();
        assert_eq!(key.sign_detached(payload.as_bytes()).unwrap(), small["signature_header"]);
        let request = read(include_str!("../../tests/vectors/ida/request.json"));
        let body = request["body"].as_str().unwrap();
        let signed = key.sign_detached(body.as_bytes()).unwrap();
        assert_eq!(signed, vector["body_of_request_json"]["signature_header"]);
        assert!(format!("{key:?}").contains(vector["certificate_sha256_der_hex"].as_str().unwrap()));
    }
}
