//! A journal that remembers in memory, and events to feed it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use civitas_kafka::{
    ActionRequested, Consumer, Encoding, EventProducer, Incoming, Ingest, IngestRefusal, KafkaConfig,
};
use civitas_tests::kafka::Kafka;
use futures::future::try_join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Long enough for a group to notice a dead member on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) type Answer = Result<(), IngestRefusal>;

type Script = dyn Fn(usize, &Incoming) -> Answer + Send + Sync;

/// Takes batches in, remembers them, and answers as the test wishes.
pub(crate) struct Memory {
    batches: Mutex<Vec<Vec<Incoming>>>,
    /// Messages accepted so far; also woken by calls that accepted none.
    calls: watch::Sender<(usize, usize)>,
    answer: Box<Script>,
}

impl Memory {
    /// Accepts everything.
    pub(crate) fn new() -> Arc<Self> {
        Self::answering(|_, _| Ok(()))
    }

    /// Answers by the number of the call, from 0, and the message.
    pub(crate) fn answering(
        answer: impl Fn(usize, &Incoming) -> Answer + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            batches: Mutex::default(),
            calls: watch::Sender::new((0, 0)),
            answer: Box::new(answer),
        })
    }

    /// Every accepted message, in order of acceptance, repetitions included.
    pub(crate) fn accepted(&self) -> Vec<Incoming> {
        self.batches.lock().unwrap().concat()
    }

    pub(crate) fn batches(&self) -> Vec<usize> {
        self.batches.lock().unwrap().iter().map(Vec::len).collect()
    }

    pub(crate) fn actions(&self) -> BTreeSet<Uuid> {
        self.accepted().iter().map(|incoming| incoming.action_id).collect()
    }

    /// Waits until so many different actions were accepted.
    pub(crate) async fn has(&self, actions: usize) {
        let mut calls = self.calls.subscribe();
        patiently("ingesting", calls.wait_for(|_| self.actions().len() >= actions)).await.unwrap();
    }

    /// Waits until there were so many calls.
    pub(crate) async fn called(&self, times: usize) {
        let mut calls = self.calls.subscribe();
        patiently("calls", calls.wait_for(|(calls, _)| *calls >= times)).await.unwrap();
    }
}

impl Ingest for Memory {
    async fn ingest(&self, batch: Vec<Incoming>) -> Vec<Answer> {
        let call = self.calls.borrow().0;
        let answers: Vec<_> = batch.iter().map(|incoming| (self.answer)(call, incoming)).collect();
        let accepted: Vec<_> = batch.into_iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).collect();
        let count = accepted.len();
        if count > 0 {
            self.batches.lock().unwrap().push(accepted.into_iter().map(|(incoming, _)| incoming).collect());
        }
        self.calls.send_modify(|(calls, sum)| {
            *calls += 1;
            *sum += count;
        });
        answers
    }
}

/// The journal is busy.
pub(crate) fn busy() -> Answer {
    Err(IngestRefusal { poison: false, code: "busy".into(), message: "the journal is busy".into() })
}

/// This can never be ingested.
pub(crate) fn poison(code: &str) -> Answer {
    Err(IngestRefusal { poison: true, code: code.into(), message: "the record has no pending action".into() })
}

/// A consumer that runs beside the test.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn consumer(config: &KafkaConfig, memory: &Arc<Memory>) -> Self {
        let consumer = Consumer::new(config).unwrap();
        Self::new(|stop| consumer.run(Arc::clone(memory), stop))
    }

    pub(crate) fn new<F: Future<Output = ()> + Send + 'static>(
        run: impl FnOnce(CancellationToken) -> F,
    ) -> Self {
        let stop = CancellationToken::new();
        Self { task: tokio::spawn(run(stop.clone())), stop }
    }

    /// Stops it in good order.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        patiently("stopping", self.task).await.unwrap();
    }
}

/// Fails the test instead of hanging.
pub(crate) async fn patiently<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} takes too long"))
}

/// A configuration whose topics are this test's own; the events topic exists with so many partitions.
pub(crate) async fn prepared(kafka: &Kafka, name: &str, partitions: i32) -> KafkaConfig {
    let mut config = KafkaConfig::new(kafka.bootstrap())
        .with_property("session.timeout.ms", "6000")
        .with_property("heartbeat.interval.ms", "500");
    config.group_id = name.into();
    config.topics.events = format!("{name}.events");
    config.topics.audit = format!("{name}.audit");
    config.topics.awaiting = format!("{name}.awaiting");
    config.topics.dead_letter = format!("{name}.dead");
    kafka.create_topic(&config.topics.events, partitions, false).await;
    kafka.create_topic(&config.topics.dead_letter, 1, false).await;
    config
}

/// An identifier that is the same in every run.
pub(crate) fn id(kind: &str, number: usize) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{kind} {number}").as_bytes())
}

/// Action `number` of record `record`.
pub(crate) fn event(record: usize, number: usize) -> ActionRequested {
    let (event_id, action_id) = (id("record", record), id("action", number));
    let document = format!("{{\"id\":\"{event_id}\",  \"type\":\"birth\",\"number\":{number}}}").into_bytes();
    ActionRequested {
        event_id,
        action_id,
        time: Some("2026-01-02T03:04:05Z".parse().unwrap()),
        document,
        traceparent: Some(format!("00-{:032x}-b7ad6b7169203331-01", number + 1)),
    }
}

/// Sends actions `from..to`, the records taking turns.
pub(crate) async fn send(config: &KafkaConfig, numbers: std::ops::Range<usize>, records: usize) {
    let producer = EventProducer::new(config, "/opencrvs", None).unwrap();
    let deliveries: Vec<_> = numbers
        .map(|number| producer.enqueue(&event(number % records, number), Encoding::Binary).unwrap())
        .collect();
    try_join_all(deliveries).await.unwrap();
}

/// The sum of committed offsets of the events topic: how many messages the group has behind it.
pub(crate) async fn committed(kafka: &Kafka, config: &KafkaConfig, partitions: i32) -> i64 {
    let mut sum = 0;
    for partition in 0..partitions {
        sum += kafka.committed(&config.group_id, &config.topics.events, partition).await.unwrap_or(0);
    }
    sum
}

/// Panics if a record's actions were first seen in another order than that of their numbers.
pub(crate) fn assert_in_order(accepted: &[Incoming], numbers: usize) {
    let number: BTreeMap<Uuid, usize> = (0..numbers).map(|number| (id("action", number), number)).collect();
    let (mut seen, mut last) = (BTreeSet::new(), BTreeMap::new());
    for incoming in accepted.iter().filter(|incoming| seen.insert(incoming.action_id)) {
        let number = number[&incoming.action_id];
        let previous = last.insert(incoming.event_id, number);
        assert!(previous < Some(number), "action {number} came after {previous:?}");
    }
}
