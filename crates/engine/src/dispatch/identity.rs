//! Switching an identity off or on, by the ID repository itself: the status of the identity is asked for, changed
//! under the operation's own AID, and VIDs are left as they are.
//!
//! MOSIP has processes for it (`DEACTIVATED`, `ACTIVATED`), but they belong to another source, and it keeps none for
//! ours. A change without an answer is asked about: the status tells.

use civitas_journal::operations::{Operation, State};
use civitas_mosip::{Aid, Changed, Class, Identity, IdentityStatus, StatusChange};
use civitas_rules::Operation as Kind;

use super::{StoredPacket, failure, failure::Step};
use crate::{Cause, Engine, EngineError, identities::Whose, moves::Move, schedule::later};

/// The status that an operation is to bring about; none for operations that go out as packets.
pub(super) fn wanted(operation: &Operation) -> Option<IdentityStatus> {
    match operation.operation.parse() {
        Ok(Kind::DeactivateId) => Some(IdentityStatus::Deactivated),
        Ok(Kind::ReactivateId) => Some(IdentityStatus::Activated),
        _ => None,
    }
}

impl Engine {
    /// Asks how the identity stands, and changes that if it is not so already.
    pub(super) async fn switch(
        &self,
        operation: &Operation,
        packet: &StoredPacket,
        aid: &Aid,
        to: IdentityStatus,
    ) -> Result<Move, EngineError> {
        if !self.options().id_repository.enabled {
            let cause = Cause::with("operation_not_carried_out", "mosip.id_repository is switched off");
            return Ok(self.stalled(cause));
        }
        let Some(subject) = packet.subject() else {
            return Ok(self.stalled(Cause::with("packet_not_buildable", "the packet names no subject")));
        };
        let identity = match self.whose(operation, subject).await? {
            Whose::Identity { identity, .. } => identity,
            Whose::NotActive => return Ok(self.stalled(Cause::new("identity_not_active"))),
            Whose::Nobody => return Ok(self.stalled(Cause::new("identity_not_found"))),
            Whose::Unasked(error) => {
                let mut step = failure::after(self, operation, Step::Ask, &error, self.now());
                // Nothing was changed by asking: where it was, it is.
                if step.to == State::Unknown {
                    step.to = operation.state;
                }
                return Ok(step);
            }
        };
        if let Some(step) = self.settled(operation, identity.status, to) {
            return Ok(step);
        }
        self.change(operation, packet, aid, &identity, to).await
    }

    /// What follows if there is nothing to change.
    fn settled(&self, operation: &Operation, is: IdentityStatus, to: IdentityStatus) -> Option<Move> {
        match (is, to) {
            (is, to) if is == to => {
                let step = self.completed(operation);
                let asked = operation.state == State::Unknown;
                let said =
                    if asked { "the ID repository had taken it" } else { "the identity was so already" };
                Some(step.saying(format!("{said}: {}", is.as_str())))
            }
            // Out of use in a stronger sense, by MOSIP's own people.
            (IdentityStatus::Blocked, IdentityStatus::Deactivated) => {
                Some(self.completed(operation).saying("MOSIP has blocked the identity, it cannot be used"))
            }
            (IdentityStatus::Blocked, _) => Some(self.stalled(Cause::new("identity_blocked"))),
            _ => None,
        }
    }

    async fn change(
        &self,
        operation: &Operation,
        packet: &StoredPacket,
        aid: &Aid,
        identity: &Identity,
        to: IdentityStatus,
    ) -> Result<Move, EngineError> {
        let change = StatusChange { aid, identity, to, schema_version: packet.schema_version() };
        let mosip = self.mosip().traced(operation.traceparent.as_deref());
        Ok(match mosip.set_identity_status(&change, self.now()).await {
            Ok(Changed::Applied) => {
                self.completed(operation).saying(format!("the ID repository took it: {}", to.as_str()))
            }
            // It was applied, and somebody has changed the status since.
            Ok(Changed::Before) => self.stalled(Cause::new("identity_changed_since")),
            Err(error) if error.class == Class::Unknown => {
                let wait = self.backoff(operation.step_attempts.max(1), error.retry_after);
                let mut step = Move::to(State::Unknown)
                    .because(Cause::with("change_outcome_unknown", error.summary))
                    .at(later(self.now(), wait.max(self.options().unknown_wait)));
                step.step_attempts = operation.step_attempts;
                step
            }
            Err(error) => failure::after(self, operation, Step::Create, &error, self.now()),
        })
    }

    fn stalled(&self, cause: Cause) -> Move {
        Move::to(State::Stalled).because(cause).at(later(self.now(), self.options().stalled_check))
    }
}
