//! Asking MOSIP: what became of the operations that nobody spoke of.
//!
//! Also the clock's part: deadlines, tracking windows, credentials that should have come.

use civitas_journal::operations::{Operation, Respond, State, Work};
use civitas_mosip::{Status, WorkflowStatus};
use civitas_rules::Operation as Kind;
use jiff::{SignedDuration, Timestamp};

use super::{lookup::LookUp, readback::BEING_VERIFIED};
use crate::{
    Cause, Engine, EngineError,
    desk::{Bell, Desk},
    dispatch::aid_of,
    moves::Move,
    schedule::later,
};

/// The desk that asks.
pub(crate) struct Asker(pub(crate) Engine);

impl Desk for Asker {
    type Item = Operation;

    const NAME: &'static str = "asker";

    fn engine(&self) -> &Engine {
        &self.0
    }

    fn bell(&self) -> &Bell {
        &self.0.bells().asker
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Operation>, EngineError> {
        self.0.claim_operations(Work::Poll, limit).await
    }

    async fn handle(&self, operation: Operation) -> Result<(), EngineError> {
        let step = self.0.ask(&operation).await?;
        self.0.apply_move(operation, step).await?;
        Ok(())
    }
}

impl Engine {
    async fn ask(&self, operation: &Operation) -> Result<Move, EngineError> {
        if operation.triggered_at.is_none() {
            return Ok(self.unanswered(operation));
        }
        if operation.cause.as_deref() == Some(BEING_VERIFIED) {
            return self.verify_update(operation).await;
        }
        let now = self.now();
        let mosip = self.mosip().traced(operation.traceparent.as_deref());
        match mosip.workflow_status_of(&aid_of(operation)?, now).await {
            Ok(status) => self.verdict(operation, status.as_ref()).await,
            Err(error) => {
                metrics::counter!("civitas_polls_failed_total").increment(1);
                tracing::warn!(error = &error as &dyn std::error::Error, "MOSIP could not be asked");
                let wait = self.backoff(operation.step_attempts, error.retry_after);
                let mut step = self.unanswered(operation);
                step.next_action_at = step.next_action_at.map(|next| next.max(later(now, wait)));
                Ok(step)
            }
        }
    }

    /// Where an operation goes, given what MOSIP says of it.
    async fn verdict(
        &self,
        operation: &Operation,
        status: Option<&WorkflowStatus>,
    ) -> Result<Move, EngineError> {
        if was_answered(operation) {
            return Ok(self.unanswered(operation));
        }
        let now = self.now();
        let look_again = later(now, self.options().stalled_check);
        Ok(match status.map(|status| status.status) {
            Some(Status::Processed) => return self.processed(operation).await,
            Some(failed @ (Status::Rejected | Status::Failed | Status::ReprocessFailed)) => {
                let code = match failed {
                    Status::Rejected => "mosip_rejected",
                    Status::Failed => "mosip_failed",
                    _ => "mosip_gave_up",
                };
                let cause = Cause { code: code.to_owned(), detail: self.reason_of(operation).await };
                Move::to(State::Stalled).because(cause).at(look_again)
            }
            // Being worked on: whatever was said about it before is over.
            Some(_) => {
                let mut step = self.unanswered(operation);
                step.cause.take_if(|_| step.to == operation.state && step.to != State::Stalled);
                step
            }
            None if operation.triggered_at.is_some() && operation.state != State::Stalled => {
                let mut step = self.unanswered(operation);
                if step.to == operation.state {
                    step.cause = Some(Cause::new("not_known_to_mosip"));
                }
                step
            }
            None => self.unanswered(operation),
        })
    }

