//! What can never be ingested is kept whole, and holds nothing up.

use std::time::Duration;

use civitas_kafka::{
    CODE, KafkaConfig, MESSAGE, ORIGIN_OFFSET, ORIGIN_PARTITION, ORIGIN_TOPIC, VALUE_OMITTED,
};
use civitas_tests::kafka::Kafka;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::support::{Memory, Running, committed, event, id, poison, prepared, send};

/// As it is on the wire.
#[derive(Default, Clone)]
struct Raw {
    key: Option<Vec<u8>>,
    headers: Vec<(&'static str, Option<Vec<u8>>)>,
    value: Option<Vec<u8>>,
}

impl Raw {
    async fn send(&self, config: &KafkaConfig) {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &config.bootstrap).set("message.max.bytes", "4000000");
        let producer: FutureProducer = client.create().unwrap();
        let mut record = FutureRecord::<[u8], [u8]>::to(&config.topics.events).timestamp(1_767_323_045_000);
        record.key = self.key.as_deref();
        record.payload = self.value.as_deref();
        let headers = self.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: value.as_ref() })
        });
        producer
            .send(record.headers(headers), Duration::from_secs(30))
            .await
            .map_err(|(error, _)| error)
            .unwrap();
    }

    /// A good binary event, to be spoiled.
    fn good(number: usize) -> Self {
        let event = event(number, number);
        let text = |text: &str| Some(text.as_bytes().to_vec());
        Self {
            key: text(&event.event_id.to_string()),
            headers: vec![
                ("ce_specversion", text("1.0")),
                ("ce_id", text(&event.action_id.to_string())),
                ("ce_source", text("/opencrvs")),
                ("ce_type", text("org.opencrvs.action.requested")),
                ("content-type", text("application/json")),
            ],
            value: Some(event.document),
        }
    }
}

fn header<'a>(message: &'a OwnedMessage, name: &str) -> Option<&'a str> {
    let mut headers = message.headers().unwrap().iter().filter(|header| header.key == name);
    let value = headers.next()?.value.map(|value| std::str::from_utf8(value).unwrap());
    assert!(headers.next().is_none(), "{name} is there twice");
    value
}

#[tokio::test]
async fn poison_between_good_messages_is_kept_whole_and_holds_nothing_up() {
    let kafka = Kafka::shared().await;
    let config = prepared(kafka, "poison", 1).await;
    let odd = vec![
        ("trace", Some(b"one".to_vec())),
        ("trace", Some(b"two".to_vec())),
        ("empty", Some(Vec::new())),
        ("null", None),
        ("bytes", Some(vec![0, 0xff])),
    ];
    let poisons = [
        (Raw { key: Some(vec![0xff, 0]), headers: odd, value: Some(vec![1, 0xff, 2]) }, "bad-cloud-event"),
        (Raw::default(), "bad-cloud-event"),
        (Raw { value: Some(b"{".to_vec()), ..Raw::good(1) }, "bad-document"),
        (Raw { key: Some(id("record", 99).to_string().into_bytes()), ..Raw::good(2) }, "key-mismatch"),
        (Raw { headers: Raw::good(0).headers[..3].to_vec(), ..Raw::good(3) }, "bad-cloud-event"),
        (Raw::good(4), "no-pending-action"),
    ];
    let jose = {
        let mut raw = Raw { value: Some(b"a.b.c.d.e".to_vec()), ..Raw::good(5) };
        raw.headers[4].1 = Some(b"application/jose".to_vec());
        raw
    };
    let poisons: Vec<_> = poisons.into_iter().chain([(jose, "cannot-decrypt")]).collect();
    for (number, (raw, _)) in poisons.iter().enumerate() {
        Raw::good(100 + number).send(&config).await;
        raw.send(&config).await;
    }
    Raw::good(200).send(&config).await;

    let refused = event(4, 4).action_id;
    let memory =
        Memory::answering(
            move |_, incoming| {
                if incoming.action_id == refused { poison("no-pending-action") } else { Ok(()) }
            },
        );
    let consumer = Running::consumer(&config, &memory);
    memory.has(8).await;
    let letters = kafka.read(&config.topics.dead_letter, poisons.len()).await;
    consumer.stop().await;

    assert_eq!(memory.accepted().len(), 8);
    assert_eq!(committed(kafka, &config, 1).await, 15);
    assert_eq!(letters.len(), poisons.len());
    for (number, (raw, code)) in poisons.iter().enumerate() {
        let offset = (2 * number + 1).to_string();
        let letter = letters.iter().find(|letter| header(letter, ORIGIN_OFFSET) == Some(&offset)).unwrap();
        assert_eq!(letter.key(), raw.key.as_deref());
        assert_eq!(letter.payload(), raw.value.as_deref());
        assert_eq!(letter.timestamp().to_millis(), Some(1_767_323_045_000));
        let headers: Vec<_> =
            letter.headers().unwrap().iter().map(|header| (header.key, header.value)).collect();
        let original: Vec<_> = raw.headers.iter().map(|(name, value)| (*name, value.as_deref())).collect();
        assert_eq!(headers[..original.len()], original, "{code}");
        assert_eq!(headers.len(), original.len() + 5);
        assert_eq!(header(letter, ORIGIN_TOPIC), Some(config.topics.events.as_str()));
        assert_eq!(header(letter, ORIGIN_PARTITION), Some("0"));
        assert_eq!(header(letter, CODE), Some(*code));
        assert!(!header(letter, MESSAGE).unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_message_too_large_for_the_dead_letter_topic_still_leaves_its_address() {
    let kafka = Kafka::shared().await;
    let config = prepared(kafka, "large", 1).await;
    // The topics take about a megabyte; with our headers this one is just above.
    let raw = Raw { value: Some(vec![b' '; 1_048_200]), ..Raw::good(0) };
    raw.send(&config).await;
    send(&config, 1..2, 10).await;

    let memory = Memory::new();
    let consumer = Running::consumer(&config, &memory);
    memory.has(1).await;
    let letters = kafka.read(&config.topics.dead_letter, 1).await;
    consumer.stop().await;
    assert_eq!(letters[0].payload(), None);
    assert_eq!(letters[0].key(), raw.key.as_deref());
    assert_eq!(header(&letters[0], VALUE_OMITTED), Some("too-large"));
    assert_eq!(header(&letters[0], ORIGIN_OFFSET), Some("0"));
    assert_eq!(committed(kafka, &config, 1).await, 2);
}
