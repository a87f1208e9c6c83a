//! Simulated weeks: the hub silent for three days, MOSIP down for three more with everything waiting, packets refused,
//! failed and given up, deliveries lost and repeated, the packet manager answering nothing in bursts. At the end each
//! operation is confirmed, or stalled with the cause that MOSIP's own books have; and MOSIP was never asked for more
//! than it was said to bear.
//!
//! The world's clock runs fast while nothing happens and slowly while calls are made: rates and time-outs are real.

#![expect(clippy::expect_used, reason = "test support: what fails here fails the test")]

mod verify;

use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use civitas_engine::{Backoff, Options, Polling};
use civitas_journal::operations::{self, State};
use civitas_mosip::{Breaking, Limit, Limits};
use civitas_sandbox::{
    Clicked, DeliveryFaults, Faults, OpenCrvs, Outage, OutcomeFaults, RouteFaults, SandboxOptions,
    Submission, VcProof,
    generator::{Correction, Expected, Generator, Life, Mix},
};
use jiff::SignedDuration;
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};
use uuid::Uuid;

use crate::{
    stack::{Setup, Stack},
    wait::until,
    warp::Warp,
};

/// How much of what.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Births on an ordinary day before.
    pub before: usize,
    /// Births while the hub is silent.
    pub silent: usize,
    /// Births while MOSIP is down.
    pub waiting: usize,
    /// Registrars at work.
    pub at_a_time: usize,
    /// Calls per second that packet manager and registration processor are said to bear, of real time.
    pub per_second: u32,
    /// How fast the world goes while the last of it settles: slower with more that is asked about meanwhile.
    pub settling: f64,
    /// Seed of everything random.
    pub seed: u64,
}

