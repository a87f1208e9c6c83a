//! The registrars of the run, and the carriers who deliver each event one to three times.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use civitas_kafka::{ActionRequested, Encoding, EventProducer};
use civitas_sandbox::{
    Clicked, Handed, OpenCrvs, Submission,
    generator::{Generator, Life},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use tokio::{
    sync::{RwLock, Semaphore, mpsc::UnboundedReceiver},
    task::{JoinHandle, JoinSet},
};
use uuid::Uuid;

use super::Plan;
use crate::wait::until;

/// A civil event that OpenCRVS emitted.
#[derive(Debug, Clone)]
pub(super) struct Emitted {
    pub(super) event_id: Uuid,
    pub(super) action_id: Uuid,
    pub(super) life: u64,
    pub(super) kind: &'static str,
}

/// Puts each event that is handed over onto the topic, one to three times, the repetitions some time later.
pub(super) fn carry(
    producer: EventProducer,
    mut handed: UnboundedReceiver<Handed>,
    seed: u64,
    deliveries: Arc<AtomicUsize>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let producer = Arc::new(producer);
        let mut random = StdRng::seed_from_u64(seed ^ 0xCA);
        while let Some(event) = handed.recv().await {
            let requested = ActionRequested {
                event_id: event.event_id,
                action_id: event.action_id,
                time: None,
                document: event.body,
                traceparent: None,
            };
            for copy in 0..random.random_range(1..=3) {
                let (producer, requested) = (Arc::clone(&producer), requested.clone());
                let wait = Duration::from_millis(copy * random.random_range(0..2000));
                let encoding = if random.random_bool(0.5) { Encoding::Binary } else { Encoding::Structured };
                deliveries.fetch_add(1, Ordering::Relaxed);
                let delivery = async move {
                    tokio::time::sleep(wait).await;
                    // The broker may be away for a moment: a bridge tries again.
                    while producer.send(&requested, encoding).await.is_err() {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                };
                // The first copy in order, as a bridge does; repetitions whenever.
                if copy == 0 { delivery.await } else { drop(tokio::spawn(delivery)) }
            }
        }
    })
}

pub(crate) fn today() -> jiff::civil::Date {
    crate::stack::clock()().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Plays every life to its end; all civil events that were emitted.
pub(super) async fn day(
    opencrvs: OpenCrvs,
    generator: Generator,
    plan: Plan,
    clicks: Arc<RwLock<()>>,
    http: reqwest::Client,
    url: String,
    deliveries: Arc<AtomicUsize>,
) -> Vec<Emitted> {
    let office = Arc::new(Office {
        opencrvs,
        plan: plan.clone(),
        clicks,
        http,
        url,
        deliveries,
        emitted: Mutex::default(),
    });
    let desks = Arc::new(Semaphore::new(plan.at_a_time));
    let mut lives = JoinSet::new();
    for index in 0..plan.records {
        let desk = Arc::clone(&desks).acquire_owned().await.expect("a desk");
        let office = Arc::clone(&office);
        let life = generator.life(index, today());
        lives.spawn(async move {
            office.live(life).await;
            drop(desk);
        });
    }
    while let Some(life) = lives.join_next().await {
        life.expect("a life is played to its end");
    }
    office.emitted.lock().expect("nobody panicked").clone()
}

struct Office {
    opencrvs: OpenCrvs,
    plan: Plan,
    clicks: Arc<RwLock<()>>,
    http: reqwest::Client,
    url: String,
    deliveries: Arc<AtomicUsize>,
    emitted: Mutex<Vec<Emitted>>,
}

impl Office {
    async fn live(&self, life: Life) {
        let record = self.opencrvs.create(life.event);
        let mut declare = Submission::new("DECLARE").with(life.declaration.clone());
        declare.annotation = Some(life.annotation.clone());
        self.click(record, life.index, "DECLARE", declare).await;
        self.opencrvs.assign(record);
        self.click(record, life.index, "REGISTER", Submission::new("REGISTER").with(life.on_register)).await;
        let Some(correction) = life.correction else { return };
        self.opencrvs.assign(record);
        let mut request = Submission::new("REQUEST_CORRECTION").with(correction.declaration);
        request.annotation = Some(correction.annotation);
        request.keep_assignment = true;
        self.click(record, life.index, "REQUEST_CORRECTION", request).await;
        self.opencrvs.assign(record);
        let mut approve = Submission::new("APPROVE_CORRECTION");
        approve.content = Some(json!({"immediateCorrection": true}));
        self.click(record, life.index, "APPROVE_CORRECTION", approve).await;
    }

    /// Clicks, and waits until OpenCRVS has its answer.
    async fn click(&self, record: Uuid, life: u64, kind: &'static str, submission: Submission) {
        let quiet = self.clicks.read().await;
        let click = self.opencrvs.submit(record, submission).await;
        assert!(
            matches!(click.outcome, Clicked::Accepted | Clicked::Awaiting),
            "life {life}: {kind} ended as {:?}",
            click.outcome
        );
        let action_id = click.action_id.expect("a click has an action");
        let emitted = Emitted { event_id: record, action_id, life, kind };
        self.emitted.lock().expect("nobody panicked").push(emitted);
        if !self.plan.kafka {
            self.deliveries.fetch_add(1, Ordering::Relaxed);
            self.deliver_again(record, action_id, kind, &click.outcome).await;
        }
        drop(quiet);
        let answered = format!("OpenCRVS has its answer to {kind} of {record}, life {life}");
        until(&answered, || async { self.opencrvs.pending(record).is_empty() }).await;
    }

    /// The same trigger once more, as a proxy or a person might repeat it while it is pending: the same answer.
    async fn deliver_again(&self, record: Uuid, action: Uuid, kind: &str, first: &Clicked) {
        let Some(document) = self.opencrvs.document(record) else { return };
        let is_pending = self.opencrvs.pending(record).iter().any(|pending| pending.id == action);
        let Some(token) = self.opencrvs.trigger_token(record, action).await else { return };
        if !is_pending || action.as_u128().is_multiple_of(3) {
            return;
        }
        let address = format!("{}/trigger/events/{}/actions/{kind}", self.url, document.kind);
        let answer = self.http.post(address).bearer_auth(token).json(&document).send().await;
        let status = answer.expect("the engine answers").status();
        self.deliveries.fetch_add(1, Ordering::Relaxed);
        let expected = if *first == Clicked::Awaiting { 202 } else { 200 };
        // By now the record may have been accepted, and the action is pending no more: then it is refused.
        assert!(status == expected || status == 400, "delivered again, {kind} is answered {status}");
    }
}
