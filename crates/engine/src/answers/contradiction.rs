//! A later answer that disagrees with the one that was taken: flagged for a person, and nothing else.

use civitas_journal::operations::{Operation, State};
use civitas_mosip::Status;

use crate::{Cause, moves::Move};

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
pub(super) fn flag(operation: &Operation, cause: Cause) -> Option<Move> {
    if Cause::of(operation).is_some_and(|known| known.is_contradiction()) {
        return None;
    }
    let code = if cause.code == "contradicting_answer" { "answer" } else { "credential" };
    metrics::counter!("civitas_contradictions_total", "of" => code).increment(1);
    Some(Move::staying(operation).because(cause).by("hub", "contradiction"))
}
