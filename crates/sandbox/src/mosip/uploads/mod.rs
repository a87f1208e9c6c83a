//! The way of packets that others build: announced at the status service,
//! uploaded to the receiver, opened by the uploader stage.

mod multipart;
mod opening;
mod receiver;
mod sealed;
mod sync;

pub(crate) use receiver::receive;
pub(crate) use sync::{packet_status, sync_v1, sync_v2};

use serde::{Deserialize, Serialize};

/// A row of the registration list.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Announced {
    /// The registration.
    pub(crate) aid: String,
    /// The packet's own id.
    pub(crate) packet_id: String,
    /// Its process.
    pub(crate) process: String,
    /// SHA-256 of the file in capital hexadecimal digits.
    pub(crate) hash: String,
    /// Bytes of the file.
    pub(crate) size: u64,
}
