//! What every endpoint of the MOSIP stand-in shares.

use super::auth::Grants;
use super::desk::Desk;
use super::esignet::Office;
use super::hub::Hub;
use super::registry::Registry;
use super::shares::Shares;
use crate::entropy::{Dice, lock};
use crate::faults::FaultBox;
use crate::keys::{KeyError, SandboxKeys};
use crate::options::MosipOptions;
use crate::time::Pace;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) struct Mosip {
    pub(crate) options: MosipOptions,
    pub(crate) pace: Pace,
    pub(crate) dice: Dice,
    pub(crate) faults: Arc<FaultBox>,
    pub(crate) http: reqwest::Client,
    pub(crate) keys: Mutex<Arc<SandboxKeys>>,
    /// The public key that the file server shows, PEM: not always the present one.
    pub(crate) published: Mutex<Vec<u8>>,
    pub(crate) shares: Shares,
    pub(crate) grants: Grants,
    pub(crate) desk: Mutex<Desk>,
    pub(crate) registry: Mutex<Registry>,
    pub(crate) hub: Hub,
    pub(crate) office: Office,
    /// At most two private-key operations at a time: the engine needs a core too.
    pub(crate) crypto: Semaphore,
    pub(crate) started: Timestamp,
    pub(crate) seed: u64,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Mosip {
    /// The keys in use.
    pub(crate) fn keys(&self) -> Arc<SandboxKeys> {
        Arc::clone(&lock(&self.keys))
    }

    pub(crate) fn set_keys(&self, keys: SandboxKeys) {
        *lock(&self.keys) = Arc::new(keys);
    }

    /// The file server starts, and reads the key that it shows.
    pub(crate) fn publish_key(&self) -> Result<(), KeyError> {
        *lock(&self.published) = self.keys().kernel_public_key_pem()?;
        Ok(())
    }

    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        lock(&self.desk)
    }

    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry> {
        lock(&self.registry)
    }

    /// Runs work in the background until it ends or the sandbox stops.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
    }
}
