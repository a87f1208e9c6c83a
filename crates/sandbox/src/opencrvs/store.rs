//! The event store and its constraints: what PostgreSQL enforces under core.

use super::action::{Document, Status, StoredAction};
use super::fields;
use super::record::Record;
use crate::entropy::lock;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use uuid::Uuid;

/// All records, and the ledger of what happened to them.
#[derive(Default)]
pub(crate) struct Store(Mutex<Rows>);

#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) records: HashMap<Uuid, Record>,
    pub(crate) order: Vec<Uuid>,
    tracking: HashMap<String, Uuid>,
    numbers: HashSet<String>,
    transactions: HashSet<(String, String, Status)>,
    pub(crate) tally: Tally,
}

/// Counters that only the ledger reads.
#[derive(Default, Clone)]
pub(crate) struct Tally {
    /// Replies to triggers: `REGISTER 202` to count.
    pub(crate) trigger_replies: BTreeMap<String, u64>,
    pub(crate) trigger_micros: Vec<u32>,
    /// Answers of accept and reject: `accept 200` to count.
    pub(crate) confirmations: BTreeMap<String, u64>,
    pub(crate) reads: u64,
    pub(crate) searches: u64,
    pub(crate) violations: Vec<String>,
}

impl Tally {
    pub(crate) fn reply(&mut self, action: &str, reply: &str, took: Duration) {
        *self.trigger_replies.entry(format!("{action} {reply}")).or_default() += 1;
        self.trigger_micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }
}

/// What an INSERT of an action did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Insert {
    Done,
    /// (transactionId, type, status) exists somewhere: dropped without a word.
    Dropped,
    /// `registration_number` exists on another record.
    NumberTaken,
    /// `event_actions_check`: a column that this type needs is missing.
    Incomplete,
    NoRecord,
}

impl Store {
    pub(crate) fn rows(&self) -> MutexGuard<'_, Rows> {
        lock(&self.0)
    }
}

impl Rows {
    /// Takes a whole document as it is, constraints included. False if its id,
    /// tracking id or number exists already.
    pub(crate) fn import(&mut self, document: Document, indexed_at: Option<Timestamp>) -> bool {
        let clash =
            self.records.contains_key(&document.id) || self.tracking.contains_key(&document.tracking_id);
        let number = |action: &StoredAction| action.registration_number.clone();
        if clash || document.actions.iter().filter_map(number).any(|taken| self.numbers.contains(&taken)) {
            return false;
        }
        for action in &document.actions {
            self.transactions.insert((action.transaction_id.clone(), action.kind.clone(), action.status));
            self.numbers.extend(number(action));
        }
        self.tracking.insert(document.tracking_id.clone(), document.id);
        self.order.push(document.id);
        let mut record = Record::new(document);
        if let Some(at) = indexed_at {
            record.index(record.document.actions.len(), at);
        }
        self.records.insert(record.document.id, record);
        true
    }

    pub(crate) fn append(&mut self, event: Uuid, action: StoredAction) -> Insert {
        let Some(record) = self.records.get_mut(&event) else { return Insert::NoRecord };
        let needs_request = matches!(action.kind.as_str(), "APPROVE_CORRECTION" | "REJECT_CORRECTION");
        let needs_reason = matches!(action.kind.as_str(), "REJECT" | "REJECT_CORRECTION");
        let reason = action.content.as_ref().is_some_and(|content| content["reason"].is_string());
        if needs_request && action.request_id.is_none() || needs_reason && !reason {
            return Insert::Incomplete;
        }
        if let Some(number) = &action.registration_number
            && self.numbers.contains(number)
        {
            return Insert::NumberTaken;
        }
        let key = (action.transaction_id.clone(), action.kind.clone(), action.status);
        if !self.transactions.insert(key) {
            return Insert::Dropped;
        }
        if action.status != Status::Requested
            && let Some(original) = action.original_action_id
            && record.answer(original).is_some()
        {
            self.tally
                .violations
                .push(format!("opencrvs: action {original} of record {event} answered twice"));
        }
        self.numbers.extend(action.registration_number.clone());
        match action.kind.as_str() {
            "ASSIGN" => record.assigned_to.clone_from(&action.assigned_to),
            "UNASSIGN" => record.assigned_to = None,
            _ => {}
        }
        if fields::unknown(&record.document.kind, &action.declaration).is_some() {
            record.corrupt = true;
        }
        record.document.actions.push(action);
        Insert::Done
    }

    /// Puts a record back to what it was. Its later actions are forgotten, with what they had taken.
    pub(crate) fn restore(&mut self, document: Document, searchable: Timestamp) -> bool {
        let Some(old) = self.records.remove(&document.id) else { return false };
        self.order.retain(|id| *id != document.id);
        self.tracking.remove(&old.document.tracking_id);
        for action in &old.document.actions {
            self.transactions.remove(&(action.transaction_id.clone(), action.kind.clone(), action.status));
            if let Some(number) = &action.registration_number {
                self.numbers.remove(number);
            }
        }
        self.import(document, Some(searchable))
    }

    /// True if (transactionId, type, status) is taken.
    pub(crate) fn seen(&self, transaction: &str, kind: &str, status: Status) -> bool {
        self.transactions.contains(&(transaction.to_owned(), kind.to_owned(), status))
    }

    /// Re-indexes a record as it is now. Search encoding throws on a corrupt one.
    pub(crate) fn index(&mut self, event: Uuid, at: Timestamp) -> Result<(), Corrupt> {
        let Some(record) = self.records.get_mut(&event) else { return Ok(()) };
        if record.corrupt {
            return Err(Corrupt);
        }
        record.index(record.document.actions.len(), at);
        Ok(())
    }

    pub(crate) fn by_tracking(&self, tracking: &str) -> Option<Uuid> {
        self.tracking.get(tracking).copied()
    }

    pub(crate) fn json(&self, event: Uuid) -> Option<Value> {
        serde_json::to_value(&self.records.get(&event)?.document).ok()
    }
}

/// The record holds a field that its form does not have.
#[derive(Debug)]
pub(crate) struct Corrupt;
