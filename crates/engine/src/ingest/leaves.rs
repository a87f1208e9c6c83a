//! What the audit log says of a decision.

use civitas_audit::NewLeaf;
use civitas_journal::operations::State;
use jiff::Timestamp;

use super::intake::Intake;
use crate::{Cause, decide::Decided};

/// An operation that begins as a person's turn says so, and why, right after its decision.
pub(super) fn obstacle(decided: &Decided, now: Timestamp) -> Option<NewLeaf> {
    let obstacle = decided.operation.as_ref()?.packet.as_ref().err()?;
    let key = decided.key();
    let mut leaf = NewLeaf::new("transition", "engine", now).about(key.event_id, key.action_id);
    leaf.aid = decided.aid();
    leaf.from = Some(State::Planned.as_str().to_owned());
    leaf.to = Some(State::Stalled.as_str().to_owned());
    let cause = Cause::with(obstacle.cause, obstacle.detail.clone()).to_string();
    let said: Vec<String> = decided.failed_message.iter().cloned().chain([cause]).collect();
    leaf.reason = Some(said.join("; "));
    Some(leaf)
}

/// What the rule would have written and the record does not get: said, since nobody sees what is missing.
pub(super) fn not_written(decided: &Decided, now: Timestamp) -> Option<NewLeaf> {
    if decided.writing.left_out.is_empty() {
        return None;
    }
    let key = decided.key();
    let mut leaf = NewLeaf::new("not_written", "engine", now).about(key.event_id, key.action_id);
    leaf.rule.clone_from(&decided.rule);
    let said =
        decided.writing.left_out.iter().map(|problem| format!("{}: {}", problem.field, problem.reason));
    leaf.reason = Some(said.collect::<Vec<_>>().join("; "));
    metrics::counter!("civitas_values_not_written_total").increment(decided.writing.left_out.len() as u64);
    Some(leaf)
}

/// What was decided, and by which rule.
pub(super) fn leaf(intake: &Intake, decided: &Decided, now: Timestamp) -> NewLeaf {
    let key = decided.key();
    let mut leaf = NewLeaf::new("decided", "engine", now).about(key.event_id, key.action_id);
    leaf.aid = decided.aid();
    leaf.to = Some(decided.effect.to_owned());
    leaf.ruleset = Some(decided.ruleset.clone());
    leaf.rule.clone_from(&decided.rule);
    leaf.traceparent.clone_from(&intake.arrival.traceparent);
    leaf.would_have.clone_from(&decided.would_have);
    leaf.reason = Some(said(decided));
    leaf
}

/// What the log says about a decision: the pack's message, its sentence, and what else there is to know.
pub(crate) fn said(decided: &Decided) -> String {
    let mut said: Vec<String> = decided.message.iter().cloned().collect();
    said.push(decided.sentence.clone());
    said.extend(decided.anomaly.clone());
    said.join("; ")
}
