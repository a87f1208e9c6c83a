//! A credential that should have come: MOSIP processed the packet, and the hub brought nothing.
//!
//! It is given time, then looked up by the AID, and issued again if MOSIP thinks that it was issued; when that does not
//! help, the VID itself is looked up, where the pack wants a VID. Each time the wait grows, so that a hub which is silent for days is not answered by thousands of credentials.

use std::time::Duration;

use civitas_journal::operations::{Operation, State};
use civitas_mosip::{CallError, Class, RequestStatus};

use super::lookup::LookUp;
use crate::{Cause, Engine, EngineError, hub::CREDENTIAL, moves::Move, schedule::later};

const LATE: &str = "processed_without_credential";
const NO_LOOK_UP: &str = "vid_not_to_be_looked_up";
const UNKNOWN: &str = "credential_request_unknown";
const CANCELLED: &str = "credential_cancelled";

/// What to do about it now.
pub(super) async fn is_late(engine: &Engine, operation: &Operation) -> Result<Move, EngineError> {
    let now = engine.now();
    let options = engine.options();
    let causes = [LATE, NO_LOOK_UP, UNKNOWN, CANCELLED];
    if !operation.cause.as_deref().is_some_and(|cause| causes.contains(&cause)) {
        let cause = Cause::new(LATE);
        return Ok(Move::to(operation.state).because(cause).at(later(now, options.credential_grace)));
    }
    if operation.cause_detail.is_none() && operation.state != State::Stalled {
        // The first look after its time: the hub should have brought it since MOSIP said that it was done.
        engine.missed_answer(CREDENTIAL, operation.updated_at).await;
    }
    let mut code = LATE;
    // The last resort, once asking for it did not help: what it would have said.
    if operation.cause_detail.is_some() || options.credential_suffix.is_none() {
        match engine.look_up_vid(operation).await? {
            LookUp::Issued(step) => return Ok(*step),
            LookUp::NotForUs | LookUp::Nothing => {}
            LookUp::Failed(error) if error.class == Class::Parked => {}
            LookUp::Failed(error) if options.credential_suffix.is_none() => {
                return Ok(stalled(engine, operation, Cause::with(NO_LOOK_UP, error.summary)));
            }
            LookUp::Failed(_) => code = NO_LOOK_UP,
        }
    }
    let step = request_again(engine, operation, code).await;
    let overdue = operation.deadline_at.is_some_and(|deadline| deadline <= now);
    Ok(if overdue && step.to != State::Stalled {
        stalled(engine, operation, step.cause.unwrap_or_else(|| Cause::new(code)))
    } else {
        step
    })
}

/// Looks the credential request up by the AID, and has it issued again if MOSIP thinks that it was.
async fn request_again(engine: &Engine, operation: &Operation, code: &'static str) -> Move {
    let Some(suffix) = &engine.options().credential_suffix else {
        let detail = "no credential request suffix is configured, so it cannot be asked for";
        return stalled(engine, operation, Cause::with(code, detail));
    };
    let request = format!("{}{suffix}", operation.aid.as_deref().unwrap_or_default());
    match engine.mosip().credential_request(&request, engine.now()).await {
        Ok(None) => stalled(engine, operation, Cause::new(UNKNOWN)),
        Ok(Some(found)) => match found.status {
            RequestStatus::Cancelled => stalled(engine, operation, Cause::new(CANCELLED)),
            status if status.is_pending() => waiting(engine, operation, code, "MOSIP is about to issue it"),
            RequestStatus::Failed => retrigger(engine, operation, code, &request, "it had failed").await,
            _ => retrigger(engine, operation, code, &request, "it had been issued").await,
        },
        // No role for looking it up: it is issued again, that may be repeated.
        Err(error) if error.class == Class::Unauthorised => {
            retrigger(engine, operation, code, &request, "it cannot be looked up").await
        }
        Err(error) => unreachable(engine, operation, code, &error),
    }
}

async fn retrigger(
    engine: &Engine,
    operation: &Operation,
    code: &'static str,
    request: &str,
    why: &'static str,
) -> Move {
    match engine.mosip().retrigger_credential(request, engine.now()).await {
        Ok(true) => {
            metrics::counter!("civitas_credentials_retriggered_total").increment(1);
            waiting(engine, operation, code, format!("it was asked for again, since {why}"))
        }
        Ok(false) => stalled(engine, operation, Cause::new(UNKNOWN)),
        Err(error) => unreachable(engine, operation, code, &error),
    }
}

/// Nothing but time is to be done: twice the grace at first, then a quarter of the age.
fn waiting(engine: &Engine, operation: &Operation, code: &'static str, detail: impl Into<String>) -> Move {
    let now = engine.now();
    let options = engine.options();
    let since = operation.triggered_at.unwrap_or(operation.created_at);
    let age = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    let grace = options.credential_grace * 2;
    let wait = (age / 4).clamp(grace, options.polling.longest.max(grace));
    Move::to(operation.state).because(Cause::with(code, detail)).at(later(now, wait))
}

fn unreachable(engine: &Engine, operation: &Operation, code: &'static str, error: &CallError) -> Move {
    let wait = match error.class {
        Class::Parked => error.retry_after.unwrap_or_default(),
        _ => engine.backoff(operation.step_attempts, error.retry_after),
    };
    let grace = engine.options().credential_grace;
    let detail = operation.cause_detail.clone().unwrap_or_else(|| error.summary.clone());
    Move::to(operation.state).because(Cause::with(code, detail)).at(later(engine.now(), wait.max(grace)))
}

/// A person's turn; looked at again, since it may come all the same.
fn stalled(engine: &Engine, operation: &Operation, cause: Cause) -> Move {
    Move::to(State::Stalled).because(cause).at(engine.stalled_until(operation))
}
