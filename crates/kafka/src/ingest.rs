//! The door to the engine: what a batch looks like, and what may come back.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

/// Where a message was read: unique within a Kafka cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Topic.
    pub topic: Arc<str>,
    /// Partition.
    pub partition: i32,
    /// Offset within the partition.
    pub offset: i64,
}

/// One civil event as Kafka delivered it: envelope checked, document decrypted, content not yet looked into.
#[derive(Clone)]
pub struct Incoming {
    /// The record: `id` of the document, which the message key repeats.
    pub event_id: Uuid,
    /// The pending action: the CloudEvent's `id`.
    pub action_id: Uuid,
    /// The event document: UTF-8 JSON, an object. Holds personal data.
    pub document: Arc<[u8]>,
    /// When the action was requested, if the CloudEvent says so.
    pub time: Option<Timestamp>,
    /// W3C trace context, well formed.
    pub traceparent: Option<String>,
    /// Where it was read.
    pub origin: Origin,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("event_id", &self.event_id)
            .field("action_id", &self.action_id)
            .field("document", &format_args!("[{} bytes]", self.document.len()))
            .field("time", &self.time)
            .field("traceparent", &self.traceparent)
            .field("origin", &self.origin)
            .finish()
    }
}

/// Why a message was not ingested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestRefusal {
    /// True: this message can never be ingested, and goes to the dead-letter topic. False: try again.
    pub poison: bool,
    /// Short stable name of the cause, such as `no-pending-action`.
    pub code: String,
    /// One sentence without personal data: it is published in a header of the dead letter.
    pub message: String,
}

/// What takes batches in. The engine, or a test.
///
/// An implementation makes an accepted message durable before it answers, recognises one that it already has by
/// `(event_id, action_id)` and accepts it again without effect, and takes a batch in one transaction. When it
/// refuses a message with "try again", it accepts no later message of the same record in that call, so that a
/// second try keeps the record's order.
pub trait Ingest: Send + Sync + 'static {
    /// Takes a batch, in order. The answer has one entry per message, in the same order.
    fn ingest(&self, batch: Vec<Incoming>) -> impl Future<Output = Vec<Result<(), IngestRefusal>>> + Send;
}

impl<T: Ingest> Ingest for Arc<T> {
    fn ingest(&self, batch: Vec<Incoming>) -> impl Future<Output = Vec<Result<(), IngestRefusal>>> + Send {
        T::ingest(self, batch)
    }
}
