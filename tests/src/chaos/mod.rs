//! The run that is meant to break it: engines killed, the broker restarted, MOSIP failing, every event delivered more
//! than once; and at the end every record closed, nothing lost, nothing sent twice, nothing out of order.
//!
//! One size for `make test`, the full one for `make chaos`.

#![expect(clippy::expect_used, reason = "test support: what fails here fails the test")]

mod configuration;
mod office;
mod verify;

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use civitas_sandbox::{
    Faults, RouteFaults, Sandbox, SandboxKeys, SandboxOptions, Trigger,
    generator::{Generator, Mix},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::{RwLock, mpsc::unbounded_channel};

use self::configuration::Configuration;
pub(crate) use self::office::today;
use crate::{
    balancer::Balancer,
    kafka::Kafka,
    postgres::Postgres,
    process::EngineProcess,
    stack::{clock, http},
};

/// How much of what.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Lives to play: a declaration, a registration, for some a correction.
    pub records: u64,
    /// Lives that are under way at a time.
    pub at_a_time: usize,
    /// Engine processes.
    pub engines: usize,
    /// Times that engines are killed.
    pub kills: u32,
    /// Whether the broker is restarted halfway.
    pub broker_restart: bool,
    /// Through Kafka and PostgreSQL; else HTTP and SQLite.
    pub kafka: bool,
    /// Seed of everything random.
    pub seed: u64,
}

/// What a run came to.
#[derive(Debug)]
pub struct Report {
    /// Civil events that OpenCRVS emitted.
    pub events: usize,
    /// How often they were delivered.
    pub deliveries: usize,
    /// Engine processes killed.
    pub kills: u32,
    /// Operations by how they ended.
    pub operations: std::collections::BTreeMap<String, u64>,
    /// Leaves of the audit log.
    pub leaves: usize,
    /// Time from the first click until everything was settled.
    pub took: Duration,
}

/// MOSIP fails every tenth call, and does every twentieth without saying so.
fn faults() -> Faults {
    let mut faults = Faults::default();
    for route in ["mosip.packetmanager", "mosip.workflow"] {
        let strikes = RouteFaults {
            error_rate: 0.04,
            errors_in_200_rate: 0.03,
            null_in_200_rate: 0.03,
            timeout_after_success_rate: 0.05,
            hold_ms: 3_000,
            ..RouteFaults::default()
        };
        faults.routes.insert(route.to_owned(), strikes);
    }
    faults
}

/// Plays the plan and checks every promise.
///
/// # Panics
/// When a promise is broken; the message says which.
pub async fn run(plan: &Plan) -> Report {
    let folder = tempfile::Builder::new().prefix("civitas-chaos-").tempdir().expect("a folder");
    let http = http(Duration::from_secs(10));
    let keys = SandboxKeys::load_or_create(&folder.path().join("keys"), clock()()).expect("keys");
    let (hand, handed) = unbounded_channel();
    let mut options =
        SandboxOptions { keys: Some(keys), faults: faults(), ..SandboxOptions::instant(plan.seed) };
    options.mosip.population = u32::try_from(plan.records).unwrap_or(u32::MAX).max(2000);
    options.mosip.hub.retry_pause = Duration::from_millis(300);
    if plan.kafka {
        options.opencrvs.trigger = Trigger::Hand(hand);
    }
    let sandbox = Sandbox::start(options, http.clone(), clock()).await.expect("a sandbox");
    let broker = if plan.kafka { Some(Arc::new(Kafka::start().await)) } else { None };
    let postgres = plan.kafka.then(Postgres::start);

    let ports: Vec<SocketAddr> = (0..plan.engines).map(|_| free_port()).collect();
    let balancer = Balancer::start(ports.clone()).await;
    sandbox.opencrvs().set_country_config(&balancer.url);
    let configuration = Configuration::write(
        folder.path(),
        &sandbox,
        &balancer.url,
        postgres.as_ref().map(Postgres::url),
        broker.as_ref().map(|broker| broker.bootstrap()),
    );
    let mut engines = Vec::new();
    for port in &ports {
        let file = configuration.for_engine(*port);
        let mut engine = EngineProcess::start(&file, &format!("http://{port}"));
        engine.ready(&http).await;
        engines.push(engine);
    }
    if let Some(broker) = &broker {
        configuration.topics(&broker.bootstrap()).await;
    }

    let began = Instant::now();
    let clicks = Arc::new(RwLock::new(()));
    let deliveries = Arc::new(AtomicUsize::new(0));
    let carrier = broker.as_ref().map(|broker| {
        let producer = configuration.producer(&broker.bootstrap());
        office::carry(producer, handed, plan.seed, Arc::clone(&deliveries))
    });
    let generator = Generator::new(plan.seed, Mix::certain(), sandbox.population());
    let office = tokio::spawn(office::day(
        sandbox.opencrvs().clone(),
        generator.clone(),
        plan.clone(),
        Arc::clone(&clicks),
        http.clone(),
        balancer.url.clone(),
        Arc::clone(&deliveries),
    ));
    disturb(plan, &mut engines, broker.as_deref(), &clicks, &http, &office).await;
    let events = office.await.expect("the office closes");
    let journal = configuration.journal().await;
    verify::settled(&journal, &sandbox).await;
    let took = began.elapsed();
    if let Some(carrier) = carrier {
        carrier.abort();
    }

    let (operations, leaves) = verify::promises(&journal, &sandbox, &generator, plan, &events).await;
    if let Some(broker) = &broker {
        verify::topics(broker, leaves).await;
    }
    verify::privacy(folder.path(), &sandbox);
    let deliveries = deliveries.load(std::sync::atomic::Ordering::Relaxed);
    Report { events: events.len(), deliveries, kills: plan.kills, operations, leaves, took }
}

/// Kills engines at random moments, and restarts the broker once, until the office closes.
async fn disturb(
    plan: &Plan,
    engines: &mut [EngineProcess],
    broker: Option<&Kafka>,
    clicks: &RwLock<()>,
    http: &reqwest::Client,
    office: &tokio::task::JoinHandle<Vec<office::Emitted>>,
) {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let pause = Duration::from_millis(1500);
    for kill in 0..plan.kills {
        tokio::time::sleep(pause.mul_f64(random.random_range(0.3..1.7))).await;
        if office.is_finished() {
            eprintln!("chaos: the day ended after {kill} of {} kills", plan.kills);
        }
        let place = random.random_range(0..engines.len());
        // A trigger that is cut off freezes its record in OpenCRVS: that is not ours to prevent, so no click is
        // under way when the only engine goes. Work towards MOSIP is cut off anywhere.
        let gate = if plan.kafka { None } else { Some(clicks.write().await) };
        engines[place].kill();
        tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
        engines[place].restart();
        engines[place].ready(http).await;
        drop(gate);
        if plan.broker_restart && kill == plan.kills / 2 {
            broker.expect("a broker to restart").restart().await;
        }
    }
}

fn free_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

/// A file below a folder, as text for a configuration.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}
