//! How an operation travels to MOSIP: the one place that chooses.
//!
//! A carrier is a module with a `next_move`: given a claimed operation, it makes the one call that the operation's
//! state asks for and says where the operation goes from its outcome. What every carrier keeps: the attempt was
//! counted before the call (the claim did), whatever may have been heard is asked about before it is repeated, and an
//! operation never ends in the carrier: it waits, is asked about, or becomes a person's turn.

use civitas_journal::operations::{Operation, State};
use civitas_mosip::IdentityStatus;

use super::{StoredPacket, aid_of, identity, online, uploaded};
use crate::{Engine, EngineError, moves::Move};

/// A way to MOSIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// MOSIP's packet manager makes the packet, then its workflow is started.
    Online,
    /// A packet of our own is announced and uploaded.
    Uploaded,
    /// No packet: the ID repository changes the identity's status to this one.
    Identity(IdentityStatus),
}

impl Carrier {
    /// The way of this operation. What was begun on one way is finished on it, also when the configuration names
    /// another one meanwhile.
    pub(super) fn of(engine: &Engine, operation: &Operation, packet: &StoredPacket) -> Self {
        if let Some(status) = identity::wanted(operation) {
            return Carrier::Identity(status);
        }
        let begun_online = operation.state != State::Planned;
        if packet.upload.is_some() || (!begun_online && engine.options().route.upload().is_some()) {
            Carrier::Uploaded
        } else {
            Carrier::Online
        }
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
            Carrier::Uploaded => uploaded::next_move(engine, operation, packet).await,
        }
    }
}
