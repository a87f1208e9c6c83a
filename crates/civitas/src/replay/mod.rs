//! Past civil events, judged again: where they come from, who judges them, and what is counted.
//!
//! ```text
//! journal ┐
//! topic   ├─ one feeder ─► bounded channel ─► one judge per core ─► tallies ─► one report
//! files   ┘
//! ```
//!
//! The channel holds a few batches, so that memory does not grow with the source. Kept of each civil event is a hash
//! by which a repetition is known: some sixteen bytes.

pub mod files;
pub mod journal;
pub mod judge;
pub mod pool;
pub mod progress;
pub mod report;
mod split;
pub mod tally;
pub mod topic;
pub mod verify;

use civitas_journal::history::Recorded;
use civitas_kafka::TopicMessage;

/// Something that holds one or more past civil events.
pub enum Item {
    /// A decision of the journal.
    Recorded(Box<Recorded>),
    /// A message of the events topic.
    Message(Box<TopicMessage>),
    /// An event document.
    Document {
        /// Where it stands, for messages.
        place: files::Place,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A place where a document should be and is not.
    Fault {
        /// Where.
        place: files::Place,
        /// What is there instead.
        what: &'static str,
    },
}

impl Item {
    /// About how many bytes it holds.
    pub fn weight(&self) -> usize {
        match self {
            Self::Document { bytes, .. } => bytes.len(),
            Self::Recorded(_) | Self::Message(_) | Self::Fault { .. } => 12_000,
        }
    }
}

/// The exit code of a run that a policy denies, or of a decision that does not agree with its record.
pub const DENIED: u8 = 3;
