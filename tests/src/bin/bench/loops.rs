//! Complete create-UIN loops: from the trigger to the accept that closes the record in OpenCRVS, credential opened
//! and verified on the way.

use std::time::Duration;

use civitas_tests::measure::{Spread, Watch, float};
use civitas_tests::stack::{clock, http};
use futures::StreamExt as _;
use tokio::sync::Semaphore;

use crate::database::{BOTH, Kind};
use crate::documents;
use crate::floor::{self, millis};
use crate::report::{Cell, Figure};
use crate::world::{Click, Keys, Parts, World};

const RUNS: usize = 3;
const WARM: usize = 200;
const LOOPS: usize = 1_000;
/// Records under way at a time.
const OPEN: usize = 200;
const CLIENTS: usize = 16;
const LOOK: Duration = Duration::from_millis(5);
/// Patience for one run; a run that stands still ends the measurement.
const PATIENCE: Duration = Duration::from_secs(60);

const AIM_MILLIS: f64 = 2.5;
const AIM_RATE: f64 = 300.0;
/// opencrvs/mosip 1.9.2, as published: full loop, one connection.
const PEER_RATE: f64 = 15.4;
const PEER_MILLIS: f64 = 63.5;

struct Measured {
    rate: Spread,
    engine: Spread,
    rest: Spread,
    other: f64,
}

pub(crate) async fn run(keys: &Keys) -> Figure {
    let operation = floor::private_operation();
    let mut rows = Vec::new();
    for kind in BOTH {
        let measured = measure(keys, kind).await;
        rows.push(vec![
            kind.name().into(),
            Cell::Spread(measured.rate, 0),
            Cell::Number(AIM_RATE, 0),
            Cell::Spread(measured.engine, 2),
            Cell::Number(AIM_MILLIS, 1),
            Cell::Ratio(measured.engine.median / operation.median),
            Cell::Spread(measured.rest, 2),
            Cell::Percent(measured.other),
        ]);
    }
    rows.push(vec![
        "limit: one RSA-2048 private operation".into(),
        Cell::Number(1000.0 / operation.median, 0),
        Cell::Nothing,
        Cell::Spread(operation, 2),
        Cell::Nothing,
        Cell::Ratio(1.0),
        Cell::Nothing,
        Cell::Nothing,
    ]);
    rows.push(vec![
        "peer: opencrvs/mosip 1.9.2, published".into(),
        Cell::Number(PEER_RATE, 1),
        Cell::Nothing,
        Cell::Number(PEER_MILLIS, 1),
        Cell::Nothing,
        Cell::Ratio(PEER_MILLIS / operation.median),
        Cell::Nothing,
        Cell::Percent(0.01),
    ]);
    Figure {
        name: "loops",
        title: "Complete create-UIN loops",
        columns: vec![
            "journal",
            "loops/s",
            "aim",
            "engine CPU ms/loop",
            "aim",
            "beside one RSA operation",
            "CPU ms/loop of all else here",
            "others",
        ],
        rows,
        notes: vec![format!(
            "{RUNS} runs of {LOOPS} births, {OPEN} records under way at a time. Trigger, decision, packet, workflow, \
             credential delivery, decryption, proof, accept, each durable. \"All else\" is the sandbox, the \
             clients and PostgreSQL, which share the CPUs with the engine. Not as shipped: no rate limit towards \
             MOSIP, no wait before the accept; the sandbox answers at once and signs a credential once."
        )],
    }
}

async fn measure(keys: &Keys, kind: Kind) -> Measured {
    let world = World::start(keys, kind, Parts::All).await;
    let documents = documents::births(0, WARM + RUNS * LOOPS, clock()());
    let clicks = world.sign(documents).await;
    world.import(&clicks);
    let (warm, measured) = clicks.split_at(WARM);
    complete(&world, warm).await;
    let (mut rates, mut engine, mut rest, mut others) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in measured.chunks(LOOPS) {
        let watch = Watch::over(world.engine.id());
        complete(&world, run).await;
        let usage = watch.stop();
        let loops = float(run.len());
        rates.push(loops / usage.wall.as_secs_f64());
        engine.push(millis(usage.cpu) / loops);
        rest.push(millis(usage.family.saturating_sub(usage.cpu)) / loops);
        others.push(usage.other);
    }
    assert_eq!(world.sandbox.violations(), Vec::<String>::new(), "the engine keeps its promises");
    Measured {
        rate: Spread::of(&rates),
        engine: Spread::of(&engine),
        rest: Spread::of(&rest),
        other: Spread::of(&others).median,
    }
}

/// Clicks them all, so many at a time, and returns when the last record is closed.
async fn complete(world: &World, clicks: &[Click]) {
    let (client, url) = (http(Duration::from_secs(30)), world.engine.trigger("birth", "REGISTER"));
    let before = world.completed();
    let open = Semaphore::new(OPEN);
    let post = futures::stream::iter(clicks).for_each_concurrent(CLIENTS, |click| async {
        open.acquire().await.expect("never closed").forget();
        assert_eq!(click.post(&client, &url).await, Some(202), "every birth awaits its UIN");
    });
    let look = async {
        let mut closed = 0;
        let mut ticks = tokio::time::interval(LOOK);
        while closed < clicks.len() {
            ticks.tick().await;
            let now = world.completed() - before;
            open.add_permits(now - closed);
            closed = now;
        }
    };
    let both = async { tokio::join!(post, look) };
    let ended = tokio::time::timeout(PATIENCE, both).await;
    let closed = world.completed() - before;
    assert!(
        ended.is_ok(),
        "only {closed} of {} records were closed: {}",
        clicks.len(),
        world.sandbox.ledger(true)
    );
}
