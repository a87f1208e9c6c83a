//! The queue entry: what the topic `civitas.awaiting-external-validation` and the queue commands show of a record
//! that waits.

use civitas_journal::{
    operations::{Operation, Respond, State},
    outbox::{NewMessage, Topic},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Cause, cause::CONTRADICTIONS, moves::is_done};

/// One record that waits for MOSIP, or for a person. Holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueueEntry {
    /// The record.
    pub event_id: Uuid,
    /// The pending action.
    pub action_id: Uuid,
    /// What was asked of MOSIP: `create_uin`, `update_biographics`, …
    pub operation: String,
    /// `await_external_validation`: the record is frozen in OpenCRVS. `continue`: it went on.
    pub respond: String,
    /// Application id at MOSIP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aid: Option<String>,
    /// Where the operation stands: `planned`, `awaiting`, `stalled`, …
    pub state: String,
    /// Why it is not going on, if something holds it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What a person can do about the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Since when the record waits.
    pub since: Timestamp,
    /// When it becomes a person's turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_at: Option<Timestamp>,
    /// When the engine acts next by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_action_at: Option<Timestamp>,
    /// Attempts begun at the current step, questions included.
    pub attempts: u32,
}

impl QueueEntry {
    /// The entry of an operation as the journal holds it.
    pub fn of(operation: &Operation) -> Self {
        let cause = Cause::of(operation);
        QueueEntry {
            event_id: operation.key.event_id,
            action_id: operation.key.action_id,
            operation: operation.operation.clone(),
            respond: operation.respond.as_str().to_owned(),
            aid: operation.aid.clone(),
            state: operation.state.as_str().to_owned(),
            advice: cause.as_ref().map(|cause| cause.advice().to_owned()),
            cause,
            since: operation.created_at,
            deadline_at: operation.deadline_at,
            next_action_at: operation.next_action_at,
            attempts: operation.step_attempts,
        }
    }
}

/// A record is in the queue while it is frozen in OpenCRVS, or when a person must look: it is stalled, or answers of
/// MOSIP contradict each other.
pub(crate) fn is_queued(respond: Respond, state: State, cause: Option<&str>) -> bool {
    let contradicted = cause.is_some_and(|cause| CONTRADICTIONS.contains(&cause));
    let open = respond == Respond::AwaitExternalValidation || state == State::Stalled;
    contradicted || (!is_done(state) && open)
}

/// The operation's entry for the compacted topic, or the tombstone that takes it out.
pub(crate) fn message(operation: &Operation, now: Timestamp) -> NewMessage {
    let queued = is_queued(operation.respond, operation.state, operation.cause.as_deref());
    NewMessage {
        topic: Topic::Awaiting,
        key: operation.key.event_id.to_string(),
        kind: "queue-entry".to_owned(),
        value: queued.then(|| serde_json::to_vec(&QueueEntry::of(operation)).unwrap_or_default()),
        headers: operation
            .traceparent
            .iter()
            .map(|trace| ("traceparent".to_owned(), trace.clone()))
            .collect(),
        created_at: now,
    }
}
