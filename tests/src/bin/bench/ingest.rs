//! Events per second into the journal: in batches from memory, and from a real Apache Kafka with and without
//! encrypted payloads; beside the plain cost of inserting the rows that come of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use civitas::bridge::Bridge;
use civitas_engine::{Arrival, Origin};
use civitas_kafka::{
    ActionRequested, Consumer, DecryptionKey, Encoding, Encrypter, EventProducer, Incoming, Ingest,
    IngestRefusal, KafkaConfig, PayloadEncryption,
};
use civitas_sandbox::generator::Generated;
use civitas_tests::kafka::Kafka;
use civitas_tests::measure::{Spread, Usage, Watch, float};
use civitas_tests::stack::{Setup, Stack};
use futures::future::try_join_all;
use openssl::rsa::Rsa;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::database::{BOTH, Fresh, Kind};
use crate::plain::Rows;
use crate::report::{Cell, Figure};
use crate::{documents, floor};

const EVENTS: usize = 6_000;
const RUNS: usize = 3;
/// What the consumer takes at once.
const BATCH: usize = 500;
const AIM: f64 = 0.5;

struct Event {
    record_id: Uuid,
    action_id: Uuid,
    document: Vec<u8>,
}

/// One run: how many events of it were measured, what they cost, and the sizes of all batches.
struct Run {
    events: usize,
    usage: Usage,
    batches: Vec<usize>,
}

pub(crate) async fn run() -> Figure {
    let events: Vec<Event> = documents::mixed(EVENTS).iter().map(event).collect();
    let kafka = Kafka::shared().await;
    let topics = [Topic::fill(kafka, &events, false).await, Topic::fill(kafka, &events, true).await];
    // What the runs leave, taken once from SQLite: from there it is inserted again into either database.
    let (fresh, fresh_of_kafka) = (Kind::Sqlite.fresh(), Kind::Sqlite.fresh());
    let from_memory = Rows::of(&fresh.url, &directly(&fresh, &events).await.batches).await;
    let run = topics[0].consume(&fresh_of_kafka, "rows").await;
    let from_kafka = Rows::of(&fresh_of_kafka.url, &run.batches).await;
    let mut rows = Vec::new();
    for kind in BOTH {
        let (mut direct, mut clear, mut sealed) = (Vec::new(), Vec::new(), Vec::new());
        let (mut plain, mut plain_of_kafka) = (Vec::new(), Vec::new());
        // In turns, so that what else the machine does meets all of them.
        for at in 0..RUNS {
            direct.push(directly(&kind.fresh(), &events).await);
            plain.push(from_memory.insert(kind).await);
            clear.push(topics[0].consume(&kind.fresh(), &format!("{}-{at}", kind.name())).await);
            plain_of_kafka.push(from_kafka.insert(kind).await);
            sealed.push(topics[1].consume(&kind.fresh(), &format!("{}-{at}", kind.name())).await);
        }
        let plain = Plain::of(&plain, &from_memory);
        rows.push(row(kind, "in batches of 500, from memory", &direct, &plain));
        let plain = Plain::of(&plain_of_kafka, &from_kafka);
        rows.push(row(kind, "from Kafka, payload plain", &clear, &plain));
        rows.push(row(kind, "from Kafka, payload JWE", &sealed, &plain));
    }
    let sealed = floor::private_operation();
    let bytes = events.iter().map(|event| event.document.len()).sum::<usize>() / events.len().max(1);
    Figure {
        name: "ingest",
        title: "Events per second into the journal",
        columns: vec![
            "database",
            "way",
            "events/s",
            "plain insert of the same rows/s",
            "ratio",
            "aim",
            "CPU ms/event",
            "rows/event",
            "others",
        ],
        rows,
        notes: vec![
            format!(
                "{EVENTS} documents of {bytes} bytes on average, read, decided, sealed and recorded with their \
                 audit leaves; every batch durable before the next. CPU is that of the engine's process, \
                 PostgreSQL's not included."
            ),
            format!(
                "An encrypted payload cannot be opened for less than one RSA-2048 private operation, {:.2} ms \
                 of CPU here: at most {:.0} events/s and core.",
                sealed.median,
                1000.0 / sealed.median
            ),
        ],
    }
}

/// How many events per second it takes to insert only the rows that they leave.
struct Plain {
    rate: Spread,
    rows_per_event: f64,
}

impl Plain {
    fn of(took: &[Duration], rows: &Rows) -> Self {
        let rates: Vec<f64> = took.iter().map(|took| float(EVENTS) / took.as_secs_f64()).collect();
        Self { rate: Spread::of(&rates), rows_per_event: rows.per_event() }
    }
}

fn row(kind: Kind, way: &str, runs: &[Run], plain: &Plain) -> Vec<Cell> {
    let of = |value: fn(&Run) -> f64| Spread::of(&runs.iter().map(value).collect::<Vec<_>>());
    let rate = of(|run| float(run.events) / run.usage.wall.as_secs_f64());
    let cpu = of(|run| run.usage.cpu.as_secs_f64() * 1000.0 / float(run.events));
    vec![
        kind.name().into(),
        way.into(),
        Cell::Spread(rate, 0),
        Cell::Spread(plain.rate, 0),
        Cell::Ratio(rate.median / plain.rate.median),
        Cell::Ratio(AIM),
        Cell::Number(cpu.median, 2),
        Cell::Number(plain.rows_per_event, 1),
        Cell::Percent(of(|run| run.usage.other).median),
    ]
}

