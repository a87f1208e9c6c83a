//! How often somebody, or about somebody, was asked within a span.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Whom it is kept for at most; then those whose span is over are forgotten.
const MOST: usize = 50_000;

/// Counts per key, each in a span that begins with its first.
pub(in crate::compat) struct Budget {
    span: SignedDuration,
    spent: Mutex<HashMap<[u8; 32], (Timestamp, u32)>>,
}

impl Budget {
    pub(super) fn new(span: SignedDuration) -> Self {
        Self { span, spent: Mutex::default() }
    }

    /// Takes one of `most`; refused with the time after which there are some again.
    pub(in crate::compat) fn take(&self, key: [u8; 32], most: u32, now: Timestamp) -> Result<(), Duration> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |began: Timestamp| now.duration_since(began) >= self.span;
        if spent.len() >= MOST {
            spent.retain(|_, (began, _)| !over(*began));
        }
        let entry = spent.entry(key).or_insert((now, 0));
        if over(entry.0) {
            *entry = (now, 0);
        }
        if entry.1 >= most {
            let left = self.span - now.duration_since(entry.0);
            return Err(Duration::try_from(left).unwrap_or_default());
        }
        entry.1 += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_span_and_there_is_more_when_it_is_over() {
        let budget = Budget::new(SignedDuration::from_mins(1));
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        assert_eq!(budget.take([1; 32], 2, at(0)), Ok(()));
        assert_eq!(budget.take([1; 32], 2, at(50)), Ok(()));
        assert_eq!(budget.take([1; 32], 2, at(50)), Err(Duration::from_secs(10)));
        assert_eq!(budget.take([2; 32], 2, at(50)), Ok(()));
        assert_eq!(budget.take([1; 32], 2, at(60)), Ok(()));
    }
}
