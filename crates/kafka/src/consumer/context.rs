//! What the client tells us besides messages: revoked partitions and statistics.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaErrorCode;

use super::lag;

/// A partition of a topic.
pub(super) type Partition = (String, i32);

/// Notes revocations for the session to act upon. The client runs these callbacks inside its poll, which only
/// the session does, so a note is always there when the poll returns.
#[derive(Default)]
pub(super) struct Context {
    revoked: Mutex<HashSet<Partition>>,
    /// No broker could be reached when it was last tried.
    away: AtomicBool,
}

impl Context {
    /// The partitions that were taken away since the last call.
    pub(super) fn take_revoked(&self) -> HashSet<Partition> {
        std::mem::take(&mut *self.revoked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A message came: the brokers are there.
    pub(super) fn reached(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            tracing::info!("kafka can be read again");
        }
    }
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        lag::record(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            // Said once, not at each of its attempts to reconnect.
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                if !self.away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(reason, "no kafka broker can be reached; trying on");
                }
            }
            Some(RDKafkaErrorCode::BrokerTransportFailure) => tracing::debug!(reason, "kafka connection"),
            _ => tracing::warn!(%error, reason, "kafka consumer"),
        }
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => {
                tracing::info!(count = partitions.count(), "partitions assigned");
            }
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

    /// A partition that was paused when it was revoked is still paused when it comes back, and nobody would
    /// resume it. If the session is waiting, it pauses again at the first message.
    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance
            && let Err(error) = consumer.resume(partitions)
        {
            tracing::warn!(%error, "assigned partitions cannot be resumed");
        }
    }
}
