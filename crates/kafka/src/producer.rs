//! A producer of OpenCRVS events: what a country's bridge from OpenCRVS to Kafka does, and what the demo and the
//! tests do in its place.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::FutureRecord;
use rdkafka::types::RDKafkaErrorCode;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::cloud_event::{
    ACTION_REQUESTED, CONTENT_TYPE, Encoding, JSON, SPEC_VERSION, STRUCTURED, Structured,
};
use crate::config::{ConfigError, KafkaConfig};
use crate::delivery::Delivery;
use crate::jwe::{self, Encrypter};
use crate::trace_context::TRACEPARENT;

/// An event `org.opencrvs.action.requested`, to be sent.
#[derive(Clone)]
pub struct ActionRequested {
    /// The record: message key, and `id` of the document.
    pub event_id: Uuid,
    /// The action: CloudEvents `id`.
    pub action_id: Uuid,
    /// When it was requested.
    pub time: Option<Timestamp>,
    /// The event document, JSON.
    pub document: Vec<u8>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

impl fmt::Debug for ActionRequested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionRequested")
            .field("event_id", &self.event_id)
            .field("action_id", &self.action_id)
            .finish_non_exhaustive()
    }
}

/// Why an event was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The document is not JSON, which only the structured encoding notices.
    #[error("the event document is not valid JSON")]
    Document(#[source] serde_json::Error),
    /// Encryption failed.
    #[error("the event document cannot be encrypted")]
    Encryption(#[source] josekit::JoseError),
    /// The local queue is full: wait for earlier deliveries, then try again.
    #[error("the local queue of kafka messages is full: await earlier deliveries first")]
    QueueFull,
    /// The broker did not acknowledge; the event may be there or not.
    #[error("kafka did not acknowledge the event")]
    Kafka(#[source] KafkaError),
}

/// Sends OpenCRVS events to the events topic.
pub struct EventProducer {
    delivery: Delivery,
    topic: String,
    source: String,
    encrypter: Option<Encrypter>,
}

impl EventProducer {
    /// `source` is the CloudEvents attribute, such as `/opencrvs`. With an encrypter every document is encrypted.
    pub fn new(
        config: &KafkaConfig,
        source: impl Into<String>,
        encrypter: Option<Encrypter>,
    ) -> Result<Self, ConfigError> {
        let delivery = Delivery::new(config)?;
        Ok(Self { delivery, topic: config.topics.events.clone(), source: source.into(), encrypter })
    }

    /// Sends one event and waits until every in-sync replica has it.
    pub async fn send(&self, event: &ActionRequested, encoding: Encoding) -> Result<(), SendError> {
        loop {
            match self.enqueue(event, encoding) {
                Ok(delivered) => return delivered.await,
                Err(SendError::QueueFull) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts one event into the local queue. Events are sent in the order of these calls; the future completes
    /// when every in-sync replica has this one.
    pub fn enqueue(
        &self,
        event: &ActionRequested,
        encoding: Encoding,
    ) -> Result<impl Future<Output = Result<(), SendError>> + Send + use<>, SendError> {
        let (headers, value) = self.lay_out(event, encoding)?;
        let key = event.event_id.hyphenated().to_string();
        let record = FutureRecord::<str, [u8]>::to(&self.topic).key(&key).payload(&value).headers(headers);
        let delivery = self.delivery.client().send_result(record).map_err(|(error, _)| match error {
            KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => SendError::QueueFull,
            error => SendError::Kafka(error),
        })?;
        Ok(async move {
            match delivery.await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err((error, _))) => Err(SendError::Kafka(error)),
                Err(_) => Err(SendError::Kafka(KafkaError::Canceled)),
            }
        })
    }

    fn lay_out(
        &self,
        event: &ActionRequested,
        encoding: Encoding,
    ) -> Result<(OwnedHeaders, Vec<u8>), SendError> {
        let sealed = match &self.encrypter {
            None => None,
            Some(encrypter) => Some(encrypter.seal(&event.document).map_err(SendError::Encryption)?),
        };
        let data_type = if sealed.is_some() { jwe::CONTENT_TYPE } else { JSON };
        let id = event.action_id.hyphenated().to_string();
        let time = event.time.map(|time| time.to_string());
        let mut headers = OwnedHeaders::new();
        if let Some(traceparent) = &event.traceparent {
            headers = headers.insert(Header { key: TRACEPARENT, value: Some(traceparent) });
        }
        match encoding {
            Encoding::Binary => {
                headers = headers
                    .insert(Header { key: CONTENT_TYPE, value: Some(data_type) })
                    .insert(Header { key: "ce_specversion", value: Some(SPEC_VERSION) })
                    .insert(Header { key: "ce_id", value: Some(&id) })
                    .insert(Header { key: "ce_source", value: Some(&self.source) })
                    .insert(Header { key: "ce_type", value: Some(ACTION_REQUESTED) });
                if let Some(time) = &time {
                    headers = headers.insert(Header { key: "ce_time", value: Some(time) });
                }
                let value = sealed.map_or_else(|| event.document.clone(), String::into_bytes);
                Ok((headers, value))
            }
            Encoding::Structured => {
                headers = headers.insert(Header { key: CONTENT_TYPE, value: Some(STRUCTURED) });
                let data = match sealed {
                    Some(compact) => serde_json::value::to_raw_value(&compact),
                    None => serde_json::from_slice(&event.document),
                };
                let data: Box<RawValue> = data.map_err(SendError::Document)?;
                let envelope = Structured {
                    specversion: SPEC_VERSION,
                    id: &id,
                    source: &self.source,
                    kind: ACTION_REQUESTED,
                    subject: None,
                    time: time.as_deref(),
                    datacontenttype: data_type,
                    traceparent: event.traceparent.as_deref(),
                    data: &data,
                };
                Ok((headers, serde_json::to_vec(&envelope).map_err(SendError::Document)?))
            }
        }
    }
}
