//! Credentials: encrypted to our partner certificate, proven over the whole document, told apart by shape.
//!
//! In this order: [`open`] (the tag of AES-GCM shows that it is whole), [`verify_event_proof`] (MOSIP's signature
//! shows that it is MOSIP's: encrypting to us needs only a public certificate), [`Credential::read`] (a verifiable
//! credential's own proof shows which of its claims MOSIP stands for, towards anybody), and then whether the packet
//! that it names is the one that was asked about.
//!
//! Each RSA private-key operation takes about half a millisecond: call these functions off the async workers.

mod document;
mod envelope;
pub(crate) mod hybrid;
mod pin;
mod proof;
mod vc;

pub use crate::keys::KeyRing;
pub use document::{Claim, Cover, Credential, CredentialError};
pub use envelope::{OpenError, Recipient, SealEntropy, SealError, open, open_share, seal};
pub(crate) use hybrid::{WRAPPED_KEY, wrap_key};
pub use pin::{PinEntropy, PinError, open_protected, seal_protected};
pub use proof::{
    EventSigner, ProofError, ProofKeyError, ProofKeys, Proven, sign_event_proof, verify_event_proof,
};
pub use vc::{ContextError, VcError, VcIssuer, VcTrust};
