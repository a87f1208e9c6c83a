//! One move of an operation: the new state, its audit leaf, its place in the queue and its next action, all in
//! one transaction.

use civitas_audit::NewLeaf;
use civitas_journal::{
    JournalError, Private, Tx,
    confirmations::{self, NewConfirmation, Verdict},
    operations::{self, Advance, Operation, State},
};
use civitas_rules::Outcome;
use jiff::Timestamp;

use crate::{Cause, entry, noter};

/// What changes when an operation moves. Everything that is not named stays.
#[derive(Debug, Clone)]
pub(crate) struct Move {
    pub(crate) to: State,
    /// Why it is where it is; `None` clears what was there.
    pub(crate) cause: Option<Cause>,
    /// When the engine acts next; `None` when a confirmation holds the next action, or nothing is left to do.
    pub(crate) next_action_at: Option<Timestamp>,
    /// Attempts begun at the step that comes next.
    pub(crate) step_attempts: u32,
    /// Whether the claim was for nothing: no attempt was made, so that none is counted.
    pub(crate) uncounted: bool,
    /// Whether the worker goes on with the next step at once, under the same lease.
    pub(crate) goes_on: bool,
    /// MOSIP has started the workflow, at this instant.
    pub(crate) triggered_at: Option<Timestamp>,
    /// What MOSIP issued.
    pub(crate) issued: Option<Issued>,
    /// A packet built anew.
    pub(crate) packet: Option<Private>,
    /// The accept that OpenCRVS is owed from then on.
    pub(crate) tell: Option<Tell>,
    /// What the pack has the record's history say.
    pub(crate) message: Option<String>,
    /// What the record's history is told by a custom action, since the record did not wait.
    pub(crate) note: Option<Outcome>,
    /// The kind of the audit leaf.
    pub(crate) kind: &'static str,
    pub(crate) actor: String,
    /// What the leaf says instead of the cause: an operator's reason, MOSIP's stage.
    pub(crate) reason: Option<String>,
}

/// An accept for OpenCRVS: what it is told, and when.
#[derive(Debug, Clone)]
pub(crate) struct Tell {
    pub(crate) told: Private,
    pub(crate) due: Timestamp,
}

impl Tell {
    fn owed(&self, operation: &Operation, now: Timestamp) -> NewConfirmation {
        NewConfirmation {
            key: operation.key,
            verdict: Verdict::Accept,
            body: self.told.clone(),
            next_action_at: self.due,
            created_at: now,
        }
    }
}

/// The identifier that MOSIP issued, and the hash of the subject that it names.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) identifier: Private,
    pub(crate) subject: String,
}

impl Move {
    /// A move to `to` with nothing else changed.
    pub(crate) fn to(to: State) -> Self {
        Move {
            to,
            cause: None,
            next_action_at: None,
            step_attempts: 0,
            uncounted: false,
            goes_on: false,
            triggered_at: None,
            issued: None,
            packet: None,
            tell: None,
            message: None,
            note: None,
            kind: "transition",
            actor: "engine".to_owned(),
            reason: None,
        }
    }

    /// None: what is learnt of an operation changes nothing about where it stands.
    pub(crate) fn staying(operation: &Operation) -> Self {
        Move {
            cause: Cause::of(operation),
            next_action_at: operation.next_action_at,
            step_attempts: operation.step_attempts,
            ..Move::to(operation.state)
        }
    }

    /// Nothing was sent, because the service is left alone: everything as before the claim, its place in the order
    /// included.
    pub(crate) fn parked(operation: &Operation) -> Self {
        Move {
            step_attempts: operation.step_attempts.saturating_sub(1),
            uncounted: true,
            ..Move::staying(operation)
        }
    }

    pub(crate) fn at(mut self, next: Timestamp) -> Self {
        self.next_action_at = Some(next);
        self
    }

