//! Flags: what is going on with a record besides its status. Computed, never stored.
//!
//! Two of the three kinds are computed here: *action-status* flags (`register:requested`: the latest action of a type
//! is not accepted) and *inherent* ones (`correction-requested`). Custom flags need the country's event configuration
//! and its conditionals; 1.9's `pending-certification` is about printing. Neither bears on a decision.

use crate::document::{Action, ActionStatus, EventDocument};

/// An inherent flag: raised by one type, lowered by others.
struct Inherent {
    flag: &'static str,
    raised_by: &'static str,
    /// Empty: lowered by any other type.
    lowered_by: &'static [&'static str],
}

/// In the order in which OpenCRVS lists them.
const INHERENT: [Inherent; 5] = [
    Inherent {
        flag: "correction-requested",
        raised_by: "REQUEST_CORRECTION",
        lowered_by: &["APPROVE_CORRECTION", "REJECT_CORRECTION"],
    },
    Inherent {
        flag: "incomplete",
        raised_by: "NOTIFY",
        lowered_by: &["CREATE", "DECLARE", "REGISTER", "ARCHIVE"],
    },
    Inherent {
        flag: "rejected",
        raised_by: "REJECT",
        lowered_by: &["NOTIFY", "DECLARE", "EDIT", "REGISTER"],
    },
    Inherent {
        flag: "potential-duplicate",
        raised_by: "DUPLICATE_DETECTED",
        lowered_by: &["MARK_AS_DUPLICATE", "MARK_AS_NOT_DUPLICATE"],
    },
    Inherent { flag: "edit-in-progress", raised_by: "EDIT", lowered_by: &[] },
];

impl EventDocument {
    /// Action-status flags in the order in which the types first occur, then inherent flags.
    ///
    /// `register:requested` and `approve_correction:requested` are how a record awaits external validation.
    pub fn flags(&self) -> Vec<String> {
        let mut actions = self.sorted();
        actions.retain(|action| !action.is_meta());
        let mut latest: Vec<(&str, ActionStatus)> = Vec::new();
        for action in &actions {
            match latest.iter_mut().find(|(kind, _)| *kind == action.kind) {
                Some((_, status)) => *status = action.status,
                None => latest.push((&action.kind, action.status)),
            }
        }
        let mut flags: Vec<String> = latest
            .into_iter()
            .filter(|(_, status)| *status != ActionStatus::Accepted)
            .map(|(kind, status)| format!("{kind}:{}", status.as_str()).to_lowercase())
            .collect();
        actions.retain(|action| action.is(ActionStatus::Accepted));
        flags.extend(INHERENT.iter().filter(|rule| rule.stands(&actions)).map(|rule| rule.flag.to_owned()));
        flags
    }
}

impl Inherent {
    /// Whether the last accepted action that bears on the flag raised it.
    fn stands(&self, accepted: &[&Action]) -> bool {
        accepted
            .iter()
            .rev()
            .find_map(|action| {
                let kind = action.kind.as_str();
                if kind == self.raised_by {
                    Some(true)
                } else if self.lowered_by.is_empty() || self.lowered_by.contains(&kind) {
                    Some(false)
                } else {
                    None
                }
            })
            .unwrap_or(false)
    }
}
