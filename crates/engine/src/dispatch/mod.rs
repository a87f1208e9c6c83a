//! Operations on their way to MOSIP: packet, then trigger, each recorded before the next byte goes out.
//!
//! A claim counts the attempt before the call is made, so that a process that died between a call and its record
//! is noticed: the next one to claim the operation sees a second attempt. A packet may be sent again as long as
//! nothing was triggered (the body is the same to the byte); a trigger may not, so MOSIP is asked first.

mod failure;
mod packet;

use std::sync::Arc;

use civitas_journal::operations::{self, Claim, Operation, Respond, State, Work};
use civitas_mosip::{Aid, Class, CreatePacket, Trigger};
use tracing::Instrument;

use self::failure::Step;
pub(crate) use self::packet::StoredPacket;
use crate::{
    Cause, Engine, EngineError,
    desk::{Bell, Desk},
    moves::Move,
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
        self.0.claim_operations(Work::Dispatch, limit).await
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
            match self.apply_move(operation, step).await? {
                Some(moved) if goes_on => operation = moved,
                _ => return Ok(()),
            }
        }
    }

    /// Makes the call that the state asks for, and says what follows from its outcome.
    async fn next_move(&self, operation: &Operation) -> Result<Move, EngineError> {
        let Some(bytes) = &operation.packet else {
            let cause = Cause::new("packet_not_buildable");
            return Ok(Move::to(State::Stalled)
                .because(cause)
                .at(later(self.now(), self.options().stalled_check)));
        };
        let packet = StoredPacket::from_bytes(bytes.as_bytes())?;
        let aid = aid_of(operation)?;
        match operation.state {
            State::Planned => {
                let pack = self.archived_pack(&packet.ruleset).await?;
                let request = packet.create(aid, &self.station(), &pack, &self.options().officer);
                Ok(self.create(operation, &request).await)
            }
            State::PacketCreated if operation.step_attempts <= 1 => {
                Ok(self.trigger_workflow(operation, &packet.trigger(aid)).await)
            }
            // A second attempt: the first may have been heard.
            State::PacketCreated | State::Unknown => {
                self.ask_then_trigger(operation, &aid, &packet.trigger(aid.clone())).await
            }
            other => Err(EngineError::NotSendable(other)),
        }
    }

    async fn create(&self, operation: &Operation, request: &CreatePacket) -> Move {
        match self.mosip().traced(operation.traceparent.as_deref()).create_packet(request, self.now()).await {
            Ok(_receipt) => {
                let mut step = Move::to(State::PacketCreated).at(self.now());
                // The trigger follows at once, under the same lease: this is its first attempt.
                step.goes_on = true;
                step.step_attempts = 1;
                step
            }
            Err(error) => failure::after(self, operation, Step::Create, &error, self.now()),
        }
    }

    async fn trigger_workflow(&self, operation: &Operation, request: &Trigger) -> Move {
        match self.mosip().traced(operation.traceparent.as_deref()).trigger(request, self.now()).await {
            Ok(triggered) => {
                let step = self.followed(operation);
                if triggered.already_present { step.saying("MOSIP had started it already") } else { step }
            }
            Err(error) => failure::after(self, operation, Step::Trigger, &error, self.now()),
        }
    }

    async fn ask_then_trigger(
        &self,
        operation: &Operation,
        aid: &Aid,
        request: &Trigger,
    ) -> Result<Move, EngineError> {
        let now = self.now();
        match self.mosip().workflow_status(std::slice::from_ref(aid), now).await {
            Ok(found) if !found.is_empty() => Ok(self.followed(operation).saying("MOSIP knows it")),
            Ok(_) => Ok(self.trigger_workflow(operation, request).await),
            // Not allowed to ask: MOSIP's own refusal of a second start (RPR-WIS-001) is the remaining guard.
            Err(error) if error.class == Class::Unauthorised => {
                Ok(self.trigger_workflow(operation, request).await)
            }
            Err(error) => Ok(failure::after(self, operation, Step::Ask, &error, now)),
        }
    }

    /// The workflow runs: wait for its answer, or follow it while the record goes on.
    fn followed(&self, operation: &Operation) -> Move {
        let now = self.now();
        let state = match operation.respond {
            Respond::AwaitExternalValidation => State::Awaiting,
            Respond::Continue => State::Triggered,
        };
        let mut step = Move::to(state).at(self.options().polling.next(now, now));
        step.triggered_at = Some(now);
        step
    }

    /// Claims operations that are due for this kind of work, each the head of its lane.
    pub(crate) async fn claim_operations(
        &self,
        work: Work,
        limit: usize,
    ) -> Result<Vec<Operation>, EngineError> {
        let (lease, now) = self.lease();
        let claim = Arc::new(Claim { work, lease, now, limit: limit.try_into().unwrap_or(u32::MAX) });
        let claimed = self
            .journal()
            .write(move |tx| {
                let claim = Arc::clone(&claim);
                Box::pin(async move { operations::claim(tx, &claim).await })
            })
            .await?;
        Ok(claimed)
    }
}

/// The AID of an operation that is sent.
pub(crate) fn aid_of(operation: &Operation) -> Result<Aid, EngineError> {
    let text = operation.aid.as_deref().unwrap_or_default();
    text.parse().map_err(|_| EngineError::StoredAid(text.to_owned()))
}
