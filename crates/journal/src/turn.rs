//! Whether a write that waits may still begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const GIVEN_UP: u8 = 2;

/// Settled once: either the writer begins, or the caller gives up. Clones are the same turn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turn(Arc<AtomicU8>);

impl Turn {
    /// The writer's side: whether it may run the write, now or once more.
    pub(crate) fn begin(&self) -> bool {
        self.settle(BEGUN) != GIVEN_UP
    }

    /// The caller's side: whether the write had not begun, and so never will.
    pub(crate) fn give_up(&self) -> bool {
        self.settle(GIVEN_UP) != BEGUN
    }

    /// Settles the turn unless it is settled; what it is then.
    fn settle(&self, wanted: u8) -> u8 {
        match self.0.compare_exchange(WAITING, wanted, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => wanted,
            Err(settled) => settled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_first_decides() {
        let turn = Turn::default();
        assert!(turn.begin() && turn.begin(), "a repeated transaction begins again");
        assert!(!turn.give_up());
        let turn = Turn::default();
        assert!(turn.clone().give_up());
        assert!(!turn.begin());
    }
}
