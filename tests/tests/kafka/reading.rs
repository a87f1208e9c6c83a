//! From topic to journal, with everything in good order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use civitas_kafka::{DecryptionKey, Encoding, Encrypter, EventProducer, PayloadEncryption};
use civitas_tests::kafka::Kafka;
use openssl::rsa::Rsa;

use crate::support::{Memory, Running, assert_in_order, busy, committed, event, prepared, send};

#[tokio::test]
async fn batches_are_ingested_and_then_committed() {
    let kafka = Kafka::shared().await;
    let mut config = prepared(kafka, "batches", 3).await;
    let key = Rsa::generate(2048).unwrap();
    let pem = |bytes| String::from_utf8(bytes).unwrap();
    config.payload_encryption = Some(PayloadEncryption {
        keys: vec![DecryptionKey {
            kid: "k1".into(),
            private_key: pem(key.private_key_to_pem().unwrap()).into(),
        }],
        required: false,
    });
    let encrypter = Encrypter::new("k1", &pem(key.public_key_to_pem().unwrap())).unwrap();
    let plain = EventProducer::new(&config, "/opencrvs", None).unwrap();
    let sealed = EventProducer::new(&config, "/opencrvs", Some(encrypter)).unwrap();
    let kinds = [
        (&plain, Encoding::Binary),
        (&plain, Encoding::Structured),
        (&sealed, Encoding::Binary),
        (&sealed, Encoding::Structured),
    ];
    let mut deliveries = Vec::new();
    for number in 0..400 {
        let (producer, encoding) = kinds[number % 4];
        deliveries.push(producer.enqueue(&event(number, number), encoding).unwrap());
    }
    futures::future::try_join_all(deliveries).await.unwrap();

    let memory = Memory::new();
    let consumer = Running::consumer(&config, &memory);
    memory.has(400).await;
    consumer.stop().await;

    let accepted = memory.accepted();
    assert_eq!(accepted.len(), 400);
    for incoming in &accepted {
        let number = (0..400).find(|number| event(*number, *number).action_id == incoming.action_id).unwrap();
        let sent = event(number, number);
        assert_eq!(&*incoming.document, sent.document);
        assert_eq!((incoming.event_id, incoming.time), (sent.event_id, sent.time));
        assert_eq!(incoming.traceparent, sent.traceparent);
    }
    assert!(memory.batches().len() < 100, "{:?}", memory.batches());
    assert_eq!(committed(kafka, &config, 3).await, 400);
}

#[tokio::test]
async fn while_the_journal_is_busy_nothing_is_committed() {
    let kafka = Kafka::shared().await;
    let config = prepared(kafka, "busy", 1).await;
    send(&config, 0..20, 5).await;
    let free = Arc::new(AtomicBool::new(false));
    let is_free = Arc::clone(&free);
    // The seventh message waits for the journal; the ones before it are taken at once.
    let memory = Memory::answering(move |_, incoming| {
        let taken = incoming.origin.offset < 6 || is_free.load(Ordering::SeqCst);
        if taken { Ok(()) } else { busy() }
    });

    let consumer = Running::consumer(&config, &memory);
    memory.called(4).await;
    assert_eq!(kafka.committed("busy", &config.topics.events, 0).await, None);
    // Being asked to stop does not make it commit either.
    consumer.stop().await;
    assert_eq!(kafka.committed("busy", &config.topics.events, 0).await, None);

    let consumer = Running::consumer(&config, &memory);
    memory.called(7).await;
    assert_eq!(kafka.committed("busy", &config.topics.events, 0).await, None);
    // What arrives meanwhile waits its turn.
    send(&config, 20..30, 5).await;
    free.store(true, Ordering::SeqCst);
    memory.has(30).await;
    consumer.stop().await;
    assert_eq!(kafka.committed("busy", &config.topics.events, 0).await, Some(30));
    assert_in_order(&memory.accepted(), 30);
}

#[tokio::test]
async fn rebalances_lose_nothing_and_keep_the_order_of_each_record() {
    const ACTIONS: usize = 6_000;
    let kafka = Kafka::shared().await;
    let mut config = prepared(kafka, "rebalance", 6).await;
    config.batch.max_messages = 40;
    send(&config, 0..ACTIONS / 2, 500).await;

    // The journal they share; it is what makes repetitions harmless.
    let memory = Memory::new();
    let first = Running::consumer(&config, &memory);
    memory.has(200).await;
    let second = Running::consumer(&config, &memory);
    memory.has(1_000).await;
    let third = Running::consumer(&config, &memory);
    let more = send(&config, ACTIONS / 2..ACTIONS, 500);
    let leave = async {
        memory.has(2_000).await;
        first.stop().await;
        memory.has(3_500).await;
        third.stop().await;
    };
    tokio::join!(more, leave);
    memory.has(ACTIONS).await;
    second.stop().await;

    assert_eq!(memory.actions().len(), ACTIONS);
    assert_in_order(&memory.accepted(), ACTIONS);
    assert_eq!(committed(kafka, &config, 6).await, i64::try_from(ACTIONS).unwrap());
}
