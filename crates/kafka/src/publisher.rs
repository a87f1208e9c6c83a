//! The loop from outbox to topics.
//!
//! Rows leave in order, and a row counts as published only when every in-sync replica has it. When one fails,
//! the later rows of the same topic and key do not count even if they arrived: they are sent again after it, so
//! that the last message of a key is always its last row. A reader may therefore see a message twice, and knows
//! it by its CloudEvents `id`.

use std::collections::HashSet;

use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::FutureRecord;
use rdkafka::types::RDKafkaErrorCode;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use crate::cloud_event::{AUDIT_PREFIX, CONTENT_TYPE, Encoding, JSON, SPEC_VERSION, STRUCTURED, Structured};
use crate::config::{ConfigError, KafkaConfig};
use crate::delivery::Delivery;
use crate::metric;
use crate::outbox::{Outbox, OutboxRow, OutboxTopic};
use crate::retry::{Backoff, patience};
use crate::trace_context::TRACEPARENT;

/// Drains the outbox.
pub struct Publisher {
    delivery: Delivery,
    config: KafkaConfig,
    audit_encoding: Encoding,
}

/// What one look at the outbox came to.
enum Round {
    /// There was nothing.
    Idle,
    /// All of it was published and marked.
    Worked,
    /// Something is left for another try.
    Failed,
}

