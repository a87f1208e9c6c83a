//! Reading a topic once, from its beginning to where it ends now: for those who judge past events again.
//!
//! No group is joined and nothing is committed, so that the engine's consumers do not notice. Blocking: it belongs on
//! a thread of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{Message as _, OwnedMessage};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

use crate::cloud_event::{self, EventError, Opening};
use crate::config::{ConfigError, KafkaConfig};
use crate::ingest::Incoming;
use crate::jwe::Decrypter;

const TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_secs(1);
/// Polls in a row that bring nothing before the broker counts as gone.
const PATIENCE: u32 = 30;

/// Why a topic cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The broker cannot be reached, or refuses us.
    #[error("kafka does not answer at {bootstrap}: check that it runs, and the security properties")]
    Unreachable {
        /// The configured brokers.
        bootstrap: String,
        /// Why.
        #[source]
        source: KafkaError,
    },
    /// No such topic.
    #[error("kafka has no topic {0}, or this user may not read it")]
    NoTopic(String),
    /// The broker refused to go on.
    #[error("kafka refuses to go on with topic {topic}")]
    Refused {
        /// Its name.
        topic: String,
        /// Why.
        #[source]
        source: KafkaError,
    },
    /// It went away in the middle.
    #[error("kafka stopped answering while topic {0} was read; nothing was changed, start again")]
    Silent(String),
}

/// A message of the topic, its envelope still closed.
#[derive(Debug)]
pub struct TopicMessage {
    message: OwnedMessage,
    topic: Arc<str>,
    opening: Arc<Opening>,
}

impl TopicMessage {
    /// Reads the envelope and decrypts the document, as the consumer does. Half a millisecond for an encrypted one.
    ///
    /// # Errors
    /// What the consumer would have put on the dead-letter topic.
    pub fn read(&self) -> Result<Incoming, EventError> {
        cloud_event::read(&self.message, &self.topic, &self.opening)
    }

    /// Where it stands, `crvs.events[2]@1042`.
    pub fn place(&self) -> String {
        format!("{}[{}]@{}", self.topic, self.message.partition(), self.message.offset())
    }
}

/// Reads one topic from beginning to end.
pub struct TopicReader {
    consumer: BaseConsumer,
    topic: Arc<str>,
    opening: Arc<Opening>,
    /// Partitions that are not read to their end, with the offset where that is.
    ends: BTreeMap<i32, i64>,
    total: u64,
}

impl TopicReader {
    /// Asks where the topic begins and ends. Nothing is read yet.
    pub fn open(config: &KafkaConfig, topic: &str) -> Result<Self, ReadError> {
        let unreachable = |source| ReadError::Unreachable { bootstrap: config.bootstrap.clone(), source };
        let opening = match &config.payload_encryption {
            None => Opening::default(),
            Some(encryption) => {
                Opening { decrypter: Some(Decrypter::new(encryption)?), required: encryption.required }
            }
        };
        let mut client = config.client()?;
        client.set("enable.auto.commit", "false").set("enable.partition.eof", "true");
        // The group is never joined; some clients want one to be named before partitions can be assigned by hand.
        client.set("group.id", "civitas-reader");
        if !config.properties.contains_key("queued.max.messages.kbytes") {
            // Of each partition: what is fetched ahead of the judges.
            client.set("queued.max.messages.kbytes", "8192");
        }
        let consumer: BaseConsumer = client.create().map_err(ConfigError::Client)?;
        let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).map_err(unreachable)?;
        let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
        let Some(found) = found.filter(|found| !found.partitions().is_empty()) else {
            return Err(ReadError::NoTopic(topic.to_owned()));
        };
        let mut assigned = TopicPartitionList::new();
        let (mut ends, mut total) = (BTreeMap::new(), 0);
        for partition in found.partitions() {
            let (low, high) =
                consumer.fetch_watermarks(topic, partition.id(), TIMEOUT).map_err(unreachable)?;
            if high > low {
                total += high.abs_diff(low);
                ends.insert(partition.id(), high);
                assigned
                    .add_partition_offset(topic, partition.id(), Offset::Beginning)
                    .map_err(unreachable)?;
            }
        }
        consumer.assign(&assigned).map_err(unreachable)?;
        Ok(Self { consumer, topic: Arc::from(topic), opening: Arc::new(opening), ends, total })
    }

    /// How many messages there are, at most: a compacted topic has fewer.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The next message; none once every partition was read to the end that it had when this was opened.
    pub fn next_message(&mut self) -> Result<Option<TopicMessage>, ReadError> {
        let mut silent = 0;
        while !self.ends.is_empty() {
            match self.consumer.poll(POLL) {
                None => {
                    silent += 1;
                    if silent >= PATIENCE {
                        return Err(ReadError::Silent(self.topic.to_string()));
                    }
                }
                Some(Ok(message)) => {
                    silent = 0;
                    let (partition, offset) = (message.partition(), message.offset());
                    let Some(end) = self.ends.get(&partition).copied() else { continue };
                    if offset + 1 >= end {
                        self.ends.remove(&partition);
                    }
                    if offset < end {
                        return Ok(Some(TopicMessage {
                            message: message.detach(),
                            topic: Arc::clone(&self.topic),
                            opening: Arc::clone(&self.opening),
                        }));
                    }
                }
                // What is missing before the end was compacted away, or belongs to a transaction.
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.ends.remove(&partition);
                }
                Some(Err(error)) if is_final(&error) => {
                    return Err(ReadError::Refused { topic: self.topic.to_string(), source: error });
                }
                // The client goes on by itself.
                Some(Err(error)) => tracing::debug!(%error, "reading from kafka failed and goes on"),
            }
        }
        Ok(None)
    }
}

/// Whether waiting will not help.
fn is_final(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::Fatal
                | RDKafkaErrorCode::SaslAuthenticationFailed
        )
    )
}
