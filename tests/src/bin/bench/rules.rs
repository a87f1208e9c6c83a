//! Decisions per second and core, in the rules crate alone; beside the same rules written by hand in Rust.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use civitas_opencrvs::{EventDocument, Map, Version};
use civitas_rules::{Effect, Facts, Pack};
use civitas_tests::measure::{Spread, Watch, float, thread_cpu};
use civitas_tests::stack::pack;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::documents;
use crate::report::{Cell, Figure};

const DOCUMENTS: usize = 3_000;
/// So many stay in the processor's caches, as the one record does that the engine has just read.
pub(crate) const AT_HAND: usize = 64;
const RUNS: usize = 5;
const RUN: Duration = Duration::from_millis(400);
const AIM: f64 = 500_000.0;

struct Case {
    bytes: Vec<u8>,
    event: String,
    action: String,
    before: Map,
    after: Map,
    at: Timestamp,
}

impl Case {
    fn read(bytes: Vec<u8>, action: &str) -> Option<Self> {
        let document = EventDocument::parse(&bytes).ok()?;
        let pending = document.pending(action).ok()?.action;
        let states = document.prospective(pending.id, Version::V2_0).ok()?;
        Some(Case {
            event: document.kind.clone(),
            action: action.to_owned(),
            before: (*states.before).clone(),
            after: (*states.after).clone(),
            at: pending.created_at.at(),
            bytes,
        })
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            event: &self.event,
            action: &self.action,
            custom_action: None,
            before: &self.before,
            after: &self.after,
            at: self.at,
        }
    }
}

pub(crate) fn run() -> Figure {
    let pack = pack("farajaland");
    let zone = pack.country().time_zone.clone();
    let cases: Vec<Case> = documents::mixed(DOCUMENTS)
        .into_iter()
        .filter_map(|generated| Case::read(generated.body(), generated.action_type))
        .collect();
    let language = pack.country().languages.first().map_or("en", |language| language.code.as_str());
    let watch = Watch::start();
    let at_hand = cases.get(..AT_HAND).unwrap_or(&cases);
    let [hand_at_hand, hand] =
        [at_hand, &cases].map(|cases| rate(cases, |case| by_hand(&case.facts(), &zone)));
    let [decide_at_hand, decide] =
        [at_hand, &cases].map(|cases| rate(cases, |case| pack.decide(&case.facts())));
    let explain = rate(&cases, |case| {
        let explanation = pack.explain(&case.facts());
        (explanation.sentence(language), explanation.decision().clone())
    });
    let whole = rate(&cases, |case| {
        let read = Case::read(case.bytes.clone(), &case.action)?;
        let explanation = pack.explain(&read.facts());
        Some((explanation.sentence(language), explanation.decision().clone()))
    });
    let usage = watch.stop();
    let row = |what: &str, rate: Spread, aim: Option<f64>, hand: Spread| {
        vec![
            what.into(),
            Cell::Spread(rate, 0),
            Cell::Number(1e9 / rate.median, 0),
            aim.map_or(Cell::Nothing, |aim| Cell::Number(aim, 0)),
            Cell::Ratio(rate.median / hand.median),
        ]
    };
    let bytes = cases.iter().map(|case| case.bytes.len()).sum::<usize>() / cases.len().max(1);
    Figure {
        name: "rules",
        title: "Decisions per second and core, rules alone",
        columns: vec!["what", "per second and core", "ns each", "aim", "beside rules written by hand"],
        rows: vec![
            row("decide, the record in the caches", decide_at_hand, Some(AIM), hand_at_hand),
            row("limit: the four rules written by hand in Rust", hand_at_hand, None, hand_at_hand),
            row("decide, the record in memory", decide, Some(AIM), hand),
            row("explain, with the sentence", explain, None, hand),
            row("document in bytes: parse, fold, explain", whole, None, hand),
            row("limit: the four rules written by hand in Rust", hand, None, hand),
        ],
        notes: vec![
            format!("{} documents of {bytes} bytes on average: {}.", cases.len(), outcomes(&pack, &cases)),
            format!(
                "In memory: all of them in turn. In the caches: {} of them again and again; the engine decides about \
                 what it has just read.",
                at_hand.len()
            ),
            format!("Per second of CPU time of one thread; others {:.0} %.", usage.other * 100.0),
        ],
    }
}

/// Cases per second of this thread's CPU time, over several runs.
fn rate<T>(cases: &[Case], mut work: impl FnMut(&Case) -> T) -> Spread {
    let runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let began = thread_cpu();
            let mut done = 0;
            loop {
                for case in cases {
                    black_box(work(black_box(case)));
                }
                done += cases.len();
                let spent = thread_cpu().saturating_sub(began);
                if spent >= RUN {
                    return float(done) / spent.as_secs_f64();
                }
            }
        })
        .collect();
    Spread::of(&runs)
}

fn outcomes(pack: &Pack, cases: &[Case]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases {
        let decided = match pack.decide(&case.facts()).effect {
            Effect::Operate { operation, .. } => operation.as_str().to_owned(),
            Effect::None | Effect::Ignore => "nothing".to_owned(),
            Effect::Hold { .. } => "hold".to_owned(),
            Effect::Reject { .. } => "reject".to_owned(),
        };
        *counts.entry(decided).or_default() += 1;
    }
    let shares = counts.into_iter().map(|(what, count)| format!("{what} {count}"));
    shares.collect::<Vec<_>>().join(", ")
}

/// Farajaland's rules without a language: what a team would write that never wants to change them.
fn by_hand(facts: &Facts<'_>, zone: &TimeZone) -> Option<&'static str> {
    let text = |field: &str| facts.after.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    let below_ten = || {
        let born: jiff::civil::Date = text("child.dob")?.parse().ok()?;
        let turns_ten = born.checked_add(jiff::Span::new().years(10)).ok()?;
        Some(facts.at.to_zoned(zone.clone()).date() < turns_ten)
    };
    let known = |field: &str| matches!(text(field), Some("verified" | "authenticated"));
    let a_parent_is_known = || known("mother.verified") || known("father.verified");
    match (facts.event, facts.action) {
        ("birth", "REGISTER" | "APPROVE_CORRECTION")
            if text("child.nid").is_none() && below_ten() == Some(true) && a_parent_is_known() =>
        {
            Some("create_uin")
        }
        ("birth", "APPROVE_CORRECTION") if text("child.nid").is_some() && below_ten() == Some(true) => {
            let biographic = ["child.name", "child.dob", "child.gender"];
            let changed = biographic.iter().any(|field| facts.before.get(*field) != facts.after.get(*field));
            changed.then_some("update_biographics")
        }
        ("death", "REGISTER") if text("deceased.nid").is_some() => Some("flag_deceased"),
        _ => None,
    }
}
