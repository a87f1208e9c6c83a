//! The pending action: the one that waits for our answer.

use std::collections::HashSet;
use std::fmt;

use uuid::Uuid;

use super::{Action, ActionStatus, EventDocument};
use crate::Anomaly;

/// The action that waits for an answer, and what was odd about finding it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pending<'a> {
    /// The unanswered `Requested` action.
    pub action: &'a Action,
    /// Set if more than one action of the record waits, which OpenCRVS takes for impossible.
    pub anomaly: Option<Anomaly>,
}

/// A document in which nothing waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPendingAction {
    /// The record.
    pub event_id: Uuid,
    /// The type that was looked for; none when any would have done.
    pub action_type: Option<String>,
    /// Whether the record has such an action, but already answered.
    pub answered: bool,
}

impl std::error::Error for NoPendingAction {}

impl fmt::Display for NoPendingAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.action_type.as_deref().unwrap_or("confirmable");
        write!(f, "record {} has no {kind} action that waits for an answer", self.event_id)?;
        if self.answered {
            f.write_str(": the last one was answered already")?;
        }
        Ok(())
    }
}

impl EventDocument {
    /// The unanswered `Requested` action of a type (as it stands in the trigger's URL); the newest if several.
    ///
    /// # Errors
    /// [`NoPendingAction`] if there is none.
    pub fn pending(&self, action_type: &str) -> Result<Pending<'_>, NoPendingAction> {
        self.newest_unanswered(Some(action_type))
    }

    /// The unanswered `Requested` action of whatever type, for a document that came without a URL.
    ///
    /// Types that are newer than us are taken too: what is `Requested` was put to the country.
    ///
    /// # Errors
    /// [`NoPendingAction`] if there is none.
    pub fn find_pending(&self) -> Result<Pending<'_>, NoPendingAction> {
        self.newest_unanswered(None)
    }

    /// Whether a `Requested` action was accepted or rejected.
    pub fn is_answered(&self, requested: Uuid) -> bool {
        self.actions.iter().any(|action| answers(action) == Some(requested))
    }

    fn newest_unanswered(&self, action_type: Option<&str>) -> Result<Pending<'_>, NoPendingAction> {
        let answered: HashSet<Uuid> = self.actions.iter().filter_map(answers).collect();
        let wanted = |action: &Action| action_type.is_none_or(|kind| kind == action.kind);
        let requested = |action: &Action| action.is(ActionStatus::Requested) && !action.is_meta();
        let mut waiting = 0;
        let mut newest: Option<&Action> = None;
        for action in self.actions.iter().filter(|action| requested(action) && !answered.contains(&action.id))
        {
            waiting += 1;
            if wanted(action)
                && newest.is_none_or(|other| other.created_at.as_str() <= action.created_at.as_str())
            {
                newest = Some(action);
            }
        }
        let action = newest.ok_or_else(|| NoPendingAction {
            event_id: self.id,
            action_type: action_type.map(str::to_owned),
            answered: self.actions.iter().any(|action| requested(action) && wanted(action)),
        })?;
        Ok(Pending { action, anomaly: (waiting > 1).then_some(Anomaly::SeveralPending { count: waiting }) })
    }
}

/// The `Requested` action that this one answers.
fn answers(action: &Action) -> Option<Uuid> {
    if action.is(ActionStatus::Requested) { None } else { action.original_action_id }
}
