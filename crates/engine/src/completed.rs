//! The good end of an operation, and what the pack has to say about ends.

use civitas_journal::{
    JournalError, Session,
    civil_events::{self, DecidedBy, Origin},
    operations::{Operation, Respond, State},
    rule_sets,
};
use civitas_rules::Outcome;

use crate::{
    Engine,
    confirm::Told,
    moves::{Move, Tell},
    schedule::later,
};

/// Causes by which MOSIP, or a check before it, has said no for good.
const REFUSALS: [&str; 10] = [
    "mosip_rejected",
    "mosip_failed",
    "mosip_gave_up",
    "update_not_applied",
    "identity_not_active",
    "identity_not_found",
    "identity_blocked",
    "identity_changed_since",
    "packet_not_buildable",
    "policy_guard",
];

impl Engine {
    /// MOSIP has done it, and there is nothing more to wait for: the operation ends, or the record that waited for it
    /// is let go on.
    pub(crate) fn completed(&self, operation: &Operation) -> Move {
        let now = self.now();
        let mut step = match operation.respond {
            Respond::Continue => Move::to(State::Processed),
            Respond::AwaitExternalValidation => {
                let mut step = Move::to(State::Issued);
                let due = later(operation.created_at, self.options().settle).max(now);
                step.tell = Some(Tell { told: Told::default().sealed(), due });
                step
            }
        };
        step.triggered_at = operation.triggered_at.or(Some(now));
        step
    }

    /// The move with what the pack has the record's history say of it.
    pub(crate) async fn worded(
        &self,
        session: &mut Session,
        operation: &Operation,
        step: Move,
    ) -> Result<Move, JournalError> {
        if outcome(operation, &step).is_none() {
            return Ok(step);
        }
        let brief = civil_events::briefs(session, &[operation.key]).await?.pop();
        self.worded_by(session, brief.map(|brief| brief.decided).as_ref(), operation, step).await
    }

    /// The same, where it is known by what the civil event was decided.
    pub(crate) async fn worded_by(
        &self,
        session: &mut Session,
        decided: Option<&DecidedBy>,
        operation: &Operation,
        mut step: Move,
    ) -> Result<Move, JournalError> {
        let Some(outcome) = outcome(operation, &step) else { return Ok(step) };
        let Some(DecidedBy { origin, ruleset, rule: Some(rule) }) = decided else { return Ok(step) };
        let at_hand = self.pack_at_hand(ruleset);
        let pack = if let Some(pack) = at_hand {
            pack
        } else {
            let Some(archived) = rule_sets::get(session, ruleset).await? else { return Ok(step) };
            // A rule set that cannot be read again is reported where decisions are verified.
            let Ok(pack) = crate::verify::compile(ruleset, &archived.canonical) else { return Ok(step) };
            self.keep_at_hand(&pack);
            pack
        };
        let language = pack.country().languages.first().map_or("en", |language| language.code.as_str());
        step.message = pack.audit_message(rule, outcome, language).map(str::to_owned);
        // Of what the record waits for, its acceptance says it; of the past, OpenCRVS is told nothing.
        let apart = operation.respond == Respond::Continue && *origin != Origin::Backfill;
        if apart && step.message.is_some() && pack.country().history_custom_action.is_some() {
            step.note = Some(outcome);
        }
        Ok(step)
    }
}

/// What a move comes to, if it is the first to come to it.
fn outcome(operation: &Operation, step: &Move) -> Option<Outcome> {
    let cause = step.cause.as_ref().map(|cause| cause.code.as_str());
    let ended = |state| matches!(state, State::Issued | State::Processed | State::Confirmed);
    match step.to {
        to if ended(to) && !ended(operation.state) && step.kind != "operator" => Some(Outcome::Completed),
        State::Stalled if cause != operation.cause.as_deref() => {
            cause.filter(|cause| REFUSALS.contains(cause)).map(|_| Outcome::Failed)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_a_cause_that_is_explained() {
        for code in REFUSALS {
            assert!(crate::OWN_CAUSES.iter().any(|(own, _)| *own == code), "{code}");
        }
    }
}
