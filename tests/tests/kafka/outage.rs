//! The broker dies and comes back.

use std::sync::{Arc, Mutex};

use civitas_kafka::{CODE, OutboxTopic, Publisher};
use civitas_tests::kafka::Kafka;
use rdkafka::message::{Headers, Message};
use tokio::sync::Notify;

use crate::publishing::{Rows, assert_published, rows};
use crate::support::{Memory, Running, assert_in_order, committed, event, patiently, poison, prepared, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_and_comes_back_costs_nothing() {
    let kafka = Kafka::start().await;
    let mut config = prepared(&kafka, "outage", 3).await.with_property("message.timeout.ms", "3000");
    config.batch.max_messages = 50;
    kafka.create_topic(&config.topics.audit, 3, false).await;
    kafka.create_topic(&config.topics.awaiting, 3, true).await;
    send(&config, 0..1_000, 100).await;

    // The broker dies while a batch is being ingested, and that batch has a dead letter.
    let (reached, refused) = (Arc::new(Notify::new()), event(33, 333).action_id);
    let reaching = Arc::clone(&reached);
    let (gate, wait) = std::sync::mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let memory = Memory::answering(move |_, incoming| {
        if incoming.action_id == refused {
            reaching.notify_one();
            // Open again as soon as the other end is dropped.
            let _ = tokio::task::block_in_place(|| wait.lock().unwrap().recv());
            poison("no-pending-action")
        } else {
            Ok(())
        }
    });
    let consumer = Running::consumer(&config, &memory);
    patiently("the refused event", reached.notified()).await;
    kafka.kill().await;
    gate.send(()).unwrap();
    drop(gate);

    // So does everything else that wants the broker meanwhile.
    let (outbox, rows) = (Rows::new(), rows(0..400));
    outbox.add(rows.clone());
    let publisher = Publisher::new(&config).unwrap();
    let publisher = Running::new(|stop| publisher.run(Arc::clone(&outbox), stop));
    assert_eq!(outbox.left(), 400);

    kafka.resume().await;
    send(&config, 1_000..1_200, 100).await;
    memory.has(1_199).await;
    outbox.empty().await;
    // Once more, in good order this time.
    kafka.restart().await;
    send(&config, 1_200..1_400, 100).await;
    memory.has(1_399).await;
    consumer.stop().await;
    publisher.stop().await;

    assert_in_order(&memory.accepted(), 1_400);
    assert_eq!(committed(&kafka, &config, 3).await, 1_400);
    for letter in kafka.read(&config.topics.dead_letter, 1).await {
        assert_eq!(letter.payload(), Some(event(33, 333).document.as_slice()));
        let code = letter.headers().unwrap().iter().find(|header| header.key == CODE).unwrap();
        assert_eq!(code.value, Some(&b"no-pending-action"[..]));
    }
    let (audit, awaiting): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.topic == OutboxTopic::Audit);
    assert_published(&kafka.read(&config.topics.audit, 200).await, &audit, true);
    assert_published(&kafka.read(&config.topics.awaiting, 200).await, &awaiting, true);
}

#[tokio::test]
async fn with_the_broker_away_everything_still_stops_when_told() {
    let kafka = Kafka::start().await;
    let config = prepared(&kafka, "away", 1).await;
    send(&config, 0..10, 10).await;
    let memory = Memory::new();
    let consumer = Running::consumer(&config, &memory);
    let outbox = Rows::new();
    let publisher = Publisher::new(&config).unwrap();
    let publisher = Running::new(|stop| publisher.run(Arc::clone(&outbox), stop));
    memory.has(10).await;
    kafka.kill().await;
    outbox.add(rows(0..10));
    tokio::join!(consumer.stop(), publisher.stop());
    assert_eq!(outbox.left(), 10);
}
