//! One life of a client: from subscription to close.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::OwnedMessage;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::batch::{Batch, State, is_of};
use super::committer::Committer;
use super::context::Context;
use crate::cloud_event::Opening;
use crate::config::{ConfigError, KafkaConfig};
use crate::dead_letter::DeadLetters;
use crate::ingest::{Ingest, IngestRefusal};
use crate::metric;
use crate::retry::{Backoff, GRACE, patience};

/// A commit that takes longer is waited for with the partitions paused.
const SLOW_COMMIT: Duration = Duration::from_secs(1);

/// Why a session ended.
pub(super) enum End {
    Shutdown,
    /// The client cannot go on; a new one may.
    Broken(String),
}

pub(super) struct Session<'a, I> {
    consumer: Arc<StreamConsumer<Context>>,
    committer: Committer,
    /// Taken from the client while waiting; the beginning of the next batch.
    stash: Vec<OwnedMessage>,
    config: &'a KafkaConfig,
    opening: &'a Arc<Opening>,
    dead_letters: &'a DeadLetters,
    ingest: &'a I,
    shutdown: &'a CancellationToken,
}

impl<'a, I: Ingest> Session<'a, I> {
    pub(super) fn start(
        config: &'a KafkaConfig,
        opening: &'a Arc<Opening>,
        dead_letters: &'a DeadLetters,
        ingest: &'a I,
        shutdown: &'a CancellationToken,
    ) -> Result<Self, ConfigError> {
        let consumer: StreamConsumer<Context> =
            config.consumer()?.create_with_context(Context::default()).map_err(ConfigError::Client)?;
        consumer.subscribe(&[&config.topics.events]).map_err(ConfigError::Client)?;
        let consumer = Arc::new(consumer);
        let committer = Committer::start(Arc::clone(&consumer));
        Ok(Self { consumer, committer, stash: Vec::new(), config, opening, dead_letters, ingest, shutdown })
    }

    /// Batch after batch. Any settled batch resets the back-off.
    pub(super) async fn run(&mut self, backoff: &mut Backoff) -> End {
        loop {
            let messages = match self.collect().await {
                Ok(messages) => messages,
                Err(end) => return end,
            };
            let opening = Arc::clone(self.opening);
            let read = tokio::task::spawn_blocking(move || Batch::read(messages, &opening)).await;
            let mut batch = match read {
                Ok(batch) => batch,
                Err(error) => return End::Broken(error.to_string()),
            };
            if let Err(end) = self.settle(&mut batch, backoff).await {
                return end;
            }
            if let Err(end) = self.commit(&batch).await {
                return end;
            }
            backoff.reset();
        }
    }

    /// Leaves the group, so that others take the partitions over at once. Blocks for as long as the broker is
    /// away, hence a thread that nobody has to wait for.
    pub(super) async fn close(self) {
        let (done, closed) = oneshot::channel::<()>();
        let Self { consumer, committer, .. } = self;
        std::thread::spawn(move || {
            committer.finish();
            drop(consumer);
            drop(done);
        });
        if tokio::time::timeout(GRACE, closed).await.is_err() {
            tracing::warn!("the kafka consumer did not leave its group in time; the broker will notice");
        }
    }

    /// The next batch: waits for a first message, then for more, up to the configured number and time.
    async fn collect(&mut self) -> Result<Vec<OwnedMessage>, End> {
        let limit = self.config.batch.max_messages;
        loop {
            while self.stash.is_empty() {
                tokio::select! {
                    biased;
                    () = self.shutdown.cancelled() => return Err(End::Shutdown),
                    received = receive(&self.consumer) => self.take(received)?,
                }
            }
            let deadline = Instant::now() + self.config.batch.max_wait();
            while self.stash.len() < limit {
                match timeout_at(deadline, receive(&self.consumer)).await {
                    Ok(received) => self.take(received)?,
                    Err(_) => break,
                }
            }
            // The poll that the deadline cut short may have revoked something, even everything.
            self.heed_revocations(None);
            if self.shutdown.is_cancelled() {
                return Err(End::Shutdown);
            }
            if !self.stash.is_empty() {
                let rest = self.stash.split_off(self.stash.len().min(limit));
                return Ok(std::mem::replace(&mut self.stash, rest));
            }
        }
    }

    /// Drops what was taken from partitions that are no longer ours: their new owner reads it again.
    ///
    /// Called after each poll and before its message is kept, since that message may be of a new assignment of
    /// the same partition.
    fn heed_revocations(&mut self, batch: Option<&mut Batch>) {
        let revoked = self.consumer.context().take_revoked();
        if revoked.is_empty() {
            return;
        }
        self.stash.retain(|message| !is_of(message, &revoked));
        if let Some(batch) = batch {
            batch.drop_revoked(&revoked);
        }
    }

    /// Keeps what the client returned.
    fn take(&mut self, received: Result<OwnedMessage, KafkaError>) -> Result<(), End> {
        self.heed_revocations(None);
        match received {
            Ok(message) => {
                self.consumer.context().reached();
                self.stash.push(message);
            }
            Err(error) if is_fatal(&self.consumer, &error) => return Err(End::Broken(error.to_string())),
            // The client goes on by itself: a broker is away (which the context says), a topic is not there yet.
            Err(error) => tracing::debug!(%error, "reading from kafka failed and goes on"),
        }
        Ok(())
    }

