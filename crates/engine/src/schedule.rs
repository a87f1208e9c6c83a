//! When to try again, and when to ask again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::{Rng, RngExt};

/// Back-off of a failing step: doubling from `first` to `ceiling`, with full jitter over its upper half.
#[derive(Debug, Clone)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub ceiling: Duration,
}

impl Backoff {
    /// The wait after `failures` failures (1 = the first). A server's `Retry-After` is never undercut.
    pub fn wait(&self, failures: u32, retry_after: Option<Duration>, random: &mut dyn Rng) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let full = self.first.saturating_mul(1 << doublings).min(self.ceiling);
        let jittered = full / 2 + full.mul_f64(random.random_range(0.0..0.5));
        jittered.max(retry_after.unwrap_or_default())
    }
}

/// How often an unanswered operation is asked about: a quarter of its age, within bounds, and no more often than all
/// that wait together may be.
#[derive(Debug, Clone, Copy)]
pub struct Polling {
    /// The first question, and the shortest distance between two.
    pub shortest: Duration,
    /// The longest distance.
    pub longest: Duration,
    /// Questions per second about all of them; 0: as many as come out of the distances.
    pub per_second: u32,
}

impl Polling {
    /// When to ask next about an operation that was triggered at `since`, one of so many that wait.
    pub fn next(&self, since: Timestamp, now: Timestamp, waiting: u64) -> Timestamp {
        let age = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        let by_age = (age / 4).clamp(self.shortest, self.longest);
        let by_load = match self.per_second {
            0 => Duration::ZERO,
            rate => Duration::from_secs(waiting / u64::from(rate)),
        };
        later(now, by_age.max(by_load))
    }
}

/// `now` plus a wait; saturates at the end of time.
pub(crate) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn backoff_grows_to_its_ceiling_and_honours_retry_after() {
        let mut random = StdRng::seed_from_u64(1);
        let backoff = Backoff { first: Duration::from_secs(1), ceiling: Duration::from_secs(60) };
        for failures in 1..40 {
            let wait = backoff.wait(failures, None, &mut random);
            let full = Duration::from_secs(1 << (failures - 1).min(6)).min(Duration::from_secs(60));
            assert!(wait >= full / 2 && wait <= full, "{failures}: {wait:?}");
        }
        let asked = Duration::from_secs(300);
        assert_eq!(backoff.wait(1, Some(asked), &mut random), asked);
    }

    #[test]
    fn polling_slows_down_with_age() {
        let polling =
            Polling { shortest: Duration::from_secs(30), longest: Duration::from_secs(3600), per_second: 10 };
        let since: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let after = |seconds: i64| {
            let now = since + SignedDuration::from_secs(seconds);
            polling.next(since, now, 100).duration_since(now).as_secs()
        };
        assert_eq!(after(0), 30);
        assert_eq!(after(400), 100);
        assert_eq!(after(1_000_000), 3600);
        assert_eq!(after(-50), 30, "a clock that stepped back does not stop the questions");
    }

    #[test]
    fn polling_slows_down_with_load() {
        let polling =
            Polling { shortest: Duration::from_secs(30), longest: Duration::from_secs(3600), per_second: 10 };
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let among = |waiting| polling.next(now, now, waiting).duration_since(now).as_secs();
        assert_eq!(among(300), 30);
        assert_eq!(among(50_000), 5000, "even beyond the longest distance: there are so many");
        let unbounded = Polling { per_second: 0, ..polling };
        assert_eq!(unbounded.next(now, now, 50_000).duration_since(now).as_secs(), 30);
    }
}
