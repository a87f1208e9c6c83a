//! What is said of a swap: to operators, on the pages, in health, and by the command. Holds no personal data.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What made the engine read its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// The process started.
    Start,
    /// The folder's content changed.
    Watch,
    /// SIGHUP.
    Signal,
    /// An operator called.
    Operator,
}

impl Trigger {
    /// The word for logs and the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Watch => "watch",
            Self::Signal => "signal",
            Self::Operator => "operator",
        }
    }
}

/// Who asks for a swap, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What made us look.
    pub trigger: Trigger,
    /// Who; goes into the audit log. `engine` for what happens by itself.
    pub actor: String,
    /// Why, where a person said so.
    pub reason: Option<String>,
}

impl Ask {
    /// Nobody in particular.
    pub fn by_itself(trigger: Trigger) -> Self {
        Ask { trigger, actor: "engine".to_owned(), reason: None }
    }

    /// What the audit log says of it.
    pub(super) fn said(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{}: {reason}", self.trigger.as_str()),
            None => self.trigger.as_str().to_owned(),
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The pack in the folder decides from now on.
    Swapped,
    /// The folder holds the rule set that decides already.
    Unchanged,
    /// The folder cannot be read.
    Unreadable,
    /// The pack does not compile.
    Invalid,
    /// Its own cases do not come out.
    CasesFailed,
    /// It changes what only a restart may change.
    RestartNeeded,
    /// The rule set could not be archived, so nothing was swapped; the watch tries again.
    JournalFailed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Swapped,
        Self::Unchanged,
        Self::Unreadable,
        Self::Invalid,
        Self::CasesFailed,
        Self::RestartNeeded,
        Self::JournalFailed,
    ];

    /// The word for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Swapped => "swapped",
            Self::Unchanged => "unchanged",
            Self::Unreadable => "unreadable",
            Self::Invalid => "invalid",
            Self::CasesFailed => "cases_failed",
            Self::RestartNeeded => "restart_needed",
            Self::JournalFailed => "journal_failed",
        }
    }

    /// Whether the pack in the folder decides.
    pub fn runs(self) -> bool {
        matches!(self, Self::Swapped | Self::Unchanged)
    }

    /// What happened, in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Swapped => "the pack in the folder decides from now on",
            Self::Unchanged => "the folder holds the rule set that decides already",
            Self::Unreadable => "the folder cannot be read",
            Self::Invalid => "the pack does not compile",
            Self::CasesFailed => "the pack's own cases do not come out",
            Self::RestartNeeded => "the pack changes what only a restart may change",
            Self::JournalFailed => "the journal did not take the new rule set",
        }
    }
}

/// Something that is wrong with a pack, at its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackProblem {
    /// Path inside the pack; empty when it is about the folder as a whole.
    pub file: String,
    /// 1-based line; 0 when it is about the file as a whole.
    pub line: usize,
    /// 1-based column; 0 when it is about the line as a whole.
    pub column: usize,
    /// The diagnostic's code, such as `R006`: `civitas country help R006` explains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl PackProblem {
    /// `rules.yaml:12:5`; nothing where the problem has no file.
    pub fn place(&self) -> String {
        match (self.line, self.column) {
            (0, _) => self.file.clone(),
            (line, 0) => format!("{}:{line}", self.file),
            (line, column) => format!("{}:{line}:{column}", self.file),
        }
    }

    /// Place and code alone: for the audit log, which keeps for ever what a text may quote.
    pub(super) fn reference(&self) -> String {
        let code = self.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
        format!("{}{code}", self.place())
    }
}

impl fmt::Display for PackProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.reference();
        let separator = if place.is_empty() { "" } else { ": " };
        write!(f, "{place}{separator}{}", self.message)
    }
}

/// Milliseconds of each step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Took {
    /// Reading the folder, twice, until both readings agree.
    pub read: f64,
    /// Compiling and type-checking.
    pub compile: f64,
    /// Running the pack's own cases.
    pub cases: f64,
    /// Archiving, and changing over.
    pub swap: f64,
}

/// An attempt to take the pack in the folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// When it ended.
    pub at: Timestamp,
    /// What made the engine look.
    pub trigger: Trigger,
    /// Who asked for it.
    pub actor: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The rule set that decides now.
    pub running: String,
    /// The rule set in the folder, where it compiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The first things that are wrong.
    pub problems: Vec<PackProblem>,
    /// How many more there are; `civitas country check` and `test` show all.
    pub more: usize,
    /// How many cases of its own the pack has, where they were run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<usize>,
    /// How long each step took, in milliseconds.
    pub took: Took,
}

impl Attempt {
    /// The problems on one line, for the log.
    pub fn problems_in_line(&self) -> String {
        let mut parts: Vec<String> = self.problems.iter().map(ToString::to_string).collect();
        if self.more > 0 {
            parts.push(format!("and {} more", self.more));
        }
        parts.join("; ")
    }
}

/// What decides in this process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PackView {
    /// Name of the process.
    pub instance: String,
    /// Digest of the rule set that decides.
    pub digest: String,
    /// Country code of its pack.
    pub country: String,
    /// Since when it decides here.
    pub since: Timestamp,
    /// Rules in evaluate mode.
    pub on_trial: Vec<String>,
    /// The last attempt to take a changed pack; none since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Attempt>,
}

impl PackView {
    /// The last attempt, if it left the old rule set in force.
    pub fn refused(&self) -> Option<&Attempt> {
        self.last.as_ref().filter(|last| !last.outcome.runs())
    }
}

/// A process on this journal that decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeciderView {
    /// Name of the process.
    pub instance: String,
    /// Digest of the rule set that it runs.
    pub ruleset: String,
    /// Since when.
    pub since: Timestamp,
    /// Why it refused the pack that lies in its folder, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}
