//! Registration packets: what the packet manager is asked to make ([`CreatePacket`]), and the packet that we make
//! ourselves for deployments without one.
//!
//! Our own packet is a zip of three encrypted sub-packets (`id`, `evidence`, `optional`), each a zip with the fields, a
//! hash over them, and a signature of the machine's key beside it; the whole is encrypted once more and uploaded. A
//! packet is built once ([`build`]) and its bytes are kept: every building draws new keys, and MOSIP refuses a second
//! hash for the same registration (`RPR-PKR-009`). [`read`] opens such a file and says each way in which it is not as
//! it has to be.
//!
//! Building takes three RSA signatures (about half a millisecond each): call it off the async workers.

mod build;
mod content;
mod envelope;
mod finding;
mod inspect;
mod keys;
mod names;
mod read;
mod request;
mod schema;
mod sequences;
mod zip;

#[cfg(test)]
mod tests;

pub use build::{Attachments, BuildError, Document, UploadFile, build, build_open};
pub use envelope::{EnvelopeEntropy, OVERHEAD, open_envelope, seal_envelope};
pub use finding::{Deviation, Finding};
pub use inspect::{Envelope, Inspected, PacketFile, SubPacketView};
pub use keys::{DecryptionKeys, EncryptionCertificate, MachineKey, PacketKeyError, PacketKeys, VerifyingKey};
pub use read::read;
pub use request::CreatePacket;
pub use schema::IdSchema;

/// Largest upload that MOSIP takes: `registration.processor.max.file.size`.
pub const LARGEST: usize = 5 << 20;
