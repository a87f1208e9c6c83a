//! Which action gave a value: the same fold once more, with a name on every leaf. For explanations; the fold that
//! decides knows nothing of it.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::fold::{ById, is_accepted_change};
use super::prospective::own_counts;
use crate::document::{Action, ActionStatus, EventDocument};
use crate::{Map, Version};

/// The action in whose declaration a value stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Origin<'a> {
    /// The action: what was requested where a request said it, what was answered where the answer added it. An
    /// action that only repeats a value did not give it.
    pub action: &'a Action,
    /// The value is not in force yet: the action that is decided on, or the correction that it approves, brings it.
    pub prospective: bool,
    /// The action took the value away.
    pub erased: bool,
}

/// Where the values came from on which a civil event is decided.
#[derive(Debug, Clone, Default)]
pub struct Origins<'a>(BTreeMap<&'a str, Node<'a>>);

/// A value with its origin; an object's members have their own.
#[derive(Debug, Clone)]
struct Node<'a> {
    origin: Origin<'a>,
    shape: Shape<'a>,
}

#[derive(Debug, Clone)]
enum Shape<'a> {
    Leaf(&'a Value),
    Array(&'a Value),
    Object(BTreeMap<&'a str, Node<'a>>),
}

impl<'a> Node<'a> {
    fn of(value: &'a Value, action: &'a Action, prospective: bool) -> Self {
        let origin = Origin { action, prospective, erased: value.is_null() };
        let shape = match value {
            Value::Object(members) => {
                let node = |(key, value): (&'a String, &'a Value)| {
                    (key.as_str(), Self::of(value, action, prospective))
                };
                Shape::Object(members.iter().map(node).collect())
            }
            Value::Array(_) => Shape::Array(value),
            other => Shape::Leaf(other),
        };
        Self { origin, shape }
    }

    /// The deep merge of declarations; whoever said the same before keeps the name.
    fn merge(&mut self, next: Self) {
        match (&mut self.shape, next.shape) {
            (Shape::Array(_), Shape::Object(_)) => {}
            (Shape::Object(members), Shape::Object(more)) => {
                for (key, node) in more {
                    merge_into(members, key, node);
                }
            }
            (Shape::Array(old), Shape::Array(new)) | (Shape::Leaf(old), Shape::Leaf(new)) if *old == new => {}
            (_, shape) => *self = Self { origin: next.origin, shape },
        }
    }

    /// The origins of the value's leaves; those of erased members only if nothing else is left of it.
    fn collect(&self, found: &mut Vec<Origin<'a>>) {
        match &self.shape {
            Shape::Object(members) if !members.is_empty() => {
                for node in members.values() {
                    node.collect(found);
                }
            }
            _ => found.push(self.origin),
        }
    }
}

fn merge_into<'a>(nodes: &mut BTreeMap<&'a str, Node<'a>>, key: &'a str, next: Node<'a>) {
    match nodes.get_mut(key) {
        Some(node) => node.merge(next),
        None => _ = nodes.insert(key, next),
    }
}

impl<'a> Origins<'a> {
    /// The actions that gave the value of a field, or of a part of it, oldest first. None: no action did. More than
    /// one where actions gave parts of a composite value.
    pub fn of<'p>(&self, field: &str, parts: impl IntoIterator<Item = &'p str>) -> Vec<Origin<'a>> {
        let mut node = self.0.get(field);
        for part in parts {
            node = match node.map(|node| &node.shape) {
                Some(Shape::Object(members)) => members.get(part),
                _ => node.filter(|node| node.origin.erased),
            };
        }
        let mut found = Vec::new();
        if let Some(node) = node {
            node.collect(&mut found);
        }
        let whole = found.iter().any(|origin| !origin.erased);
        found.retain(|origin| !(whole && origin.erased));
        found.sort_by(|a, b| {
            let key = |origin: &Origin<'a>| (origin.action.created_at.as_str(), origin.action.id);
            key(a).cmp(&key(b))
        });
        found.dedup_by_key(|origin| origin.action.id);
        found
    }

    fn merge(&mut self, declaration: &'a Map, action: &'a Action, prospective: bool) {
        for (key, value) in declaration {
            merge_into(&mut self.0, key, Node::of(value, action, prospective));
        }
    }

    fn apply(&mut self, action: &'a Action, by_id: &ById<'a>, prospective: bool) {
        let Some(request) = by_id.get(action.original_action_id, ActionStatus::Requested) else {
            return self.merge(&action.declaration, action, prospective);
        };
        self.merge(&request.declaration, request, prospective);
        for (key, value) in &action.declaration {
            let own = Node::of(value, action, prospective);
            let full = match request.declaration.get(key) {
                Some(requested) => {
                    let mut full = Node::of(requested, request, prospective);
                    full.merge(own);
                    full
                }
                None => own,
            };
            merge_into(&mut self.0, key, full);
        }
    }
}

impl EventDocument {
    /// Where the values came from on which the civil event of this action is decided: as of the action if it was
    /// answered, as of now if it waits. None if the record has no such request.
    pub fn origins(&self, action_id: Uuid, version: Version) -> Option<Origins<'_>> {
        let by_id = ById::new(self);
        let asked = by_id.find(action_id).filter(|action| action.is(ActionStatus::Requested))?;
        let sorted = self.sorted();
        let until = if self.is_answered(action_id) {
            sorted.iter().position(|action| action.id == action_id).unwrap_or(sorted.len())
        } else {
            sorted.len()
        };
        let mut origins = Origins::default();
        for action in sorted[..until].iter().copied().filter(|action| is_accepted_change(action)) {
            if action.kind == "APPROVE_CORRECTION" {
                let Some(request) = by_id.get(action.request_id, ActionStatus::Accepted) else { continue };
                origins.apply(request, &by_id, false);
                if version == Version::V1_9 {
                    continue;
                }
            }
            origins.apply(action, &by_id, false);
        }
        let seen = |id: Uuid| sorted[..until].iter().any(|action| action.id == id);
        let Ok(correction) = self.correction(asked, &by_id, seen) else { return Some(origins) };
        if let Some(correction) = correction {
            origins.apply(correction, &by_id, true);
        }
        if own_counts(asked, version) {
            origins.merge(&asked.declaration, asked, true);
        }
        Some(origins)
    }
}
