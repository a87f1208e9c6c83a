//! Whom an operation is about, asked of MOSIP's ID repository. A VID becomes a UIN in memory, for the length of one
//! call; neither is stored or logged.

use civitas_journal::operations::{self, Operation};
use civitas_mosip::{CallError, Class, Found, Identity, IdentityKey, IdentityStatus};

use crate::{Engine, EngineError, dispatch::aid_of, moves::Move};

/// Earlier operations about the same person that are tried as a way to the identity.
const TRACES: u32 = 8;

/// What the ID repository says of a person.
pub(crate) enum Whose {
    /// The identity, and whether the id itself led to it.
    Identity { identity: Identity, by_id: bool },
    /// The id is not active, and no earlier change of ours leads to the identity.
    NotActive,
    /// Nobody has this id.
    Nobody,
    /// The repository could not be asked.
    Unasked(CallError),
}

impl Engine {
    /// The identity of an operation's subject: by the id, and where MOSIP does not say whose an inactive one is, by
    /// the changes that this engine made to it before, this one included.
    pub(crate) async fn whose(&self, operation: &Operation, subject: &str) -> Result<Whose, EngineError> {
        let now = self.now();
        let mosip = self.mosip().traced(operation.traceparent.as_deref());
        let mut was_active = false;
        // A form may hold the permanent number in place of a VID.
        for key in [IdentityKey::Vid(subject), IdentityKey::Uin(subject)] {
            match mosip.identity(key, now).await {
                Ok(Found::Identity(identity)) => return Ok(Whose::Identity { identity, by_id: true }),
                Ok(Found::NotActive) => {
                    was_active = true;
                    break;
                }
                Ok(Found::Nothing) => {}
                Err(error) => return Ok(Whose::Unasked(error)),
            }
        }
        for aid in self.traces(operation).await? {
            match mosip.identity(IdentityKey::Aid(&aid), now).await {
                Ok(Found::Identity(identity)) => return Ok(Whose::Identity { identity, by_id: false }),
                Ok(Found::NotActive | Found::Nothing) => {}
                Err(error) => return Ok(Whose::Unasked(error)),
            }
        }
        Ok(if was_active { Whose::NotActive } else { Whose::Nobody })
    }

    /// AIDs of what was sent about the same person, this operation's own first.
    async fn traces(&self, operation: &Operation) -> Result<Vec<civitas_mosip::Aid>, EngineError> {
        let mut aids = vec![aid_of(operation)?];
        if let Some(subject) = &operation.subject {
            let mut reader = self.journal().read().await?;
            let earlier = operations::about(&mut reader, subject, TRACES).await?;
            let earlier =
                earlier.iter().filter(|earlier| earlier.key != operation.key && earlier.aid.is_some());
            aids.extend(earlier.filter_map(|earlier| aid_of(earlier).ok()));
        }
        Ok(aids)
    }

    /// An earlier death of the same person that MOSIP took.
    pub(crate) async fn flagged_before(&self, operation: &Operation) -> Result<Option<String>, EngineError> {
        let Some(subject) = &operation.subject else { return Ok(None) };
        let mut reader = self.journal().read().await?;
        let earlier = operations::about(&mut reader, subject, TRACES).await?;
        let flagged = |earlier: &Operation| {
            use civitas_journal::operations::State;
            let taken = matches!(earlier.state, State::Processed | State::Issued | State::Confirmed);
            earlier.operation == operation.operation && earlier.key != operation.key && taken
        };
        Ok(earlier.into_iter().find(flagged).and_then(|earlier| earlier.aid))
    }
}

/// What a packet may rely on before it goes out.
pub(crate) enum Precondition {
    /// Nothing stands against it; the identity where it was looked up.
    Met(Option<Identity>),
    /// Not now, or not at all.
    Unmet(Box<Move>),
}

/// Whether an identity can be the subject of a packet.
pub(crate) fn is_active(identity: &Identity) -> bool {
    identity.status == IdentityStatus::Activated
}

/// Whether asking again later makes sense; else we are not allowed to ask, or there is nobody to ask.
pub(crate) fn passes(error: &CallError) -> bool {
    matches!(error.class, Class::Transient | Class::Unknown | Class::Parked)
}
