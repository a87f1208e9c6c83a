//! Names of the metrics, in one place.

/// Messages between the group's position and the end of a partition. Labels: `topic`, `partition`.
pub(crate) const LAG: &str = "civitas_kafka_consumer_lag";
/// Batches that were ingested and committed.
pub(crate) const BATCHES: &str = "civitas_kafka_batches_total";
/// Messages that were consumed. Label `outcome`: `ingested` or `dead_letter`.
pub(crate) const MESSAGES: &str = "civitas_kafka_messages_total";
/// Dead letters. Label `code`.
pub(crate) const DEAD_LETTERS: &str = "civitas_kafka_dead_letters_total";
/// Times that a batch had to wait. Label `cause`: `ingest` or `dead_letter`.
pub(crate) const RETRIES: &str = "civitas_kafka_batch_retries_total";
/// Commits that the broker refused; harmless, the messages are read again.
pub(crate) const COMMIT_ERRORS: &str = "civitas_kafka_commit_errors_total";
/// Rows that the broker acknowledged. Label `topic`.
pub(crate) const PUBLISHED: &str = "civitas_kafka_published_total";
/// Rows that could not be published and stay in the outbox. Label `topic`.
pub(crate) const PUBLISH_ERRORS: &str = "civitas_kafka_publish_errors_total";
