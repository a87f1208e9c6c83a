//! From a failed call to MOSIP to the operation's next move.

use civitas_journal::operations::{Operation, State};
use civitas_mosip::{CallError, Class, Service, codes};
use jiff::Timestamp;

use crate::{Cause, Engine, moves::Move, schedule::later};

/// The step that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The packet was being created.
    Create,
    /// The workflow was being started.
    Trigger,
    /// MOSIP was being asked what became of a trigger or an upload.
    Ask,
    /// Our own packet was being announced.
    Announce,
    /// Our own packet was being uploaded.
    Upload,
}

/// Where the operation goes after `step` failed: it never ends here, it waits, asks, or becomes a person's turn.
pub(super) fn after(
    engine: &Engine,
    operation: &Operation,
    step: Step,
    error: &CallError,
    now: Timestamp,
) -> Move {
    if error.class == Class::Parked {
        let mut step = Move::parked(operation);
        // The desk leaves alone what those wait for that keep their place; another service's would be claimed at once.
        if !matches!(error.service, Service::PacketManager | Service::Workflow | Service::Auth) {
            step.next_action_at = Some(later(now, error.retry_after.unwrap_or_default()));
        }
        return step;
    }
    let stay = match step {
        Step::Create => State::Planned,
        Step::Trigger | Step::Announce | Step::Upload => State::PacketCreated,
        Step::Ask => State::Unknown,
    };
    let attempts = attempts_that_count(operation, error);
    let failures = attempts.max(1);
    let wait = engine.backoff(failures, error.retry_after);
    let options = engine.options();
    let cause = |own: &str| match &error.code {
        Some(code) => Cause::with(code.clone(), error.summary.clone()),
        None => Cause::with(own, error.summary.clone()),
    };
    let mut step_taken = match error.class {
        Class::Transient if error.attempts.is_some_and(|enough| attempts >= enough) => {
            Move::to(State::Stalled)
                .because(cause("service_unreachable"))
                .at(later(now, options.stalled_check))
        }
        Class::Transient => Move::to(stay).because(cause("service_unreachable")).at(later(now, wait)),
        Class::Unauthorised => {
            Move::to(stay).because(cause("credentials_refused")).at(later(now, options.backoff.ceiling))
        }
        Class::Permanent | Class::Parked => {
            Move::to(State::Stalled).because(cause("mosip_failed")).at(later(now, options.stalled_check))
        }
        Class::Unknown => {
            let (state, own) = match step {
                // The identical packet may be sent again as long as nothing was triggered.
                Step::Create => (State::Planned, "create_outcome_unknown"),
                // A second trigger beside a first that still runs would start two workflows: ask first.
                Step::Trigger | Step::Ask => (State::Unknown, "trigger_outcome_unknown"),
                // An announcement is repeated with each upload.
                Step::Announce | Step::Upload => (State::Unknown, "upload_outcome_unknown"),
            };
            let wait = wait.max(options.unknown_wait);
            Move::to(state).because(Cause::with(own, error.summary.clone())).at(later(now, wait))
        }
    };
    step_taken.step_attempts = attempts;
    step_taken
}

/// Failures that are worth only some attempts have them in a row: what an outage before them took does not count. That there
/// was an attempt before does, since it may have been heard.
fn attempts_that_count(operation: &Operation, error: &CallError) -> u32 {
    let is_limited = |code: &str| codes::lookup(code).is_some_and(|known| known.attempts.is_some());
    let before = operation.cause.as_deref();
    let goes_on = before == error.code.as_deref() || before.is_some_and(is_limited);
    if error.attempts.is_none() || goes_on { operation.step_attempts } else { operation.step_attempts.min(2) }
}
