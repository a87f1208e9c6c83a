//! What is done with an input, and what must hold whatever it is.

use std::collections::BTreeSet;

use civitas_rules::{Effect, Facts, Pack, PackFiles, PacketContext};
use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

/// A word that stands for personal data: it must never come out again.
pub(crate) const CANARY: &str = "Zyxwvut";

/// What came of an input: the codes that were told, and whether a pack came out.
pub(crate) struct Told {
    pub(crate) codes: BTreeSet<String>,
    pub(crate) loaded: bool,
}

/// Loads a pack; one that loads is archived, brought back, and asked about junk.
pub(crate) fn load(files: &PackFiles, rng: &mut StdRng) -> Told {
    let problems = match Pack::load(files) {
        Err(problems) => {
            assert!(problems.has_errors(), "a pack is refused without an error");
            problems
        }
        Ok(pack) => {
            assert!(!pack.warnings().has_errors(), "a pack with errors loads");
            let again = Pack::from_canonical(pack.canonical()).expect("an archived rule set can be read");
            assert_eq!(again.digest(), pack.digest(), "the archive has another digest");
            assert_eq!(again.canonical(), pack.canonical(), "the archive has another form");
            let written: Value = serde_json::from_str(pack.canonical()).expect("JSON");
            let rules = written["rules.yaml"]["rules"].as_array().map_or(0, Vec::len);
            assert_eq!(pack.rule_ids().count(), rules, "a rule was left out without a word");
            let fields = fields_of(files);
            for _ in 0..8 {
                evaluate(&pack, &again, &fields, rng);
            }
            drop(pack.run_cases().to_string());
            pack.warnings().clone()
        }
    };
    for problem in &problems {
        assert!(problem.source_column <= problem.column.max(1), "an excerpt begins behind its place");
        assert!(problem.width >= 1, "nothing is underlined");
    }
    assert!(problems.to_string().len() < 4 << 20, "the report is longer than anybody reads");
    drop(serde_json::to_string(&problems).expect("problems are data"));
    Told {
        codes: problems.iter().map(|problem| problem.code.to_string()).collect(),
        loaded: !problems.has_errors(),
    }
}

/// Brings back what may be an archived rule set.
pub(crate) fn restore(text: &str, rng: &mut StdRng) -> Told {
    match Pack::from_canonical(text) {
        Ok(pack) => {
            let again = Pack::from_canonical(pack.canonical()).expect("an archived rule set can be read");
            assert_eq!(again.digest(), pack.digest(), "the archive has another digest");
            evaluate(&pack, &again, &fields_in(text), rng);
            Told { codes: BTreeSet::new(), loaded: true }
        }
        Err(problems) => {
            assert!(problems.has_errors(), "refused without an error");
            Told { codes: problems.iter().map(|problem| problem.code.to_string()).collect(), loaded: false }
        }
    }
}

fn evaluate(pack: &Pack, archived: &Pack, fields: &[String], rng: &mut StdRng) {
    let events: Vec<&str> = pack.events().chain(["none"]).collect();
    let actions = ["REGISTER", "APPROVE_CORRECTION", "CUSTOM", "DECLARE", ""];
    let (before, after) = (record(fields, rng), record(fields, rng));
    let at = Timestamp::from_second(rng.random_range(-377_000_000_000..253_000_000_000)).unwrap_or_default();
    let facts = Facts {
        event: events[rng.random_range(0..events.len())],
        action: actions[rng.random_range(0..actions.len())],
        custom_action: rng.random_bool(0.3).then_some("REVOKE_REGISTRATION"),
        before: &before,
        after: &after,
        at,
    };
    let decision = pack.decide(&facts);
    let explanation = pack.explain(&facts);
    assert_eq!(&decision, explanation.decision(), "explanation and decision differ");
    assert_eq!(decision, archived.decide(&facts), "the archive decides otherwise");
    let mut said = format!("{facts:?} {explanation:?}");
    let languages = pack.country().languages.iter().map(|language| language.code.as_str());
    for language in languages.chain(["zz"]) {
        let sentence = explanation.sentence(language);
        assert!(!sentence.is_empty(), "nothing is said");
        said.push_str(&sentence);
        said.push_str(&serde_json::to_string(&explanation.tree(language)).expect("a tree is data"));
    }
    if let Effect::Operate { send, .. } = &decision.effect {
        let context = PacketContext {
            facts: &facts,
            event_id: "e",
            tracking_id: "t",
            registration_number: rng.random_bool(0.5).then_some("n"),
        };
        let built = pack.build_packet(send, &context);
        assert_eq!(built, archived.build_packet(send, &context), "the archive builds another packet");
        if let Err(error) = built {
            said.push_str(&error.to_string());
        }
    }
    drop(pack.registration_number(facts.event, "e", "a", at, rng.random_range(0..3)));
    assert!(!said.contains(CANARY), "a value of the record is told: {said}");
}

/// What may be field ids: words with a dot.
fn fields_of(files: &PackFiles) -> Vec<String> {
    files.0.get("fields.yaml").map(|text| fields_in(text)).unwrap_or_default()
}

fn fields_in(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '.'));
    let fields: BTreeSet<&str> =
        words.filter(|word| word.contains('.') && word.len() < 60).take(2_000).collect();
    fields.into_iter().map(str::to_owned).collect()
}

fn record(fields: &[String], rng: &mut StdRng) -> Map<String, Value> {
    let mut record = Map::new();
    if fields.is_empty() {
        return record;
    }
    for _ in 0..rng.random_range(0..12) {
        record.insert(fields[rng.random_range(0..fields.len())].clone(), junk(rng, 3));
    }
    record
}

/// A value that a form would hold, or would never.
fn junk(rng: &mut StdRng, depth: u32) -> Value {
    match rng.random_range(0..if depth == 0 { 15 } else { 18 }) {
        0 => Value::Null,
        1 => json!(rng.random_bool(0.5)),
        2 => json!(""),
        3 => json!(CANARY),
        4 => json!("2016-02-29"),
        5 => json!(format!(
            "{:04}-{:02}-{:02}",
            rng.random_range(0..10_000),
            rng.random_range(0..14),
            rng.random_range(0..33)
        )),
        6 => json!("verified"),
        7 => json!("female"),
        8 => json!(rng.random_range(i64::MIN..=i64::MAX)),
        9 => json!(u64::MAX),
        10 => json!(f64::from_bits(rng.random_range(0..=u64::MAX))),
        11 => json!(format!("{CANARY}\u{202e}\u{0}\u{2028}मुन्ना")),
        12 => json!(CANARY.repeat(rng.random_range(1..300))),
        13 => json!("9999-12-31"),
        14 => json!("true"),
        15 => Value::Array((0..rng.random_range(0..4)).map(|_| junk(rng, depth - 1)).collect()),
        _ => {
            let parts = ["firstname", "surname", "data", "sub", "country", "streetLevelDetails", "age", ""];
            (0..rng.random_range(0..4))
                .map(|_| (parts[rng.random_range(0..parts.len())].to_owned(), junk(rng, depth - 1)))
                .collect::<Map<_, _>>()
                .into()
        }
    }
}
