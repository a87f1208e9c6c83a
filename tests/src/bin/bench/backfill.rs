//! Registrations of the past: judged per second as `civitas backfill` judges them, kept out of the reindex feed, and
//! planned; each beside what OpenCRVS's own reindex gives, 1,700 documents a second.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use civitas_engine::backfill::judge;
use civitas_opencrvs::EventDocument;
use civitas_tests::measure::{Spread, Usage, Watch, float};
use civitas_tests::stack::{Setup, Stack, pack};
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::database::{BOTH, Kind};
use crate::report::{Cell, Figure};
use crate::{documents, floor};

const DOCUMENTS: usize = 6_000;
const RUNS: usize = 3;
/// As the command does.
const BATCH: usize = 250;
const PLANNERS: usize = 2;
/// A batch of OpenCRVS 2.0.
const FEED: usize = 300;
const AIM: f64 = 1_700.0;

pub(crate) async fn run() -> Figure {
    let documents: Vec<(Uuid, Vec<u8>)> =
        documents::births_of(0, DOCUMENTS, documents::at(), SignedDuration::from_secs(7))
            .iter()
            .map(|generated| (generated.document.id, registered(&generated.body())))
            .collect();
    let mut rows = vec![row("", "read and judged, one thread per core", &judged(&documents))];
    for kind in BOTH {
        let (mut fed, mut planned) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let (kept, plans) = through(kind, &documents).await;
            fed.push(kept);
            planned.push(plans);
        }
        rows.push(row(kind.name(), "posted to the journal in batches of 300", &fed));
        rows.push(row(kind.name(), "judged, packets built and planned in batches of 250", &planned));
    }
    let bytes = documents.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() / documents.len().max(1);
    Figure {
        name: "backfill",
        title: "Past registrations per second",
        columns: vec!["database", "what", "documents/s", "aim", "CPU ms/document", "others"],
        rows,
        notes: vec![format!(
            "{DOCUMENTS} registered births of {bytes} bytes on average, each of which is asked a UIN for; every batch \
             durable before the next of its planner, {PLANNERS} planners. PostgreSQL's CPU not included."
        )],
    }
}

fn row(database: &str, what: &str, runs: &[Usage]) -> Vec<Cell> {
    let of = |value: &dyn Fn(&Usage) -> f64| Spread::of(&runs.iter().map(value).collect::<Vec<_>>());
    let count = float(DOCUMENTS);
    vec![
        database.into(),
        what.into(),
        Cell::Spread(of(&|usage| count / usage.wall.as_secs_f64()), 0),
        Cell::Number(AIM, 0),
        Cell::Number(of(&|usage| floor::millis(usage.cpu) / count).median, 2),
        Cell::Percent(of(&|usage| usage.other).median),
    ]
}

/// A document whose pending registration was accepted.
fn registered(bytes: &[u8]) -> Vec<u8> {
    let mut document: Value = serde_json::from_slice(bytes).expect("a document");
    let mut answer = document["actions"].as_array().and_then(|all| all.last()).expect("an action").clone();
    answer["originalActionId"] = answer["id"].clone();
    // Another id than the request's, the same on every run.
    let id: Uuid = answer["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    answer["id"] = json!(Uuid::from_u128(!id.as_u128()));
    answer["status"] = json!("Accepted");
    answer["declaration"] = json!({});
    answer["registrationNumber"] = json!(format!("B{}", document["trackingId"].as_str().unwrap_or_default()));
    document["actions"].as_array_mut().expect("actions").push(answer);
    serde_json::to_vec(&document).expect("JSON")
}

fn judged(documents: &[(Uuid, Vec<u8>)]) -> Vec<Usage> {
    let pack = pack("farajaland");
    let fields = pack.fields_of_rules();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    (0..RUNS)
        .map(|_| {
            let next = AtomicUsize::new(0);
            let watch = Watch::start();
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        while let Some((_, bytes)) = documents.get(next.fetch_add(1, Ordering::Relaxed)) {
                            let document = EventDocument::parse_only(bytes, |field| fields.contains(field));
                            black_box(judge(&document.expect("a document"), &pack, documents::at()));
                        }
                    });
                }
            });
            watch.stop()
        })
        .collect()
}

async fn through(kind: Kind, documents: &[(Uuid, Vec<u8>)]) -> (Usage, Usage) {
    let database = kind.fresh();
    let setup = Setup { journal_url: Some(database.url.clone()), ..Setup::default() };
    let stack = Stack::without_work(setup).await;
    let patience = std::time::Duration::from_secs(60);
    let watch = Watch::start();
    for batch in documents.chunks(FEED) {
        stack.engine.keep_reindexed(batch.to_vec(), patience).await.expect("kept");
    }
    let kept = watch.stop();
    let batches: Vec<Vec<Vec<u8>>> =
        documents.chunks(BATCH).map(|batch| batch.iter().map(|(_, bytes)| bytes.clone()).collect()).collect();
    let next = AtomicUsize::new(0);
    let watch = Watch::start();
    let planners = (0..PLANNERS).map(|_| async {
        let mut planned = 0;
        while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (engine, batch) = (stack.engine.clone(), batch.clone());
            let at = documents::at();
            // On a worker of its own, as the command's threads are.
            let plan = tokio::spawn(async move { engine.plan_past(batch, at, || at).await });
            planned += plan.await.expect("no panic").expect("planned").planned;
        }
        planned
    });
    let planned: u64 = join_all(planners).await.into_iter().sum();
    let plans = watch.stop();
    assert_eq!(planned, DOCUMENTS as u64, "each child is asked a UIN for");
    stack.stop().await;
    (kept, plans)
}
