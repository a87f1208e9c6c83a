//! How long OpenCRVS waits for the answer to a REGISTER trigger, with clients that click without a pause.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use civitas_tests::measure::{Watch, float, percentile};
use civitas_tests::stack::{clock, http};

use crate::database::{BOTH, Kind};
use crate::documents;
use crate::floor::millis;
use crate::report::{Cell, Figure};
use crate::world::{Click, Keys, Parts, World};

/// Clients, how many triggers they post together, and the milliseconds within which 99 of 100 shall be answered.
const LEVELS: [(usize, usize, Option<f64>); 3] =
    [(1, 400, None), (20, 2_000, Some(15.0)), (200, 5_000, Some(100.0))];
const WARM: usize = 200;

pub(crate) async fn run(keys: &Keys) -> Figure {
    let count = WARM + LEVELS.iter().map(|(_, posts, _)| posts).sum::<usize>();
    let mut clicks = None;
    let mut rows = Vec::new();
    for kind in BOTH {
        for parts in [Parts::Server, Parts::All] {
            let world = World::start(keys, kind, parts).await;
            if clicks.is_none() {
                clicks = Some(world.sign(documents::births(100_000, count, clock()())).await);
            }
            let clicks = clicks.as_deref().unwrap_or_default();
            world.import(clicks);
            rows.extend(levels(&world, clicks, kind, parts).await);
        }
    }
    rows.push(vec![
        "peer: opencrvs/mosip 1.9.2, published".into(),
        "intake only".into(),
        Cell::Number(20.0, 0),
        Cell::Number(274.0, 0),
        Cell::Number(71.0, 1),
        Cell::Nothing,
        Cell::Number(106.0, 1),
        Cell::Nothing,
        Cell::Nothing,
        Cell::Nothing,
        Cell::Number(3.4, 2),
        Cell::Percent(0.02),
    ]);
    Figure {
        name: "latency",
        title: "Answers to REGISTER triggers",
        columns: vec![
            "journal", "the engine does", "clients", "answers/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "aim p99",
            "neither 200 nor 202", "engine CPU ms/answer", "others",
        ],
        rows,
        notes: vec![
            "Each client posts its next trigger as soon as the last one is answered, from this machine, so that \
             clients and engine share the CPUs; each answer is durable before it is given, and its bearer is \
             verified. \"Everything\": the records are sent to MOSIP, confirmed and closed meanwhile."
                .to_owned(),
        ],
    }
}

async fn levels(world: &World, clicks: &[Click], kind: Kind, parts: Parts) -> Vec<Vec<Cell>> {
    let (warm, mut rest) = clicks.split_at(WARM);
    post(world, warm, 8).await;
    let mut rows = Vec::new();
    for (clients, posts, aim) in LEVELS {
        let (level, after) = rest.split_at(posts);
        rest = after;
        let watch = Watch::over(world.engine.id());
        let (mut answered, failed) = post(world, level, clients).await;
        let usage = watch.stop();
        answered.sort_unstable();
        let at = |percent| Cell::Number(millis(percentile(&answered, percent)), 1);
        rows.push(vec![
            kind.name().into(),
            if parts == Parts::Server { "intake only" } else { "everything" }.into(),
            Cell::Number(float(clients), 0),
            Cell::Number(float(level.len()) / usage.wall.as_secs_f64(), 0),
            at(50),
            at(95),
            at(99),
            at(100),
            aim.map_or(Cell::Nothing, |aim| Cell::Number(aim, 0)),
            Cell::Number(float(failed), 0),
            Cell::Number(millis(usage.cpu) / float(level.len()), 2),
            Cell::Percent(usage.other),
        ]);
    }
    rows
}

/// Posts them all with so many clients; how long each answer took, and how many were neither 200 nor 202.
async fn post(world: &World, clicks: &[Click], clients: usize) -> (Vec<Duration>, usize) {
    let (client, url) = (http(Duration::from_secs(30)), world.engine.trigger("birth", "REGISTER"));
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let one = || async {
        let mut took = Vec::new();
        while let Some(click) = clicks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let began = Instant::now();
            if !matches!(click.post(&client, &url).await, Some(200 | 202)) {
                failed.fetch_add(1, Ordering::Relaxed);
            }
            took.push(began.elapsed());
        }
        took
    };
    let all = futures::future::join_all((0..clients).map(|_| one())).await;
    (all.concat(), failed.into_inner())
}
