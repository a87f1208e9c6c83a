//! What must hold before a packet about a known person goes out: its VID is active.
//!
//! MOSIP's own checks come too late and say too little: a death of an inactive VID fails after minutes without a
//! reason of its own, and one that names the number of an identity that was switched off switches it on again.

use civitas_journal::operations::{Operation, State};
use civitas_rules::Operation as Kind;

use super::{StoredPacket, failure, failure::Step};
use crate::{
    Cause, Engine, EngineError,
    identities::{Precondition, Whose, is_active, passes},
    moves::Move,
    options::PacketsName,
    schedule::later,
};

impl Engine {
    /// Asks for the subject's identity before its packet is made. Where we may not ask, MOSIP's own check remains.
    pub(super) async fn precondition(
        &self,
        operation: &Operation,
        packet: &StoredPacket,
    ) -> Result<Precondition, EngineError> {
        let kind: Option<Kind> = operation.operation.parse().ok();
        let repository = &self.options().id_repository;
        let subject = packet.subject().filter(|_| repository.enabled);
        let (Some(Kind::FlagDeceased | Kind::UpdateBiographics), Some(subject)) = (kind, subject) else {
            return Ok(Precondition::Met(None));
        };
        let by_number = repository.packets_name == PacketsName::Uin;
        Ok(match self.whose(operation, subject).await? {
            Whose::Identity { identity, by_id } if is_active(&identity) && (by_id || by_number) => {
                Precondition::Met(Some(identity))
            }
            // A token of another kind than VID and UIN: only MOSIP can tell.
            Whose::Nobody if !is_number(subject) => Precondition::Met(None),
            Whose::Identity { .. } | Whose::NotActive => self.not_active(operation, kind).await?,
            Whose::Nobody => self.unmet(Cause::new("identity_not_found")),
            Whose::Unasked(error) if passes(&error) || by_number => {
                let step = failure::after(self, operation, Step::Create, &error, self.now());
                Precondition::Unmet(Box::new(step))
            }
            Whose::Unasked(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the person's id was not checked");
                Precondition::Met(None)
            }
        })
    }

    /// A death that MOSIP knows of already has come true, whatever became of the id since.
    async fn not_active(
        &self,
        operation: &Operation,
        kind: Option<Kind>,
    ) -> Result<Precondition, EngineError> {
        if kind == Some(Kind::FlagDeceased)
            && let Some(aid) = self.flagged_before(operation).await?
        {
            let step =
                self.completed(operation).saying(format!("MOSIP was told of this death before, by {aid}"));
            return Ok(Precondition::Unmet(Box::new(step)));
        }
        Ok(self.unmet(Cause::new("identity_not_active")))
    }

    fn unmet(&self, cause: Cause) -> Precondition {
        let look_again = later(self.now(), self.options().stalled_check);
        Precondition::Unmet(Box::new(Move::to(State::Stalled).because(cause).at(look_again)))
    }
}

/// Whether an id has the form of a VID or UIN.
fn is_number(subject: &str) -> bool {
    subject.len() <= 16 && subject.bytes().all(|byte| byte.is_ascii_digit())
}
