//! What goes into a decision and what comes out of it.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::files::rules::Outcome;
pub use crate::files::rules::Respond;

/// One civil event, as rules see it.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Event type, for example `birth`.
    pub event: &'a str,
    /// Type of the pending action, for example `REGISTER`.
    pub action: &'a str,
    /// The custom action's type, when `action` is `CUSTOM`.
    pub custom_action: Option<&'a str>,
    /// The declaration without the pending action.
    pub before: &'a Map<String, Value>,
    /// The declaration as it will be once the pending action is accepted.
    pub after: &'a Map<String, Value>,
    /// The pending action's `createdAt`.
    pub at: Timestamp,
}

impl fmt::Debug for Facts<'_> {
    /// Leaves the declarations out: they are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("event", &self.event)
            .field("action", &self.action)
            .field("custom_action", &self.custom_action)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// The outcome of evaluating one civil event against one rule set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The rule that decided; none when no rule matched.
    pub rule: Option<String>,
    /// What is to be done.
    pub effect: Effect,
    /// Rules in evaluate mode that would have decided, had they counted: those that matched, or would have held
    /// the record, on the way to the decision; in file order. [`crate::Pack::would_have`] says what they would
    /// have done.
    pub would_have: Vec<String>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// No rule matched: the normal workflow goes on.
    None,
    /// MOSIP is asked for an operation.
    Operate {
        /// Which one.
        operation: Operation,
        /// Name of the packet that carries it.
        send: String,
        /// Whether the record waits for the answer.
        respond: Respond,
        /// How long the answer may take.
        deadline: Option<SignedDuration>,
    },
    /// A rule is undecided and wants a person to look.
    Hold {
        /// Fields that are missing or unreadable and would decide.
        missing: Vec<String>,
    },
    /// The action is rejected at once.
    Reject {
        /// Why, in the country's first language.
        reason: String,
    },
    /// A rule says that nothing is to be done.
    Ignore,
}

impl Effect {
    /// What it comes to first, for the record's history; none when no rule decided.
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::None => None,
            Self::Operate { .. } => Some(Outcome::Requested),
            Self::Hold { .. } => Some(Outcome::Held),
            Self::Reject { .. } => Some(Outcome::Rejected),
            Self::Ignore => Some(Outcome::Ignored),
        }
    }

    /// One word for tables and logs: the operation, or `none`, `hold`, `reject`, `ignore`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Operate { operation, .. } => operation.as_str(),
            Self::Hold { .. } => "hold",
            Self::Reject { .. } => "reject",
            Self::Ignore => "ignore",
        }
    }
}

/// What a decision asks of MOSIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A new identity.
    CreateUin,
    /// New name, date of birth or sex of an identity without biometrics.
    UpdateBiographics,
    /// The mark that the person has died; the identity stays active.
    FlagDeceased,
    /// The identity can no longer be used.
    DeactivateId,
    /// The identity can be used again.
    ReactivateId,
    /// Comparison of typed data with MOSIP's.
    VerifyIdentity,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 6] = [
        Self::CreateUin,
        Self::UpdateBiographics,
        Self::FlagDeceased,
        Self::DeactivateId,
        Self::ReactivateId,
        Self::VerifyIdentity,
    ];

    /// The operation's name in rules, in the journal and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreateUin => "create_uin",
            Self::UpdateBiographics => "update_biographics",
            Self::FlagDeceased => "flag_deceased",
            Self::DeactivateId => "deactivate_id",
            Self::ReactivateId => "reactivate_id",
            Self::VerifyIdentity => "verify_identity",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an operation")]
pub struct UnknownWord(String);

impl FromStr for Operation {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.as_str() == word)
            .ok_or_else(|| UnknownWord(word.to_owned()))
    }
}

impl Respond {
    /// The word of the rules file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwaitExternalValidation => "await_external_validation",
            Self::Continue => "continue",
        }
    }
}

impl FromStr for Respond {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::AwaitExternalValidation, Self::Continue]
            .into_iter()
            .find(|respond| respond.as_str() == word)
            .ok_or_else(|| UnknownWord(word.to_owned()))
    }
}
