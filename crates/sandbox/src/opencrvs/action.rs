//! Actions and event documents, as core stores and sends them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Field id to value; flat, keys contain dots.
pub type Declaration = Map<String, Value>;

/// Whether an action took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Asked for; the country config has not answered, or answered "later".
    Requested,
    /// In effect.
    Accepted,
    /// Refused.
    Rejected,
}

/// One action of a record. Absent members are left out of the JSON, as core does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredAction {
    /// The correlation key of accept and reject.
    pub id: Uuid,
    /// The client's idempotency key: unique with type and status, over all records.
    pub transaction_id: String,
    /// `REGISTER`, `APPROVE_CORRECTION`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Requested, Accepted or Rejected.
    pub status: Status,
    /// ISO 8601, UTC, milliseconds.
    pub created_at: String,
    /// User id: an ObjectId in 1.9, a UUID later.
    pub created_by: String,
    /// `user` or `system`.
    pub created_by_user_type: String,
    /// Role of a human user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by_role: Option<String>,
    /// Office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at_location: Option<String>,
    /// Whom an ASSIGN names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
    /// On Accepted REGISTER.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_number: Option<String>,
    /// The Accepted REQUEST_CORRECTION that is approved or rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// The Requested action that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_action_id: Option<Uuid>,
    /// Which CUSTOM action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_action_type: Option<String>,
    /// Reason, comment, template…
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Value>,
    /// Partial: only what this action changes.
    #[serde(default)]
    pub declaration: Declaration,
    /// Form data of the action itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotation: Option<Declaration>,
}

/// A record as core sends it to the country config: bare, with its whole history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Record id.
    pub id: Uuid,
    /// `birth`, `death`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Six characters, unique.
    pub tracking_id: String,
    /// Of the record, not of its actions.
    pub created_at: String,
    /// Of the record's row, not of its actions.
    pub updated_at: String,
    /// CREATE first, then by `createdAt`.
    pub actions: Vec<StoredAction>,
}

/// Who acts: a registrar, or a system client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// User or client id.
    pub id: String,
    /// True for an integration client.
    pub system: bool,
    /// Role, for people.
    pub role: Option<String>,
    /// Office, for people.
    pub office: Option<String>,
}

impl Actor {
    pub(crate) fn sign(
        &self,
        id: Uuid,
        kind: &str,
        status: Status,
        transaction_id: &str,
        at: &str,
    ) -> StoredAction {
        StoredAction {
            id,
            transaction_id: transaction_id.to_owned(),
            kind: kind.to_owned(),
            status,
            created_at: at.to_owned(),
            created_by: self.id.clone(),
            created_by_user_type: if self.system { "system" } else { "user" }.to_owned(),
            created_by_role: self.role.clone(),
            created_at_location: self.office.clone(),
            assigned_to: None,
            registration_number: None,
            request_id: None,
            original_action_id: None,
            custom_action_type: None,
            content: None,
            declaration: Declaration::new(),
            annotation: None,
        }
    }
}
