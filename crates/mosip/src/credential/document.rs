//! The content of a credential: a verifiable credential or the older plain form, told apart by shape.
//!
//! The configured type does not tell: `euin` is the one or the other depending on MOSIP's release. The packet that a
//! credential belongs to is the last segment of `credentialSubject.id`, in both forms.
//!
//! What is read is what was signed, and each claim says by which signature: a verifiable credential's own proof covers
//! the names that its context defines, the event's proof covers every byte. Nothing is read of a credential before
//! its event's proof was verified ([`Proven`]), nor of a verifiable one before its own was.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{
    pin::{PinError, open_protected},
    proof::Proven,
    vc::{Members, VcError, VcTrust},
};

/// Longest claim that is kept: identifiers, names, dates; photographs are not.
const LONGEST_CLAIM: usize = 1024;

/// Why a plaintext is no credential, or not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Not a JSON object, or one in which a name stands twice.
    #[error("the credential is not json of the expected form, line {line} column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Its subject is not one object, or a name stands twice in it.
    #[error("the credential's subject is not one object in which each name stands once")]
    Subject,
    /// It says nothing of a packet.
    #[error("the credential's subject has no id, so that its packet is not known")]
    NoSubjectId,
    /// Contexts without a proof, or a proof without contexts: somebody took the other away.
    #[error(
        "the credential has only one of contexts and proof; a verifiable one has both, a plain one neither"
    )]
    Half,
    /// It is a verifiable credential, and its own proof does not hold.
    #[error("the credential's own proof is refused")]
    Proof(#[from] VcError),
}

/// Which signature vouches for a claim. Only the stronger one can be shown to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cover {
    /// The event's proof alone: MOSIP sent us these bytes. All claims of a plain credential, and those names of a
    /// verifiable one that its context does not define.
    EventProof,
    /// The credential's own proof, and the event's.
    OwnProof,
}

/// A claim about the subject.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Claim<'a> {
    text: &'a str,
    cover: Cover,
}

impl<'a> Claim<'a> {
    /// What is claimed, as text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Who vouches for it.
    pub fn cover(&self) -> Cover {
        self.cover
    }
}

impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("cover", &self.cover).finish_non_exhaustive()
    }
}

/// A credential, as far as it concerns us. Its claims are wiped when dropped and not shown by `Debug`.
pub struct Credential {
    aid: String,
    id: Option<String>,
    verifiable: bool,
    claims: BTreeMap<String, (Zeroizing<String>, Cover)>,
    protected: BTreeSet<String>,
}

