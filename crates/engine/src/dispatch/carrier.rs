//! How an operation travels to MOSIP: the one place that chooses.
//!
//! A carrier is a module with a `next_move`: given a claimed operation, it makes the one call that the operation's
//! state asks for and says where the operation goes from its outcome. What every carrier keeps: the attempt was
//! counted before the call (the claim did), whatever may have been heard is asked about before it is repeated, and an
//! operation never ends in the carrier: it waits, is asked about, or becomes a person's turn.

use civitas_journal::operations::Operation;
use civitas_mosip::IdentityStatus;

use super::{StoredPacket, aid_of, identity, online};
use crate::{Engine, EngineError, moves::Move};

/// A way to MOSIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// MOSIP's packet manager makes the packet, then its workflow is started.
    Online,
    /// No packet: the ID repository changes the identity's status to this one.
    Identity(IdentityStatus),
}

impl Carrier {
    /// The way of this operation.
    pub(super) fn of(operation: &Operation) -> Self {
        identity::wanted(operation).map_or(Carrier::Online, Carrier::Identity)
    }

    /// Makes the call that the operation's state asks for, and says what follows from its outcome.
    pub(super) async fn next_move(
        self,
        engine: &Engine,
        operation: &Operation,
        packet: &StoredPacket,
    ) -> Result<Move, EngineError> {
        match self {
            Carrier::Online => online::next_move(engine, operation, packet).await,
            Carrier::Identity(status) => engine.switch(operation, packet, &aid_of(operation)?, status).await,
        }
    }
}
