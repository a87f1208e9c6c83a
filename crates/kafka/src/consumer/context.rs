//! What the client tells us besides messages: revoked partitions and statistics.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;

use super::lag;

/// A partition of a topic.
pub(super) type Partition = (String, i32);

/// Notes revocations for the session to act upon. The client runs these callbacks inside its poll, which only
/// the session does, so a note is always there when the poll returns.
#[derive(Default)]
pub(super) struct Context {
    revoked: Mutex<HashSet<Partition>>,
}

impl Context {
    /// The partitions that were taken away since the last call.
    pub(super) fn take_revoked(&self) -> HashSet<Partition> {
        std::mem::take(&mut *self.revoked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        lag::record(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "kafka consumer");
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => tracing::info!(count = partitions.count(), "partitions assigned"),
            Rebalance::Revoke(partitions) => {
                tracing::info!(count = partitions.count(), "partitions revoked");
                let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
                for element in partitions.elements() {
                    lag::forget(element.topic(), element.partition());
                    revoked.insert((element.topic().to_owned(), element.partition()));
                }
            }
            Rebalance::Error(error) => tracing::warn!(%error, "rebalance failed"),
        }
    }
}
