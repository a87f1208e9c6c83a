//! The credential's own proof: `RsaSignature2018` by name, PS256 in fact.
//!
//! For MOSIP's subjects the canonical N-Quads have a closed form: four lines for
//! the proof options, four for the envelope, one per value of a known term, and
//! three per value in a language, whose nodes are numbered by their hashes.
//! Terms that the context lacks are not covered, here as in MOSIP.
//!
//! Written for the sandbox and shared with nobody: what the engine's own
//! verification is tried against has to be of another hand.

use crate::jwt::b64;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::sha::sha256;
use openssl::sign::{RsaPssSaltlen, Signer};
use serde_json::Value;
use std::fmt::Write as _;

/// Terms of the deployment's context that a subject may use.
pub(crate) const TERMS: [&str; 16] = [
    "vcVer",
    "UIN",
    "VID",
    "addressLine1",
    "addressLine2",
    "addressLine3",
    "city",
    "dateOfBirth",
    "email",
    "fullName",
    "gender",
    "phone",
    "postalCode",
    "province",
    "region",
    "residenceStatus",
];

/// Where a node's name will stand: nothing that a value, escaped, can hold.
const NAMELESS: &str = "\0";

/// The 64 bytes that are signed: proof options first.
pub(crate) fn digest(credential: &Value, created: &str, host: &str) -> [u8; 64] {
    let mut out = [0; 64];
    out[..32].copy_from_slice(&sha256(options(created, host).as_bytes()));
    out[32..].copy_from_slice(&sha256(document(credential, host).as_bytes()));
    out
}

/// Detached JWS with an unencoded payload over the digest.
pub(crate) fn sign(key: &PKey<Private>, digest: &[u8; 64]) -> Result<String, ErrorStack> {
    let header = b64(br#"{"b64":false,"crit":["b64"],"alg":"PS256"}"#);
    let mut signer = Signer::new(MessageDigest::sha256(), key)?;
    signer.set_rsa_padding(Padding::PKCS1_PSS)?;
    signer.set_rsa_pss_saltlen(RsaPssSaltlen::custom(32))?;
    signer.set_rsa_mgf1_md(MessageDigest::sha256())?;
    let input = [header.as_bytes(), b".", digest].concat();
    Ok(format!("{header}..{}", b64(signer.sign_oneshot_to_vec(&input)?)))
}

fn options(created: &str, host: &str) -> String {
    format!(
        "_:c14n0 <http://purl.org/dc/terms/created> \"{created}\"^^<http://www.w3.org/2001/XMLSchema#dateTime> .\n\
         _:c14n0 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/security#RsaSignature2018> .\n\
         _:c14n0 <https://w3id.org/security#proofPurpose> <https://w3id.org/security#assertionMethod> .\n\
         _:c14n0 <https://w3id.org/security#verificationMethod> <https://{host}/.well-known/public-key.json> .\n"
    )
}

/// N_D of a credential.
fn document(credential: &Value, host: &str) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (id, subject) = (text(&credential["id"]), &credential["credentialSubject"]);
    let about = text(&subject["id"]);
    let mut lines = vec![
        format!(
            "<{id}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://www.w3.org/2018/credentials#VerifiableCredential> .\n"
        ),
        format!("<{id}> <https://www.w3.org/2018/credentials#credentialSubject> <{about}> .\n"),
        format!(
            "<{id}> <https://www.w3.org/2018/credentials#issuanceDate> \"{}\"^^<http://www.w3.org/2001/XMLSchema#dateTime> .\n",
            text(&credential["issuanceDate"])
        ),
        format!("<{id}> <https://www.w3.org/2018/credentials#issuer> <{}> .\n", text(&credential["issuer"])),
    ];
    let mut spoken = Vec::new();
    for term in TERMS {
        let holder = format!("<{about}> <https://{host}/mosip#{term}>");
        for value in subject[term].as_array().unwrap_or(&vec![subject[term].clone()]) {
            if let Some(value) = value.as_str() {
                lines.push(format!("{holder} \"{}\" .\n", escape(value)));
            }
            if let Some(of) = value.as_object() {
                spoken.push(in_language(&holder, &text(&of["value"]), &text(&of["language"])));
            }
        }
    }
    // A node is known by the hash of its lines while it is called `a`.
    spoken.sort_by_cached_key(|node| sha256(node.replace(NAMELESS, "_:a").as_bytes()));
    for (number, node) in spoken.iter().enumerate() {
        let named = node.replace(NAMELESS, &format!("_:c14n{number}"));
        lines.extend(named.split_inclusive('\n').map(str::to_owned));
    }
    lines.sort();
    lines.concat()
}

/// The lines of a value in a language, in their order, the node's name left open. Equal nodes keep their order, and
/// none here is equal to another: a credential says nothing twice.
fn in_language(holder: &str, value: &str, language: &str) -> String {
    format!(
        "{holder} {NAMELESS} .\n\
         {NAMELESS} <http://www.w3.org/1999/02/22-rdf-syntax-ns#value> \"{}\" .\n\
         {NAMELESS} <http://www.w3.org/ns/odrl/2/language> \"{}\" .\n",
        escape(value),
        escape(language)
    )
}

/// As the signer's library escapes.
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{c}' => out.push_str("\\f"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if u32::from(control) < 0x20 || control == '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The reference's recorded hash of a credential with names in two languages.
    #[test]
    fn names_in_languages_are_numbered_as_recorded() {
        let credential = json!({
            "id": "http://credential.idrepo/credentials/0e6a1f5c-6d0b-4a2e-9a57-3b9d3f1c2a10",
            "issuer": "https://api.example.org/.well-known/controller.json",
            "issuanceDate": "2026-01-02T03:10:00.123Z",
            "credentialSubject": {
                "id": "http://credential.idrepo/credentials/10001200420000120260102030405", "vcVer": "VC-V1",
                "UIN": "2074397357", "dateOfBirth": "2026/01/01",
                "fullName": [
                    { "language": "eng", "value": "Asha Rao" }, { "language": "fra", "value": "Asha Râo" },
                ],
            },
        });
        let digest = digest(&credential, "2026-01-02T03:10:00Z", "api.example.org");
        assert_eq!(
            hex::encode(&digest[32..]),
            "47da9b1a5cc60537951b32812875e8f8e16e30cb0438af22cfb683a5e6de0179"
        );
    }

    /// The reference's recorded hashes of a credential with a flat subject.
    #[test]
    fn the_digest_is_the_recorded_one() {
        let credential = json!({
            "id": "http://credential.idrepo/credentials/0e6a1f5c-6d0b-4a2e-9a57-3b9d3f1c2a10",
            "issuer": "https://api.example.org/.well-known/controller.json",
            "issuanceDate": "2026-01-02T03:10:00.123Z",
            "credentialSubject": {
                "id": "http://credential.idrepo/credentials/10001200420000120260102030405", "vcVer": "VC-V1",
                "VID": "9830872690593682", "birthCertificateNumber": "BRN-2026-000001",
            },
        });
        let digest = digest(&credential, "2026-01-02T03:10:00Z", "api.example.org");
        assert_eq!(
            hex::encode(&digest[..32]),
            "4dd3a8175df755fb423e70c7ed147b1eab91ea990dd7ad81aed71f7f712ffdd4"
        );
        assert_eq!(
            hex::encode(&digest[32..]),
            "0251105f26fbbb2fbeb27882b7e8e927ebb19bb14041012f6fb18bf95e5ebde4"
        );
    }
}
