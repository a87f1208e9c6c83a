//! What the client tells us besides messages: revoked partitions, answers to commits, statistics.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use tokio::sync::Notify;

use super::lag;

/// A partition of a topic.
pub(super) type Partition = (String, i32);

/// Notes revocations and answers for the session to act upon. The client runs these callbacks inside its poll, which only
/// the session does, so a note is always there when the poll returns.
#[derive(Default)]
pub(super) struct Context {
    revoked: Mutex<HashSet<Partition>>,
    committed: Mutex<Option<KafkaResult<()>>>,
    answered: Notify,
}

impl Context {
    /// The partitions that were taken away since the last call.
    pub(super) fn take_revoked(&self) -> HashSet<Partition> {
        std::mem::take(&mut *self.revoked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets an answer that came after nobody waited for it any more.
    pub(super) fn expect_commit(&self) {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The broker's answer to the commit. Comes only while the client is polled.
    pub(super) async fn commit_answered(&self) -> KafkaResult<()> {
        loop {
            let answered = self.answered.notified();
            if let Some(answer) = self.committed.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return answer;
            }
            answered.await;
        }
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
    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        self.answered.notify_one();
    }

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