fn event(generated: &Generated) -> Event {
    Event { record_id: generated.document.id, action_id: generated.action_id, document: generated.body() }
}

fn arrival(event: &Event) -> Arrival {
    Arrival {
        document: event.document.clone(),
        event_id: Some(event.record_id),
        event_type: None,
        action_type: None,
        origin: Origin::Trigger,
        token: None,
        token_expires_at: None,
        traceparent: None,
    }
}

/// An engine whose desks do not work, so that nothing but ingest is measured.
async fn engine(database: &Fresh, publish: bool) -> Stack {
    let setup = Setup { journal_url: Some(database.url.clone()), publish, ..Setup::default() };
    Stack::without_work(setup).await
}

async fn directly(database: &Fresh, events: &[Event]) -> Run {
    let stack = engine(database, false).await;
    let batches: Vec<Vec<Arrival>> =
        events.chunks(BATCH).map(|batch| batch.iter().map(arrival).collect()).collect();
    let sizes = batches.iter().map(Vec::len).collect();
    let watch = Watch::start();
    for batch in batches {
        for answer in stack.engine.ingest(batch).await {
            answer.expect("every document is taken in");
        }
    }
    let usage = watch.stop();
    stack.stop().await;
    Run { events: events.len(), usage, batches: sizes }
}

/// A topic that holds all events.
struct Topic {
    config: KafkaConfig,
    events: usize,
}

impl Topic {
    async fn fill(kafka: &Kafka, events: &[Event], encrypted: bool) -> Self {
        let mut config = KafkaConfig::new(kafka.bootstrap());
        let topic = if encrypted { "bench.sealed" } else { "bench.clear" };
        topic.clone_into(&mut config.topics.events);
        let mut sealing = None;
        if encrypted {
            let key = Rsa::generate(2048).expect("a key");
            let pem = |pem: Vec<u8>| String::from_utf8(pem).expect("PEM is text");
            let private_key = pem(key.private_key_to_pem().expect("a private key")).into();
            let public_key = pem(key.public_key_to_pem().expect("a public key"));
            let keys = vec![DecryptionKey { kid: "bench".to_owned(), private_key }];
            config.payload_encryption = Some(PayloadEncryption { keys, required: true });
            sealing = Some(Encrypter::new("bench", &public_key).expect("a public key"));
        }
        kafka.create_topic(&config.topics.events, 4, false).await;
        let producer = EventProducer::new(&config, "/bench", sealing).expect("a producer");
        let sent = events.iter().map(|event| {
            let event = ActionRequested {
                event_id: event.record_id,
                action_id: event.action_id,
                time: None,
                document: event.document.clone(),
                traceparent: None,
            };
            let producer = &producer;
            async move { producer.send(&event, Encoding::Binary).await }
        });
        try_join_all(sent).await.expect("the broker takes the events");
        Topic { config, events: events.len() }
    }

    /// Reads the whole topic into a journal. Measured from the end of the first batch to the end of the last, so
    /// that joining the group does not count.
    async fn consume(&self, database: &Fresh, group: &str) -> Run {
        let stack = engine(database, true).await;
        let mut config = self.config.clone();
        config.group_id = group.to_owned();
        let consumer = Consumer::new(&config).expect("a consumer");
        let (counter, stop) = (Arc::new(Counter::new(&stack, self.events)), CancellationToken::new());
        let mut reading = tokio::spawn(consumer.run(Arc::clone(&counter), stop.clone()));
        let mut done = counter.done.subscribe();
        tokio::select! {
            all = done.wait_for(|done| *done) => drop(all.expect("the counter counts")),
            ended = &mut reading => panic!("the consumer ended before all events were read: {ended:?}"),
        }
        stop.cancel();
        reading.await.expect("the consumer stops");
        stack.stop().await;
        let (usage, batches) = counter.result();
        Run { events: self.events - batches[0], usage, batches }
    }
}

/// Hands batches to the engine and counts them.
struct Counter {
    engine: Bridge,
    expected: usize,
    state: Mutex<Count>,
    done: watch::Sender<bool>,
}

#[derive(Default)]
struct Count {
    batches: Vec<usize>,
    begun: Option<Watch>,
    usage: Option<Usage>,
}

impl Counter {
    fn new(stack: &Stack, expected: usize) -> Self {
        let (done, _) = watch::channel(false);
        Self { engine: Bridge(stack.engine.clone()), expected, state: Mutex::default(), done }
    }

    fn result(&self) -> (Usage, Vec<usize>) {
        let state = self.state.lock().expect("nobody panicked");
        (state.usage.expect("it is done"), state.batches.clone())
    }
}

impl Ingest for Counter {
    async fn ingest(&self, batch: Vec<Incoming>) -> Vec<Result<(), IngestRefusal>> {
        let size = batch.len();
        let answers = self.engine.ingest(batch).await;
        assert!(answers.iter().all(Result::is_ok), "every document is taken in");
        let mut state = self.state.lock().expect("nobody panicked");
        state.batches.push(size);
        if state.begun.is_none() {
            state.begun = Some(Watch::start());
        }
        if state.batches.iter().sum::<usize>() >= self.expected {
            state.usage = state.begun.as_ref().map(Watch::stop);
            self.done.send_replace(true);
        }
        answers
    }
}
