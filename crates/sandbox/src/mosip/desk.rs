//! Packets, workflow rows and credential requests, and the truth about them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// A word of the service's own, read back from a snapshot or not.
type Word = Cow<'static, str>;

/// Everything that belongs to an AID.
#[derive(Default, Clone, Serialize, Deserialize)]
pub(crate) struct Desk {
    pub(crate) packets: HashMap<String, Packet>,
    pub(crate) workflows: HashMap<String, Workflow>,
    pub(crate) requests: HashMap<String, CredentialRequest>,
    pub(crate) audit: HashMap<String, Audit>,
    pub(crate) order: Vec<String>,
    pub(crate) violations: Vec<String>,
    /// Packets of others that were announced, in their order.
    #[serde(default)]
    pub(crate) announced: Vec<super::uploads::Announced>,
    /// Which AID gave a record its UIN.
    pub(crate) uin_of_record: HashMap<String, String>,
}

/// A packet in the object store: the latest one wins.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Packet {
    pub(crate) process: String,
    pub(crate) fields: Map<String, Value>,
    pub(crate) meta_info: Map<String, Value>,
    /// Mandatory by the schema it came with.
    pub(crate) required: Vec<String>,
}

impl Packet {
    /// A metaInfo value as text.
    pub(crate) fn meta(&self, name: &str) -> Option<&str> {
        self.meta_info.get(name).and_then(Value::as_str)
    }

    /// A field's value as text.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

/// A row of the registration table.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Workflow {
    pub(crate) process: String,
    pub(crate) status: Raw,
    pub(crate) stage: Word,
    pub(crate) last_good: Option<Word>,
    pub(crate) comment: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) trail: Vec<Step>,
}

/// Raw status codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Raw {
    Resumable,
    Processing,
    Reprocess,
    Processed,
    Rejected,
    Failed,
    ReprocessFailed,
}

impl Raw {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Resumable => "RESUMABLE",
            Self::Processing => "PROCESSING",
            Self::Reprocess => "REPROCESS",
            Self::Processed => "PROCESSED",
            Self::Rejected => "REJECTED",
            Self::Failed => "FAILED",
            Self::ReprocessFailed => "REPROCESS_FAILED",
        }
    }
}

/// One line of the per-stage trail.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) id: Uuid,
    pub(crate) code: Word,
    pub(crate) status: Word,
    pub(crate) sub_status: Word,
    pub(crate) comment: String,
    pub(crate) at: String,
}

/// A credential request.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CredentialRequest {
    pub(crate) aid: String,
    pub(crate) status: String,
    pub(crate) comment: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

/// What was asked for an AID: the ledger's entry.
#[derive(Default, Clone, Serialize, Deserialize)]
pub(crate) struct Audit {
    /// The record the packet names in `crvsEventId`.
    pub(crate) record: Option<String>,
    pub(crate) process: String,
    /// Order of the first create among all AIDs.
    pub(crate) ordinal: usize,
    pub(crate) creates: u32,
    #[serde(default)]
    pub(crate) uploads: u32,
    #[serde(skip)]
    pub(crate) in_flight: u32,
    /// Digests of the request bodies: more than one means that a re-PUT differed.
    pub(crate) packets: BTreeSet<String>,
    /// Fields that the schema did not know.
    pub(crate) dropped: BTreeSet<String>,
    pub(crate) trigger_calls: u32,
    pub(crate) instances: Vec<Uuid>,
    pub(crate) created_at: Option<String>,
    pub(crate) triggered_at: Option<String>,
    pub(crate) finished_at: Option<String>,
    pub(crate) outcome: Option<Word>,
    /// The stage's own code for it.
    #[serde(default)]
    pub(crate) reason: Option<Word>,
    pub(crate) uins: u32,
    pub(crate) updates: u32,
    pub(crate) deaths: u32,
    /// Changes of an identity's status by the ID repository.
    #[serde(default)]
    pub(crate) status_changes: u32,
    pub(crate) credentials: u32,
}

impl Desk {
    /// The ledger's entry of an AID, made at first sight.
    pub(crate) fn audit(&mut self, aid: &str) -> &mut Audit {
        if !self.audit.contains_key(aid) {
            self.order.push(aid.to_owned());
            let ordinal = self.order.len();
            self.audit.insert(aid.to_owned(), Audit { ordinal, ..Audit::default() });
        }
        self.audit.entry(aid.to_owned()).or_default()
    }

    pub(crate) fn violation(&mut self, text: String) {
        tracing::warn!(violation = %text, "sandbox MOSIP");
        self.violations.push(text);
    }
}
