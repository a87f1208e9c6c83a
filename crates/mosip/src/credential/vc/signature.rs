//! The proof object: its options in their closed canonical form, and its detached JWS over unencoded bytes (RFC 7797).

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openssl::{
    pkey::{PKey, Public},
    sha::sha256,
};
use serde::Deserialize;

use super::{
    VcError,
    context::{RDF, SECURITY},
    members::Members,
};
use crate::keys::SignatureAlgorithm;

/// A proof, as far as it is what MOSIP writes: any other member would be signed by rules not applied here.
pub(super) struct Proof<'a> {
    created: Cow<'a, str>,
    pub(super) verification_method: Cow<'a, str>,
    jws: Cow<'a, str>,
}

impl<'a> Proof<'a> {
    pub(super) fn read(members: &Members<'a>) -> Result<Self, VcError> {
        if members.text("type").as_deref() != Some("RsaSignature2018") {
            return Err(VcError::Suite);
        }
        if members.text("proofPurpose").as_deref() != Some("assertionMethod") {
            return Err(VcError::Form("its proof is for another purpose than assertion"));
        }
        let text = |name| members.text(name).ok_or(VcError::Form("its proof lacks a member"));
        let proof = Proof {
            created: text("created")?,
            verification_method: text("verificationMethod")?,
            jws: text("jws")?,
        };
        if members.len() != 5 {
            return Err(VcError::Form("its proof has a member that is not known"));
        }
        if !is_second(&proof.created) {
            return Err(VcError::Form("its proof was not created at a second in utc"));
        }
        Ok(proof)
    }

    /// SHA-256 of the canonical proof options.
    pub(super) fn options_hash(&self) -> [u8; 32] {
        let Proof { created, verification_method, .. } = self;
        let canonical = format!(
            "_:c14n0 <http://purl.org/dc/terms/created> \"{created}\"^^<http://www.w3.org/2001/XMLSchema#dateTime> .\n\
             _:c14n0 <{RDF}type> <{SECURITY}RsaSignature2018> .\n\
             _:c14n0 <{SECURITY}proofPurpose> <{SECURITY}assertionMethod> .\n\
             _:c14n0 <{SECURITY}verificationMethod> <{verification_method}> .\n"
        );
        sha256(canonical.as_bytes())
    }

    /// Header and signature. The header only chooses among what is allowed.
    pub(super) fn signature(&self, allowed: &[SignatureAlgorithm]) -> Result<Signature<'_>, VcError> {
        let mut parts = self.jws.split('.');
        let (Some(head), Some(""), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(VcError::Form("its jws is not header, nothing, signature"));
        };
        let header = URL_SAFE_NO_PAD.decode(head).ok();
        let header: Option<Header> = header.and_then(|header| serde_json::from_slice(&header).ok());
        let header = header.ok_or(VcError::Form("the header of its jws cannot be read"))?;
        let algorithm = allowed.iter().copied().find(|allowed| allowed.name() == header.alg);
        let algorithm = algorithm.ok_or(VcError::Algorithm)?;
        if header.b64 || header.crit != ["b64"] {
            return Err(VcError::Algorithm);
        }
        let bytes =
            URL_SAFE_NO_PAD.decode(signature).map_err(|_| VcError::Form("the signature is not base64url"))?;
        Ok(Signature { head, algorithm, bytes })
    }
}

/// `yyyy-MM-ddTHH:mm:ssZ`.
fn is_second(text: &str) -> bool {
    text.len() == 20
        && text.bytes().zip(*b"0000-00-00T00:00:00Z").all(|(c, form)| match form {
            b'0' => c.is_ascii_digit(),
            _ => c == form,
        })
}

/// `kid` and certificates that it may carry are not looked at: the keys are pinned.
#[derive(Deserialize)]
struct Header {
    alg: String,
    b64: bool,
    crit: Vec<String>,
}

pub(super) struct Signature<'a> {
    head: &'a str,
    algorithm: SignatureAlgorithm,
    bytes: Vec<u8>,
}

impl Signature<'_> {
    /// Whether one of the keys made it over these hashes, options first.
    pub(super) fn fits<'k>(
        &self,
        options: &[u8; 32],
        document: &[u8; 32],
        mut keys: impl Iterator<Item = &'k PKey<Public>>,
    ) -> bool {
        let input = [self.head.as_bytes(), b".", options, document].concat();
        keys.any(|key| self.algorithm.fits(key, &input, &self.bytes))
    }
}
