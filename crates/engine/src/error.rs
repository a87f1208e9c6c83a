//! What can go wrong inside the engine.

use civitas_journal::JournalError;

use civitas_journal::operations::State;

/// A failure of the engine's own work; what was in hand is put back and tried again.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The journal did not take or give something.
    #[error("the journal failed")]
    Journal(#[from] JournalError),
    /// A call to MOSIP failed outside of an operation.
    #[error("a call to MOSIP failed")]
    Mosip(#[from] civitas_mosip::CallError),
    /// A sealed document of ours does not parse.
    #[error("what the journal kept of a packet or confirmation cannot be read back")]
    StoredPacket(#[source] serde_json::Error),
    /// An AID in the journal has no valid form.
    #[error("the journal holds `{0}` as an AID")]
    StoredAid(String),
    /// The sender was given an operation that is not to be sent.
    #[error("an operation in state {0} cannot be sent")]
    NotSendable(State),
    /// The rule set that decided is not in the archive.
    #[error("the archive has no usable rule set {digest}: {why}")]
    Archive {
        /// Digest of the rule set.
        digest: String,
        /// What is wrong with it.
        why: String,
    },
    /// The lease of a piece of work ended while it was in hand, and could not be prolonged.
    #[error(
        "the lease ended before the work did, and could not be prolonged; whoever claims it next goes on"
    )]
    LeaseEnded,
    /// A blocking task was aborted.
    #[error("a task was aborted")]
    Aborted(#[from] tokio::task::JoinError),
}
