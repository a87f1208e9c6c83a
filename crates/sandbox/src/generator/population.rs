//! People who had an identity before the sandbox started. Their numbers follow
//! from the seed, so that a generator without a sandbox names the same people.

use crate::entropy::{digits, rng};

/// The people of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Population {
    seed: u64,
    size: u32,
}

impl Population {
    /// `size` people of a seed.
    pub const fn new(seed: u64, size: u32) -> Self {
        Self { seed, size }
    }

    /// How many there are.
    pub const fn size(self) -> u32 {
        self.size
    }

    /// VID of a person, 16 digits.
    pub fn vid(self, person: u32) -> String {
        digits(&mut rng(self.seed, 0x5EED_0000_0000 + u64::from(person)), 16)
    }

    /// UIN of a person, 10 digits.
    pub fn uin(self, person: u32) -> String {
        digits(&mut rng(self.seed, 0x5EED_8000_0000_0000 + u64::from(person)), 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_are_stable_and_distinct() {
        let people = Population::new(7, 5000);
        assert_eq!(people.vid(3), Population::new(7, 1).vid(3));
        let vids: HashSet<_> = (0..people.size()).map(|person| people.vid(person)).collect();
        assert_eq!(vids.len(), 5000);
        assert!(vids.iter().all(|vid| vid.len() == 16 && !vid.starts_with('0')));
    }
}
