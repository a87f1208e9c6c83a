//! The loop from topic to journal.
//!
//! ```text
//! collect ─► read envelopes ─► ingest, one call ─► dead letters ─► commit ─► collect …
//!                                 │ try again          │ broker away
//!                                 └────── pause, wait, poll, resume ──────┘
//! ```
//!
//! Three rules make it safe:
//!
//! - *One batch at a time.* The client is polled only between batches and while waiting, so a rebalance happens
//!   only there. What was taken from a partition that is revoked is dropped: its new owner reads it again.
//! - *Commit last and wait for it.* Offsets are committed when every message of the batch is in the journal or
//!   on the dead-letter topic. A commit that fails costs a second reading, never an event.
//! - *Waiting is polling.* While the journal is busy the partitions are paused and the client is still polled,
//!   so that the broker does not take us for dead.

mod batch;
mod committer;
mod context;
mod lag;
mod session;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::cloud_event::Opening;
use crate::config::{ConfigError, KafkaConfig};
use crate::dead_letter::DeadLetters;
use crate::ingest::Ingest;
use crate::jwe::Decrypter;
use crate::retry::Backoff;
use session::{End, Session};

/// Feeds [`Ingest`] from the events topic.
pub struct Consumer {
    config: KafkaConfig,
    opening: Arc<Opening>,
    dead_letters: DeadLetters,
}

impl Consumer {
    /// Checks the configuration and loads the keys. Nothing is read before [`run`](Self::run).
    pub fn new(config: &KafkaConfig) -> Result<Self, ConfigError> {
        config.consumer()?;
        let opening = match &config.payload_encryption {
            None => Opening::default(),
            Some(encryption) => {
                Opening { decrypter: Some(Decrypter::new(encryption)?), required: encryption.required }
            }
        };
        Ok(Self {
            config: config.clone(),
            opening: Arc::new(opening),
            dead_letters: DeadLetters::new(config)?,
        })
    }

    /// Runs until `shutdown`. A batch that is being ingested is finished and committed first. An unreachable
    /// broker is waited for; a client that is beyond repair is replaced by a new one.
    pub async fn run<I: Ingest>(self, ingest: I, shutdown: CancellationToken) {
        let mut backoff = Backoff::default();
        while !shutdown.is_cancelled() {
            let session = Session::start(&self.config, &self.opening, &self.dead_letters, &ingest, &shutdown);
            let end = match session {
                Ok(mut session) => {
                    let end = session.run(&mut backoff).await;
                    session.close().await;
                    end
                }
                Err(error) => End::Broken(error.to_string()),
            };
            match end {
                End::Shutdown => break,
                End::Broken(reason) => {
                    tracing::error!(%reason, "the kafka consumer is broken and starts again");
                    tokio::select! {
                        () = shutdown.cancelled() => break,
                        () = tokio::time::sleep(backoff.next()) => {}
                    }
                }
            }
        }
    }
}
