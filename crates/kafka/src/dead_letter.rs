//! The dead-letter topic: what can never be ingested, whole, and why.
//!
//! A dead letter has the original key, bytes, headers and timestamp, so that it can be sent again as it was,
//! followed by the headers below. It is on every in-sync replica before the original's offset is committed. It
//! may be there twice, after a crash in between: origin topic, partition and offset tell.

use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::FutureRecord;
use std::time::Duration;

use crate::config::{ConfigError, KafkaConfig};
use crate::delivery::{Delivery, is_too_large};
use crate::metric;

/// Header: topic that the message was read from.
pub const ORIGIN_TOPIC: &str = "civitas-origin-topic";
/// Header: partition that it was read from, decimal.
pub const ORIGIN_PARTITION: &str = "civitas-origin-partition";
/// Header: offset that it was read at, decimal.
pub const ORIGIN_OFFSET: &str = "civitas-origin-offset";
/// Header: short stable name of the cause.
pub const CODE: &str = "civitas-error-code";
/// Header: the cause in one sentence, without personal data.
pub const MESSAGE: &str = "civitas-error";
/// Header, only if the dead-letter topic refused the message for its size: the value was left out and is found
/// at the origin for as long as that topic keeps it.
pub const VALUE_OMITTED: &str = "civitas-value-omitted";

/// Why a message is dead.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    pub(crate) code: String,
    pub(crate) message: String,
}

pub(crate) struct DeadLetters {
    delivery: Delivery,
    topic: String,
}

impl DeadLetters {
    pub(crate) fn new(config: &KafkaConfig) -> Result<Self, ConfigError> {
        Ok(Self { delivery: Delivery::new(config)?, topic: config.topics.dead_letter.clone() })
    }

    /// Returns when every in-sync replica has it.
    pub(crate) async fn send(&self, original: &OwnedMessage, cause: &Cause) -> Result<(), KafkaError> {
        let headers = headers(original, cause);
        let mut sent = self.produce(original, original.payload(), headers.clone()).await;
        if sent.as_ref().is_err_and(is_too_large) {
            tracing::error!(
                topic = original.topic(),
                partition = original.partition(),
                offset = original.offset(),
                "a dead letter is too large for its topic: sent without its value; raise max.message.bytes of {}",
                self.topic
            );
            let headers = headers.insert(Header { key: VALUE_OMITTED, value: Some("too-large") });
            sent = self.produce(original, None, headers).await;
        }
        sent?;
        metrics::counter!(metric::DEAD_LETTERS, "code" => cause.code.clone()).increment(1);
        tracing::warn!(
            topic = original.topic(),
            partition = original.partition(),
            offset = original.offset(),
            code = cause.code,
            "a message cannot be ingested and went to the dead-letter topic: {}",
            cause.message
        );
        Ok(())
    }

    async fn produce(
        &self,
        original: &OwnedMessage,
        value: Option<&[u8]>,
        headers: OwnedHeaders,
    ) -> Result<(), KafkaError> {
        let mut record = FutureRecord::<[u8], [u8]>::to(&self.topic).headers(headers);
        record.key = original.key();
        record.payload = value;
        record.timestamp = original.timestamp().to_millis();
        let queue_timeout = Duration::from_secs(5);
        self.delivery.client().send(record, queue_timeout).await.map(|_| ()).map_err(|(error, _)| error)
    }
}

/// The original's headers, then ours.
fn headers(original: &OwnedMessage, cause: &Cause) -> OwnedHeaders {
    original
        .headers()
        .cloned()
        .unwrap_or_default()
        .insert(Header { key: ORIGIN_TOPIC, value: Some(original.topic()) })
        .insert(Header { key: ORIGIN_PARTITION, value: Some(&original.partition().to_string()) })
        .insert(Header { key: ORIGIN_OFFSET, value: Some(&original.offset().to_string()) })
        .insert(Header { key: CODE, value: Some(&cause.code) })
        .insert(Header { key: MESSAGE, value: Some(&cause.message) })
}
