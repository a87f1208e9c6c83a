//! A packet's insides, as far as they could be opened.

use std::fmt;

use serde_json::{Map, Value};

use super::Finding;

/// What is in a packet, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Inspected {
    /// Bytes of the file.
    pub size: usize,
    /// SHA-256 of the file in capital hexadecimal digits: `packetHashValue`.
    pub hash: String,
    /// The outer envelope; `None` if the file is not encrypted.
    pub envelope: Option<Envelope>,
    /// The sub-packets that are there, in their order.
    pub sub_packets: Vec<SubPacketView>,
    /// Every deviation that was found.
    pub findings: Vec<Finding>,
}

impl Inspected {
    /// The registration id, as the names in the file have it.
    pub fn registration_id(&self) -> Option<&str> {
        self.sub_packets.first().map(|sub_packet| sub_packet.registration_id.as_str())
    }
}

/// How a part is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// SHA-256 of the certificate, in hexadecimal; `None` in the form of old servers.
    pub thumbprint: Option<String>,
    /// Whether it was opened.
    pub opened: bool,
}

/// One sub-packet.
#[derive(Debug)]
pub struct SubPacketView {
    /// `id`, `evidence`, `optional`.
    pub name: &'static str,
    /// Registration id of its name.
    pub registration_id: String,
    /// Source of its path.
    pub source: String,
    /// Process of its path.
    pub process: String,
    /// What stands beside it.
    pub metadata: Map<String, Value>,
    /// Bytes, as encrypted.
    pub size: usize,
    /// Its envelope; `None` if it is not encrypted.
    pub envelope: Option<Envelope>,
    /// Whether its signature was verified; `None` without a key to verify it by.
    pub signed: Option<bool>,
    /// Its files, in their order.
    pub files: Vec<PacketFile>,
    /// Its fields.
    pub identity: Map<String, Value>,
    /// Its meta information.
    pub meta_info: Map<String, Value>,
}

/// One file of a sub-packet.
#[derive(Clone)]
pub struct PacketFile {
    /// Its name.
    pub name: String,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
    /// The file itself: personal data.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for PacketFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacketFile")
            .field("name", &self.name)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
