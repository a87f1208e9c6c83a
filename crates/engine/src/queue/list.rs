//! The list, and the overview above it.

use std::collections::BTreeMap;

use civitas_journal::{
    JournalError, Reader, inbox, operations,
    operations::State,
    outbox,
    queue::{self, Entry},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{Queue, QueueError};
use crate::{Cause, Outside, cause::CONTRADICTIONS, entry};

/// Which rows to list; everything that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this state. Without one: what is frozen or stalled, also where a person closed it and OpenCRVS has not
    /// heard of that yet.
    pub state: Option<State>,
    /// Only this operation.
    pub operation: Option<String>,
    /// Only this cause.
    pub cause: Option<String>,
    /// At most this many rows, oldest first. 0: 100.
    pub limit: u32,
}

/// A row of the queue. Holds no personal data.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct QueueRow {
    /// The record.
    pub event_id: Uuid,
    /// Its action.
    pub action_id: Uuid,
    /// The tracking id that registrars know.
    pub tracking_id: String,
    /// `birth`, `death`, …
    pub event_type: String,
    /// `REGISTER`, …
    pub action_type: String,
    /// What was asked of MOSIP.
    pub operation: String,
    /// Whether the record is frozen in OpenCRVS meanwhile.
    pub frozen: bool,
    /// Application id at MOSIP.
    pub aid: Option<String>,
    /// Where it stands.
    pub state: String,
    /// Why it is not going on.
    pub cause: Option<Cause>,
    /// What a person can do about it.
    pub advice: Option<String>,
    /// Why it was sent.
    pub sentence: String,
    /// Since when it waits.
    pub since: Timestamp,
    /// When it becomes a person's turn.
    pub deadline_at: Option<Timestamp>,
    /// When the engine acts next.
    pub next_action_at: Option<Timestamp>,
    /// Attempts begun.
    pub attempts: u32,
}

impl QueueRow {
    fn of(entry: Entry) -> Self {
        let cause = entry.cause.map(|code| Cause { code, detail: entry.cause_detail });
        QueueRow {
            event_id: entry.key.event_id,
            action_id: entry.key.action_id,
            tracking_id: entry.tracking_id,
            event_type: entry.event_type,
            action_type: entry.action_type,
            operation: entry.operation,
            frozen: entry.respond == operations::Respond::AwaitExternalValidation,
            aid: entry.aid,
            state: entry.state.as_str().to_owned(),
            advice: cause.as_ref().map(|cause| cause.advice().to_owned()),
            cause,
            sentence: entry.sentence,
            since: entry.created_at,
            deadline_at: entry.deadline_at,
            next_action_at: entry.next_action_at,
            attempts: entry.attempts,
        }
    }
}

/// How many of what.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Counts {
    /// Operations by state.
    pub operations: BTreeMap<String, u64>,
    /// Deliveries of the hub by what became of them.
    pub deliveries: BTreeMap<String, u64>,
    /// Messages that are still to be published.
    pub to_publish: u64,
}

/// The whole at a glance.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Overview {
    /// Counts.
    pub counts: Counts,
    /// The last decisions, newest first.
    pub decisions: Vec<LastDecision>,
    /// What waits, oldest first.
    pub waiting: Vec<QueueRow>,
    /// How the way to MOSIP stands: services that are left alone, topics that are silent.
    pub outside: Outside,
    /// When this was true.
    pub at: Timestamp,
}

/// A decision in one line.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LastDecision {
    /// The record.
    pub event_id: Uuid,
    /// Its tracking id.
    pub tracking_id: String,
    /// `birth`, …
    pub event_type: String,
    /// `REGISTER`, …
    pub action_type: String,
    /// What was decided, in a word.
    pub effect: String,
    /// Why, in a sentence.
    pub sentence: String,
    /// When it came in.
    pub at: Timestamp,
}

/// A confirmation keeps its cause as one text: code and detail.
fn with_cause(mut entry: Entry) -> Entry {
    let cause = entry.cause.take();
    let parts = cause.as_deref().map(|cause| cause.split_once(": ").unwrap_or((cause, "")));
    entry.cause = parts.map(|(code, _)| code.to_owned());
    entry.cause_detail = parts.map(|(_, detail)| detail.to_owned()).filter(|detail| !detail.is_empty());
    entry
}

