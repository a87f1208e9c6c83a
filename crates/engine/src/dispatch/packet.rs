//! The packet as the journal keeps it, sealed: all that a re-send needs to be the same packet.

use std::{collections::BTreeMap, sync::Arc};

use civitas_journal::Private;
use civitas_mosip::{
    Aid, Notification, Trigger,
    packet::{CreatePacket, IdSchema, UploadFile},
};
use civitas_rules::Packet;
use jiff::Timestamp;
use openssl::{
    base64::{decode_block, encode_block},
    sha::sha256,
};
use serde::{Deserialize, Serialize};

use crate::{EngineError, decide::Station};

/// Fields, process and names. The ID schema is not repeated in every row: the rule set's digest names it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredPacket {
    pub(crate) ruleset: String,
    process: String,
    source: String,
    schema_version: String,
    fields: BTreeMap<String, String>,
    meta_info: BTreeMap<String, String>,
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    /// The id of the person that it is about.
    #[serde(default)]
    subject: Option<String>,
    /// The action's instant: the packet's own time, so that it does not change with the time of sending.
    at: Timestamp,
    /// The packet of our own that carries it, once it is built: these bytes and no others are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) upload: Option<StoredUpload>,
}

/// A packet of our own as it was built.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredUpload {
    pub(crate) packet_id: String,
    /// The process that it was built for, by which MOSIP has it announced.
    pub(crate) process: String,
    pub(crate) hash: String,
    /// The file, base64.
    file: String,
}

impl StoredUpload {
    /// What is kept of a packet that was built.
    pub(crate) fn of(file: &UploadFile, process: String) -> Self {
        let packet_id = file.packet_id.clone();
        StoredUpload { packet_id, process, hash: file.hash(), file: encode_block(&file.bytes) }
    }

    /// The file. `None` if its text was damaged.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        let bytes = decode_block(&self.file).ok()?;
        (hex::encode_upper(sha256(&bytes)) == self.hash).then_some(bytes)
    }
}

impl StoredPacket {
    /// What is kept of a packet that the pack built.
    pub(crate) fn of(packet: &Packet, ruleset: &str, at: Timestamp) -> Self {
        StoredPacket {
            ruleset: ruleset.to_owned(),
            process: packet.process.clone(),
            source: packet.source.clone(),
            schema_version: packet.schema_version.clone(),
            fields: packet.fields.clone(),
            meta_info: packet.meta_info.clone(),
            name: packet.notification.name.clone(),
            phone: packet.notification.phone.clone(),
            email: packet.notification.email.clone(),
            subject: packet.subject.clone(),
            at,
            upload: None,
        }
    }

    /// The bytes that the journal seals.
    pub(crate) fn sealed(&self) -> Private {
        Private::new(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads what [`Self::sealed`] wrote.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, EngineError> {
        serde_json::from_slice(bytes).map_err(EngineError::StoredPacket)
    }

    /// The id of the person that the operation is about.
    pub(crate) fn subject(&self) -> Option<&str> {
        // Packets of before did not keep it apart.
        let named = ["VID", "UIN"].into_iter().find_map(|field| self.fields.get(field));
        self.subject.as_ref().or(named).map(|subject| subject.trim()).filter(|subject| !subject.is_empty())
    }

    /// Puts the permanent number in place of the id that the record has. For sending, never for keeping.
    pub(super) fn name_by_number(&mut self, uin: &str) {
        if let Some(named) = self.fields.get_mut("UIN") {
            uin.clone_into(named);
        }
    }

    /// What was sent, by field of the ID schema.
    pub(crate) fn fields(&self) -> &BTreeMap<String, String> {
        &self.fields
    }

    /// MOSIP's process.
    pub(crate) fn process(&self) -> &str {
        &self.process
    }

    /// Version of the ID schema, a decimal number.
    pub(crate) fn schema_version(&self) -> &str {
        &self.schema_version
    }

    /// The request to the packet manager.
    pub(crate) fn create(
        &self,
        aid: Aid,
        station: &Station<'_>,
        schema: Arc<IdSchema>,
        officer: &str,
    ) -> CreatePacket {
        CreatePacket {
            aid,
            ref_id: format!("{}_{}", station.center, station.machine),
            process: self.process.clone(),
            source: self.source.clone(),
            schema_version: self.schema_version.clone(),
            schema,
            fields: self.fields.clone(),
            meta_info: self.meta_info.clone(),
            at: self.at,
            officer: officer.to_owned(),
        }
    }

    /// The request that starts the workflow.
    pub(crate) fn trigger(&self, aid: Aid) -> Trigger {
        Trigger {
            aid,
            process: self.process.clone(),
            source: self.source.clone(),
            notification: self.notification(),
        }
    }

    /// Whom MOSIP tells.
    pub(crate) fn notification(&self) -> Notification {
        Notification { name: self.name.clone(), phone: self.phone.clone(), email: self.email.clone() }
    }
}
