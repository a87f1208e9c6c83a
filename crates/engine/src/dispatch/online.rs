//! By MOSIP's own packet manager: it makes the packet (`createPacket`), then the workflow is started
//! (`workflowinstance`).
//!
//! The packet may be sent again as long as nothing was triggered (the body is the same to the byte); a trigger may not,
//! so MOSIP is asked first.

use civitas_journal::operations::{Operation, State};
use civitas_mosip::{Aid, Class, CreatePacket, Trigger};

use super::{
    StoredPacket, aid_of,
    failure::{self, Step},
};
use crate::{Engine, EngineError, moves::Move};

/// Makes the call that the state asks for.
pub(super) async fn next_move(
    engine: &Engine,
    operation: &Operation,
    packet: &StoredPacket,
) -> Result<Move, EngineError> {
    let aid = aid_of(operation)?;
    match operation.state {
        State::Planned => {
            let schema = engine.archived_schema(&packet.ruleset).await?;
            let request = packet.create(aid, &engine.station(), schema, &engine.options().officer);
            Ok(create(engine, operation, &request).await)
        }
        State::PacketCreated if operation.step_attempts <= 1 => {
            Ok(trigger(engine, operation, &packet.trigger(aid)).await)
        }
        // A second attempt: the first may have been heard.
        State::PacketCreated | State::Unknown => {
            ask_then_trigger(engine, operation, &aid, &packet.trigger(aid.clone())).await
        }
        other => Err(EngineError::NotSendable(other)),
    }
}

async fn create(engine: &Engine, operation: &Operation, request: &CreatePacket) -> Move {
    let mosip = engine.mosip().traced(operation.traceparent.as_deref());
    match mosip.create_packet(request, engine.now()).await {
        Ok(_receipt) => {
            let mut step = Move::to(State::PacketCreated).at(engine.now());
            // The trigger follows at once, under the same lease: this is its first attempt.
            step.goes_on = true;
            step.step_attempts = 1;
            step
        }
        Err(error) => failure::after(engine, operation, Step::Create, &error, engine.now()),
    }
}

async fn trigger(engine: &Engine, operation: &Operation, request: &Trigger) -> Move {
    let mosip = engine.mosip().traced(operation.traceparent.as_deref());
    match mosip.trigger(request, engine.now()).await {
        Ok(triggered) => {
            let step = engine.followed(operation);
            if triggered.already_present { step.saying("MOSIP had started it already") } else { step }
        }
        Err(error) => failure::after(engine, operation, Step::Trigger, &error, engine.now()),
    }
}

async fn ask_then_trigger(
    engine: &Engine,
    operation: &Operation,
    aid: &Aid,
    request: &Trigger,
) -> Result<Move, EngineError> {
    let now = engine.now();
    match engine.mosip().workflow_status(std::slice::from_ref(aid), now).await {
        Ok(found) if !found.is_empty() => Ok(engine.followed(operation).saying("MOSIP knows it")),
        Ok(_) => Ok(trigger(engine, operation, request).await),
        // Not allowed to ask: MOSIP's own refusal of a second start (RPR-WIS-001) is the remaining guard.
        Err(error) if error.class == Class::Unauthorised => Ok(trigger(engine, operation, request).await),
        Err(error) => Ok(failure::after(engine, operation, Step::Ask, &error, now)),
    }
}
