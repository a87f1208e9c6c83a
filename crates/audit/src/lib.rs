//! The Merkle log that witnesses what the engine and its operators did.
//!
//! Each transition and each act is a [`Leaf`]. Leaves are numbered without gaps and hashed as in RFC 6962
//! (certificate transparency), so that somebody who kept only a [`Checkpoint`] can tell offline whether any
//! leaf was altered, dropped or re-ordered, and whether a later log is an extension of an earlier one.
//!
//! Pure: no storage, no clock, no randomness. Leaves hold no personal data.

mod checkpoint;
mod frontier;
mod hash;
mod leaf;
mod proof;
mod verifier;

pub use checkpoint::Checkpoint;
pub use frontier::Frontier;
pub use hash::{Hash, ParseHashError};
pub use leaf::{Leaf, LeafError, NewLeaf, WouldHave};
pub use proof::{ConsistencyProof, InclusionProof, ProofError, consistency_proof, inclusion_proof, root};
pub use verifier::{Tampered, Verifier};
