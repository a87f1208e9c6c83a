//! The fold, the flags, the pending action and the prospective state, beside OpenCRVS's own reducers, on many generated
//! action logs.
//!
//! What the reducers say was recorded once, as four bytes of a hash per log (`README.md` says how); here the logs are made
//! again from their seeds. Every tenth is compared, which is done in seconds; all of them with `CIVITAS_ALL_LOGS=1`, as
//! `make reducers` does.

mod generate;

use std::fmt::Write as _;

use civitas_opencrvs::{EventDocument, Version};
use openssl::sha::sha256;
use serde_json::{Value, json};

/// Bytes of a hash that are kept.
const KEPT: usize = 4;

/// What is said about a log, in one line that both sides write alike: members sorted, no spaces.
fn said(document: &EventDocument, version: Version) -> String {
    let (pending, after) = match document.find_pending() {
        Err(_) => (json!("none"), Value::Null),
        Ok(found) if found.anomaly.is_some() => (json!("several"), Value::Null),
        Ok(found) => {
            let states = document.prospective(found.action.id, version).unwrap();
            assert_eq!(*states.before, document.current(version), "one fold");
            let changed = |key: &String| states.before.get(key) != states.after.get(key);
            assert!(states.changed.iter().all(changed), "what is said to change changes");
            (json!(found.action.id), Value::Object((*states.after).clone()))
        }
    };
    let mut flags = document.flags();
    if version == Version::V1_9 {
        // Its inherent flags follow other rules, and none of ours looks at them.
        flags.retain(|flag| flag.contains(':'));
    }
    let before = Value::Object(document.current(version));
    let status = document.status().as_str();
    sorted(&json!({"after": after, "before": before, "flags": flags, "pending": pending, "status": status}))
}

fn sorted(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(sorted).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(object) => {
            let mut members: Vec<(&String, &Value)> = object.iter().collect();
            members.sort_by(|a, b| a.0.cmp(b.0));
            let mut text = String::from("{");
            for (place, (key, value)) in members.into_iter().enumerate() {
                let comma = if place == 0 { "" } else { "," };
                write!(text, "{comma}{}:{}", Value::from(key.as_str()), sorted(value)).unwrap();
            }
            text.push('}');
            text
        }
        other => other.to_string(),
    }
}

fn read(seed: u64, version: Version) -> EventDocument {
    let log = generate::document(seed, version == Version::V1_9).to_string();
    EventDocument::parse(log.as_bytes()).unwrap_or_else(|error| panic!("log {seed}: {error}"))
}

/// Compares the logs, on as many threads as there are; the seeds on which the two disagree.
fn disagreements(recorded: &[u8], version: Version, every: u64) -> Vec<u64> {
    let logs = u64::try_from(recorded.len() / KEPT).unwrap();
    let threads = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let compare = |first: u64| {
        (first * every..logs)
            .step_by(usize::try_from(threads * every).unwrap())
            .filter(|seed| {
                let place = usize::try_from(*seed).unwrap() * KEPT;
                let hash = sha256(said(&read(*seed, version), version).as_bytes());
                hash[..KEPT] != recorded[place..place + KEPT]
            })
            .collect::<Vec<u64>>()
    };
    let mut found: Vec<u64> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|first| scope.spawn(move || compare(first))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    found.sort_unstable();
    found
}

fn agrees(recorded: &[u8], version: Version, least: usize) {
    assert!(recorded.len() >= least * KEPT, "{} logs", recorded.len() / KEPT);
    let all = std::env::var_os("CIVITAS_ALL_LOGS").is_some();
    let found = disagreements(recorded, version, if all { 1 } else { 10 });
    let shown = found.first().map(|seed| {
        format!(
            "{}\n{}",
            generate::document(*seed, version == Version::V1_9),
            said(&read(*seed, version), version)
        )
    });
    assert!(
        found.is_empty(),
        "{} logs, the first {:?}:\n{}",
        found.len(),
        &found[..found.len().min(10)],
        shown.unwrap()
    );
}

#[test]
fn all_reducers_of_2_0_agree_on_100_000_logs() {
    agrees(include_bytes!("2.0.bin"), Version::V2_0, 100_000);
}

#[test]
fn all_reducers_of_1_9_agree_on_25_000_logs() {
    agrees(include_bytes!("1.9.bin"), Version::V1_9, 25_000);
}

#[test]
fn the_reducers_of_another_version_disagree() {
    let recorded = &include_bytes!("2.0.bin")[..1000 * KEPT];
    let found = disagreements(recorded, Version::V1_9, 1);
    assert!((20..1000).contains(&found.len()), "{} of 1000", found.len());
}

/// What they agree on is not one and the same thing again and again.
#[test]
fn the_logs_are_of_every_kind() {
    let mut counts = std::collections::BTreeMap::new();
    for seed in 0..2000 {
        let line: Value = serde_json::from_str(&said(&read(seed, Version::V2_0), Version::V2_0)).unwrap();
        let mut count = |what: String| *counts.entry(what).or_insert(0_u32) += 1;
        count(format!("status {}", line["status"]));
        for flag in line["flags"].as_array().unwrap() {
            count(format!("flag {flag}"));
        }
        count(match line["pending"].as_str().unwrap() {
            "none" | "several" => format!("pending {}", line["pending"]),
            _ if line["after"] == line["before"] => "pending that changes nothing".to_owned(),
            _ => "pending that changes the record".to_owned(),
        });
    }
    let kinds: Vec<&String> =
        counts.iter().filter(|(_, count)| **count >= 20).map(|(kind, _)| kind).collect();
    assert!(kinds.len() >= 28, "{counts:#?}");
}
