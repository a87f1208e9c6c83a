//! Offline check of a whole log, leaf after leaf.

use crate::{Checkpoint, Frontier, Hash, Leaf, LeafError};

/// Reads stored leaves in order and finds the first that is not as it was written.
#[derive(Debug, Clone, Default)]
pub struct Verifier {
    frontier: Frontier,
}

/// The first thing found wrong with the log.
#[derive(Debug, thiserror::Error)]
pub enum Tampered {
    /// A leaf cannot be read back.
    #[error("leaf {index} was altered")]
    Unreadable {
        /// Its place in the log.
        index: u64,
        /// What is wrong with its text.
        #[source]
        source: LeafError,
    },
    /// A leaf states another place than the one it stands at.
    #[error("leaf {found} stands where leaf {expected} belongs: leaves were dropped or re-ordered")]
    OutOfPlace {
        /// The place.
        expected: u64,
        /// What the leaf states.
        found: u64,
    },
    /// Content and stored hash differ.
    #[error("leaf {index} does not have the hash that was stored with it")]
    Altered {
        /// Its place in the log.
        index: u64,
    },
    /// The log has fewer leaves than were witnessed.
    #[error("the log has {size} leaves, {witnessed} were witnessed: leaves were dropped from its end")]
    Truncated {
        /// What is there.
        size: u64,
        /// What the checkpoint says.
        witnessed: u64,
    },
    /// The leaves up to a checkpoint do not hash to its root.
    #[error("the first {size} leaves are not those that were witnessed")]
    OtherRoot {
        /// The checkpoint's size.
        size: u64,
    },
}

impl Verifier {
    /// Starts at leaf 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks the next leaf: its canonical text and the hash stored with it. Call [`Verifier::witness`] for a
    /// checkpoint of size n after n leaves.
    pub fn push(&mut self, body: &str, stored: Hash) -> Result<(), Tampered> {
        let index = self.frontier.size();
        let leaf = Leaf::parse(body).map_err(|source| Tampered::Unreadable { index, source })?;
        if leaf.index != index {
            return Err(Tampered::OutOfPlace { expected: index, found: leaf.index });
        }
        let hash = Hash::leaf(body.as_bytes());
        if hash != stored {
            return Err(Tampered::Altered { index });
        }
        self.frontier.push(hash);
        Ok(())
    }

    /// Compares what was read so far with a checkpoint of the same size.
    pub fn witness(&self, checkpoint: &Checkpoint) -> Result<(), Tampered> {
        let size = self.frontier.size();
        if size < checkpoint.size {
            return Err(Tampered::Truncated { size, witnessed: checkpoint.size });
        }
        if size > checkpoint.size || self.frontier.root() != checkpoint.root {
            return Err(Tampered::OtherRoot { size: checkpoint.size });
        }
        Ok(())
    }

    /// Size and root of what was read so far.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { size: self.frontier.size(), root: self.frontier.root() }
    }
}