/// What a run came to.
#[derive(Debug)]
pub struct Report {
    /// Operations by how they ended; the stalled ones by their cause.
    pub operations: std::collections::BTreeMap<String, u64>,
    /// Operations that waited when MOSIP came back.
    pub waited: u64,
    /// Time of the world that MOSIP was down.
    pub down: SignedDuration,
    /// Real time from MOSIP's return until every packet was created and started.
    pub recovery: Duration,
    /// Most calls in a second, by service.
    pub busiest: Vec<(&'static str, u32)>,
    /// Share of the waiting births that MOSIP got in the order in which they came, give or take the workers.
    pub in_order: f64,
    /// Credentials that were issued again because the first did not come.
    pub reissued: u64,
    /// Time that went by in the world.
    pub world: SignedDuration,
    /// Real time of the whole.
    pub took: Duration,
}

/// Calls at a time to each service.
const CONCURRENCY: usize = 16;
const HOUR: i64 = 3600;

/// Rates of the issue, at all times.
fn weather() -> Faults {
    Faults {
        outcomes: OutcomeFaults {
            rejected_rate: 0.05,
            failed_rate: 0.02,
            reprocess_failed_rate: 0.01,
            ..OutcomeFaults::default()
        },
        deliveries: DeliveryFaults { lost_rate: 0.01, duplicate_rate: 0.01, ..DeliveryFaults::default() },
        ..Faults::default()
    }
}

fn with_route(mut faults: Faults, name: &str, route: RouteFaults) -> Faults {
    faults.routes.insert(name.to_owned(), route);
    faults
}

/// The time scales of `civitas.default.yaml`, in the world's time; leases outlast what a fast clock makes of a call.
fn scales(options: &mut Options) {
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    options.lease = minutes(3 * 24 * 60);
    options.idle_poll = Duration::from_millis(50);
    options.backoff = Backoff { first: Duration::from_secs(2), ceiling: minutes(10) };
    options.polling = Polling { shortest: minutes(3), longest: minutes(360), per_second: 20 };
    options.unknown_wait = Duration::from_secs(30);
    options.stalled_check = minutes(60);
    options.credential_grace = minutes(15);
    options.parking = minutes(7 * 24 * 60);
    options.subscriptions.renew_every = minutes(10);
}

fn setup(plan: &Plan, warp: &Warp) -> Setup {
    let mut sandbox = SandboxOptions { speed: 20_000.0, ..SandboxOptions::instant(plan.seed) };
    sandbox.mosip.reprocess_every = Duration::from_mins(3);
    sandbox.mosip.vc_proof = VcProof::Absent;
    // Tokens live in the world's time, which flies.
    sandbox.mosip.token_life = Duration::from_hours(24 * 60);
    sandbox.opencrvs.confirmation_token_life = Duration::from_hours(24 * 365);
    sandbox.opencrvs.system_token_life = Duration::from_hours(24 * 60);
    sandbox.opencrvs.signed_exchange = false;
    sandbox.faults = weather();
    let limit = Limit { concurrency: CONCURRENCY, per_second: NonZeroU32::new(plan.per_second) };
    Setup {
        sandbox,
        clock: warp.clock(),
        tune: scales,
        limits: Limits {
            packet_manager: limit,
            workflow: limit,
            credential_request: limit,
            breaking: Breaking::default(),
            ..Limits::default()
        },
        ..Setup::default()
    }
}

/// Plays the plan and checks every promise.
///
/// # Panics
/// When a promise is broken; the message says which.
pub async fn run(plan: &Plan) -> Report {
    let began = Instant::now();
    let start = crate::stack::clock()();
    let warp = Warp::new(start, 60.0);
    let stack = Stack::with(setup(plan, &warp)).await;
    stack.subscribed().await;
    let office = Office::new(plan, &stack);

    eprintln!("weeks: an ordinary day");
    let first = office.births(0, plan.before).await;
    warp.run_at(1_000.0);
    settled(&stack, &[]).await;

    eprintln!("weeks: the hub falls silent for three days");
    let mut faults = weather();
    faults.deliveries.stopped = true;
    stack.sandbox.set_faults(faults);
    let silence = warp.now();
    warp.run_at(60.0);
    office.births(plan.before, plan.silent).await;
    warp.run_at(20_000.0);
    warp.until(silence + SignedDuration::from_secs(72 * HOUR)).await;
    verify::silence_is_known(&stack).await;
    warp.run_at(500.0);
    stack.sandbox.set_faults(weather());
    verify::silence_is_over(&stack).await;
    settled(&stack, &[]).await;

    eprintln!("weeks: MOSIP is down for three days");
    let outage = RouteFaults { outage: Outage::Disconnect, ..RouteFaults::default() };
    stack.sandbox.set_faults(with_route(weather(), "mosip", outage));
    let down = warp.now();
    // The office must not take longer than the outage.
    warp.run_at(30.0);
    let last = office.births(plan.before + plan.silent, plan.waiting).await;
    let corrected = office.corrections(&first).await;
    warp.run_at(20_000.0);
    warp.until(down + SignedDuration::from_secs(72 * HOUR)).await;
    // What a process says of its circuits is forgotten after minutes, which at this speed are nothing.
    warp.run_at(60.0);
    let waited = verify::nothing_went_out(&stack, &last).await;

    eprintln!("weeks: MOSIP is back, {waited} operations wait");
    // Nine seconds of the world each.
    let burst = RouteFaults { null_burst_rate: 0.002, null_burst_ms: 150, ..RouteFaults::default() };
    stack.sandbox.set_faults(with_route(weather(), "mosip.packetmanager", burst));
    let (back, back_world) = (Instant::now(), warp.now());
    started(&stack, &corrected).await;
    let recovery = back.elapsed();
    warp.run_at(plan.settling);
    settled(&stack, &corrected).await;

    let in_order = verify::oldest_first(&stack, &last).await;
    let operations = verify::promises(&stack).await;
    verify::lanes(&stack).await;
    let busiest = verify::rates(&stack, plan.per_second);
    let ledger = stack.sandbox.mosip().ledger(true);
    let reissued =
        ledger["credentials"].as_u64().unwrap_or_default() - ledger["uins"].as_u64().unwrap_or_default();
    let world = warp.now().duration_since(start);
    stack.stop().await;
    Report {
        operations,
        waited,
        down: back_world.duration_since(down),
        recovery,
        busiest,
        in_order,
        reissued,
        world,
        took: began.elapsed(),
    }
}

/// Waits until every packet was created and its workflow started.
async fn started(stack: &Stack, corrected: &[Uuid]) {
    none_in(stack, corrected, &[State::Planned, State::PacketCreated, State::Unknown]).await;
}

/// Waits until nothing is open but what a person must look at.
async fn settled(stack: &Stack, corrected: &[Uuid]) {
    let open = [
        State::Planned,
        State::PacketCreated,
        State::Unknown,
        State::Triggered,
        State::Awaiting,
        State::Issued,
    ];
    none_in(stack, corrected, &open).await;
}

/// Waits until no operation is in these states, but those that wait behind a stalled one of their record.
async fn none_in(stack: &Stack, corrected: &[Uuid], states: &[State]) {
    quiet(&format!("none is in {states:?}"), || async {
        let counts = counts(stack).await;
        let open: u64 =
            counts.iter().filter(|(state, _)| states.contains(state)).map(|(_, count)| count).sum();
        let held = if open > 0 && open <= corrected.len() as u64 {
            verify::behind_a_stalled_one(stack, corrected).await
        } else {
            0
        };
        (open == held, format!("{counts:?}"))
    })
    .await;
}

async fn counts(stack: &Stack) -> Vec<(State, u64)> {
    let mut reader = stack.journal.read().await.expect("a reader");
    operations::counts_by_state(&mut reader).await.expect("counts")
}

/// Waits for something as long as anything changes.
async fn quiet<F, W>(what: &str, mut look: W)
where
    W: FnMut() -> F,
    F: Future<Output = (bool, String)>,
{
    let (mut last, mut since) = (String::new(), Instant::now());
    let mut told = Instant::now();
    loop {
        let (holds, seen) = look().await;
        if holds {
            return;
        }
        if seen != last {
            (last, since) = (seen, Instant::now());
        }
        // At full size a stage takes minutes: whoever watches sees that it goes on.
        if told.elapsed() > Duration::from_secs(15) {
            eprintln!("weeks: until {what}: {last}");
            told = Instant::now();
        }
        assert!(since.elapsed() < Duration::from_secs(120), "nothing moves any more before {what}: {last}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A birth that was registered, and awaits its UIN.
#[derive(Debug, Clone)]
pub(crate) struct Born {
    record: Uuid,
    life: u64,
}

struct Office {
    opencrvs: OpenCrvs,
    generator: Generator,
    today: jiff::civil::Date,
    desks: Arc<Semaphore>,
}

impl Office {
    fn new(plan: &Plan, stack: &Stack) -> Self {
        Office {
            opencrvs: stack.sandbox.opencrvs().clone(),
            generator: Generator::new(plan.seed, Mix::certain(), stack.sandbox.population()),
            today: crate::chaos::today(),
            desks: Arc::new(Semaphore::new(plan.at_a_time)),
        }
    }

    /// Registers so many births for which a UIN is asked; all of them, in the order in which they were registered.
    async fn births(&self, skip: usize, count: usize) -> Vec<Born> {
        let mut registered = JoinSet::new();
        let wanted = (0..)
            .map(|index| self.generator.life(index, self.today))
            .filter(|life| life.event == "birth" && life.expected == Expected::CreateUin);
        for life in wanted.skip(skip).take(count) {
            let desk = Arc::clone(&self.desks).acquire_owned().await.expect("a desk");
            let opencrvs = self.opencrvs.clone();
            registered.spawn(async move {
                let born = register(&opencrvs, life).await;
                drop(desk);
                born
            });
        }
        let mut births = Vec::with_capacity(count);
        while let Some(born) = registered.join_next().await {
            births.extend(born.expect("a birth is registered"));
        }
        births
    }

    /// Corrects what can be corrected, and takes it back: two operations in one lane. The corrected records.
    async fn corrections(&self, births: &[Born]) -> Vec<Uuid> {
        let mut corrected = Vec::new();
        for born in births {
            if !self.opencrvs.pending(born.record).is_empty() {
                continue;
            }
            let life = self.generator.life(born.life, self.today);
            let Some(correction) = &life.correction else { continue };
            if correction.expected != Expected::UpdateBiographics {
                continue;
            }
            self.correct(born.record, correction, correction.declaration.clone()).await;
            let mut back = correction.declaration.clone();
            for (field, value) in &mut back {
                if let Some(before) = life.declaration.get(field) {
                    value.clone_from(before);
                }
            }
            self.correct(born.record, correction, back).await;
            corrected.push(born.record);
        }
        corrected
    }

    async fn correct(&self, record: Uuid, correction: &Correction, changed: civitas_sandbox::Declaration) {
        self.opencrvs.assign(record);
        let mut request = Submission::new("REQUEST_CORRECTION").with(changed);
        request.annotation = Some(correction.annotation.clone());
        request.keep_assignment = true;
        self.opencrvs.submit(record, request).await;
        until("the request is answered", || async { self.opencrvs.pending(record).is_empty() }).await;
        self.opencrvs.assign(record);
        let mut approve = Submission::new("APPROVE_CORRECTION");
        approve.content = Some(json!({"immediateCorrection": true}));
        self.opencrvs.submit(record, approve).await;
        until("the correction is answered", || async { self.opencrvs.pending(record).is_empty() }).await;
    }
}

async fn register(opencrvs: &OpenCrvs, life: Life) -> Option<Born> {
    let record = opencrvs.create(life.event);
    let mut declare = Submission::new("DECLARE").with(life.declaration);
    declare.annotation = Some(life.annotation);
    opencrvs.submit(record, declare).await;
    opencrvs.assign(record);
    let click = opencrvs.submit(record, Submission::new("REGISTER").with(life.on_register)).await;
    match click.outcome {
        Clicked::Awaiting => Some(Born { record, life: life.index }),
        // Too old by now for a UIN at birth: weeks have passed since the life was drawn.
        Clicked::Accepted => None,
        other => panic!("the registrar is answered though MOSIP is down, not {other:?}"),
    }
}
