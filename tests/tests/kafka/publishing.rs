//! From outbox to topics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use civitas_kafka::{Outbox, OutboxError, OutboxRow, OutboxTopic, Publisher};
use civitas_tests::kafka::Kafka;
use rdkafka::message::{Headers, Message, OwnedMessage};
use tokio::sync::{Notify, watch};

use crate::support::{Running, id, patiently, prepared};

/// An outbox in memory.
pub(crate) struct Rows {
    waiting: Mutex<BTreeMap<i64, OutboxRow>>,
    left: watch::Sender<usize>,
    changed: Notify,
}

impl Rows {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { waiting: Mutex::default(), left: watch::Sender::new(0), changed: Notify::new() })
    }

    pub(crate) fn add(&self, rows: Vec<OutboxRow>) {
        let mut all = self.waiting.lock().unwrap();
        all.extend(rows.into_iter().map(|row| (row.id, row)));
        self.left.send_replace(all.len());
        self.changed.notify_one();
    }

    pub(crate) fn left(&self) -> usize {
        *self.left.borrow()
    }

    pub(crate) async fn empty(&self) {
        patiently("publishing", self.left.subscribe().wait_for(|left| *left == 0)).await.unwrap();
    }
}

impl Outbox for Rows {
    async fn next_batch(&self, limit: usize) -> Result<Vec<OutboxRow>, OutboxError> {
        Ok(self.waiting.lock().unwrap().values().take(limit).cloned().collect())
    }

    async fn published(&self, ids: &[i64]) -> Result<(), OutboxError> {
        let mut rows = self.waiting.lock().unwrap();
        for id in ids {
            rows.remove(id).ok_or("a row was marked that is not there")?;
        }
        self.left.send_replace(rows.len());
        Ok(())
    }

    async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// Rows `from..to` of twenty records: three queue entries and a tombstone each in turn, and audit records between.
pub(crate) fn rows(numbers: std::ops::Range<usize>) -> Vec<OutboxRow> {
    let row = |number: usize| {
        let (turn, record) = (number / 40, number / 2 % 20);
        let topic = if number.is_multiple_of(2) { OutboxTopic::Audit } else { OutboxTopic::Awaiting };
        let tombstone = topic == OutboxTopic::Awaiting && turn % 4 == 3;
        OutboxRow {
            id: i64::try_from(number).unwrap(),
            topic,
            key: id("record", record).to_string(),
            kind: "transition".into(),
            value: (!tombstone).then(|| format!("{{\"number\":{number}}}").into_bytes()),
            headers: vec![("traceparent".into(), format!("00-{:032x}-b7ad6b7169203331-01", number + 1))],
            at: Some("2026-01-02T03:04:05Z".parse().unwrap()),
        }
    };
    numbers.map(row).collect()
}

fn header(message: &OwnedMessage, name: &str) -> Option<String> {
    let header = message.headers()?.iter().find(|header| header.key == name)?;
    header.value.map(|value| String::from_utf8(value.to_vec()).unwrap())
}

/// Which row a message is, from the trace that each row carries.
fn number(message: &OwnedMessage) -> usize {
    usize::from_str_radix(&header(message, "traceparent").unwrap()[3..35], 16).unwrap() - 1
}

/// Panics unless the topic holds the rows, in order per record. Repetitions are allowed where the broker was
/// away, and then the last message of a record must still be its last row.
pub(crate) fn assert_published(messages: &[OwnedMessage], rows: &[OutboxRow], repetitions: bool) {
    let mut by_key: BTreeMap<String, Vec<&OwnedMessage>> = BTreeMap::new();
    for message in messages {
        by_key.entry(String::from_utf8(message.key().unwrap().to_vec()).unwrap()).or_default().push(message);
    }
    let mut expected: BTreeMap<&str, Vec<&OutboxRow>> = BTreeMap::new();
    for row in rows {
        expected.entry(&row.key).or_default().push(row);
    }
    assert_eq!(by_key.len(), expected.len());
    for (key, rows) in expected {
        let messages = &by_key[key];
        let numbers: Vec<usize> = messages.iter().map(|message| number(message)).collect();
        let wanted: Vec<usize> = rows.iter().map(|row| usize::try_from(row.id).unwrap()).collect();
        if repetitions {
            let mut seen = numbers.clone();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen, wanted);
            assert_eq!(numbers.last(), wanted.last());
        } else {
            assert_eq!(numbers, wanted);
        }
        for message in messages {
            let row = rows.iter().find(|row| usize::try_from(row.id).unwrap() == number(message)).unwrap();
            assert_eq!(message.payload(), row.value.as_deref());
        }
    }
}

#[tokio::test]
async fn rows_arrive_in_order_with_their_headers_and_tombstones() {
    let kafka = Kafka::shared().await;
    let mut config = prepared(kafka, "outbox", 1).await;
    config.batch.publish_rows = 64;
    kafka.create_topic(&config.topics.audit, 3, false).await;
    kafka.create_topic(&config.topics.awaiting, 3, true).await;

    let (outbox, rows) = (Rows::new(), rows(0..800));
    outbox.add(rows[..500].to_vec());
    let publisher = Publisher::new(&config).unwrap();
    let publisher = Running::new(|stop| publisher.run(Arc::clone(&outbox), stop));
    outbox.empty().await;
    outbox.add(rows[500..].to_vec());
    outbox.empty().await;
    publisher.stop().await;

    let (audit, awaiting): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.topic == OutboxTopic::Audit);
    let messages = kafka.read(&config.topics.audit, 400).await;
    assert_published(&messages, &audit, false);
    for message in &messages {
        assert_eq!(header(message, "ce_type").as_deref(), Some("org.civitas.audit.transition"));
        assert_eq!(header(message, "ce_id"), Some(number(message).to_string()));
        assert_eq!(header(message, "content-type").as_deref(), Some("application/json"));
    }
    let messages = kafka.read(&config.topics.awaiting, 400).await;
    assert_published(&messages, &awaiting, false);
    assert_eq!(messages.iter().filter(|message| message.payload().is_none()).count(), 100);
}
