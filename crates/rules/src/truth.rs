//! Three-valued truth: what a condition says when a field may be missing.
//!
//! Kleene's strong logic. `Unknown` is not a failure and not `False`: it says that the facts do
//! not decide the matter, and it spreads only as far as it could change the result.

use std::ops::Not;

use serde::Serialize;

/// The outcome of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// The facts contradict the condition.
    False,
    /// A field that the outcome depends on is missing or cannot be read.
    Unknown,
    /// The facts satisfy the condition.
    True,
}

impl Truth {
    /// Conjunction: the weaker of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Disjunction: the stronger of the two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, False, True, Unknown};

    const ALL: [Truth; 3] = [False, Unknown, True];

    #[test]
    fn de_morgan_holds_in_three_values() {
        for a in ALL {
            for b in ALL {
                assert_eq!(!a.and(b), (!a).or(!b));
                assert_eq!(!a.or(b), (!a).and(!b));
            }
            assert_eq!(!!a, a);
        }
    }

    #[test]
    fn unknown_spreads_only_where_it_matters() {
        assert_eq!(Unknown.and(False), False);
        assert_eq!(Unknown.and(True), Unknown);
        assert_eq!(Unknown.or(True), True);
        assert_eq!(Unknown.or(False), Unknown);
    }
}
