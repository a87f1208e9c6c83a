//! Opening a credential: bytes in, identifier out. Pure CPU work, a millisecond of it, off the async workers; longer
//! where the key is in a token.

use civitas_journal::Private;
use civitas_mosip::{
    credential::{self, Credential, KeyRing, OpenError, ProofKeys},
    websub::CredentialIssued,
};

use crate::Cause;

/// What a credential told us about which packet.
pub(super) struct Opened {
    pub(super) aid: String,
    /// A bearer of identity: wiped when dropped.
    pub(super) identifier: Option<Private>,
    pub(super) registration_number: Option<String>,
}

/// What it is opened by.
pub(super) struct By<'a> {
    pub(super) keys: &'a KeyRing,
    pub(super) proof_keys: &'a ProofKeys,
    /// Whether a data share may hold a credential in clear.
    pub(super) plain_shares: bool,
}

/// Why a credential did not open.
pub(super) enum Unopened {
    /// It will not open tomorrow either, unless keys are added: a cause for quarantine.
    Never(Cause),
    /// The token that holds our key could not be asked: later again.
    Now(Cause),
}

/// Decrypts, checks the proof over the whole document, and takes out what concerns us. `share` is what was fetched, of
/// an event that holds no credential itself.
pub(super) fn open(
    issued: &CredentialIssued,
    share: Option<&Private>,
    by: &By<'_>,
    identifier_key: &str,
) -> Result<Opened, Unopened> {
    let never =
        |code: &str, error: &dyn std::error::Error| Unopened::Never(Cause::with(code, error.to_string()));
    let plain = match (&issued.credential, share) {
        (Some(sealed), _) => credential::open(by.keys, sealed),
        (None, Some(share)) => credential::open_share(by.keys, share.as_bytes(), by.plain_shares),
        (None, None) => return Err(Unopened::Never(Cause::new("credential_missing"))),
    };
    let plain = plain.map_err(|error| match &error {
        OpenError::Token(away) => Unopened::Now(Cause::with("key_token_away", away.to_string())),
        _ => never("credential_not_openable", &error),
    })?;
    if !by.proof_keys.is_empty() {
        let proof = issued.proof.as_deref();
        let proof = proof.ok_or_else(|| Unopened::Never(Cause::new("credential_without_proof")))?;
        credential::verify_event_proof(&plain, proof, by.proof_keys)
            .map_err(|error| never("credential_proof_refused", &error))?;
    }
    let credential = Credential::parse(&plain).map_err(|error| never("credential_unreadable", &error))?;
    if issued.registration_id.as_deref().is_some_and(|named| named != credential.aid()) {
        return Err(Unopened::Never(Cause::new("credential_of_another_packet")));
    }
    Ok(Opened {
        aid: credential.aid().to_owned(),
        identifier: credential.claim(identifier_key).map(Private::from),
        registration_number: credential.claim("birthCertificateNumber").map(str::to_owned),
    })
}
