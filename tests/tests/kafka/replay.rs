//! A topic, judged again from its beginning to where it ends now.

use civitas::replay::judge::Judge;
use civitas::replay::pool;
use civitas::replay::progress::Progress;
use civitas::replay::tally::{SAMPLES, Tally};
use civitas::replay::topic;
use civitas_kafka::{ActionRequested, Encoding, EventProducer, ReadError, TopicReader};
use civitas_opencrvs::EventDocument;
use civitas_tests::kafka::Kafka;
use civitas_tests::stack::pack;
use futures::future::try_join_all;

use crate::support::{committed, event, prepared};

/// The event of a sample document.
fn sample(name: &str) -> ActionRequested {
    let file = civitas_tests::workspace().join(format!("crates/opencrvs/tests/documents/{name}.json"));
    let bytes = std::fs::read(file).unwrap();
    let document = EventDocument::parse(&bytes).unwrap();
    let action_id = document.find_pending().unwrap().action.id;
    ActionRequested { event_id: document.id, action_id, time: None, document: bytes, traceparent: None }
}

#[tokio::test]
async fn a_topic_is_judged_from_its_beginning_and_nobody_notices() {
    let kafka = Kafka::shared().await;
    let config = prepared(kafka, "judged", 3).await;
    let producer = EventProducer::new(&config, "/opencrvs", None).unwrap();
    let birth = sample("birth-register");
    let events = [
        (&birth, Encoding::Binary),
        (&sample("death-register"), Encoding::Structured),
        (&sample("birth-approve-correction"), Encoding::Binary),
        // Delivered twice, and something that is no document.
        (&birth, Encoding::Structured),
        (&event(0, 0), Encoding::Binary),
    ];
    let sent = events.map(|(event, encoding)| producer.enqueue(event, encoding).unwrap());
    try_join_all(sent).await.unwrap();

    let judged = config.clone();
    let tally = tokio::task::spawn_blocking(move || {
        let name = judged.topics.events.clone();
        let mut reader = TopicReader::open(&judged, &name).unwrap();
        assert_eq!(reader.total(), 5);
        let (pack, progress) = (pack("farajaland"), Progress::hidden());
        let judge = Judge::new(&pack, None, SAMPLES, &progress);
        let work = |number, item, tally: &mut Tally| judge.judge(number, item, tally);
        let feed = |to: &mut pool::Feed<'_, _>| topic::feed(&mut reader, &name, to);
        pool::run(2, &progress, feed, work, |whole, part| whole.merge(part, SAMPLES)).unwrap()
    })
    .await
    .unwrap();
    assert_eq!(
        (tally.read, tally.judged, tally.repeated, tally.unreadable),
        (5, 3, 1, 1),
        "{:?}",
        tally.faults
    );
    let decided: Vec<_> = tally.matrix().into_iter().map(|((_, new), count)| (new, count)).collect();
    let expected = [("create_uin, await", 1), ("none", 1), ("update_biographics", 1)];
    assert_eq!(decided, expected.map(|(new, count)| (new.to_owned(), count)));
    assert!(tally.faults[0].place.starts_with("judged.events["), "{:?}", tally.faults);
    assert_eq!(committed(kafka, &config, 3).await, 0, "the engine's group is where it was");

    let missing =
        tokio::task::spawn_blocking(move || TopicReader::open(&config, "no.such.topic").err()).await;
    assert!(matches!(missing.unwrap(), Some(ReadError::NoTopic(_))));
}
