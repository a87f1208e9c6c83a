//! What a call to OpenCRVS came to, recorded together with what others came to.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use civitas_audit::NewLeaf;
use civitas_journal::{
    JournalError, RecordKey, Tx, civil_events,
    confirmations::{self, Advance, Confirmation as Row, ConfirmationState},
    operations::{self, NewOperation, Operation, Respond, State},
};
use jiff::Timestamp;

use super::After;
use crate::{
    Cause, Engine, entry,
    moves::{self, Move},
    schedule::later,
    together::Batched,
};

/// An answer that was told, or could not be.
pub(crate) struct Closing {
    pub(super) row: Row,
    pub(super) after: After,
}

impl Batched for Closing {
    type Outcome = ();

    async fn record(engine: &Engine, tx: &mut Tx, work: &[Arc<Self>]) -> Result<Vec<()>, JournalError> {
        let now = engine.now();
        let mut named = HashSet::new();
        // A second outcome of the same answer comes too late: the first is in this transaction.
        let first: Vec<&Closing> =
            work.iter().map(AsRef::as_ref).filter(|closing| named.insert(closing.row.key)).collect();
        close(tx, first, now, later(now, engine.options().stalled_check)).await?;
        Ok(vec![(); work.len()])
    }
}

/// Outcomes of different answers. One that somebody else moved meanwhile is left as it is.
async fn close(
    tx: &mut Tx,
    closings: Vec<&Closing>,
    now: Timestamp,
    look_again: Timestamp,
) -> Result<(), JournalError> {
    let advances: Vec<Advance> = closings.iter().map(|closing| closing.advance()).collect();
    let went = confirmations::advance(tx, &advances).await?;
    let closings: Vec<&Closing> =
        closings.into_iter().zip(went).filter_map(|(closing, went)| went.then_some(closing)).collect();
    let keys: Vec<RecordKey> = closings.iter().map(|closing| closing.row.key).collect();
    let operations = operations::get_many(tx, &keys).await?;
    let operations: HashMap<RecordKey, &Operation> =
        operations.iter().map(|operation| (operation.key, operation)).collect();
    let mut steps = Vec::new();
    for closing in closings {
        tx.append_audit(closing.leaf(now).as_slice());
        match operations.get(&closing.row.key) {
            Some(operation) => {
                steps.extend(closing.step(operation, look_again).map(|step| (*operation, step)));
            }
            None => {
                if let After::Person { cause } = &closing.after {
                    show_in_queue(tx, &closing.row, cause, now, look_again).await?;
                }
            }
        }
    }
    let steps: Vec<(&Operation, &Move)> = steps.iter().map(|(operation, step)| (*operation, step)).collect();
    moves::apply_all_or_restart(tx, &steps, now).await
}

impl Closing {
    fn advance(&self) -> Advance {
        let mut advance = Advance::of(&self.row);
        match &self.after {
            After::Told => {
                advance.state = ConfirmationState::Done;
                advance.cause = None;
                advance.next_action_at = None;
            }
            After::Again { cause, at } => {
                advance.cause = Some(cause.to_string());
                advance.attempts += 1;
                advance.next_action_at = Some(*at);
            }
            After::Person { cause } => {
                advance.state = ConfirmationState::Stalled;
                advance.cause = Some(cause.to_string());
                advance.attempts += 1;
                advance.next_action_at = None;
            }
        }
        advance
    }

    /// None for a further attempt, which is no news.
    fn leaf(&self, now: Timestamp) -> Option<NewLeaf> {
        let reason = match &self.after {
            After::Told => None,
            After::Person { cause } => Some(cause.to_string()),
            After::Again { .. } => return None,
        };
        let key = self.row.key;
        let mut leaf = NewLeaf::new("confirmation", "engine", now).about(key.event_id, key.action_id);
        leaf.to = Some(self.row.verdict.as_str().to_owned());
        leaf.reason = reason;
        Some(leaf)
    }

    /// The operation that waited for this confirmation ends, or becomes a person's turn.
    fn step(&self, operation: &Operation, look_again: Timestamp) -> Option<Move> {
        match &self.after {
            After::Told if operation.state == State::Issued => Some(Move::to(State::Confirmed)),
            After::Person { cause } => Some(Move::to(State::Stalled).because(cause.clone()).at(look_again)),
            After::Told | After::Again { .. } => None,
        }
    }
}

/// Nothing was asked of MOSIP, and OpenCRVS refuses the answer all the same: the record is frozen there, so it must
/// be seen in the queue, and what is in the queue is an operation.
async fn show_in_queue(
    tx: &mut Tx,
    row: &Row,
    cause: &Cause,
    now: Timestamp,
    look_again: Timestamp,
) -> Result<(), JournalError> {
    let Some(event) = civil_events::get(tx, row.key).await? else { return Ok(()) };
    let new = NewOperation {
        key: row.key,
        ordinal: event.ordinal,
        operation: "confirm".to_owned(),
        respond: Respond::AwaitExternalValidation,
        aid: None,
        subject: None,
        state: State::Stalled,
        cause: Some(cause.code.clone()),
        cause_detail: cause.detail.clone(),
        next_action_at: Some(look_again),
        deadline_at: None,
        created_at: now,
        traceparent: event.event.traceparent,
        packet: None,
    };
    operations::insert_many(tx, std::slice::from_ref(&new)).await?;
    tx.publish(entry::message(&Operation::from(&new), now));
    Ok(())
}
