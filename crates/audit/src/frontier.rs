//! The root of a log of any length, from its leaves in order, in memory that grows with the logarithm.

use crate::Hash;

/// The perfect subtrees that cover the leaves seen so far, largest first.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Hash>,
}

impl Frontier {
    /// A log without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the next leaf's hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each trailing 1 of the size is a complete subtree that this leaf completes into a larger one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                node = Hash::node(&left, &node);
            }
        }
        self.subtrees.push(node);
        self.size += 1;
    }

    /// How many leaves were appended.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root over all of them.
    pub fn root(&self) -> Hash {
        let mut subtrees = self.subtrees.iter().rev();
        match subtrees.next() {
            None => Hash::empty(),
            Some(last) => subtrees.fold(*last, |right, left| Hash::node(left, &right)),
        }
    }
}
