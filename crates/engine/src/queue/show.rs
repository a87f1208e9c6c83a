//! One record: its civil events with the sentence why, its operations, and everything that happened, in order.

use civitas_audit::{Leaf, WouldHave};
use civitas_journal::{
    JournalError, Reader, audit_leaves,
    civil_events::{self, CivilEvent},
    confirmations, operations,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{Queue, QueueError};
use crate::QueueEntry;

/// A record as the journal knows it. Holds no personal data.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RecordView {
    /// The record.
    pub event_id: Uuid,
    /// The tracking id that registrars know.
    pub tracking_id: String,
    /// `birth`, `death`, …
    pub event_type: String,
    /// Its civil events, oldest first.
    pub actions: Vec<ActionView>,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
}

/// One civil event of the record.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ActionView {
    /// The action.
    pub action_id: Uuid,
    /// `REGISTER`, …
    pub action_type: String,
    /// `trigger` or `kafka`.
    pub origin: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// Digest of the rule set that decided.
    pub ruleset: String,
    /// The rule that matched.
    pub rule: Option<String>,
    /// What was decided.
    pub effect: String,
    /// Why.
    pub sentence: String,
    /// What rules in evaluate mode would have done, in file order.
    pub would_have: Vec<WouldHave>,
    /// What OpenCRVS was answered: `accept`, `await` or `reject`.
    pub answer: String,
    /// Why it was rejected, in the pack's words: the registrar was told so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_reason: Option<String>,
    /// What is asked of MOSIP.
    pub operation: Option<OperationView>,
    /// What OpenCRVS is told, and how far that got.
    pub confirmation: Option<ConfirmationView>,
}

/// An operation, with its state in the queue's form.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OperationView {
    /// Everything that the queue shows.
    #[serde(flatten)]
    pub entry: QueueEntry,
    /// When MOSIP was told to process the packet.
    pub triggered_at: Option<Timestamp>,
    /// Whether MOSIP has issued an identifier.
    pub issued: bool,
    /// Last change.
    pub updated_at: Timestamp,
}

/// The accept or reject that is owed to OpenCRVS.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConfirmationView {
    /// `accept` or `reject`.
    pub verdict: String,
    /// `due`, `done` or `stalled`.
    pub state: String,
    /// Why it did not get through.
    pub cause: Option<String>,
    /// Failed attempts.
    pub attempts: u32,
    /// When it is tried next.
    pub next_action_at: Option<Timestamp>,
}

/// One line of the audit log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// Place in the audit log.
    pub index: u64,
    /// `decided`, `transition`, `callback`, `confirmation`, `operator`.
    pub kind: String,
    /// State before.
    pub from: Option<String>,
    /// State after.
    pub to: Option<String>,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
}

impl From<Leaf> for TimelineEntry {
    fn from(leaf: Leaf) -> Self {
        TimelineEntry {
            at: leaf.at,
            index: leaf.index,
            kind: leaf.kind,
            from: leaf.from,
            to: leaf.to,
            actor: leaf.actor,
            reason: leaf.reason,
        }
    }
}

impl Queue {
    /// The record with this event id, tracking id or AID.
    pub async fn show(&self, record: &str) -> Result<Option<RecordView>, QueueError> {
        let mut reader = self.journal.read().await?;
        let events = find(&mut reader, record).await?;
        let Some(first) = events.first().map(|event| event.event.clone()) else { return Ok(None) };
        let event_id = first.key.event_id;
        let mut actions = Vec::with_capacity(events.len());
        for event in events {
            actions.push(view(&mut reader, event).await?);
        }
        let leaves = audit_leaves::by_event(&mut reader, event_id).await?;
        let timeline = leaves
            .iter()
            .filter_map(|stored| Leaf::parse(&stored.body).ok())
            .map(TimelineEntry::from)
            .collect();
        Ok(Some(RecordView {
            event_id,
            tracking_id: first.tracking_id,
            event_type: first.event_type,
            actions,
            timeline,
        }))
    }
}

/// The civil events of the record that this names.
pub(super) async fn find(reader: &mut Reader, record: &str) -> Result<Vec<CivilEvent>, JournalError> {
    if let Ok(event_id) = record.parse::<Uuid>() {
        return civil_events::by_event(reader, event_id).await;
    }
    if let Some(operation) = operations::by_aid(reader, record).await? {
        return civil_events::by_event(reader, operation.key.event_id).await;
    }
    civil_events::by_tracking_id(reader, &record.to_ascii_uppercase()).await
}

async fn view(reader: &mut Reader, event: CivilEvent) -> Result<ActionView, JournalError> {
    let event = event.event;
    let operation = operations::get(reader, event.key).await?;
    let confirmation = confirmations::get(reader, event.key).await?;
    Ok(ActionView {
        action_id: event.key.action_id,
        action_type: event.action_type,
        origin: event.origin.as_str().to_owned(),
        received_at: event.received_at,
        ruleset: event.ruleset,
        rule: event.rule,
        effect: event.effect,
        sentence: event.sentence,
        would_have: event.would_have,
        answer: event.answer.as_str().to_owned(),
        answer_reason: event.answer_reason,
        operation: operation.map(|operation| OperationView {
            entry: QueueEntry::of(&operation),
            triggered_at: operation.triggered_at,
            issued: operation.issued.is_some(),
            updated_at: operation.updated_at,
        }),
        confirmation: confirmation.map(|told| ConfirmationView {
            verdict: told.verdict.as_str().to_owned(),
            state: told.state.as_str().to_owned(),
            cause: told.cause,
            attempts: told.attempts,
            next_action_at: told.next_action_at,
        }),
    })
}