impl Credential {
    /// Reads a credential whose event is proven. If it is a verifiable one, its own proof is verified first.
    pub fn read(proven: Proven<'_>, trust: &VcTrust) -> Result<Credential, CredentialError> {
        let envelope: Members<'_> = serde_json::from_slice(proven.bytes())
            .map_err(|error| CredentialError::NotJson { line: error.line(), column: error.column() })?;
        let subject =
            envelope.get("credentialSubject").and_then(Members::of).ok_or(CredentialError::Subject)?;
        let signed = match (envelope.get("@context"), envelope.get("proof")) {
            (Some(_), Some(proof)) => Some(trust.verify(&envelope, &subject, proof)?),
            (None, None) => None,
            _ => return Err(CredentialError::Half),
        };
        let subject_id = subject.text("id").ok_or(CredentialError::NoSubjectId)?;
        let aid = last_segment(&subject_id).ok_or(CredentialError::NoSubjectId)?.to_owned();
        let covered = |name: &str| signed.as_ref().is_some_and(|signed| signed.iter().any(|one| one == name));
        let mut claims = BTreeMap::new();
        for (name, value) in subject.iter().filter(|(name, _)| *name != "id") {
            if let Some(claim) = scalar(value.get()) {
                let cover = if covered(name) { Cover::OwnProof } else { Cover::EventProof };
                claims.insert(name.to_owned(), (Zeroizing::new(claim), cover));
            }
        }
        let protected = match envelope.get("protectedAttributes") {
            Some(names) if signed.is_none() => serde_json::from_str(names.get()).unwrap_or_default(),
            // Attributes of a verifiable credential are never protected.
            _ => BTreeSet::new(),
        };
        Ok(Credential {
            aid,
            id: envelope.text("id").map(std::borrow::Cow::into_owned),
            verifiable: signed.is_some(),
            claims,
            protected,
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

    /// Whether it is a verifiable credential; its own proof holds then.
    pub fn is_verifiable(&self) -> bool {
        self.verifiable
    }

    /// A claim of the subject that is a plain value; `None` if it is absent, composite, longer than 1 kB, or still
    /// protected by a pin.
    pub fn claim(&self, name: &str) -> Option<Claim<'_>> {
        if self.protected.contains(name) {
            return None;
        }
        self.claims.get(name).map(|(text, cover)| Claim { text, cover: *cover })
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
        if let Some((value, _)) = self.claims.get_mut(name) {
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

    fn plain(id: &str) -> Value {
        json!({
            "id": "http://mosip.io/credentials/1", "type": ["MOSIPVerifiableCredential"], "issuedTo": "crvs_partner",
            "consent": "",
            "credentialSubject": {
                "id": id, "UIN": 2_074_397_357_u64, "photo": "x".repeat(200_000), "none": null,
                "fullName": "[{\"language\":\"eng\",\"value\":\"Asha\"}]", "names": ["a"],
                "VID": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKitHKzjo4CGj9MTgtKuefEx89ankkxCZcTY",
            },
            "protectedAttributes": ["VID"],
        })
    }

    fn read(value: &Value) -> Result<Credential, CredentialError> {
        read_text(&value.to_string())
    }

    fn read_text(text: &str) -> Result<Credential, CredentialError> {
        Credential::read(Proven::assumed(text.as_bytes()), &VcTrust::nobody())
    }

    fn text<'a>(credential: &'a Credential, name: &str) -> Option<&'a str> {
        credential.claim(name).map(|claim| claim.text())
    }

    #[test]
    fn a_plain_credential_is_read_whose_subject_is_the_bare_id() {
        let mut credential = read(&plain(AID)).unwrap();
        assert_eq!((credential.aid(), credential.is_verifiable()), (AID, false));
        assert_eq!((text(&credential, "UIN"), text(&credential, "VID")), (Some("2074397357"), None));
        assert_eq!(credential.claim("UIN").unwrap().cover(), Cover::EventProof);
        assert_eq!(text(&credential, "fullName"), Some(r#"[{"language":"eng","value":"Asha"}]"#));
        for absent in ["photo", "none", "names", "id", "city"] {
            assert_eq!(credential.claim(absent), None, "{absent}");
        }
        assert!(credential.is_protected("VID"));
        assert_eq!(credential.unprotect("VID", &"000000".into()), Err(PinError::Pin));
        credential.unprotect("VID", &"275700".into()).unwrap();
        assert_eq!(text(&credential, "VID"), Some("Asha Rao"));
        credential.unprotect("UIN", &"000000".into()).unwrap();
    }

    #[test]
    fn shape_decides_and_half_a_shape_is_refused() {
        let with = |names: &[&str]| {
            let mut value = plain(AID);
            for name in names {
                value[*name] = json!({});
            }
            read(&value).unwrap_err()
        };
        assert_eq!(with(&["@context"]), CredentialError::Half, "its proof was taken away");
        assert_eq!(with(&["proof"]), CredentialError::Half);
        assert_eq!(with(&["@context", "proof"]), CredentialError::Proof(VcError::NoIssuer));
    }

    #[test]
    fn without_a_subject_there_is_no_packet() {
        for id in ["", "/", "  "] {
            assert_eq!(read(&plain(id)).unwrap_err(), CredentialError::NoSubjectId, "{id:?}");
        }
        assert_eq!(read(&json!({ "credentialSubject": {} })).unwrap_err(), CredentialError::NoSubjectId);
        assert!(matches!(read_text("[]"), Err(CredentialError::NotJson { .. })));
        for subject in ["1", "null", "[]", r#"{"id":"a","id":"b"}"#] {
            let text = format!("{{\"credentialSubject\":{subject}}}");
            assert_eq!(read_text(&text).unwrap_err(), CredentialError::Subject, "{subject}");
        }
        assert_eq!(read_text("{}").unwrap_err(), CredentialError::Subject);
    }

    #[test]
    fn two_readers_cannot_see_two_things() {
        let twice = r#"{"credentialSubject":{"id":"a"},"credentialSubject":{"id":"b"}}"#;
        assert!(matches!(read_text(twice), Err(CredentialError::NotJson { .. })));
    }

    #[test]
    fn debug_shows_no_claims() {
        let credential = read(&plain(AID)).unwrap();
        let shown = format!("{credential:?} {:?}", credential.claim("UIN"));
        assert!(shown.contains("VID") && !shown.contains("2074397357"), "{shown}");
    }
}
