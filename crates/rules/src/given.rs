//! Event documents that cases start from. Their format is OpenCRVS's, which the rules do not know: whoever
//! loads the pack reads them, and hands over what rules see of them.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::country::OpencrvsVersion;

/// What rules see of an event document.
#[derive(Clone, PartialEq)]
pub struct GivenDocument {
    /// The record's id.
    pub event_id: String,
    /// The record's tracking id.
    pub tracking_id: String,
    /// Event type, for example `birth`.
    pub event: String,
    /// Type of the pending action.
    pub action: String,
    /// The custom action's type, when `action` is `CUSTOM`.
    pub custom_action: Option<String>,
    /// The pending action's `createdAt`.
    pub at: Timestamp,
    /// The declaration without the pending action.
    pub before: Map<String, Value>,
    /// The declaration as it will be once the pending action is accepted.
    pub after: Map<String, Value>,
}

impl std::fmt::Debug for GivenDocument {
    /// Leaves the declarations out: they may be a person's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GivenDocument")
            .field("event", &self.event)
            .field("action", &self.action)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// Reads the event documents of cases.
pub trait ReadDocument {
    /// Reads a document's JSON. `action` is the type of the pending action; without it, the one that waits.
    ///
    /// The error says what is wrong with the document, in one sentence without values.
    fn read(
        &self,
        json: &str,
        action: Option<&str>,
        version: OpencrvsVersion,
    ) -> Result<GivenDocument, String>;
}