    /// Until each message is in the journal or on the dead-letter topic, or belongs to somebody else.
    async fn settle(&mut self, batch: &mut Batch, backoff: &mut Backoff) -> Result<(), End> {
        loop {
            if let Some(refusal) = self.offer(batch).await {
                tracing::warn!(
                    code = refusal.code,
                    "a batch cannot be ingested now and is kept: {}",
                    refusal.message
                );
                metrics::counter!(metric::RETRIES, "cause" => "ingest").increment(1);
            } else if let Some(error) = self.bury(batch).await {
                tracing::error!(%error, "dead letters cannot be written now; their batch is kept");
                metrics::counter!(metric::RETRIES, "cause" => "dead_letter").increment(1);
            } else {
                return Ok(());
            }
            self.rest(batch, backoff.next()).await?;
        }
    }

    /// Hands over what is still to be ingested, in one call.
    async fn offer(&self, batch: &mut Batch) -> Option<IngestRefusal> {
        let waiting = batch.waiting();
        if waiting.is_empty() {
            return None;
        }
        let count = waiting.len();
        let answers = self.ingest.ingest(waiting).await;
        if answers.len() != count {
            return Some(IngestRefusal {
                poison: false,
                code: "bad-answer".into(),
                message: format!("ingest answered {} of {count} messages", answers.len()),
            });
        }
        batch.answer(answers)
    }

    /// Writes the dead letters; returns the first failure.
    async fn bury(&self, batch: &mut Batch) -> Option<KafkaError> {
        let dead = batch.0.iter_mut().filter_map(|item| match &item.state {
            State::Dead(cause) => Some((cause.clone(), item)),
            _ => None,
        });
        let mut sending: FuturesUnordered<_> = dead
            .map(|(cause, item)| async move {
                let sent = self.dead_letters.send(&item.message, &cause).await;
                if sent.is_ok() {
                    item.state = State::Buried;
                }
                sent
            })
            .collect();
        let mut failure = None;
        let patience = patience(self.shutdown);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                biased;
                sent = sending.next() => match sent {
                    None => return failure,
                    Some(Ok(())) => {}
                    Some(Err(error)) => failure = failure.or(Some(error)),
                },
                () = &mut patience => return Some(KafkaError::Canceled),
            }
        }
    }

    /// Waits without being taken for dead: partitions paused, client polled, revocations heeded.
    async fn rest(&mut self, batch: &mut Batch, wait: Duration) -> Result<(), End> {
        let deadline = Instant::now() + wait;
        self.pause();
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Err(End::Shutdown),
                () = tokio::time::sleep_until(deadline) => break,
                received = receive(&self.consumer) => {
                    self.heed_revocations(Some(batch));
                    self.take(received)?;
                    // It came from a partition that was assigned meanwhile.
                    self.pause();
                }
            }
        }
        self.heed_revocations(Some(batch));
        self.resume()
    }

    /// Commits and waits for the broker's answer, polling. A failure costs a second reading and is not an error.
    async fn commit(&mut self, batch: &Batch) -> Result<(), End> {
        let committed = match batch.positions() {
            Ok(positions) if positions.count() == 0 => Ok(()),
            Ok(positions) => {
                let answer = self.committer.commit(positions);
                self.poll_until(answer).await?
            }
            Err(error) => Err(error),
        };
        if let Err(error) = committed {
            metrics::counter!(metric::COMMIT_ERRORS).increment(1);
            tracing::warn!(%error, "offsets were not committed; what was ingested may be read again");
        }
        let buried = batch.0.iter().filter(|item| matches!(item.state, State::Buried)).count();
        metrics::counter!(metric::BATCHES).increment(1);
        metrics::counter!(metric::MESSAGES, "outcome" => "ingested")
            .increment((batch.0.len() - buried) as u64);
        metrics::counter!(metric::MESSAGES, "outcome" => "dead_letter").increment(buried as u64);
        Ok(())
    }

    /// Takes the next batch while waiting for an answer, and stops there. If the answer is slow, pauses the
    /// partitions and polls on: pausing throws away what the client has fetched, so not for every commit.
    async fn poll_until(
        &mut self,
        answer: impl Future<Output = Result<(), KafkaError>>,
    ) -> Result<Result<(), KafkaError>, End> {
        let (slow, patience) = (tokio::time::sleep(SLOW_COMMIT), patience(self.shutdown));
        tokio::pin!(answer, slow, patience);
        let mut paused = false;
        let answer = loop {
            let room = self.stash.len() < self.config.batch.max_messages;
            tokio::select! {
                biased;
                answer = &mut answer => break answer,
                () = &mut patience => break Err(KafkaError::Canceled),
                () = &mut slow, if !paused => {
                    paused = true;
                    self.pause();
                }
                received = receive(&self.consumer), if room || paused => {
                    self.take(received)?;
                    if paused {
                        self.pause();
                    }
                }
            }
        };
        if paused {
            self.resume()?;
        }
        Ok(answer)
    }

    fn pause(&self) {
        let paused = self.consumer.assignment().and_then(|assigned| self.consumer.pause(&assigned));
        if let Err(error) = paused {
            tracing::warn!(%error, "the partitions cannot be paused; their messages are kept in memory");
        }
    }

    fn resume(&self) -> Result<(), End> {
        let resumed = self.consumer.assignment().and_then(|assigned| self.consumer.resume(&assigned));
        resumed.map_err(|error| End::Broken(error.to_string()))
    }
}

async fn receive(consumer: &StreamConsumer<Context>) -> Result<OwnedMessage, KafkaError> {
    consumer.recv().await.map(|message| message.detach())
}

fn is_fatal(consumer: &StreamConsumer<Context>, error: &KafkaError) -> bool {
    matches!(error, KafkaError::MessageConsumptionFatal(_)) || consumer.client().fatal_error().is_some()
}
