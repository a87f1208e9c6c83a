//! `PUT /createPacket`: MOSIP builds, signs, encrypts and stores the packet.
//!
//! A failure inside the packet writer is answered HTTP 200 with a null response and no error, so that success is
//! believed only if each sub-packet that the schema has is reported. Calls for one AID must not overlap: the writer
//! mixes them. The identical packet may be sent again until its workflow is started, never after.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;

use super::{
    Mosip, Role, envelope,
    transport::{Body, Call, Effect},
};
use crate::{CallError, Class, CreatePacket, Service};

/// What MOSIP stored: proof that the packet is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketReceipt {
    /// By name: `id`, `evidence`, `optional`, as far as the schema has them.
    pub sub_packets: BTreeMap<String, SubPacket>,
}

/// One stored part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubPacket {
    /// SHA-256 of the encrypted bytes, base64url; `None` if this MOSIP does not say.
    pub encrypted_hash: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PacketInfo {
    #[serde(default)]
    id: Option<String>,
    packet_name: String,
    #[serde(default)]
    encrypted_hash: Option<String>,
}

impl Mosip {
    /// Creates a packet. Of the failures, [`Class::Transient`] and [`Class::Unknown`] are both followed by sending
    /// the identical packet again, as long as nothing was triggered.
    pub async fn create_packet(
        &self,
        packet: &CreatePacket,
        now: Timestamp,
    ) -> Result<PacketReceipt, CallError> {
        let expected = packet.sub_packets().ok_or_else(|| {
            let summary = format!("createPacket for {} was not sent", packet.aid);
            CallError::known(Service::PacketManager, "schema-unreadable", summary)
        })?;
        let call = Call {
            service: Service::PacketManager,
            role: Role::Packet,
            effect: Effect::Change,
            what: "createPacket",
            method: Method::PUT,
            url: format!("{}/createPacket", self.shared.endpoints.packet_manager),
            body: Body::Json(packet.body()),
        };
        let reply = self.exchange(&call, now).await?;
        let response = envelope::response(&call, &reply)?;
        let failed = |code: &str, what: &str| {
            let summary = format!("createPacket for {} {what}", packet.aid);
            CallError::classed(Service::PacketManager, Class::Transient, code, summary)
        };
        if response.is_null() {
            return Err(failed("null-response", "was answered 200 with no response"));
        }
        let stored: Vec<PacketInfo> = serde_json::from_value(response).map_err(|_| {
            failed("answer-unreadable", "was answered with something else than a list of sub-packets")
        })?;
        let sub_packets: BTreeMap<String, SubPacket> = stored
            .into_iter()
            .filter_map(|info| {
                // `<id>_<sub-packet>`; the mock of opencrvs/mosip has a constant before the underscore, and the id
                // beside it.
                let (of, name) = info.packet_name.rsplit_once('_')?;
                let ours = info.id.as_deref().unwrap_or(of) == packet.aid.as_str();
                ours.then(|| (name.to_owned(), SubPacket { encrypted_hash: info.encrypted_hash }))
            })
            .collect();
        let missing: Vec<&str> =
            expected.iter().copied().filter(|name| !sub_packets.contains_key(*name)).collect();
        if !missing.is_empty() {
            let what = format!("was answered without sub-packet {}", missing.join(", "));
            return Err(failed("sub-packet-missing", &what));
        }
        Ok(PacketReceipt { sub_packets })
    }
}
