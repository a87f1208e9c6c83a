//! Waiting for a state, not for a time.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// Longest wait; far beyond what a loaded machine needs, so that only a hang fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until `holds`; fails the test, naming `what`, if it never does.
pub async fn until<F, W>(what: &str, mut holds: W)
where
    W: FnMut() -> F,
    F: Future<Output = bool>,
{
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
