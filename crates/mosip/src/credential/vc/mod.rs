//! The proof inside a verifiable credential, verified: that MOSIP itself, and not somebody between it and us, said
//! what the credential says, and which of its claims that covers.
//!
//! `RsaSignature2018` by name, PS256 in fact: a detached JWS over SHA-256 of the canonical proof options and SHA-256 of
//! the canonical credential. What is signed are *statements*, and a name becomes a statement only if a context defines
//! it. Names that none defines (`birthCertificateNumber`, `PSUT`, most fields of a country) can be changed without the
//! signature noticing: they are not among what [`VcTrust::verify`] returns.
//!
//! Nothing that a credential says is followed: contexts, issuer, verification method and keys are pinned or
//! configured, and what differs from them is refused.

mod canonical;
mod context;
mod members;
mod signature;
mod stock;
#[cfg(test)]
mod tests;

use serde_json::value::RawValue;

pub use self::context::ContextError;
pub(super) use self::members::Members;
use self::{
    canonical::{Parts, Spelling, canonicalise, context_is},
    context::Vocabulary,
    signature::Proof,
};
use super::proof::ProofKeys;
use crate::keys::SignatureAlgorithm;

/// Why a verifiable credential is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VcError {
    /// No issuer is configured.
    #[error("no issuer of verifiable credentials is configured")]
    NoIssuer,
    /// No key is configured.
    #[error("no certificate of MOSIP's signing key (KERNEL, SIGN) is configured")]
    NoKeys,
    /// Not of the form that MOSIP issues.
    #[error("it is not of the form that MOSIP issues: {0}")]
    Form(&'static str),
    /// Its contexts are others than the pinned ones.
    #[error("its contexts are not exactly the configured ones")]
    Context,
    /// A member needs rules that are not applied here.
    #[error("its member {0:?} is of a kind that the check does not cover")]
    NotCovered(String),
    /// Another issuer.
    #[error("its issuer is not the configured one")]
    Issuer,
    /// Another verification method.
    #[error("its verification method is not the configured one")]
    Method,
    /// Another kind of proof.
    #[error("its proof is not of the suite RsaSignature2018")]
    Suite,
    /// Another algorithm than those allowed.
    #[error("its proof uses an algorithm that is not allowed, or an extension")]
    Algorithm,
    /// The signature does not fit.
    #[error("the signature in it fits none of MOSIP's configured keys")]
    Signature,
}

/// One issuer: the addresses that its credentials name, and what its context makes of their names.
#[derive(Debug)]
pub struct VcIssuer {
    issuer: String,
    verification_method: String,
    context: String,
    vocabulary: Vocabulary,
}

impl VcIssuer {
    /// A MOSIP with this public host and the context that MOSIP ships.
    pub fn stock(host: &str) -> Result<Self, ContextError> {
        Self::of_host(host, &stock::document(host))
    }

    /// A MOSIP with this public host and its own `mosip-context.json`, as its signer has it: the host filled in.
    pub fn with_context(host: &str, document: &[u8]) -> Result<Self, ContextError> {
        Self::of_host(host, &serde_json::from_slice(document).map_err(|_| ContextError::Form)?)
    }

    fn of_host(host: &str, document: &serde_json::Value) -> Result<Self, ContextError> {
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        if host.is_empty() || !host.chars().all(letters) {
            return Err(ContextError::Host(host.to_owned()));
        }
        let at = |name: &str| format!("https://{host}/.well-known/{name}");
        Self::named(at("controller.json"), at("public-key.json"), at("mosip-context.json"), document)
    }

    fn named(
        issuer: String,
        verification_method: String,
        context: String,
        document: &serde_json::Value,
    ) -> Result<Self, ContextError> {
        Ok(VcIssuer { issuer, verification_method, context, vocabulary: Vocabulary::compile(document)? })
    }
}

/// Whose credentials are believed, by which keys, signed how.
#[derive(Debug, Default)]
pub struct VcTrust {
    issuers: Vec<VcIssuer>,
    keys: ProofKeys,
    algorithms: Vec<SignatureAlgorithm>,
}

impl VcTrust {
    /// Believes nobody.
    pub fn nobody() -> Self {
        VcTrust::default()
    }

    /// Believes these issuers, all of which sign with these keys, by PS256.
    pub fn new(issuers: Vec<VcIssuer>, keys: ProofKeys) -> Self {
        VcTrust { issuers, keys, algorithms: vec![SignatureAlgorithm::Ps256] }
    }

    /// Allows other algorithms.
    #[must_use]
    pub fn allowing(self, algorithms: Vec<SignatureAlgorithm>) -> Self {
        VcTrust { algorithms, ..self }
    }

    /// Whether nobody is believed.
    pub fn is_empty(&self) -> bool {
        self.issuers.is_empty()
    }

    /// Verifies a credential's own proof. Returns the names in its subject that the proof covers; `id` always is.
    pub(super) fn verify(
        &self,
        envelope: &Members<'_>,
        subject: &Members<'_>,
        proof: &RawValue,
    ) -> Result<Vec<String>, VcError> {
        if self.issuers.is_empty() {
            return Err(VcError::NoIssuer);
        }
        if self.keys.is_empty() {
            return Err(VcError::NoKeys);
        }
        let proof = Members::of(proof).ok_or(VcError::Form("its proof is not one object, each name once"))?;
        let proof = Proof::read(&proof)?;
        let named = envelope.text("issuer").ok_or(VcError::Form("its issuer is not a text"))?;
        let issuer = self.issuers.iter().find(|known| known.issuer == named).ok_or(VcError::Issuer)?;
        if proof.verification_method != issuer.verification_method {
            return Err(VcError::Method);
        }
        if !context_is(envelope, &issuer.context) {
            return Err(VcError::Context);
        }
        let signature = proof.signature(&self.algorithms)?;
        let options = proof.options_hash();
        let parts = Parts { envelope, subject, vocabulary: &issuer.vocabulary };
        let canonical = canonicalise(&parts, Spelling::Signer)?;
        if signature.fits(&options, &canonical.hash, self.keys.iter()) {
            return Ok(canonical.signed);
        }
        if canonical.spelling_matters {
            // A signer by the letter of the standard. The two forms never say two things with the same bytes.
            let canonical = canonicalise(&parts, Spelling::Standard)?;
            if signature.fits(&options, &canonical.hash, self.keys.iter()) {
                return Ok(canonical.signed);
            }
        }
        Err(VcError::Signature)
    }
}
