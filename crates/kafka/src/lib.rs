//! Apache Kafka as a transport: events in, audit records and queue entries out.
//!
//! Kafka carries; the journal remembers. A consumer offset is a cache of how far the journal got, so every
//! message may be read twice and none may be skipped. That gives this crate two loops and one rule each:
//!
//! - [`Consumer`]: take a batch, hand it to [`Ingest`] in one call, put what can never be ingested on the
//!   dead-letter topic, *then* commit the offsets.
//! - [`Publisher`]: take a batch of [`OutboxRow`]s, send them, wait for the broker's acknowledgement, *then*
//!   mark them published.
//!
//! What is not here: SQL, the decision of what an event means, and who is allowed to publish when several
//! processes share a journal. Those are behind [`Ingest`] and [`Outbox`], which the engine implements.
//!
//! Wire formats: CloudEvents 1.0 in its Kafka binding, binary and structured ([`cloud_event`]), with the event
//! document optionally encrypted as a compact JWE ([`PayloadEncryption`]).

pub mod cloud_event;
mod config;
mod consumer;
mod dead_letter;
mod delivery;
mod ingest;
mod jwe;
mod metric;
mod outbox;
mod producer;
mod publisher;
mod reader;
mod retry;
mod topics;
mod trace_context;

pub use cloud_event::{Encoding, EventError};
pub use config::{Batch, ConfigError, DecryptionKey, KafkaConfig, PayloadEncryption, Topics};
pub use consumer::Consumer;
pub use dead_letter::{CODE, MESSAGE, ORIGIN_OFFSET, ORIGIN_PARTITION, ORIGIN_TOPIC, VALUE_OMITTED};
pub use ingest::{Incoming, Ingest, IngestRefusal, Origin};
pub use jwe::{DecryptionError, Encrypter};
pub use outbox::{Outbox, OutboxError, OutboxRow, OutboxTopic};
pub use producer::{ActionRequested, EventProducer, SendError};
pub use publisher::Publisher;
pub use reader::{ReadError, TopicMessage, TopicReader};
pub use topics::{Shape, TopicCheck, TopicsError, check, ensure};
