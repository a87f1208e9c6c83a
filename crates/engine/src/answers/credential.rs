//! Opening a credential: bytes in, identifier out. Pure CPU work, a millisecond of it, off the async workers.

use civitas_mosip::{
    credential::{self, Credential, KeyRing, ProofKeys},
    websub::CredentialIssued,
};

use crate::Cause;

/// What a credential told us about which packet.
pub(super) struct Opened {
    pub(super) aid: String,
    pub(super) identifier: Option<String>,
    pub(super) registration_number: Option<String>,
}

/// Decrypts, checks the proof over the whole document, and takes out what concerns us. An error is a cause for
/// quarantine: it will not open tomorrow either, unless keys are added.
pub(super) fn open(
    issued: &CredentialIssued,
    keys: &KeyRing,
    proof_keys: &ProofKeys,
    identifier_key: &str,
) -> Result<Opened, Cause> {
    let Some(sealed) = &issued.credential else {
        return Err(Cause::new("credential_by_data_share"));
    };
    let plain = credential::open(keys, sealed)
        .map_err(|error| Cause::with("credential_not_openable", error.to_string()))?;
    if !proof_keys.is_empty() {
        let proof = issued.proof.as_deref().ok_or_else(|| Cause::new("credential_without_proof"))?;
        credential::verify_event_proof(&plain, proof, proof_keys)
            .map_err(|error| Cause::with("credential_proof_refused", error.to_string()))?;
    }
    let credential =
        Credential::parse(&plain).map_err(|error| Cause::with("credential_unreadable", error.to_string()))?;
    if issued.registration_id.as_deref().is_some_and(|named| named != credential.aid()) {
        return Err(Cause::new("credential_of_another_packet"));
    }
    Ok(Opened {
        aid: credential.aid().to_owned(),
        identifier: credential.claim(identifier_key).map(str::to_owned),
        registration_number: credential.claim("birthCertificateNumber").map(str::to_owned),
    })
}
