//! The content of a credential: a verifiable credential or the older plain form, told apart by shape.
//!
//! The configured type does not tell: `euin` is the one or the other depending on MOSIP's release. The packet that a
//! credential belongs to is the last segment of `credentialSubject.id`, in both forms.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::pin::{PinError, open_protected};

/// Longest claim that is kept: identifiers, names, dates; photographs are not.
const LONGEST_CLAIM: usize = 1024;

/// Why a plaintext is no credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Not a JSON object of this form.
    #[error("the credential is not json of the expected form, line {line} column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// It says nothing of a packet.
    #[error("the credential's subject has no id, so that its packet is not known")]
    NoSubjectId,
}

/// A credential, as far as it concerns us. Its claims are wiped when dropped and not shown by `Debug`.
pub struct Credential {
    aid: String,
    id: Option<String>,
    verifiable: bool,
    claims: BTreeMap<String, Zeroizing<String>>,
    protected: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow, rename = "@context", default)]
    context: Option<&'a RawValue>,
    #[serde(default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    credential_subject: BTreeMap<Cow<'a, str>, &'a RawValue>,
    #[serde(default)]
    protected_attributes: Option<Vec<String>>,
    #[serde(borrow, default)]
    proof: Option<&'a RawValue>,
}

impl Credential {
    /// Reads a decrypted credential.
    pub fn parse(plaintext: &[u8]) -> Result<Credential, CredentialError> {
        let document: Document<'_> = serde_json::from_slice(plaintext)
            .map_err(|error| CredentialError::NotJson { line: error.line(), column: error.column() })?;
        let claims: BTreeMap<String, Zeroizing<String>> = document
            .credential_subject
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_owned(), Zeroizing::new(scalar(value.get())?))))
            .collect();
        let subject = claims.get("id").ok_or(CredentialError::NoSubjectId)?;
        let aid = last_segment(subject).ok_or(CredentialError::NoSubjectId)?.to_owned();
        Ok(Credential {
            aid,
            id: document.id.map(Cow::into_owned),
            verifiable: document.context.is_some() && document.proof.is_some(),
            claims,
            protected: document.protected_attributes.unwrap_or_default().into_iter().collect(),
        })
    }

    /// The packet: it has to equal the event's `registrationId`, where both are there.
    pub fn aid(&self) -> &str {
        &self.aid
    }

    /// The credential's own id; another for each issuance.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether it is a verifiable credential.
    pub fn is_verifiable(&self) -> bool {
        self.verifiable
    }

    /// A claim of the subject that is a plain value, as text; `None` if it is absent, composite, longer than 1 kB, or
    /// still protected by a pin.
    pub fn claim(&self, name: &str) -> Option<&str> {
        if self.protected.contains(name) {
            return None;
        }
        self.claims.get(name).map(|value| value.as_str())
    }

    /// The identifiers among the claims: `VID`, `UIN`, `PSUT`. A UIN is never stored.
    pub fn identifiers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        ["VID", "UIN", "PSUT"].into_iter().filter_map(|name| Some((name, self.claim(name)?)))
    }

    /// Whether a claim is protected by the event's pin.
    pub fn is_protected(&self, name: &str) -> bool {
        self.protected.contains(name)
    }

    /// Opens one protected claim with the event's pin; nothing happens to a claim that is not protected. Costs some
    /// 50 ms of processor time.
    pub fn unprotect(&mut self, name: &str, pin: &SecretString) -> Result<(), PinError> {
        if !self.protected.contains(name) {
            return Ok(());
        }
        if let Some(value) = self.claims.get_mut(name) {
            *value = open_protected(pin, value)?;
        }
        self.protected.remove(name);
        Ok(())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("aid", &self.aid)
            .field("verifiable", &self.verifiable)
            .field("claims", &self.claims.keys())
            .finish_non_exhaustive()
    }
}

/// A text, number or truth value, if it is short.
fn scalar(json: &str) -> Option<String> {
    if json.len() > LONGEST_CLAIM {
        return None;
    }
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(json.to_owned()),
    }
}

