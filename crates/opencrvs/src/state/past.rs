//! The civil events that lie in a document: what the country was asked about, and the state as it was then.
//!
//! A civil event is an action that was put to the country: one with status `Requested`, whatever became of it since,
//! `ASSIGN`, `UNASSIGN` and `READ` left out. An accepted action without a request was never put to anybody (it was
//! migrated, or is older than the triggers) and is none. Each is judged as of itself: on the actions that stand before
//! it in the order of `createdAt`, as the trigger would have shown them.

use uuid::Uuid;

use super::fold::{ById, State, is_accepted_change};
use super::prospective::{Prospective, prospect};
use crate::Version;
use crate::document::{Action, ActionStatus, EventDocument};

/// A civil event of a document's history.
#[derive(Debug, Clone)]
pub struct Past<'a> {
    /// The action that the country was asked about.
    pub action: &'a Action,
    /// How it was answered; none while it waits.
    pub answer: Option<&'a Action>,
    /// The record before it, and as it would be once it is accepted.
    pub states: Prospective,
}

impl EventDocument {
    /// The civil events of the record, oldest first, each with the state that a rule has to judge.
    pub fn past(&self, version: Version) -> Vec<Past<'_>> {
        let by_id = ById::new(self);
        let sorted = self.sorted();
        let mut state = State::default();
        let mut past = Vec::new();
        for (place, action) in sorted.iter().copied().enumerate() {
            if is_accepted_change(action) {
                state.take(action, &by_id, version);
            } else if action.is(ActionStatus::Requested) && !action.is_meta() {
                let seen = |id: Uuid| sorted[..place].iter().any(|earlier| earlier.id == id);
                let states = prospect(self, action, state.clone(), &by_id, version, seen);
                let answers = |other: &&&Action| {
                    !other.is(ActionStatus::Requested) && other.original_action_id == Some(action.id)
                };
                past.push(Past { action, answer: sorted[place..].iter().find(answers).copied(), states });
            }
        }
        past
    }

    /// How many accepted actions could have been put to the country and were not: no request of the record is
    /// answered by them.
    pub fn unasked(&self) -> usize {
        let could = |action: &&Action| {
            action.is(ActionStatus::Accepted) && action.original_action_id.is_none() && is_confirmable(action)
        };
        self.actions.iter().filter(could).count()
    }
}

/// Types about which OpenCRVS asks the country. Newer ones are unknown here, and known only by being `Requested`.
fn is_confirmable(action: &Action) -> bool {
    matches!(
        action.kind.as_str(),
        "NOTIFY"
            | "DECLARE"
            | "VALIDATE"
            | "EDIT"
            | "REGISTER"
            | "REJECT"
            | "ARCHIVE"
            | "PRINT_CERTIFICATE"
            | "REQUEST_CORRECTION"
            | "APPROVE_CORRECTION"
            | "REJECT_CORRECTION"
            | "CUSTOM"
    )
}
