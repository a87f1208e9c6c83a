//! Operations on their way to MOSIP: step by step, each recorded before the next byte goes out.
//!
//! A claim counts the attempt before the call is made, so that a process that died between a call and its record
//! is noticed: the next one to claim the operation sees a second attempt. How the operation travels is its carrier's
//! business.

mod carrier;
mod failure;
mod identity;
mod online;
mod packet;
mod precondition;
mod uploaded;

use civitas_journal::{
    leases::Held,
    operations::{self, Claim, Operation, Respond, State, Work},
};
use civitas_mosip::{Admission, Aid, Class, Service};
use tracing::Instrument;

use self::carrier::Carrier;
pub(crate) use self::packet::StoredPacket;
use crate::{
    Cause, Engine, EngineError,
    cause::FOUND,
    desk::{Bell, Desk},
    engine::Due,
    identities::Precondition,
    moves::Move,
    options::PacketsName,
    schedule::later,
};

/// The desk that sends.
pub(crate) struct Sender(pub(crate) Engine);

impl Desk for Sender {
    type Item = Operation;

    const NAME: &'static str = "sender";

    fn engine(&self) -> &Engine {
        &self.0
    }

    fn bell(&self) -> &Bell {
        &self.0.bells().sender
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Operation>, EngineError> {
        let engine = &self.0;
        let now = engine.now();
        let admission = |service| engine.mosip().admission(service, now);
        let (create, start) = (admission(Service::PacketManager), admission(Service::Workflow));
        if (create, start) == (Admission::Free, Admission::Free) {
            return engine.claim_operations(Work::Dispatch, limit).await;
        }
        // A service that fails is left alone: what is meant for it stays where it is, in its order. One tries.
        let mut claimed = Vec::new();
        for (work, admission) in [(Work::Start, start), (Work::Create, create)] {
            let limit = match admission {
                Admission::Free => limit - claimed.len(),
                Admission::Try => (limit - claimed.len()).min(1),
                Admission::Parked(_) => 0,
            };
            if limit > 0 {
                claimed.extend(engine.claim_operations(work, limit).await?);
            }
        }
        Ok(claimed)
    }

    fn held(operation: &Operation) -> Held {
        Held::Operation(operation.key)
    }

    async fn handle(&self, operation: Operation) -> Result<(), EngineError> {
        let span = tracing::info_span!("send", aid = operation.aid, operation = operation.operation);
        self.0.send(operation).instrument(span).await
    }
}

impl Engine {
    /// Takes one claimed operation as far as it goes.
    async fn send(&self, mut operation: Operation) -> Result<(), EngineError> {
        loop {
            let step = self.next_move(&operation).await?;
            let goes_on = step.goes_on;
            if goes_on {
                operation.lease = Some(self.lease().0);
            }
            match self.apply_move(operation, step).await? {
                Some(moved) if goes_on => operation = moved,
                _ => return Ok(()),
            }
        }
    }

    /// What follows from the next call, on the way that this operation takes.
    async fn next_move(&self, operation: &Operation) -> Result<Move, EngineError> {
        let Some(bytes) = &operation.packet else {
            let cause = Cause::new("packet_not_buildable");
            return Ok(Move::to(State::Stalled)
                .because(cause)
                .at(later(self.now(), self.options().stalled_check)));
        };
        let mut packet = StoredPacket::from_bytes(bytes.as_bytes())?;
        if operation.state == State::Planned
            && operation.cause.as_deref() == Some(FOUND)
            && let Some(step) = self.known_before(operation).await?
        {
            return Ok(step);
        }
        if operation.state == State::Planned {
            match self.precondition(operation, &packet).await? {
                Precondition::Met(Some(identity))
                    if self.options().id_repository.packets_name == PacketsName::Uin =>
                {
                    // In memory only: what the journal keeps names the person as the record does.
                    packet.name_by_number(identity.uin());
                }
                Precondition::Met(_) => {}
                Precondition::Unmet(step) => return Ok(*step),
            }
        }
        Carrier::of(self, operation, &packet).next_move(self, operation, &packet).await
    }

    /// Whether MOSIP knows an operation that a journal before this one may have sent: then it is followed. Where we may not
    /// ask, its own refusal of a second start is the guard.
    async fn known_before(&self, operation: &Operation) -> Result<Option<Move>, EngineError> {
        let Some(aid) = operation.aid.as_ref().map(|_| aid_of(operation)).transpose()? else {
            return Ok(None);
        };
        match self.mosip().workflow_status_of(&aid, self.now()).await {
            Ok(Some(_)) => Ok(Some(self.followed(operation).saying("MOSIP knows it"))),
            Ok(None) => Ok(None),
            Err(error) if error.class == Class::Unauthorised => Ok(None),
            Err(error) if error.class == Class::Parked => {
                let next = later(self.now(), error.retry_after.unwrap_or_default());
                Ok(Some(Move::parked(operation).at(next)))
            }
            Err(error) => {
                let wait = self.backoff(operation.step_attempts, error.retry_after);
                let cause = Cause::of(operation).unwrap_or_else(|| Cause::new(FOUND));
                let mut step = Move::to(State::Planned).because(cause).at(later(self.now(), wait));
                step.step_attempts = operation.step_attempts;
                Ok(Some(step))
            }
        }
    }

    /// The workflow runs: wait for its answer, or follow it while the record goes on.
    fn followed(&self, operation: &Operation) -> Move {
        let now = self.now();
        let next = self.options().polling.next(now, now, self.waiting());
        let mut step = Move::to(self.followed_state(operation)).at(next);
        step.triggered_at = Some(now);
        step
    }

    /// Where an operation waits for MOSIP's answer.
    #[expect(clippy::unused_self, reason = "one of the engine's questions about an operation")]
    pub(crate) fn followed_state(&self, operation: &Operation) -> State {
        match operation.respond {
            Respond::AwaitExternalValidation => State::Awaiting,
            Respond::Continue => State::Triggered,
        }
    }

    /// Claims operations that are due for this kind of work, each the head of its lane.
    pub(crate) async fn claim_operations(
        &self,
        work: Work,
        limit: usize,
    ) -> Result<Vec<Operation>, EngineError> {
        self.claim_due(limit, move |tx, Due { lease, now, limit }| {
            Box::pin(async move { operations::claim(tx, &Claim { work, lease, now, limit }).await })
        })
        .await
    }
}

/// The AID of an operation that is sent.
pub(crate) fn aid_of(operation: &Operation) -> Result<Aid, EngineError> {
    let text = operation.aid.as_deref().unwrap_or_default();
    // One that was taken over is of another form.
    text.parse().ok().or_else(|| Aid::foreign(text)).ok_or_else(|| EngineError::StoredAid(text.to_owned()))
}
