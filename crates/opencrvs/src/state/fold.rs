//! The current declaration: accepted actions merged in order.
//!
//! The state borrows from the document until it is asked for: most fields are set once and never merged, and a
//! document is folded once per trigger.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use uuid::Uuid;

use super::merge::{drop_null_members, drop_nulls, drop_nulls_in, merge_value};
use crate::document::{Action, ActionStatus, EventDocument};
use crate::{Map, Version};

/// A declaration under construction.
#[derive(Clone, Default)]
pub(super) struct State<'a>(BTreeMap<&'a str, Cow<'a, Value>>);

/// The actions of a document by id, for the two look-ups of the fold. The first of equal ids counts.
pub(super) struct ById<'a>(HashMap<Uuid, &'a Action>);

impl<'a> ById<'a> {
    pub(super) fn new(document: &'a EventDocument) -> Self {
        let mut actions = HashMap::with_capacity(document.actions.len());
        for action in &document.actions {
            actions.entry(action.id).or_insert(action);
        }
        Self(actions)
    }

    /// The action with this id, if it has this status.
    pub(super) fn get(&self, id: Option<Uuid>, status: ActionStatus) -> Option<&'a Action> {
        self.0.get(&id?).copied().filter(|action| action.is(status))
    }

    /// Whether any action has this id.
    pub(super) fn find(&self, id: Uuid) -> Option<&'a Action> {
        self.0.get(&id).copied()
    }
}

impl<'a> State<'a> {
    /// The state that the accepted actions of a document amount to.
    pub(super) fn of(document: &'a EventDocument, by_id: &ById<'a>, version: Version) -> Self {
        let mut state = Self::default();
        for action in document.sorted().into_iter().filter(|action| is_accepted_change(action)) {
            state.take(action, by_id, version);
        }
        state
    }

    /// Takes in an accepted action that changes the record.
    pub(super) fn take(&mut self, action: &'a Action, by_id: &ById<'a>, version: Version) {
        if action.kind == "APPROVE_CORRECTION" {
            let Some(request) = by_id.get(action.request_id, ActionStatus::Accepted) else {
                return;
            };
            self.apply(request, by_id);
            if version == Version::V1_9 {
                return;
            }
        }
        self.apply(action, by_id);
    }

    /// Merges an accepted action: first what was requested, then what was requested overlaid by its own declaration.
    ///
    /// Two merges, not one: a `null` in the request erases the old value, and what the answer adds then starts from
    /// nothing.
    pub(super) fn apply(&mut self, action: &'a Action, by_id: &ById<'a>) {
        let own = &action.declaration;
        let Some(request) = by_id.get(action.original_action_id, ActionStatus::Requested) else {
            return self.merge(own);
        };
        // A field of the request alone would be merged twice, which changes nothing the second time.
        self.merge(&request.declaration);
        for (key, value) in own {
            let full = match request.declaration.get(key) {
                Some(requested) => merge_value(Cow::Borrowed(requested), Cow::Borrowed(value)),
                None => Cow::Borrowed(value),
            };
            self.merge_field(key, full);
        }
    }

    /// Merges a partial declaration.
    pub(super) fn merge(&mut self, declaration: &'a Map) {
        for (key, value) in declaration {
            self.merge_field(key, Cow::Borrowed(value));
        }
    }

    fn merge_field(&mut self, key: &'a str, next: Cow<'a, Value>) {
        let merged = match self.0.remove(key) {
            Some(prev) => merge_value(prev, next),
            None => next,
        };
        self.0.insert(key, merged);
    }

    /// The declaration as OpenCRVS indexes it: without nulls, keys sorted.
    pub(super) fn into_declaration(self) -> Map {
        self.0
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.to_owned(), without_nulls(value)))
            .collect()
    }
}

/// [`drop_nulls`], in place where the value is ours already.
fn without_nulls(value: Cow<'_, Value>) -> Value {
    match value {
        Cow::Borrowed(value) => drop_nulls(value),
        Cow::Owned(mut value) => {
            drop_nulls_in(&mut value);
            value
        }
    }
}

/// Whether an action is in force and part of the record's state.
pub(super) fn is_accepted_change(action: &Action) -> bool {
    action.is(ActionStatus::Accepted) && changes_the_record(&action.kind)
}

/// Corrections count when approved; printing and refusing change nothing.
pub(super) fn changes_the_record(action_type: &str) -> bool {
    !matches!(action_type, "REQUEST_CORRECTION" | "PRINT_CERTIFICATE" | "REJECT_CORRECTION")
}

impl EventDocument {
    /// The declaration that is in force: the accepted actions merged in order, nulls dropped.
    ///
    /// In 1.9 the declaration of an accepted `APPROVE_CORRECTION` itself is ignored; from 2.0 it counts.
    pub fn current(&self, version: Version) -> Map {
        State::of(self, &ById::new(self), version).into_declaration()
    }

    /// What an action says besides its declaration, with what its request said: `content`, nulls dropped.
    pub fn content(&self, action: &Action) -> Map {
        let own = action.content.as_ref();
        let requested = action
            .original_action_id
            .and_then(|id| self.action(id))
            .filter(|request| request.is(ActionStatus::Requested))
            .and_then(|request| request.content.as_ref());
        let mut content = requested.cloned().unwrap_or_default();
        content.extend(own.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
        drop_null_members(&content)
    }
}
