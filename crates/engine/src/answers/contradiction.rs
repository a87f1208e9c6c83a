//! A later answer that disagrees with the one that was taken: flagged for a person, and nothing else.

use civitas_journal::{
    JournalError, Tx,
    operations::{Operation, State},
};
use civitas_mosip::Status;
use jiff::Timestamp;

use crate::{
    Cause,
    moves::{self, Move},
};

/// What a completed event says against an operation that has its answer.
pub(super) fn of_result(operation: &Operation, result: Status) -> Option<Cause> {
    if !matches!(result, Status::Rejected | Status::Failed | Status::ReprocessFailed) {
        return None;
    }
    let taken = match operation.state {
        _ if operation.issued.is_some() => "an identifier was issued",
        State::Issued | State::Confirmed | State::Processed => "it was processed",
        State::Sent => "its tracking had ended without a verdict",
        _ => return None,
    };
    Some(Cause::with("contradicting_answer", format!("{taken}, and the workflow is said to be {result}")))
}

/// Marks the operation, once, and moves nothing.
pub(super) async fn flag(
    tx: &mut Tx,
    operation: &Operation,
    cause: Cause,
    now: Timestamp,
) -> Result<(), JournalError> {
    if Cause::of(operation).is_some_and(|known| known.is_contradiction()) {
        return Ok(());
    }
    let code = if cause.code == "contradicting_answer" { "answer" } else { "credential" };
    metrics::counter!("civitas_contradictions_total", "of" => code).increment(1);
    let step = Move::staying(operation).because(cause).by("hub", "contradiction");
    moves::apply_or_restart(tx, operation, &step, now).await
}
