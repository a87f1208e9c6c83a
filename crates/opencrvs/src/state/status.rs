//! The status of a record, folded from its accepted actions.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::{ActionStatus, EventDocument};

/// Where a record stands. Waiting for external validation is no status: see [`EventDocument::flags`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventStatus {
    /// Begun, nothing sent yet.
    Created,
    /// Notified, incomplete.
    Notified,
    /// Declared, to be registered.
    Declared,
    /// Validated by an agent; 1.9 only.
    Validated,
    /// Registered.
    Registered,
    /// Archived.
    Archived,
}

impl EventStatus {
    /// As OpenCRVS writes it, `DECLARED`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Notified => "NOTIFIED",
            Self::Declared => "DECLARED",
            Self::Validated => "VALIDATED",
            Self::Registered => "REGISTERED",
            Self::Archived => "ARCHIVED",
        }
    }
}

impl fmt::Display for EventStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl EventDocument {
    /// The status: the last accepted action that sets one; `CREATED` if none does.
    pub fn status(&self) -> EventStatus {
        let sets = |kind: &str| match kind {
            "CREATE" => Some(EventStatus::Created),
            "NOTIFY" => Some(EventStatus::Notified),
            "DECLARE" => Some(EventStatus::Declared),
            "VALIDATE" => Some(EventStatus::Validated),
            "REGISTER" => Some(EventStatus::Registered),
            "ARCHIVE" => Some(EventStatus::Archived),
            _ => None,
        };
        let actions = self.sorted();
        let mut accepted = actions.iter().rev().filter(|action| action.is(ActionStatus::Accepted));
        accepted.find_map(|action| sets(&action.kind)).unwrap_or(EventStatus::Created)
    }

    /// The registration number, from the last accepted `REGISTER`.
    pub fn registration_number(&self) -> Option<&str> {
        let actions = self.sorted();
        actions
            .iter()
            .rev()
            .filter(|action| action.is(ActionStatus::Accepted) && action.kind == "REGISTER")
            .find_map(|action| action.registration_number.as_deref())
    }
}
