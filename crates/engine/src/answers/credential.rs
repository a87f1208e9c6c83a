//! Opening a credential: bytes in, identifier out. Pure CPU work, a millisecond of it, off the async workers; longer
//! where the key is in a token.

use civitas_journal::Private;
use civitas_mosip::{
    credential::{self, Cover, Credential, CredentialError, KeyRing, OpenError, ProofKeys, VcTrust},
    websub::CredentialIssued,
};

use crate::{Cause, cause};

/// What a credential told us about which packet.
pub(super) struct Opened {
    pub(super) aid: String,
    /// A bearer of identity: wiped when dropped.
    pub(super) identifier: Option<Private>,
    /// Whose signature vouches for the identifier.
    pub(super) cover: Cover,
    pub(super) registration_number: Option<String>,
}

/// What it is opened by.
pub(super) struct By<'a> {
    pub(super) keys: &'a KeyRing,
    pub(super) trust: Trust<'a>,
    /// Whether a data share may hold a credential in clear.
    pub(super) plain_shares: bool,
}

/// Whose signatures are believed.
pub(super) struct Trust<'a> {
    /// On events.
    pub(super) events: &'a ProofKeys,
    /// In verifiable credentials.
    pub(super) credentials: &'a VcTrust,
}

/// Why a credential did not open.
pub(super) enum Unopened {
    /// It will not open tomorrow either, unless keys are added: a cause for quarantine.
    Never(Cause),
    /// The token that holds our key could not be asked: later again.
    Now(Cause),
}

/// Decrypts, and reads what is inside. `share` is what was fetched, of an event that holds no credential itself.
pub(super) fn open(
    issued: &CredentialIssued,
    share: Option<&Private>,
    by: &By<'_>,
    identifier_key: &str,
) -> Result<Opened, Unopened> {
    let plain = match (&issued.credential, share) {
        (Some(sealed), _) => credential::open(by.keys, sealed),
        (None, Some(share)) => credential::open_share(by.keys, share.as_bytes(), by.plain_shares),
        (None, None) => return Err(Unopened::Never(Cause::new("credential_missing"))),
    };
    let plain = plain.map_err(|error| match &error {
        OpenError::Token(away) => Unopened::Now(Cause::with("key_token_away", away.to_string())),
        _ => Unopened::Never(Cause::with("credential_not_openable", error.to_string())),
    })?;
    read(&plain, issued, &by.trust, identifier_key).map_err(Unopened::Never)
}

/// Believes nothing of a decrypted credential before the event's proof over all of it, then a verifiable credential's
/// own proof, and then that it is about the packet that the event names. Opens with the event's pin what is protected.
pub(super) fn read(
    plain: &[u8],
    issued: &CredentialIssued,
    trust: &Trust<'_>,
    identifier_key: &str,
) -> Result<Opened, Cause> {
    let proof = issued.proof.as_deref().ok_or_else(|| Cause::new("credential_without_proof"))?;
    let proven = credential::verify_event_proof(plain, proof, trust.events)
        .map_err(|error| Cause::with("credential_proof_refused", error.to_string()))?;
    let mut credential = Credential::read(proven, trust.credentials).map_err(|error| match error {
        CredentialError::Proof(error) => Cause::with(cause::of_own_proof(&error), error.to_string()),
        CredentialError::Half => Cause::with("credential_own_proof_missing", error.to_string()),
        error => Cause::with("credential_unreadable", error.to_string()),
    })?;
    if issued.registration_id.as_deref().is_some_and(|named| named != credential.aid()) {
        return Err(Cause::new("credential_of_another_packet"));
    }
    for name in [identifier_key, REGISTRATION_NUMBER] {
        if credential.is_protected(name) {
            let pin = issued.protection_key.as_ref().ok_or_else(|| Cause::new("credential_pin_missing"))?;
            credential
                .unprotect(name, pin)
                .map_err(|error| Cause::with("credential_pin_refused", error.to_string()))?;
        }
    }
    let identifier = credential.claim(identifier_key);
    Ok(Opened {
        aid: credential.aid().to_owned(),
        identifier: identifier.map(|claim| Private::from(claim.text())),
        cover: identifier.map_or(Cover::EventProof, |claim| claim.cover()),
        registration_number: credential.claim(REGISTRATION_NUMBER).map(|claim| claim.text().to_owned()),
    })
}

/// Not defined by MOSIP's own context: as a rule the event's proof alone vouches for it.
const REGISTRATION_NUMBER: &str = "birthCertificateNumber";
