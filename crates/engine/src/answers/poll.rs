//! Asking MOSIP: what became of the operations that nobody spoke of.
//!
//! Also the clock's part: deadlines and tracking windows.

use civitas_journal::{
    leases::Held,
    operations::{Operation, Respond, State, Work},
};
use civitas_mosip::{CallError, Class, Status, WorkflowStatus};
use civitas_rules::Operation as Kind;
use jiff::Timestamp;

use super::{late, readback::BEING_VERIFIED};
use crate::{
    Cause, Engine, EngineError,
    desk::{Bell, Desk},
    dispatch::{StoredPacket, aid_of},
    hub::COMPLETED,
    moves::Move,
    schedule::{Polling, later},
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

    fn held(operation: &Operation) -> Held {
        Held::Operation(operation.key)
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
                if error.class != Class::Parked {
                    metrics::counter!("civitas_polls_failed_total").increment(1);
                    tracing::warn!(error = &error as &dyn std::error::Error, "MOSIP could not be asked");
                }
                Ok(self.not_before(operation, &error, self.unanswered(operation)))
            }
        }
    }

    /// A move whose next action waits for a service that could not be asked.
    fn not_before(&self, operation: &Operation, error: &CallError, mut step: Move) -> Move {
        let wait = match error.class {
            Class::Parked => error.retry_after.unwrap_or_default(),
            _ => self.backoff(operation.step_attempts, error.retry_after),
        };
        let earliest = later(self.now(), wait);
        step.next_action_at = step.next_action_at.map(|next| next.max(earliest));
        step.step_attempts = operation.step_attempts.saturating_sub(u32::from(error.class == Class::Parked));
        step.uncounted = error.class == Class::Parked;
        step
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
        Ok(match status.map(|status| (status.status, status)) {
            Some((Status::Processed, status)) => return self.processed(operation, status).await,
            Some((Status::Rejected | Status::Failed | Status::ReprocessFailed, status)) => {
                self.ended_badly(operation, status).await
            }
            // Being worked on: whatever was said about it before is over.
            Some(_) => {
                let mut step = self.unanswered(operation);
                step.cause.take_if(|_| step.to == operation.state && step.to != State::Stalled);
                step
            }
            None if operation.triggered_at.is_some() && operation.state != State::Stalled => {
                let mut step = self.unanswered(operation);
                if step.to == operation.state && was_uploaded(operation) {
                    // MOSIP answers an upload before it stores the packet. The sender asks once more, and sends it again.
                    let cause = Cause::new("upload_not_stored");
                    return Ok(Move::to(State::Unknown).because(cause).at(self.now()));
                }
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
    async fn processed(&self, operation: &Operation, status: &WorkflowStatus) -> Result<Move, EngineError> {
        match (operation.operation.parse(), operation.respond) {
            (Ok(Kind::CreateUin), Respond::AwaitExternalValidation) => late::is_late(self, operation).await,
            (Ok(Kind::UpdateBiographics), _) => {
                self.expect_completed(status).await;
                self.verify_update(operation).await
            }
            _ => {
                heard("first");
                self.expect_completed(status).await;
                Ok(self.completed(operation).saying("MOSIP processed it"))
            }
        }
    }

    /// MOSIP ended it: a person's turn, with the reason that its trail holds.
    async fn ended_badly(&self, operation: &Operation, status: &WorkflowStatus) -> Move {
        let code = match status.status {
            Status::Rejected => "mosip_rejected",
            Status::Failed => "mosip_failed",
            _ => "mosip_gave_up",
        };
        if status.status != Status::ReprocessFailed && operation.state != State::Stalled {
            heard("first");
            self.expect_completed(status).await;
        }
        let look_again = self.stalled_until(operation);
        let stalled = |detail| {
            let cause = Cause { code: code.to_owned(), detail };
            Move::to(State::Stalled).because(cause).at(look_again)
        };
        match self.reason_of(operation).await {
            Ok(reason) => stalled(reason),
            // The verdict stands; its reason is asked for again, soon.
            Err(error) => {
                let known = operation.cause.as_deref() == Some(code);
                let mut step = stalled(operation.cause_detail.clone().filter(|_| known));
                step.next_action_at = Some(self.now());
                self.not_before(operation, &error, step)
            }
        }
    }

    /// MOSIP finished a while ago, and no event told of it.
    async fn expect_completed(&self, status: &WorkflowStatus) {
        let Some(finished) = status.updated_at else { return };
        if later(finished, self.options().credential_grace) < self.now() {
            self.missed_answer(COMPLETED, finished).await;
        }
    }

    /// When a stalled operation is looked at again: soon at first, then the more rarely the longer it lies there.
    pub(crate) fn stalled_until(&self, operation: &Operation) -> Timestamp {
        let (now, polling) = (self.now(), &self.options().polling);
        let shortest = self.options().stalled_check;
        let by_age = Polling { shortest, longest: polling.longest.max(shortest), ..*polling };
        by_age.next(operation.triggered_at.unwrap_or(operation.created_at), now, self.waiting())
    }

    /// Nothing new: ask later, unless the clock says that it is a person's turn or the end of the tracking.
    pub(super) fn unanswered(&self, operation: &Operation) -> Move {
        let now = self.now();
        let state = operation.state;
        let since = operation.triggered_at.unwrap_or(operation.created_at);
        if state == State::Stalled {
            let mut stay = Move::to(State::Stalled).at(self.stalled_until(operation));
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
        let next = self.options().polling.next(since, now, self.waiting());
        let next = limit.map_or(next, |limit| limit.min(next)).max(now);
        let mut stay = Move::to(state).at(next);
        stay.cause = Cause::of(operation);
        stay
    }

    /// The stage that ended it, from MOSIP's trail: codes only, its comments may name a person.
    async fn reason_of(&self, operation: &Operation) -> Result<Option<String>, CallError> {
        let Ok(aid) = aid_of(operation) else { return Ok(None) };
        let trail = match self.mosip().transactions(&aid, self.now()).await {
            Ok(trail) => trail,
            // The client may not read trails, or there is none: that will not change by asking again.
            Err(error) if matches!(error.class, Class::Permanent | Class::Unauthorised) => {
                let why = error.code.unwrap_or_default();
                return Ok(Some(format!("the reason could not be read: {why}")));
            }
            Err(error) => return Err(error),
        };
        let Some(last) = civitas_mosip::reason(&trail) else { return Ok(None) };
        let words = civitas_mosip::stage_in_words(&last.stage).map(|words| format!(", {words}"));
        let stage = format!("{}{}", last.stage, words.unwrap_or_default());
        Ok(Some(match &last.sub_status {
            Some(sub) => format!("{} at {stage} ({sub})", last.status),
            None => format!("{} at {stage}", last.status),
        }))
    }
}

fn heard(outcome: &'static str) {
    metrics::counter!("civitas_answers_total", "ear" => "poll", "outcome" => outcome).increment(1);
}

/// Whether a credential has come, good or bad: what MOSIP says of the workflow is then no news, and must not take
/// the place of what is really the matter.
fn was_answered(operation: &Operation) -> bool {
    let bad = ["credential_without_identifier", "registration_number_differs", "data_share_refused"];
    operation.issued.is_some() || operation.cause.as_deref().is_some_and(|cause| bad.contains(&cause))
}

/// Whether a packet of our own carries the operation.
fn was_uploaded(operation: &Operation) -> bool {
    let packet = operation.packet.as_ref().map(|packet| StoredPacket::from_bytes(packet.as_bytes()));
    packet.is_some_and(|packet| packet.is_ok_and(|packet| packet.upload.is_some()))
}

fn is_past(limit: Timestamp, now: Timestamp) -> bool {
    limit <= now
}
