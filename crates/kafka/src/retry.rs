//! How long to wait: before the next try, and for what is under way at shutdown.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How long a shutdown waits for the broker to confirm what is on its way.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// Completes [`GRACE`] after the shutdown was asked for; never without one.
pub(crate) async fn patience(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(GRACE).await;
}

/// Doubling waits from 100 ms to 10 s. One process retries one thing here, so there is no herd to scatter.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(10);

    /// The wait after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        let wait = Self::FIRST.saturating_mul(1 << self.failures.min(16)).min(Self::LONGEST);
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// Something worked.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_start_again() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..9).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        backoff.reset();
        assert_eq!(backoff.next().as_millis(), 100);
    }
}
