//! Small sets of cells.

/// A set of the numbers below a length that its user knows; up to 64 of them need no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Set {
    first: u64,
    rest: Vec<u64>,
}

impl Set {
    /// The numbers below `length` that `wanted` holds for.
    pub(super) fn of(length: usize, wanted: impl Fn(usize) -> bool) -> Self {
        let mut set = Self { first: 0, rest: vec![0; length.div_ceil(64).saturating_sub(1)] };
        for number in (0..length).filter(|number| wanted(*number)) {
            let bit = 1 << (number % 64);
            match (number / 64).checked_sub(1) {
                None => set.first |= bit,
                Some(word) => set.rest[word] |= bit,
            }
        }
        set
    }

    pub(super) fn contains(&self, number: usize) -> bool {
        let word = match (number / 64).checked_sub(1) {
            None => Some(&self.first),
            Some(word) => self.rest.get(word),
        };
        word.is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first == 0 && self.rest.iter().all(|word| *word == 0)
    }

    /// Whether the two have a number in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.first & other.first != 0 || self.rest.iter().zip(&other.rest).any(|(a, b)| a & b != 0)
    }

    /// What the two have in common.
    pub(super) fn meet(&self, other: &Self) -> Self {
        Self {
            first: self.first & other.first,
            rest: self.rest.iter().zip(&other.rest).map(|(a, b)| a & b).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Set;

    #[test]
    fn sets_of_any_length_meet_where_both_have_a_number() {
        for length in [1, 63, 64, 65, 200] {
            let thirds = Set::of(length, |n| n % 3 == 0);
            let halves = Set::of(length, |n| n % 2 == 0);
            let both = thirds.meet(&halves);
            for number in 0..length + 70 {
                assert_eq!(both.contains(number), number < length && number % 6 == 0, "{number} of {length}");
            }
            assert!(thirds.meets(&halves));
            assert!(!thirds.meets(&Set::of(length, |n| n % 3 == 1)));
            assert!(Set::of(length, |_| false).is_empty());
            assert!(!thirds.is_empty());
        }
    }
}
