//! What was taken from the client and is not settled yet.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;

use rdkafka::error::KafkaError;
use rdkafka::message::{Message, OwnedMessage};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::context::Partition;
use crate::cloud_event::{self, Opening};
use crate::dead_letter::Cause;
use crate::ingest::{Incoming, IngestRefusal};

/// Fewer messages than this are not worth a thread of their own.
const LEAST_SHARE: usize = 16;

/// How far a message has come.
pub(super) enum State {
    /// To be ingested.
    Waiting(Incoming),
    /// To be written to the dead-letter topic.
    Dead(Cause),
    /// In the journal.
    Ingested,
    /// On the dead-letter topic.
    Buried,
}

pub(super) struct Item {
    pub(super) message: OwnedMessage,
    pub(super) state: State,
}

/// Messages in the order in which they were read, each with its state.
pub(super) struct Batch(pub(super) Vec<Item>);

impl Batch {
    /// Reads the envelopes, in order, on as many threads as there are cores. Blocks for half a millisecond of CPU time
    /// per encrypted document.
    pub(super) fn read(messages: Vec<OwnedMessage>, opening: &Opening) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = messages.len().div_ceil(cores).max(LEAST_SHARE);
        if messages.len() <= share {
            return Self(read(messages, opening));
        }
        let mut messages = messages.into_iter();
        let shares = std::iter::from_fn(|| {
            let taken: Vec<_> = messages.by_ref().take(share).collect();
            (!taken.is_empty()).then_some(taken)
        });
        std::thread::scope(|scope| {
            let readers: Vec<_> = shares.map(|share| scope.spawn(|| read(share, opening))).collect();
            let join = |reader: ScopedJoinHandle<'_, Vec<Item>>| {
                reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            Self(readers.into_iter().flat_map(join).collect())
        })
    }

    /// What is still to be ingested, in order.
    pub(super) fn waiting(&self) -> Vec<Incoming> {
        self.0
            .iter()
            .filter_map(|item| match &item.state {
                State::Waiting(incoming) => Some(incoming.clone()),
                _ => None,
            })
            .collect()
    }

    /// Applies the answers for [`waiting`](Self::waiting), and returns the first cause to try again.
    pub(super) fn answer(&mut self, answers: Vec<Result<(), IngestRefusal>>) -> Option<IngestRefusal> {
        let mut again = None;
        let waiting = self.0.iter_mut().filter(|item| matches!(item.state, State::Waiting(_)));
        for (item, answer) in waiting.zip(answers) {
            match answer {
                Ok(()) => item.state = State::Ingested,
                Err(refusal) if refusal.poison => {
                    item.state = State::Dead(Cause { code: refusal.code, message: refusal.message });
                }
                Err(refusal) => again = again.or(Some(refusal)),
            }
        }
        again
    }

    /// Drops what belongs to partitions that are no longer ours.
    pub(super) fn drop_revoked(&mut self, revoked: &HashSet<Partition>) {
        self.0.retain(|item| !is_of(&item.message, revoked));
    }

    /// The positions after the batch: per partition the offset after the last message.
    ///
    /// Only for a batch that is settled: every message ingested or buried.
    pub(super) fn positions(&self) -> Result<TopicPartitionList, KafkaError> {
        let mut positions = TopicPartitionList::new();
        for Item { message, state } in &self.0 {
            debug_assert!(
                matches!(state, State::Ingested | State::Buried),
                "invariant: the batch is settled"
            );
            let (topic, partition) = (message.topic(), message.partition());
            let next = Offset::Offset(message.offset() + 1);
            match positions.find_partition(topic, partition) {
                Some(mut known) => known.set_offset(next)?,
                None => positions.add_partition_offset(topic, partition, next)?,
            }
        }
        Ok(positions)
    }
}

fn read(messages: Vec<OwnedMessage>, opening: &Opening) -> Vec<Item> {
    let mut topic: Arc<str> = Arc::from("");
    let read = |message: OwnedMessage| {
        if *topic != *message.topic() {
            topic = Arc::from(message.topic());
        }
        let state = match cloud_event::read(&message, &topic, opening) {
            Ok(incoming) => State::Waiting(incoming),
            Err(error) => State::Dead(Cause { code: error.code().to_owned(), message: error.to_string() }),
        };
        Item { message, state }
    };
    messages.into_iter().map(read).collect()
}

/// True if the message was read from one of the partitions.
pub(super) fn is_of(message: &OwnedMessage, partitions: &HashSet<Partition>) -> bool {
    partitions.iter().any(|(topic, partition)| *partition == message.partition() && topic == message.topic())
}

#[cfg(test)]
mod tests {
    use rdkafka::message::Timestamp;

    use super::*;

    fn batch(places: &[(i32, i64)]) -> Batch {
        let message = |&(partition, offset): &(i32, i64)| {
            OwnedMessage::new(None, None, "events".into(), Timestamp::NotAvailable, partition, offset, None)
        };
        Batch::read(places.iter().map(message).collect(), &Opening::default())
    }

    #[test]
    fn positions_are_after_the_last_message_of_each_partition() {
        let mut batch = batch(&[(0, 7), (1, 3), (0, 8), (1, 4), (0, 9)]);
        batch.0.iter_mut().for_each(|item| item.state = State::Buried);
        let positions = batch.positions().unwrap();
        let of = |partition| positions.find_partition("events", partition).unwrap().offset();
        assert_eq!((of(0), of(1)), (Offset::Offset(10), Offset::Offset(5)));
        assert_eq!(positions.count(), 2);
    }

    #[test]
    fn a_revoked_partition_leaves_nothing_to_ingest_or_commit() {
        let mut batch = batch(&[(0, 7), (1, 3), (0, 8)]);
        batch.0.iter_mut().for_each(|item| item.state = State::Ingested);
        batch.drop_revoked(&HashSet::from([("events".to_owned(), 0), ("other".to_owned(), 1)]));
        let positions = batch.positions().unwrap();
        assert!(positions.find_partition("events", 0).is_none());
        assert_eq!(positions.find_partition("events", 1).unwrap().offset(), Offset::Offset(4));
    }

    #[test]
    fn a_large_batch_keeps_its_order() {
        let places: Vec<(i32, i64)> = (0..1_000).map(|offset| (0, offset)).collect();
        let offsets: Vec<i64> = batch(&places).0.iter().map(|item| item.message.offset()).collect();
        assert_eq!(offsets, (0..1_000).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_no_event_is_dead_at_once() {
        let batch = batch(&[(0, 0)]);
        assert!(batch.waiting().is_empty());
        assert!(matches!(&batch.0[0].state, State::Dead(cause) if cause.code == "bad-cloud-event"));
    }
}
