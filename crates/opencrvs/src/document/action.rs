//! One step on a record.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use super::Stamp;
use crate::Map;

/// Where an action stands between OpenCRVS and the country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ActionStatus {
    /// Stored and put to the country configuration; not in force yet.
    Requested,
    /// In force.
    Accepted,
    /// Refused by the country.
    Rejected,
}

impl ActionStatus {
    /// As written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "Requested",
            Self::Accepted => "Accepted",
            Self::Rejected => "Rejected",
        }
    }
}

/// An action of a record. An absent key and `null` are the same everywhere but inside `declaration`, where an explicit
/// `null` erases the field.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// The action's id; of the pending one, the key by which it is accepted or rejected.
    pub id: Uuid,
    /// The action type (`type` on the wire): `REGISTER`, `APPROVE_CORRECTION`, `CUSTOM`, or one that is newer than us.
    #[serde(rename = "type")]
    pub kind: String,
    /// Requested, accepted or rejected.
    pub status: ActionStatus,
    /// When it was taken; the order of the history.
    pub created_at: Stamp,
    /// The client's idempotency key; not always a UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// The id of the user or system client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// `user` or `system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by_user_type: Option<String>,
    /// The role of the user, `LOCAL_REGISTRAR`; absent for systems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by_role: Option<String>,
    /// The office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_location: Option<String>,
    /// The fields that this action changes; a partial declaration.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub declaration: Map,
    /// Form data about the action itself; never part of the record's state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotation: Option<Map>,
    /// On an answer: the `Requested` action that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_action_id: Option<Uuid>,
    /// On a correction's approval or rejection: the `REQUEST_CORRECTION` it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// On an accepted `REGISTER`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_number: Option<String>,
    /// On a `CUSTOM` action: which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_action_type: Option<String>,
    /// What some types carry besides: a reason, duplicates, `immediateCorrection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Map>,
    /// On `ASSIGN`: the user who holds the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
}

impl Action {
    /// `ASSIGN`, `UNASSIGN` and `READ` say nothing about the record and are left out of flags.
    pub fn is_meta(&self) -> bool {
        matches!(self.kind.as_str(), "ASSIGN" | "UNASSIGN" | "READ")
    }

    /// Whether it has this status.
    pub fn is(&self, status: ActionStatus) -> bool {
        self.status == status
    }
}

/// Ids, types and instants only: field values are personal data.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("status", &self.status)
            .field("created_at", &self.created_at)
            .field("fields", &self.declaration.len())
            .finish_non_exhaustive()
    }
}

fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map, D::Error> {
    Ok(Option::<Map>::deserialize(deserializer)?.unwrap_or_default())
}
