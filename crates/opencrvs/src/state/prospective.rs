//! The declaration before and after the pending action: what a rule judges.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use super::fold::{ById, State, changes_the_record};
use crate::document::{Action, ActionStatus, EventDocument};
use crate::{Map, Version};

/// Something that OpenCRVS takes for impossible, or does in silence; to be logged and shown, never to fail on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anomaly {
    /// More than one action of the record waits for an answer; the newest of the wanted type was taken.
    SeveralPending {
        /// How many wait.
        count: usize,
    },
    /// An approval without `requestId`: no correction will apply.
    CorrectionMissing,
    /// `requestId` names the `Requested` twin of the correction instead of the `Accepted` one. OpenCRVS takes it, and
    /// the correction never applies.
    CorrectionIsTwin {
        /// The `Accepted` action that should have been named, if there is one.
        accepted: Option<Uuid>,
    },
    /// `requestId` names no accepted action of the record: no correction will apply.
    CorrectionUnknown {
        /// What was named.
        request_id: Uuid,
    },
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SeveralPending { count } => write!(f, "{count} actions of the record wait for an answer"),
            Self::CorrectionMissing => f.write_str("the approval names no correction, so none will apply"),
            Self::CorrectionIsTwin { accepted: Some(id) } => {
                write!(f, "the approval names the requested twin of correction {id}, so it will not apply")
            }
            Self::CorrectionIsTwin { accepted: None } => {
                f.write_str("the approval names a correction that was never accepted, so it will not apply")
            }
            Self::CorrectionUnknown { request_id } => {
                write!(f, "the approval names {request_id}, which is no accepted action of the record")
            }
        }
    }
}

/// The record before the pending action, and as it will be once the action is accepted.
#[derive(Clone, PartialEq)]
pub struct Prospective {
    /// The declaration in force, nulls dropped.
    pub before: Arc<Map>,
    /// The declaration once the pending action is accepted, nulls dropped. The same allocation if nothing changes.
    pub after: Arc<Map>,
    /// Ids of the fields that differ, sorted.
    pub changed: Vec<String>,
    /// What is odd about the correction that the action approves.
    pub anomaly: Option<Anomaly>,
}

/// Names of changed fields only: declarations are personal data.
impl fmt::Debug for Prospective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prospective")
            .field("changed", &self.changed)
            .field("anomaly", &self.anomaly)
            .finish_non_exhaustive()
    }
}

/// Why there is no prospective state for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoProspect {
    /// The record has no such action.
    #[error("the record has no action {0}")]
    NoSuchAction(Uuid),
    /// The action is in force or refused itself; only a requested one has a prospect.
    #[error("action {0} is not a requested one")]
    NotRequested(Uuid),
    /// The action was answered already.
    #[error("action {0} was answered already")]
    Answered(Uuid),
}

impl EventDocument {
    /// The declaration before, and after accepting, a pending action; with the fields that this changes.
    ///
    /// # Errors
    /// [`NoProspect`] if the action is not one that waits for an answer.
    pub fn prospective(&self, action_id: Uuid, version: Version) -> Result<Prospective, NoProspect> {
        let by_id = ById::new(self);
        let pending = by_id.find(action_id).ok_or(NoProspect::NoSuchAction(action_id))?;
        if !pending.is(ActionStatus::Requested) {
            return Err(NoProspect::NotRequested(action_id));
        }
        if self.is_answered(action_id) {
            return Err(NoProspect::Answered(action_id));
        }
        let state = State::of(self, &by_id, version);
        Ok(prospect(self, pending, state, &by_id, version, |_| true))
    }

    /// The accepted correction that an approval is about; nothing for other types.
    pub(super) fn correction<'a>(
        &'a self,
        pending: &Action,
        by_id: &ById<'a>,
        seen: impl Fn(Uuid) -> bool,
    ) -> Result<Option<&'a Action>, Anomaly> {
        if pending.kind != "APPROVE_CORRECTION" {
            return Ok(None);
        }
        let request_id = pending.request_id.ok_or(Anomaly::CorrectionMissing)?;
        match by_id.find(request_id).filter(|_| seen(request_id)) {
            Some(action) if action.is(ActionStatus::Accepted) => Ok(Some(action)),
            Some(action) if action.is(ActionStatus::Requested) => {
                let twin = |other: &&Action| {
                    other.is(ActionStatus::Accepted) && other.original_action_id == Some(request_id)
                };
                Err(Anomaly::CorrectionIsTwin {
                    accepted: self.actions.iter().find(twin).map(|twin| twin.id),
                })
            }
            _ => Err(Anomaly::CorrectionUnknown { request_id }),
        }
    }
}

/// The prospect of an action on a state. `seen` says which actions of the record stood before it.
pub(super) fn prospect<'a>(
    document: &'a EventDocument,
    pending: &'a Action,
    state: State<'a>,
    by_id: &ById<'a>,
    version: Version,
    seen: impl Fn(Uuid) -> bool,
) -> Prospective {
    let (correction, anomaly) = match document.correction(pending, by_id, seen) {
        Ok(correction) => (correction, None),
        Err(anomaly) => (None, Some(anomaly)),
    };
    let own = anomaly.is_none() && own_counts(pending, version);
    if correction.is_none() && (!own || pending.declaration.is_empty()) {
        let before = Arc::new(state.into_declaration());
        return Prospective { after: Arc::clone(&before), before, changed: Vec::new(), anomaly };
    }
    let mut next = state.clone();
    if let Some(correction) = correction {
        next.apply(correction, by_id);
    }
    if own {
        next.merge(&pending.declaration);
    }
    let (before, after) = (state.into_declaration(), next.into_declaration());
    let changed = changed(&before, &after);
    Prospective { before: Arc::new(before), after: Arc::new(after), changed, anomaly }
}

/// Whether a pending action's own declaration will be part of the record.
pub(super) fn own_counts(pending: &Action, version: Version) -> bool {
    changes_the_record(&pending.kind) && !(pending.kind == "APPROVE_CORRECTION" && version == Version::V1_9)
}

/// Ids of the fields in which two declarations differ, sorted.
fn changed(before: &Map, after: &Map) -> Vec<String> {
    let differs = |key: &&String| before.get(*key) != after.get(*key);
    let mut ids: Vec<String> = after.keys().filter(differs).cloned().collect();
    ids.extend(before.keys().filter(|key| !after.contains_key(*key)).cloned());
    ids.sort_unstable();
    ids
}
