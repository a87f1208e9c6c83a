//! Whether an update did what it says: read back from the ID repository, in memory, and compared with what was sent.
//!
//! Where MOSIP does not map the process of updates, their packets end PROCESSED and change nothing.

use civitas_journal::operations::{Operation, State};
use civitas_mosip::{CallError, Found, IdentityKey};
use jiff::Timestamp;

use crate::{
    Cause, Engine, EngineError,
    dispatch::{StoredPacket, aid_of},
    identities::{Whose, passes},
    moves::Move,
    schedule::later,
};

/// The cause of an operation that MOSIP has processed and nobody has read back yet.
pub(super) const BEING_VERIFIED: &str = "being_verified";

const NOT_APPLIED: &str = "update_not_applied";

impl Engine {
    /// MOSIP says that it processed an update.
    pub(super) async fn verify_update(&self, operation: &Operation) -> Result<Move, EngineError> {
        let Some(bytes) = &operation.packet else { return Ok(self.completed(operation)) };
        let packet = StoredPacket::from_bytes(bytes.as_bytes())?;
        let Some(subject) = packet.subject() else {
            return Ok(self.unverified(operation, "it names nobody"));
        };
        if !self.options().id_repository.enabled {
            return Ok(self.unverified(operation, "mosip.id_repository is switched off"));
        }
        let identity = match self.whose(operation, subject).await? {
            Whose::Identity { identity, .. } => identity,
            Whose::NotActive | Whose::Nobody => {
                return Ok(self.not_applied("the ID repository knows neither this id nor this packet"));
            }
            Whose::Unasked(error) => return Ok(self.unasked(operation, &error)),
        };
        let differing = identity.differing(packet.fields());
        if differing.is_empty() {
            return Ok(self.completed(operation).saying("MOSIP processed it, and the identity has it"));
        }
        // Names of fields only.
        let differing = differing.join(", ");
        Ok(match self.mosip().identity(IdentityKey::Aid(&aid_of(operation)?), self.now()).await {
            Ok(Found::Identity(_)) => {
                self.not_applied(&format!("the ID repository took the packet, and differs in {differing}"))
            }
            Ok(Found::NotActive | Found::Nothing) => self.not_applied(&format!(
                "the ID repository never got the packet, MOSIP maps {} to no update; differing: {differing}",
                packet.process()
            )),
            Err(error) => self.unasked(operation, &error),
        })
    }

    fn not_applied(&self, detail: &str) -> Move {
        Move::to(State::Stalled)
            .because(Cause::with(NOT_APPLIED, detail))
            .at(later(self.now(), self.options().stalled_check))
    }

    /// Not allowed to read: then MOSIP's word must do, and the operation says so. Not reached: again, within limits.
    fn unasked(&self, operation: &Operation, error: &CallError) -> Move {
        let now = self.now();
        if !passes(error) || self.waited_out(operation, now) {
            return self.unverified(operation, &error.summary);
        }
        let wait = self.backoff(operation.step_attempts.max(1), error.retry_after);
        let mut step = self.being_verified(operation);
        step.next_action_at = Some(later(now, wait));
        step.step_attempts = operation.step_attempts;
        step
    }

    fn unverified(&self, operation: &Operation, why: &str) -> Move {
        metrics::counter!("civitas_updates_unverified_total").increment(1);
        self.completed(operation).because(Cause::with("processed_not_verified", why))
    }

    /// Where an update waits until it is read back.
    pub(super) fn being_verified(&self, operation: &Operation) -> Move {
        let mut step =
            Move::to(self.followed_state(operation)).because(Cause::new(BEING_VERIFIED)).at(self.now());
        step.triggered_at = operation.triggered_at.or(Some(self.now()));
        step
    }

    fn waited_out(&self, operation: &Operation, now: Timestamp) -> bool {
        let since = operation.triggered_at.unwrap_or(operation.created_at);
        later(since, self.options().tracking_window) <= now
    }
}