fn last_segment(id: &str) -> Option<&str> {
    let last = id.trim().trim_end_matches('/').rsplit('/').next()?;
    (!last.is_empty()).then_some(last)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const AID: &str = "10001200420000120260102030405";

    fn verifiable() -> Value {
        json!({
            "@context": ["https://www.w3.org/2018/credentials/v1"],
            "id": "http://credential.idrepo/credentials/0e6a1f5c-6d0b-4a2e-9a57-3b9d3f1c2a10",
            "type": ["VerifiableCredential", "MOSIPVerifiableCredential"],
            "issuer": "https://api.example.org/.well-known/controller.json",
            "credentialSubject": {
                "id": format!("http://credential.idrepo/credentials/{AID}"), "vcVer": "VC-V1",
                "VID": "9830872690593682", "birthCertificateNumber": "BRN-2026-000001",
                "fullName": [{ "language": "eng", "value": "Asha \"Rao\"" }], "photo": "x".repeat(200_000), "none": null,
            },
            "proof": { "type": "RsaSignature2018", "jws": "a..b" },
        })
    }

    fn plain(id: &str) -> Value {
        json!({
            "id": "http://mosip.io/credentials/1", "type": ["MOSIPVerifiableCredential"], "issuedTo": "crvs_partner",
            "consent": "",
            "credentialSubject": {
                "id": id, "UIN": 2_074_397_357_u64,
                "VID": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKitHKzjo4CGj9MTgtKuefEx89ankkxCZcTY",
            },
            "protectedAttributes": ["VID"],
        })
    }

    fn parse(value: &Value) -> Result<Credential, CredentialError> {
        Credential::parse(value.to_string().as_bytes())
    }

    #[test]
    fn a_verifiable_credential_is_read() {
        let credential = parse(&verifiable()).unwrap();
        assert_eq!((credential.aid(), credential.is_verifiable()), (AID, true));
        assert_eq!(credential.claim("birthCertificateNumber"), Some("BRN-2026-000001"));
        assert_eq!(credential.identifiers().collect::<Vec<_>>(), [("VID", "9830872690593682")]);
        assert_eq!(
            (credential.claim("fullName"), credential.claim("photo"), credential.claim("none")),
            (None, None, None)
        );
        assert!(credential.id().unwrap().ends_with("2a10"));
    }

    #[test]
    fn a_plain_credential_is_read_whose_subject_is_the_bare_id() {
        let mut credential = parse(&plain(AID)).unwrap();
        assert_eq!((credential.aid(), credential.is_verifiable()), (AID, false));
        assert_eq!((credential.claim("UIN"), credential.claim("VID")), (Some("2074397357"), None));
        assert!(credential.is_protected("VID"));
        assert_eq!(credential.unprotect("VID", &"000000".into()), Err(PinError::Pin));
        credential.unprotect("VID", &"275700".into()).unwrap();
        assert_eq!(credential.claim("VID"), Some("Asha Rao"));
        credential.unprotect("UIN", &"000000".into()).unwrap();
    }

    #[test]
    fn shape_decides_and_not_the_type() {
        let mut value = verifiable();
        value.as_object_mut().unwrap().remove("proof");
        assert!(!parse(&value).unwrap().is_verifiable(), "a credential without a proof is a plain one");
    }

    #[test]
    fn without_a_subject_there_is_no_packet() {
        for id in ["", "/", "  "] {
            assert_eq!(parse(&plain(id)).unwrap_err(), CredentialError::NoSubjectId, "{id:?}");
        }
        assert_eq!(parse(&json!({ "credentialSubject": {} })).unwrap_err(), CredentialError::NoSubjectId);
        assert!(matches!(Credential::parse(b"[]"), Err(CredentialError::NotJson { .. })));
        assert!(matches!(
            Credential::parse(b"{\"credentialSubject\":1}"),
            Err(CredentialError::NotJson { .. })
        ));
    }

    #[test]
    fn debug_shows_no_claims() {
        let shown = format!("{:?}", parse(&verifiable()).unwrap());
        assert!(
            shown.contains("VID") && !shown.contains("9830872690593682") && !shown.contains("BRN-"),
            "{shown}"
        );
    }
}
