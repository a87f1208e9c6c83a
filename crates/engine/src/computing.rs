//! Work for a processor, a millisecond or more of it: off the async workers, and not too much at a time.

use std::thread::available_parallelism;

use civitas_mosip::credential::KeyRing;
use tokio::{
    sync::Semaphore,
    task::{JoinError, spawn_blocking},
};

/// As much of it at a time as there are processors. With dozens of threads at RSA, the one that answers a registrar would
/// wait for all of them.
pub(crate) struct Computing(Semaphore);

impl Computing {
    /// A token may be a machine far away: to ask it is to wait, and nothing is gained by asking less at a time.
    pub(crate) fn with(keys: &KeyRing) -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Computing(Semaphore::new(if keys.asks_a_token() { Semaphore::MAX_PERMITS } else { processors }))
    }

    /// Waits for a processor, and for the outcome.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        // The semaphore is never closed.
        let _processor = self.0.acquire().await.ok();
        spawn_blocking(work).await
    }
}
