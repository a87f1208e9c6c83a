//! The event document: what a trigger posts, what `event.get` answers, what travels on Kafka.
//!
//! Lenient on what we do not use (unknown action types, unknown keys, `null` for absent), strict on what we do: a
//! document that parses has ids, types, statuses and instants that can be relied on. Reading takes one pass over the
//! bytes; only a document that fails is read again, to say where and why without quoting it.

mod action;
mod diagnose;
mod error;
mod partial;
mod pending;
mod stamp;

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use action::{Action, ActionStatus};
pub use error::DocumentError;
pub use pending::{NoPendingAction, Pending};
pub use stamp::Stamp;

/// An OpenCRVS event: one record with its whole history.
///
/// Keys that are not listed are dropped; whoever must re-emit a document as received keeps its bytes.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventDocument {
    /// The record's id.
    pub id: Uuid,
    /// The event type, `birth`, `death`, or another one of the country's configuration (`type` on the wire).
    #[serde(rename = "type")]
    pub kind: String,
    /// Six characters `[0-9A-Z]` that people use to name the record.
    pub tracking_id: String,
    /// When the row of the event was made (not its first action).
    pub created_at: Stamp,
    /// When the row of the event last changed (not its last action).
    pub updated_at: Stamp,
    /// The history, as sent: `CREATE` first, then by instant. Reducers sort again.
    pub actions: Vec<Action>,
}

impl EventDocument {
    /// Reads a document, bare or wrapped as `{"event": …}`.
    ///
    /// # Errors
    /// [`DocumentError`] names the place (a path, or line and column) and what was expected there.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        serde_json::from_slice(bytes).or_else(|_| diagnose::second_reading(bytes))
    }

    /// The action with this id.
    pub fn action(&self, id: Uuid) -> Option<&Action> {
        self.actions.iter().find(|action| action.id == id)
    }

    /// The actions as every reducer wants them: stably sorted by the text of `createdAt`.
    pub(crate) fn sorted(&self) -> Vec<&Action> {
        let mut actions: Vec<&Action> = self.actions.iter().collect();
        actions.sort_by(|a, b| a.created_at.as_str().cmp(b.created_at.as_str()));
        actions
    }
}

/// Ids and counts only: a document is personal data.
impl fmt::Debug for EventDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDocument")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("tracking_id", &self.tracking_id)
            .field("actions", &self.actions)
            .finish_non_exhaustive()
    }
}
