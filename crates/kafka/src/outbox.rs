//! The door to what is to be published.

use std::error::Error;
use std::fmt;
use std::future::{Future, pending};
use std::sync::Arc;

use jiff::Timestamp;

/// The two topics that the outbox feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutboxTopic {
    /// Audit records: CloudEvents `org.civitas.audit.<kind>`.
    Audit,
    /// Queue entries, compacted by record; no value removes the entry.
    Awaiting,
}

/// One message to publish.
#[derive(Clone)]
pub struct OutboxRow {
    /// Position in the outbox: grows, and identifies the row for ever. For an audit record it is also the
    /// CloudEvents `id`, so that a reader recognises a repetition.
    pub id: i64,
    /// Where to.
    pub topic: OutboxTopic,
    /// Message key: the record's `event_id`. Order is kept per topic and key.
    pub key: String,
    /// For audit records the last part of the CloudEvents `type`, such as `decided`; else unused.
    pub kind: String,
    /// JSON; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Further headers, such as `traceparent`. They win over the ones that the publisher adds.
    pub headers: Vec<(String, String)>,
    /// When it happened: the CloudEvents `time`.
    pub at: Option<Timestamp>,
}

impl fmt::Debug for OutboxRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxRow")
            .field("id", &self.id)
            .field("topic", &self.topic)
            .field("key", &self.key)
            .field("kind", &self.kind)
            .field("value", &self.value.as_ref().map(|value| format!("[{} bytes]", value.len())))
            .finish_non_exhaustive()
    }
}

/// Why the outbox could not be read or marked; shown in logs, without personal data.
pub type OutboxError = Box<dyn Error + Send + Sync>;

/// Rows waiting to be published, oldest first.
///
/// Only one process may drain an outbox at a time, or order is lost: an implementation that is shared by several
/// processes gives rows to the holder of a lease and an empty batch to the others.
pub trait Outbox: Send + Sync + 'static {
    /// The oldest unpublished rows, at most `limit`, in order of `id`. The same rows again until they are marked.
    fn next_batch(&self, limit: usize) -> impl Future<Output = Result<Vec<OutboxRow>, OutboxError>> + Send;

    /// Marks rows as acknowledged by the broker.
    fn published(&self, ids: &[i64]) -> impl Future<Output = Result<(), OutboxError>> + Send;

    /// Completes when new rows may be there. Never, by default: the publisher then looks at intervals.
    fn changed(&self) -> impl Future<Output = ()> + Send {
        pending()
    }
}

impl<T: Outbox> Outbox for Arc<T> {
    fn next_batch(&self, limit: usize) -> impl Future<Output = Result<Vec<OutboxRow>, OutboxError>> + Send {
        T::next_batch(self, limit)
    }

    fn published(&self, ids: &[i64]) -> impl Future<Output = Result<(), OutboxError>> + Send {
        T::published(self, ids)
    }

    fn changed(&self) -> impl Future<Output = ()> + Send {
        T::changed(self)
    }
}
