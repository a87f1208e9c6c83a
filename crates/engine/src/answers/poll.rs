//! Asking MOSIP: what became of the operations that nobody spoke of.
//!
//! Also the clock's part: deadlines, tracking windows, credentials that should have come.

use std::collections::HashMap;

use civitas_journal::operations::{Operation, Respond, State, Work};
use civitas_mosip::{Aid, Status, WorkflowStatus};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Cause, Engine, EngineError,
    desk::{Bell, Desk},
    dispatch::aid_of,
    moves::Move,
    schedule::later,
};

/// The desk that asks. One item is a batch: MOSIP is asked about all of them together.
pub(crate) struct Asker(pub(crate) Engine);

impl Desk for Asker {
    type Item = Vec<Operation>;

    const NAME: &'static str = "asker";

    fn engine(&self) -> &Engine {
        &self.0
    }

    fn bell(&self) -> &Bell {
        &self.0.bells().asker
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Vec<Operation>>, EngineError> {
        let claimed = self.0.claim_operations(Work::Poll, limit).await?;
        Ok(claimed.chunks(25).map(<[Operation]>::to_vec).collect())
    }

    async fn handle(&self, batch: Vec<Operation>) -> Result<(), EngineError> {
        self.0.ask(batch).await
    }
}

impl Engine {
    async fn ask(&self, batch: Vec<Operation>) -> Result<(), EngineError> {
        let asked: Vec<Aid> =
            batch.iter().filter(|o| o.triggered_at.is_some()).filter_map(|o| aid_of(o).ok()).collect();
        let now = self.now();
        let found =
            if asked.is_empty() { Ok(Vec::new()) } else { self.mosip().workflow_status(&asked, now).await };
        match found {
            Ok(found) => {
                let known: HashMap<String, WorkflowStatus> =
                    found.into_iter().map(|status| (status.aid.to_string(), status)).collect();
                for operation in batch {
                    let status = operation.aid.as_ref().and_then(|aid| known.get(aid));
                    let step = self.verdict(&operation, status).await;
                    self.apply_move(operation, step).await?;
                }
            }
            Err(error) => {
                metrics::counter!("civitas_polls_failed_total").increment(1);
                tracing::warn!(error = &error as &dyn std::error::Error, "MOSIP could not be asked");
                let at = later(now, self.backoff(3, error.retry_after));
                for operation in batch {
                    let mut step = self.unanswered(&operation);
                    step.next_action_at = Some(at);
                    self.apply_move(operation, step).await?;
                }
            }
        }
        Ok(())
    }

    /// Where an operation goes, given what MOSIP says of it.
    async fn verdict(&self, operation: &Operation, status: Option<&WorkflowStatus>) -> Move {
        let now = self.now();
        let look_again = later(now, self.options().stalled_check);
        match status.map(|status| status.status) {
            Some(Status::Processed) => match operation.respond {
                Respond::Continue => Move::to(State::Processed).saying("MOSIP processed it"),
                Respond::AwaitExternalValidation => self.credential_is_late(operation).await,
            },
            Some(failed @ (Status::Rejected | Status::Failed | Status::ReprocessFailed)) => {
                let code = match failed {
                    Status::Rejected => "mosip_rejected",
                    Status::Failed => "mosip_failed",
                    _ => "mosip_gave_up",
                };
                let cause = Cause { code: code.to_owned(), detail: self.reason_of(operation).await };
                Move::to(State::Stalled).because(cause).at(look_again)
            }
            None if operation.triggered_at.is_some() && operation.state != State::Stalled => {
                let mut step = self.unanswered(operation);
                step.cause.get_or_insert_with(|| Cause::new("not_known_to_mosip"));
                step
            }
            _ => self.unanswered(operation),
        }
    }

    /// Nothing new: ask later, unless the clock says that it is a person's turn or the end of the tracking.
    fn unanswered(&self, operation: &Operation) -> Move {
        let now = self.now();
        let state = operation.state;
        let since = operation.triggered_at.unwrap_or(operation.created_at);
        if state == State::Stalled {
            let mut stay = Move::to(State::Stalled).at(later(now, self.options().stalled_check));
            stay.cause = Cause::of(operation);
            return stay;
        }
        if state == State::Triggered && is_past(later(since, self.options().tracking_window), now) {
            return Move::to(State::Sent).saying("its tracking window closed without a verdict");
        }
        if operation.deadline_at.is_some_and(|deadline| is_past(deadline, now)) {
            return Move::to(State::Stalled)
                .because(Cause::new("deadline_passed"))
                .at(later(now, self.options().stalled_check));
        }
        let next = self.options().polling.next(since, now);
        let next = operation.deadline_at.map_or(next, |deadline| deadline.min(next)).max(now);
        Move::to(state).at(next)
    }

    /// MOSIP processed the packet, so a credential was due: give it time, then ask for it again.
    async fn credential_is_late(&self, operation: &Operation) -> Move {
        let now = self.now();
        let waited = operation.cause.as_deref() == Some("processed_without_credential");
        let cause = Cause::new("processed_without_credential");
        if !waited {
            return Move::to(operation.state).because(cause).at(later(now, self.options().credential_grace));
        }
        let Some(suffix) = &self.options().credential_suffix else {
            let cause = Cause::with(
                cause.code,
                "no credential request suffix is configured, so it cannot be asked for",
            );
            return Move::to(State::Stalled).because(cause).at(later(now, self.options().stalled_check));
        };
        let request = format!("{}{suffix}", operation.aid.as_deref().unwrap_or_default());
        let outcome = self.mosip().retrigger_credential(&request, now).await;
        metrics::counter!("civitas_credentials_retriggered_total").increment(1);
        let mut step = Move::to(operation.state).because(cause);
        if let Err(error) = outcome {
            step.cause = Some(Cause::with("processed_without_credential", error.summary));
        }
        let grace = SignedDuration::try_from(self.options().credential_grace).unwrap_or(SignedDuration::ZERO);
        step.at(now.checked_add(grace.saturating_mul(2)).unwrap_or(Timestamp::MAX))
    }

    /// The stage that ended it, from MOSIP's trail: codes only, its comments may name a person.
    async fn reason_of(&self, operation: &Operation) -> Option<String> {
        let aid = aid_of(operation).ok()?;
        let trail = self.mosip().transactions(&aid, self.now()).await.ok()?;
        let last = trail.into_iter().next_back()?;
        Some(match last.sub_status {
            Some(sub) => format!("{} at {} ({sub})", last.status, last.stage),
            None => format!("{} at {}", last.status, last.stage),
        })
    }
}

fn is_past(limit: Timestamp, now: Timestamp) -> bool {
    limit <= now
}
