//! Past civil events judged again, per second and core: whole documents, documents read for the rules alone, and
//! events whose states are folded already; beside the plain cost of reading the same bytes as JSON.

use std::hint::black_box;
use std::time::Duration;

use civitas_opencrvs::{EventDocument, Map, Version};
use civitas_rules::{Facts, Pack};
use civitas_tests::measure::{Spread, Watch, float, thread_cpu};
use civitas_tests::stack::pack;
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::documents;
use crate::report::{Cell, Figure};

const DOCUMENTS: usize = 3_000;
const RUNS: usize = 5;
const RUN: Duration = Duration::from_millis(400);
const AIM: f64 = 200_000.0;

/// A civil event with its states.
struct Folded {
    event: String,
    action: String,
    before: Map,
    after: Map,
    at: Timestamp,
}

impl Folded {
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
    let fields = pack.fields_of_rules();
    let wanted = |field: &str| fields.contains(field);
    let documents: Vec<Vec<u8>> =
        documents::mixed(DOCUMENTS).into_iter().map(|generated| generated.body()).collect();
    let folded: Vec<Folded> = documents.iter().flat_map(|bytes| fold(bytes)).collect();
    let each = float(folded.len()) / float(documents.len());
    let watch = Watch::start();
    let scan = rate(&documents, |bytes| serde_json::from_slice::<IgnoredAny>(bytes).is_ok());
    let value = rate(&documents, |bytes| serde_json::from_slice::<Value>(bytes).is_ok());
    let whole = rate(&documents, |bytes| Some(judged(&EventDocument::parse(bytes).ok()?, &pack)));
    let some = rate(&documents, |bytes| Some(judged(&EventDocument::parse_only(bytes, wanted).ok()?, &pack)));
    let waiting = rate(&documents, |bytes| {
        let document = EventDocument::parse_only(bytes, wanted).ok()?;
        let action = document.find_pending().ok()?.action;
        let states = document.prospective(action.id, Version::V2_0).ok()?;
        Some(pack.decide(&Facts {
            event: &document.kind,
            action: &action.kind,
            custom_action: action.custom_action_type.as_deref(),
            before: &states.before,
            after: &states.after,
            at: action.created_at.at(),
        }))
    });
    let decide = rate(&folded, |folded| pack.decide(&folded.facts()));
    let usage = watch.stop();
    let row = |what: &str, documents: Option<Spread>, events: Option<(Spread, f64)>, aim: Option<f64>| {
        let scaled = |(spread, by): (Spread, f64)| Spread {
            median: spread.median * by,
            min: spread.min * by,
            max: spread.max * by,
            ..spread
        };
        vec![
            what.into(),
            documents.map_or(Cell::Nothing, |spread| Cell::Spread(spread, 0)),
            events.map_or(Cell::Nothing, |events| Cell::Spread(scaled(events), 0)),
            aim.map_or(Cell::Nothing, |aim| Cell::Number(aim, 0)),
            documents.map_or(Cell::Nothing, |spread| Cell::Ratio(spread.median / scan.median)),
        ]
    };
    let bytes = documents.iter().map(Vec::len).sum::<usize>() / documents.len().max(1);
    Figure {
        name: "replay",
        title: "Past civil events judged again, per second and core",
        columns: vec!["what", "documents", "civil events", "aim (events)", "beside the limit"],
        rows: vec![
            row("civil events whose states are folded: decide", None, Some((decide, 1.0)), Some(AIM)),
            row("documents read for the rules: every civil event", Some(some), Some((some, each)), Some(AIM)),
            row(
                "documents read for the rules: the action that waits",
                Some(waiting),
                Some((waiting, 1.0)),
                None,
            ),
            row("documents read whole: every civil event", Some(whole), Some((whole, each)), None),
            row("the same bytes into serde_json values", Some(value), None, None),
            row("limit: serde_json steps over the same bytes", Some(scan), None, None),
        ],
        notes: vec![
            format!(
                "{} documents of {bytes} bytes on average, {each:.2} civil events each; rules of Farajaland, which name {} fields.",
                documents.len(),
                fields.len()
            ),
            format!("Per second of CPU time of one thread; others {:.0} %.", usage.other * 100.0),
        ],
    }
}

/// How many civil events of a document come to something.
fn judged(document: &EventDocument, pack: &Pack) -> usize {
    let past = document.past(Version::V2_0);
    let decided = past.iter().map(|past| {
        pack.decide(&Facts {
            event: &document.kind,
            action: &past.action.kind,
            custom_action: past.action.custom_action_type.as_deref(),
            before: &past.states.before,
            after: &past.states.after,
            at: past.action.created_at.at(),
        })
    });
    decided.filter(|decision| decision.rule.is_some()).count()
}

fn fold(bytes: &[u8]) -> Vec<Folded> {
    let document = EventDocument::parse(bytes).expect("a generated document");
    let past = document.past(Version::V2_0);
    past.into_iter()
        .map(|past| Folded {
            event: document.kind.clone(),
            action: past.action.kind.clone(),
            before: (*past.states.before).clone(),
            after: (*past.states.after).clone(),
            at: past.action.created_at.at(),
        })
        .collect()
}

/// Items per second of this thread's CPU time, over several runs.
fn rate<I, T>(items: &[I], mut work: impl FnMut(&I) -> T) -> Spread {
    let runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let began = thread_cpu();
            let mut done = 0;
            loop {
                for item in items {
                    black_box(work(black_box(item)));
                }
                done += items.len();
                let spent = thread_cpu().saturating_sub(began);
                if spent >= RUN {
                    return float(done) / spent.as_secs_f64();
                }
            }
        })
        .collect();
    Spread::of(&runs)
}
