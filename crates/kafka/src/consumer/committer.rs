//! Commits, one at a time, on a thread of their own.
//!
//! The client has two kinds of commit. The asynchronous one tells nobody how it went. The blocking one does, and
//! blocks for as long as the group's broker is away: so it must stand in the way of nothing, neither of the
//! poll, which keeps us in the group, nor of a shutdown.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;
use tokio::sync::oneshot;

use super::context::Context;

type Answer = Result<(), KafkaError>;

pub(super) struct Committer {
    asked: mpsc::Sender<(TopicPartitionList, oneshot::Sender<Answer>)>,
    thread: JoinHandle<()>,
}

impl Committer {
    pub(super) fn start(consumer: Arc<StreamConsumer<Context>>) -> Self {
        let (asked, commits) = mpsc::channel::<(TopicPartitionList, oneshot::Sender<Answer>)>();
        let thread = thread::spawn(move || {
            for (positions, answer) in commits {
                // Nobody waits any more when the session is over.
                drop(answer.send(consumer.commit(&positions, CommitMode::Sync)));
            }
        });
        Self { asked, thread }
    }

    /// Asks for a commit; the answer is the broker's.
    pub(super) fn commit(&self, positions: TopicPartitionList) -> impl Future<Output = Answer> + use<> {
        let (answer, answered) = oneshot::channel();
        let asked = self.asked.send((positions, answer));
        async move {
            match asked {
                Ok(()) => answered.await.unwrap_or(Err(KafkaError::Canceled)),
                Err(_) => Err(KafkaError::Canceled),
            }
        }
    }

    /// Ends the thread after the commit that is under way. Blocks until then.
    pub(super) fn finish(self) {
        drop(self.asked);
        if self.thread.join().is_err() {
            tracing::error!("the thread that commits offsets has panicked");
        }
    }
}