/// Finished operations with contradicting answers.
async fn contradicted(reader: &mut Reader, filter: &Filter, limit: u32) -> Result<Vec<Entry>, JournalError> {
    let mut found = Vec::new();
    for cause in CONTRADICTIONS {
        let wanted = queue::Filter {
            done: Some(true),
            cause: Some(cause.to_owned()),
            operation: filter.operation.clone(),
            ..queue::Filter::default()
        };
        found.extend(queue::list(reader, &wanted, 0, limit).await?);
    }
    found.retain(|entry| matches(entry, filter));
    Ok(found)
}

fn matches(entry: &Entry, filter: &Filter) -> bool {
    filter.operation.as_ref().is_none_or(|operation| *operation == entry.operation)
        && filter.cause.as_ref().is_none_or(|cause| entry.cause.as_ref() == Some(cause))
}

impl Queue {
    /// The rows, oldest first.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<QueueRow>, QueueError> {
        let limit = if filter.limit == 0 { 100 } else { filter.limit };
        let wanted = queue::Filter {
            state: filter.state,
            done: filter.state.is_none().then_some(false),
            operation: filter.operation.clone(),
            cause: filter.cause.clone(),
            ..queue::Filter::default()
        };
        let mut reader = self.journal.read().await?;
        let mut found = Vec::new();
        if filter.state.is_none() {
            let owed = queue::owed(&mut reader, limit).await?.into_iter().map(with_cause);
            found.extend(owed.filter(|entry| matches(entry, filter)));
            found.extend(contradicted(&mut reader, filter, limit).await?);
        }
        let mut after = 0;
        loop {
            let page = queue::list(&mut reader, &wanted, after, limit).await?;
            let full = page.len() == limit as usize;
            after = page.last().map_or(after, |last| last.ordinal);
            found.extend(page.into_iter().filter(|entry| {
                filter.state.is_some() || entry::is_queued(entry.respond, entry.state, entry.cause.as_deref())
            }));
            if !full || found.len() >= limit as usize {
                break;
            }
        }
        found.sort_by_key(|entry| entry.ordinal);
        // A contradicted operation may be owed as well.
        found.dedup_by_key(|entry| entry.ordinal);
        found.truncate(limit as usize);
        Ok(found.into_iter().map(QueueRow::of).collect())
    }

    /// Counts, the last decisions and the oldest waiting rows.
    pub async fn overview(&self, rows: u32) -> Result<Overview, QueueError> {
        let waiting = self.list(&Filter { limit: rows, ..Filter::default() }).await?;
        let outside = self.outside().await?;
        let mut reader = self.journal.read().await?;
        let operations = operations::counts_by_state(&mut reader).await?;
        let deliveries = inbox::counts_by_state(&mut reader).await?;
        let (to_publish, _) = outbox::backlog(&mut reader).await?;
        let decisions = queue::last_decisions(&mut reader, rows).await?;
        Ok(Overview {
            counts: Counts {
                operations: operations.into_iter().map(|(state, n)| (state.as_str().to_owned(), n)).collect(),
                deliveries: deliveries.into_iter().map(|(state, n)| (state.as_str().to_owned(), n)).collect(),
                to_publish,
            },
            decisions: decisions
                .into_iter()
                .map(|decision| LastDecision {
                    event_id: decision.key.event_id,
                    tracking_id: decision.tracking_id,
                    event_type: decision.event_type,
                    action_type: decision.action_type,
                    effect: decision.effect,
                    sentence: decision.sentence,
                    at: decision.received_at,
                })
                .collect(),
            waiting,
            outside,
            at: self.now(),
        })
    }

    /// Operations that records wait for, oldest first, as mosip-api lists its transactions.
    pub async fn transactions(&self) -> Result<Vec<Transaction>, QueueError> {
        const MOST: u32 = 10_000;
        let mut reader = self.journal.read().await?;
        let waiting = operations::awaited(&mut reader, MOST).await?;
        let transaction = |waiting: operations::Waiting| Transaction {
            event_id: waiting.key.event_id,
            action_id: waiting.key.action_id,
            aid: waiting.aid,
            registration_number: waiting.record_number,
            created_at: waiting.created_at,
        };
        Ok(waiting.into_iter().map(transaction).collect())
    }
}

/// An operation that a record waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The record.
    pub event_id: uuid::Uuid,
    /// The action.
    pub action_id: uuid::Uuid,
    /// Application id of the packet.
    pub aid: Option<String>,
    /// The record's registration number.
    pub registration_number: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}
