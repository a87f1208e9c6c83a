//! What one leaf says, and the bytes that are hashed.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Hash;

/// A leaf before it has its place in the log. Holds no personal data: ids, states, codes and a person's
/// stated reason only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLeaf {
    /// When it happened.
    pub at: Timestamp,
    /// The record it is about; absent for acts that concern no record (a rule set swapped, a denied act).
    pub event_id: Option<Uuid>,
    /// The action of the record it is about.
    pub action_id: Option<Uuid>,
    /// Application id of the packet, once there is one.
    pub aid: Option<String>,
    /// `decided`, `transition`, `operator`, `callback`, `confirmation`, `ruleset`, …
    pub kind: String,
    /// State before, for a transition; digest of the rule set before, for `ruleset`.
    pub from: Option<String>,
    /// State after, for a transition; digest of the rule set after, for `ruleset`.
    pub to: Option<String>,
    /// Who did it: `engine`, or the name of an operator.
    pub actor: String,
    /// Why: the decision's sentence, the cause's code, or the reason an operator gave.
    pub reason: Option<String>,
    /// Digest of the rule set that decided.
    pub ruleset: Option<String>,
    /// Id of the rule that matched.
    pub rule: Option<String>,
    /// W3C trace context of the work it was part of.
    pub traceparent: Option<String>,
    /// For a decision: what rules that are only tried would have done.
    pub would_have: Vec<WouldHave>,
}

/// What a rule in evaluate mode would have done, had it counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WouldHave {
    /// The operation, or `hold`, `reject`, `ignore`.
    pub effect: String,
    /// Id of the rule.
    pub rule: String,
}

impl NewLeaf {
    /// A leaf of this kind, by this actor, at this time, about nothing yet.
    pub fn new(kind: impl Into<String>, actor: impl Into<String>, at: Timestamp) -> Self {
        Self {
            at,
            event_id: None,
            action_id: None,
            aid: None,
            kind: kind.into(),
            from: None,
            to: None,
            actor: actor.into(),
            reason: None,
            ruleset: None,
            rule: None,
            traceparent: None,
            would_have: Vec::new(),
        }
    }

    /// The same leaf, about this civil event.
    #[must_use]
    pub fn about(mut self, event_id: Uuid, action_id: Uuid) -> Self {
        self.event_id = Some(event_id);
        self.action_id = Some(action_id);
        self
    }

    /// The leaf at its place in the log.
    pub fn at_index(&self, index: u64) -> Leaf {
        let new = self.clone();
        Leaf {
            action_id: new.action_id,
            actor: new.actor,
            aid: new.aid,
            at: new.at,
            event_id: new.event_id,
            from: new.from,
            index,
            kind: new.kind,
            reason: new.reason,
            rule: new.rule,
            ruleset: new.ruleset,
            to: new.to,
            traceparent: new.traceparent,
            would_have: new.would_have,
        }
    }
}

/// One entry of the audit log: who did what to which civil event, when and why. Also the data of the
/// messages on topic `civitas.audit`.
// Fields are declared in the order of their names: that is the order of the canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// The action of the record it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_id: Option<Uuid>,
    /// Who did it: `engine`, or the name of an operator.
    pub actor: String,
    /// Application id of the packet, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aid: Option<String>,
    /// When it happened (RFC 3339, UTC).
    pub at: Timestamp,
    /// The record it is about; absent for acts that concern no record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Uuid>,
    /// State before, for a transition; digest of the rule set before, for `ruleset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Place in the log, from 0, without gaps.
    pub index: u64,
    /// `decided`, `transition`, `operator`, `callback`, `confirmation`, `ruleset`, …
    pub kind: String,
    /// Why: the decision's sentence, the cause's code, or the reason an operator gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Id of the rule that matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// SHA-256 digest of the rule set that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruleset: Option<String>,
    /// State after, for a transition; digest of the rule set after, for `ruleset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// W3C trace context of the work it was part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// For a decision: what rules in evaluate mode would have done, in file order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub would_have: Vec<WouldHave>,
}

/// The text is not a leaf in canonical form.
#[derive(Debug, thiserror::Error)]
pub enum LeafError {
    /// Not the JSON of a leaf.
    #[error("not an audit leaf: {0}")]
    NotALeaf(#[source] serde_json::Error),
    /// The JSON of a leaf, but written otherwise (space, order, escapes): its hash would not be reproducible.
    #[error("audit leaf {index} is not in canonical form; it was not written by the log")]
    NotCanonical {
        /// The index that the text states.
        index: u64,
    },
}

impl Leaf {
    /// Canonical bytes: JSON without white space, keys in alphabetical order, absent values left out.
    pub fn canonical(&self) -> String {
        #[expect(clippy::expect_used, reason = "a struct of strings and numbers always serialises")]
        serde_json::to_string(self).expect("a leaf serialises")
    }

    /// Leaf hash over the canonical bytes.
    pub fn hash(&self) -> Hash {
        Hash::leaf(self.canonical().as_bytes())
    }

    /// Reads a leaf back from its canonical form and from no other.
    pub fn parse(text: &str) -> Result<Self, LeafError> {
        let leaf: Self = serde_json::from_str(text).map_err(LeafError::NotALeaf)?;
        if leaf.canonical() == text { Ok(leaf) } else { Err(LeafError::NotCanonical { index: leaf.index }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf() -> Leaf {
        let at = "2025-11-03T09:00:00.123456Z".parse().unwrap();
        let mut new = NewLeaf::new("transition", "engine", at).about(Uuid::from_u128(1), Uuid::from_u128(2));
        new.from = Some("planned".into());
        new.to = Some("packet_created".into());
        new.at_index(7)
    }

    #[test]
    fn canonical_form_is_fixed() {
        assert_eq!(
            leaf().canonical(),
            r#"{"action_id":"00000000-0000-0000-0000-000000000002","actor":"engine","at":"2025-11-03T09:00:00.123456Z","event_id":"00000000-0000-0000-0000-000000000001","from":"planned","index":7,"kind":"transition","to":"packet_created"}"#
        );
    }

    #[test]
    fn keys_are_in_alphabetical_order_whatever_is_present() {
        let mut new = NewLeaf::new("k", "a", Timestamp::UNIX_EPOCH).about(Uuid::nil(), Uuid::nil());
        for field in [
            &mut new.aid,
            &mut new.from,
            &mut new.to,
            &mut new.reason,
            &mut new.ruleset,
            &mut new.rule,
            &mut new.traceparent,
        ] {
            *field = Some("x".into());
        }
        new.would_have = vec![WouldHave { effect: "hold".into(), rule: "trial".into() }];
        let value: serde_json::Value = serde_json::from_str(&new.at_index(0).canonical()).unwrap();
        let keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys.len(), 14);
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(value["would_have"][0].to_string(), r#"{"effect":"hold","rule":"trial"}"#);
    }

    #[test]
    fn only_the_canonical_form_is_read() {
        let text = leaf().canonical();
        assert_eq!(Leaf::parse(&text).unwrap(), leaf());
        assert!(matches!(
            Leaf::parse(&text.replace(':', ": ").replace("09: 00: 00", "09:00:00")),
            Err(LeafError::NotCanonical { index: 7 })
        ));
        assert!(matches!(Leaf::parse(&text.replace("actor", "doer")), Err(LeafError::NotALeaf(_))));
    }
}
