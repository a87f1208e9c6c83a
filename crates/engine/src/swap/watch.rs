//! Watching the folder. Its content is compared, since mounted folders (NFS, ConfigMaps, bind mounts) report no
//! changes reliably, and a ConfigMap is exchanged as a whole behind a symbolic link.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Look, PackSource, Watch, attempt::look};
use crate::Engine;

/// A folder that changes for longer than this is worth a word.
const RESTLESS: Duration = Duration::from_secs(60);

impl Engine {
    /// Looks at the folder until `stop`, and takes what has changed once it has settled. A file that is missing for
    /// a moment is not a failure before it has been missing for that long.
    pub async fn watch_pack(&self, watch: Watch, stop: CancellationToken) {
        let Some(source) = self.swaps().source.get() else { return };
        while pause(watch.every, &stop).await {
            let seen = look(source).await;
            if self.is_new(&seen)
                && let Some(settled) = settle(source, seen, watch.settle, &stop).await
            {
                self.take_settled(settled).await;
            }
        }
    }
}

/// Waits until a look gives the same as the one before it.
async fn settle(
    source: &PackSource,
    mut seen: Look,
    quiet: Duration,
    stop: &CancellationToken,
) -> Option<Look> {
    let begun = Instant::now();
    let mut said = false;
    while pause(quiet, stop).await {
        let again = look(source).await;
        if again == seen {
            return Some(again);
        }
        seen = again;
        if !said && begun.elapsed() > RESTLESS {
            said = true;
            tracing::warn!("the pack's folder does not come to rest; nothing is taken from it meanwhile");
        }
    }
    None
}

/// Whether to go on.
async fn pause(time: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => true,
        () = stop.cancelled() => false,
    }
}