    pub(crate) fn because(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    pub(crate) fn saying(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    pub(crate) fn by(mut self, actor: impl Into<String>, kind: &'static str) -> Self {
        self.actor = actor.into();
        self.kind = kind;
        self
    }
}

/// Whether nothing more will be done about an operation in this state, so that its lane may go on.
pub(crate) fn is_done(state: State) -> bool {
    matches!(state, State::Confirmed | State::Processed | State::Sent | State::Released | State::Rejected)
}

/// The operation after a move.
pub(crate) fn moved(operation: &Operation, step: &Move, now: Timestamp) -> Operation {
    let mut moved = operation.clone();
    moved.state = step.to;
    moved.cause = step.cause.as_ref().map(|cause| cause.code.clone());
    moved.cause_detail = step.cause.as_ref().and_then(|cause| cause.detail.clone());
    // A contradiction stays until a person settles it.
    let contradiction = Cause::of(operation).filter(Cause::is_contradiction);
    if let Some(contradiction) = contradiction.filter(|_| step.cause.is_none() && step.kind != "operator") {
        moved.cause = Some(contradiction.code);
        moved.cause_detail = contradiction.detail;
    }
    moved.next_action_at = step.next_action_at;
    moved.step_attempts = step.step_attempts;
    moved.attempts = operation.attempts.saturating_sub(u32::from(step.uncounted));
    moved.lease = operation.lease.clone().filter(|_| step.goes_on);
    moved.triggered_at = step.triggered_at.or(operation.triggered_at);
    if let Some(issued) = &step.issued {
        moved.subject = Some(issued.subject.clone());
        moved.issued = Some(issued.identifier.clone());
    }
    if step.packet.is_some() {
        moved.packet.clone_from(&step.packet);
    }
    moved.done = is_done(step.to);
    moved.updated_at = now;
    moved.version += 1;
    moved
}

/// Applies a move, unless somebody else moved the operation since it was read: then nothing changes, and
/// `false` is returned.
pub(crate) async fn apply(
    tx: &mut Tx,
    operation: &Operation,
    step: &Move,
    now: Timestamp,
) -> Result<bool, JournalError> {
    Ok(apply_all(tx, &[(operation, step)], now).await?.iter().all(Option::is_some))
}

/// Applies moves of different operations. For each, in order, the operation after it; `None` where somebody else
/// moved it since it was read, so that nothing of it was changed.
pub(crate) async fn apply_all(
    tx: &mut Tx,
    steps: &[(&Operation, &Move)],
    now: Timestamp,
) -> Result<Vec<Option<Operation>>, JournalError> {
    let after: Vec<Operation> = steps.iter().map(|(operation, step)| moved(operation, step, now)).collect();
    let advances: Vec<Advance> = steps
        .iter()
        .zip(&after)
        .map(|((operation, step), after)| advance(operation, step, after, now))
        .collect();
    let applied = operations::advance(tx, &advances).await?;
    let mut results = Vec::with_capacity(steps.len());
    let mut owed = Vec::new();
    for (((operation, step), after), applied) in steps.iter().zip(after).zip(applied) {
        if applied {
            record(tx, operation, step, &after, now);
            if let Some(outcome) = step.note {
                noter::plan(tx, operation.key, outcome, now, now).await?;
            }
            owed.extend(step.tell.as_ref().map(|tell| tell.owed(operation, now)));
        }
        results.push(applied.then_some(after));
    }
    confirmations::replace_many(tx, &owed).await?;
    Ok(results)
}

fn advance(operation: &Operation, step: &Move, after: &Operation, now: Timestamp) -> Advance {
    let mut advance = Advance::of(after, now);
    advance.version = operation.version;
    advance.lease.clone_from(&after.lease);
    advance.issued = step.issued.as_ref().map(|issued| issued.identifier.clone());
    advance.packet.clone_from(&step.packet);
    advance
}

/// The leaf of a move that was applied, and its entry in the queue.
fn record(tx: &mut Tx, operation: &Operation, step: &Move, after: &Operation, now: Timestamp) {
    // A further attempt for the same cause is not news: the count of attempts says it.
    let is_news = operation.state != step.to || operation.cause != after.cause || step.kind != "transition";
    if is_news {
        let mut leaf = NewLeaf::new(step.kind, step.actor.as_str(), now)
            .about(operation.key.event_id, operation.key.action_id);
        leaf.aid.clone_from(&operation.aid);
        leaf.from = Some(operation.state.as_str().to_owned());
        leaf.to = Some(step.to.as_str().to_owned());
        leaf.reason = said(step);
        leaf.traceparent.clone_from(&operation.traceparent);
        tx.append_audit(&[leaf]);
        tx.publish(entry::message(after, now));
    }
}

/// What the log says of a move: the pack's message, and the reason or cause.
fn said(step: &Move) -> Option<String> {
    let why = step.reason.clone().or_else(|| step.cause.as_ref().map(Cause::to_string));
    let said: Vec<String> = step.message.iter().cloned().chain(why).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Applies a move that belongs to the rest of its transaction: if somebody else moved the operation since it was
/// read, the whole write starts again from what is there now.
pub(crate) async fn apply_or_restart(
    tx: &mut Tx,
    operation: &Operation,
    step: &Move,
    now: Timestamp,
) -> Result<(), JournalError> {
    apply_all_or_restart(tx, &[(operation, step)], now).await
}

/// The same for moves of different operations.
pub(crate) async fn apply_all_or_restart(
    tx: &mut Tx,
    steps: &[(&Operation, &Move)],
    now: Timestamp,
) -> Result<(), JournalError> {
    if apply_all(tx, steps, now).await?.iter().all(Option::is_some) {
        return Ok(());
    }
    Err(JournalError::Conflict { what: "operations.version".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unfinished_state_has_somebody_who_acts_on_it() {
        use civitas_journal::operations::Work;
        for state in State::ALL.iter().copied().filter(|state| !is_done(*state)) {
            let acted_on = Work::Dispatch.states().contains(&state)
                || Work::Poll.states().contains(&state)
                || state == State::Issued; // its confirmation acts on it
            assert!(acted_on, "nobody acts on {}", state.as_str());
        }
    }
}