    /// MOSIP processed the packet: the end, but for an update, which is read back, and for a record that waits for
    /// its credential.
    async fn processed(&self, operation: &Operation) -> Result<Move, EngineError> {
        match (operation.operation.parse(), operation.respond) {
            (Ok(Kind::UpdateBiographics), _) => self.verify_update(operation).await,
            (Ok(Kind::CreateUin), Respond::AwaitExternalValidation) => {
                self.credential_is_late(operation).await
            }
            _ => Ok(self.completed(operation).saying("MOSIP processed it")),
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
        // Nobody waits for the answer to what was sent while the record went on: following it just ends.
        let limit = match state {
            State::Triggered => Some(later(since, self.options().tracking_window)),
            _ => operation.deadline_at,
        };
        if limit.is_some_and(|limit| is_past(limit, now)) {
            return if state == State::Triggered {
                Move::to(State::Sent).saying("its tracking window closed without a verdict")
            } else {
                // A credential that may not be fetched is why nothing was heard.
                let share = Cause::of(operation).filter(|cause| cause.code == "data_share_refused");
                Move::to(State::Stalled)
                    .because(share.unwrap_or_else(|| Cause::new("deadline_passed")))
                    .at(later(now, self.options().stalled_check))
            };
        }
        let next = self.options().polling.next(since, now);
        let next = limit.map_or(next, |limit| limit.min(next)).max(now);
        let mut stay = Move::to(state).at(next);
        stay.cause = Cause::of(operation);
        stay
    }

    /// MOSIP processed the packet, so a credential was due: give it time, then ask for it again, then look up what it
    /// would have said.
    async fn credential_is_late(&self, operation: &Operation) -> Result<Move, EngineError> {
        let now = self.now();
        let grace = SignedDuration::try_from(self.options().credential_grace).unwrap_or(SignedDuration::ZERO);
        let cause = Cause::new("processed_without_credential");
        let known = ["processed_without_credential", "vid_not_to_be_looked_up"];
        if !operation.cause.as_deref().is_some_and(|cause| known.contains(&cause)) {
            let step = Move::to(operation.state).because(cause);
            return Ok(step.at(later(now, self.options().credential_grace)));
        }
        let asked_before = operation.cause_detail.is_some();
        let mut cause = Cause::with(cause.code, "it was asked for again");
        if asked_before || self.options().credential_suffix.is_none() {
            match self.look_up_vid(operation).await? {
                LookUp::Issued(step) => return Ok(*step),
                LookUp::NotForUs | LookUp::Nothing => {}
                LookUp::Failed(error) => cause = Cause::with("vid_not_to_be_looked_up", error.summary),
            }
        }
        let Some(suffix) = &self.options().credential_suffix else {
            let why = "no credential request suffix is configured, so it cannot be asked for";
            let cause =
                if cause.code == "vid_not_to_be_looked_up" { cause } else { Cause::with(cause.code, why) };
            let look_again = later(now, self.options().stalled_check);
            return Ok(Move::to(State::Stalled).because(cause).at(look_again));
        };
        let request = format!("{}{suffix}", operation.aid.as_deref().unwrap_or_default());
        let outcome = self.mosip().retrigger_credential(&request, now).await;
        metrics::counter!("civitas_credentials_retriggered_total").increment(1);
        if let Err(error) = outcome {
            cause.detail = Some(error.summary);
        }
        let step = Move::to(operation.state).because(cause);
        Ok(step.at(now.checked_add(grace.saturating_mul(2)).unwrap_or(Timestamp::MAX)))
    }

    /// The stage that ended it, from MOSIP's trail: codes only, its comments may name a person.
    async fn reason_of(&self, operation: &Operation) -> Option<String> {
        let aid = aid_of(operation).ok()?;
        let trail = self.mosip().transactions(&aid, self.now()).await.ok()?;
        let last = trail.into_iter().next_back()?;
        let words = civitas_mosip::stage_in_words(&last.stage).map(|words| format!(", {words}"));
        let stage = format!("{}{}", last.stage, words.unwrap_or_default());
        Some(match last.sub_status {
            Some(sub) => format!("{} at {stage} ({sub})", last.status),
            None => format!("{} at {stage}", last.status),
        })
    }
}

/// Whether a credential has come, good or bad: what MOSIP says of the workflow is then no news, and must not take
/// the place of what is really the matter.
fn was_answered(operation: &Operation) -> bool {
    let bad = ["credential_without_identifier", "registration_number_differs", "data_share_refused"];
    operation.issued.is_some() || operation.cause.as_deref().is_some_and(|cause| bad.contains(&cause))
}

fn is_past(limit: Timestamp, now: Timestamp) -> bool {
    limit <= now
}