impl Publisher {
    /// Checks the configuration; connects when there is something to send. Audit records go out in binary mode,
    /// so that their value is the very bytes that the audit log hashes.
    pub fn new(config: &KafkaConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            delivery: Delivery::new(config)?,
            config: config.clone(),
            audit_encoding: Encoding::default(),
        })
    }

    /// Sends audit records in the given encoding.
    #[must_use]
    pub fn with_audit_encoding(mut self, encoding: Encoding) -> Self {
        self.audit_encoding = encoding;
        self
    }

    /// Runs until `shutdown`. With the broker away, rows stay in the outbox and are tried again.
    pub async fn run<O: Outbox>(self, outbox: O, shutdown: CancellationToken) {
        let mut backoff = Backoff::default();
        // What the broker has and the outbox does not know yet.
        let mut unmarked = Vec::new();
        while !shutdown.is_cancelled() {
            let round = tokio::select! {
                biased;
                round = self.round(&outbox, &mut unmarked) => round,
                () = patience(&shutdown) => return,
            };
            if !matches!(round, Round::Failed) {
                backoff.reset();
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                () = async {}, if matches!(round, Round::Worked) => {}
                () = outbox.changed(), if matches!(round, Round::Idle) => {}
                () = tokio::time::sleep(self.config.batch.publish_poll()), if matches!(round, Round::Idle) => {}
                () = tokio::time::sleep(backoff.next()), if matches!(round, Round::Failed) => {}
            }
        }
    }

    async fn round<O: Outbox>(&self, outbox: &O, unmarked: &mut Vec<i64>) -> Round {
        if !mark(outbox, unmarked).await {
            return Round::Failed;
        }
        let rows = match outbox.next_batch(self.config.batch.publish_rows).await {
            Ok(rows) if rows.is_empty() => return Round::Idle,
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read now");
                return Round::Failed;
            }
        };
        let failure = self.send(&rows, unmarked).await;
        if let Some(error) = &failure {
            tracing::warn!(%error, published = unmarked.len(), of = rows.len(), "rows stay in the outbox");
        }
        if mark(outbox, unmarked).await && failure.is_none() { Round::Worked } else { Round::Failed }
    }

    /// Sends the rows in order, notes those that count as published, and returns the first failure.
    async fn send(&self, rows: &[OutboxRow], published: &mut Vec<i64>) -> Option<KafkaError> {
        let client = self.delivery.client();
        let mut failure = None;
        let mut sent = Vec::with_capacity(rows.len());
        for row in rows {
            let (headers, value) = self.lay_out(row);
            let mut record = FutureRecord::<str, [u8]>::to(self.topic(row)).key(&row.key).headers(headers);
            record.payload = value.as_deref();
            match client.send_result(record) {
                Ok(delivery) => sent.push((row, Ok(delivery))),
                // The rest is for the next round.
                Err((error @ KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    failure = Some(error);
                    break;
                }
                Err((error, _)) => sent.push((row, Err(error))),
            }
        }
        let mut behind_a_failure = HashSet::new();
        for (row, delivery) in sent {
            let outcome = match delivery {
                Ok(delivery) => match delivery.await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err((error, _))) => Err(error),
                    Err(_) => Err(KafkaError::Canceled),
                },
                Err(error) => Err(error),
            };
            let lane = (row.topic, row.key.as_str());
            match outcome {
                Ok(()) if !behind_a_failure.contains(&lane) => {
                    metrics::counter!(metric::PUBLISHED, "topic" => self.topic(row).to_owned()).increment(1);
                    published.push(row.id);
                }
                Ok(()) => {}
                Err(error) => {
                    metrics::counter!(metric::PUBLISH_ERRORS, "topic" => self.topic(row).to_owned())
                        .increment(1);
                    behind_a_failure.insert(lane);
                    failure = failure.or(Some(error));
                }
            }
        }
        failure
    }

    fn topic(&self, row: &OutboxRow) -> &str {
        match row.topic {
            OutboxTopic::Audit => &self.config.topics.audit,
            OutboxTopic::Awaiting => &self.config.topics.awaiting,
        }
    }

    /// Headers and value of a row.
    fn lay_out(&self, row: &OutboxRow) -> (OwnedHeaders, Option<Vec<u8>>) {
        let mut headers: Vec<(&str, String)> = Vec::with_capacity(8);
        let mut value = row.value.clone();
        match row.topic {
            OutboxTopic::Awaiting if value.is_some() => headers.push((CONTENT_TYPE, JSON.into())),
            OutboxTopic::Awaiting => {}
            OutboxTopic::Audit => {
                let structured = match self.audit_encoding {
                    Encoding::Structured => self.structured(row),
                    Encoding::Binary => None,
                };
                if structured.is_some() {
                    headers.push((CONTENT_TYPE, STRUCTURED.into()));
                    value = structured;
                } else {
                    headers.push((CONTENT_TYPE, JSON.into()));
                    headers.push(("ce_specversion", SPEC_VERSION.into()));
                    headers.push(("ce_id", row.id.to_string()));
                    headers.push(("ce_source", self.config.source.clone()));
                    headers.push(("ce_type", format!("{AUDIT_PREFIX}{}", row.kind)));
                    headers.push(("ce_subject", row.key.clone()));
                    if let Some(at) = row.at {
                        headers.push(("ce_time", at.to_string()));
                    }
                }
            }
        }
        let overridden = |name: &str| row.headers.iter().any(|(own, _)| own == name);
        let ours =
            headers.iter().map(|(name, value)| (*name, value.as_str())).filter(|(name, _)| !overridden(name));
        let theirs = row.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers = ours.chain(theirs).fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        (headers, value)
    }

    /// The row as one JSON object, unless its value is not JSON.
    fn structured(&self, row: &OutboxRow) -> Option<Vec<u8>> {
        let data: &RawValue = serde_json::from_slice(row.value.as_deref()?).ok()?;
        let (id, kind) = (row.id.to_string(), format!("{AUDIT_PREFIX}{}", row.kind));
        let time = row.at.map(|at| at.to_string());
        let envelope = Structured {
            specversion: SPEC_VERSION,
            id: &id,
            source: &self.config.source,
            kind: &kind,
            subject: Some(&row.key),
            time: time.as_deref(),
            datacontenttype: JSON,
            traceparent: row
                .headers
                .iter()
                .find(|(name, _)| name == TRACEPARENT)
                .map(|(_, value)| value.as_str()),
            data,
        };
        serde_json::to_vec(&envelope).ok()
    }
}

/// Tells the outbox what the broker has. False if it could not be told.
async fn mark<O: Outbox>(outbox: &O, unmarked: &mut Vec<i64>) -> bool {
    if unmarked.is_empty() {
        return true;
    }
    match outbox.published(unmarked).await {
        Ok(()) => {
            unmarked.clear();
            true
        }
        Err(error) => {
            tracing::warn!(%error, "published rows cannot be marked now");
            false
        }
    }
}

#[cfg(test)]
mod tests;
