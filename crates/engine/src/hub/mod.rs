//! Keeping MOSIP's hub talking to us: subscriptions asked for and renewed, its questions answered, its secret changed,
//! and its silence noticed.
//!
//! The hub forgets a subscriber after one delivery that failed for good, and says nothing. A new request with the
//! same callback and secret resumes where it stopped; "already registered" is good news. Everything that is asked is
//! in the journal before the hub hears it, so that any process may answer what the hub comes back with, and nobody
//! can have us echo what none of ours asked for.

mod intent;
mod keep;
mod renewal;
mod silence;

use civitas_journal::{
    JournalError, Tx,
    subscriptions::{self, Subscription},
};
use openssl::sha::sha256;
use secrecy::{ExposeSecret, SecretString};

pub use self::intent::IntentAnswer;
pub(crate) use self::silence::{COMPLETED, CREDENTIAL};
use crate::{Engine, EngineError};

/// A name for a secret that tells it from others and tells nothing about it: it has at least 32 random bytes.
pub(crate) fn fingerprint(secret: &SecretString) -> String {
    let mut named = b"civitas hub secret\0".to_vec();
    named.extend_from_slice(secret.expose_secret().as_bytes());
    hex::encode(&sha256(&named)[..12])
}

impl Engine {
    /// Changes what the journal knows of one of our subscriptions, in a transaction of its own; what it was changed
    /// to. `change` may run several times, and says whether anything changed.
    pub(crate) async fn change_subscription<F>(
        &self,
        topic: &str,
        change: F,
    ) -> Result<Subscription, EngineError>
    where
        F: Fn(&mut Subscription, &mut Tx) -> bool + Send + Sync + 'static,
    {
        let now = self.now();
        let (topic, callback) = (topic.to_owned(), self.options().subscriptions.callback.clone());
        let change = std::sync::Arc::new(change);
        let changed = self
            .journal()
            .write(move |tx| {
                let (topic, callback) = (topic.clone(), callback.clone());
                let change = std::sync::Arc::clone(&change);
                Box::pin(async move {
                    let known = subscriptions::get(tx, &topic).await?;
                    let mut row = known.unwrap_or_else(|| Subscription::new(topic, callback, now));
                    if change(&mut row, tx) {
                        row.updated_at = now;
                        subscriptions::put(tx, &row).await?;
                    }
                    Ok::<_, JournalError>(row)
                })
            })
            .await?;
        Ok(changed)
    }
}
