//! How long a changed country pack takes until it decides, while registrars go on clicking.

use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use civitas_tests::measure::{Spread, Watch, float, percentile};
use civitas_tests::stack::{clock, http};
use serde_json::Value;

use crate::database::Kind;
use crate::documents;
use crate::floor::millis;
use crate::report::{Cell, Figure};
use crate::world::{Click, Keys, Parts, World};

const SWAPS: usize = 25;
const LOOKS: usize = 5;
const CLIENTS: usize = 20;
const CLICKS: usize = 20_000;
const RULES: [usize; 2] = [1, 300];
const AIM_MILLIS: f64 = 100.0;

/// One swap, in milliseconds: from before the first byte is written, and its steps as the engine tells them.
struct Swap {
    whole: f64,
    steps: [f64; 4],
}

pub(crate) async fn run(keys: &Keys) -> Figure {
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    let mut clicks = Vec::new();
    for rules in RULES {
        for loaded in [false, true] {
            let world = World::start(keys, Kind::Sqlite, Parts::Server).await;
            if clicks.is_empty() {
                clicks = world.sign(documents::births(400_000, CLICKS, clock()())).await;
            }
            let clicks = if loaded { &clicks[..] } else { &[] };
            let watch = Watch::over(world.engine.id());
            let (swaps, answers) = under_load(&world, keys, clicks, rules).await;
            let usage = watch.stop();
            let spread = |of: &dyn Fn(&Swap) -> f64| {
                Cell::Spread(Spread::of(&swaps.iter().map(of).collect::<Vec<_>>()), 1)
            };
            rows.push(vec![
                Cell::Number(float(rules + 4), 0),
                if loaded { format!("{CLIENTS} clients") } else { "idle".to_owned() }.into(),
                spread(&|swap| swap.whole),
                spread(&|swap| swap.steps[0]),
                spread(&|swap| swap.steps[1]),
                spread(&|swap| swap.steps[2]),
                spread(&|swap| swap.steps[3]),
                Cell::Number(AIM_MILLIS, 0),
                Cell::Percent(usage.other),
            ]);
            if let Some(said) = answers {
                notes.push(format!("{} rules: {said}", rules + 4));
            }
        }
    }
    let world = World::start(keys, Kind::Sqlite, Parts::Server).await;
    let noticed = Spread::of(&noticed(&world, keys).await);
    notes.push(format!(
        "Without a call, by watching (looks every 2 s, waits until the folder was quiet for 1 s): {:.0} ms \
         ({:.0}–{:.0}) of {} changes.",
        noticed.median, noticed.min, noticed.max, noticed.runs
    ));
    notes.push(
        "\"Whole\" is from before the file is written until the engine's answer that the new rule set decides: \
         `POST /api/v1/pack/reload` over HTTP. Reading waits 20 ms between two readings that must agree. \
         SQLite with full durability; the pack's 57 cases are run at each swap."
            .to_owned(),
    );
    write(keys, 0, 0);
    Figure {
        name: "swap",
        title: "A changed pack until it decides",
        columns: vec![
            "rules",
            "load",
            "whole ms",
            "read ms",
            "compile ms",
            "cases ms",
            "swap ms",
            "aim",
            "others",
        ],
        rows,
        notes,
    }
}

/// Swaps one after the other, while clients click; what their answers were.
async fn under_load(
    world: &World,
    keys: &Keys,
    clicks: &[Click],
    rules: usize,
) -> (Vec<Swap>, Option<String>) {
    let (client, url) = (http(Duration::from_secs(60)), world.engine.trigger("birth", "REGISTER"));
    let (next, failed, going) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(true));
    let one = || async {
        let mut took = Vec::new();
        while going.load(Ordering::Relaxed)
            && let Some(click) = clicks.get(next.fetch_add(1, Ordering::Relaxed))
        {
            let began = Instant::now();
            if !matches!(click.post(&client, &url).await, Some(200 | 202)) {
                failed.fetch_add(1, Ordering::Relaxed);
            }
            took.push(began.elapsed());
        }
        took
    };
    let swapping = async {
        let mut swaps = Vec::new();
        for number in 0..=SWAPS {
            let began = Instant::now();
            write(keys, rules, number);
            let steps = reload(&client, world, keys).await;
            // The first one warms up.
            if number > 0 {
                swaps.push(Swap { whole: millis(began.elapsed()), steps });
            }
        }
        going.store(false, Ordering::Relaxed);
        swaps
    };
    let clients = futures::future::join_all((0..CLIENTS).map(|_| one()));
    let (swaps, answers) = tokio::join!(swapping, clients);
    let mut answers = answers.concat();
    answers.sort_unstable();
    let said = (!answers.is_empty()).then(|| {
        format!(
            "{} triggers were answered meanwhile, p99 {:.1} ms, max {:.1} ms, {} with neither 200 nor 202.",
            answers.len(),
            millis(percentile(&answers, 99)),
            millis(percentile(&answers, 100)),
            failed.into_inner()
        )
    });
    (swaps, said)
}

async fn reload(client: &reqwest::Client, world: &World, keys: &Keys) -> [f64; 4] {
    let request = client.post(format!("{}/api/v1/pack/reload", world.engine.url)).bearer_auth(keys.token());
    let attempt: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(attempt["outcome"], "swapped", "{attempt}");
    ["read", "compile", "cases", "swap"].map(|step| attempt["took"][step].as_f64().expect("milliseconds"))
}

/// From a change to the rule set that decides, with nobody calling.
async fn noticed(world: &World, keys: &Keys) -> Vec<f64> {
    let client = http(Duration::from_secs(5));
    let digest = || async {
        let health =
            client.get(format!("{}/health/ready", world.engine.url)).send().await.expect("an answer");
        health.json::<Value>().await.expect("JSON")["ruleset"]["digest"].clone()
    };
    let mut took = Vec::new();
    for number in 1..=LOOKS {
        let before = digest().await;
        let began = Instant::now();
        write(keys, 1, 1_000 + number);
        while digest().await == before {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        took.push(millis(began.elapsed()));
    }
    took
}

/// The shipped rules, after so many that match nobody; `mark` makes them new. In evaluate mode, so that they are not
/// named in the sentences that the pack's cases expect.
fn write(keys: &Keys, rules: usize, mark: usize) {
    let shipped = civitas_tests::workspace().join("country-config/farajaland/rules.yaml");
    let shipped = fs::read_to_string(shipped).expect("the shipped rules");
    let mut more = String::from("rules:\n");
    for number in 0..rules {
        // Writing to a string cannot fail.
        let _ = write!(
            more,
            "  - id: nobody-{number}
    name: {{ en: Nobody {mark}, fr: Personne {mark} }}
    on: {{ event: birth, action: REGISTER }}
    if: {{ all: [{{ child.name#firstname: {{ equals: nobody-{number}-{mark} }} }}, a_parent_is_known] }}
    do: ignore
    mode: evaluate
"
        );
    }
    fs::write(keys.pack().join("rules.yaml"), shipped.replacen("rules:\n", &more, 1)).expect("written");
}
