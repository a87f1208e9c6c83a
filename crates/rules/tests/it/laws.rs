//! Laws of whole packs, over arbitrary well-typed rules and arbitrary records.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use civitas_rules::{Effect, Facts, Pack, PackFiles, PacketContext};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A word that stands for personal data: it must never come out again.
const CANARY: &str = "Zyxwvut";

const STEPS: [(&str, &str, Option<&str>); 6] = [
    ("birth", "REGISTER", None),
    ("birth", "APPROVE_CORRECTION", None),
    ("birth", "CUSTOM", Some("REVOKE")),
    ("birth", "CUSTOM", Some("REINSTATE")),
    ("death", "REGISTER", None),
    ("marriage", "REGISTER", None),
];

fn ages() -> impl Strategy<Value = String> {
    let units = prop::sample::select(vec!["day", "days", "weeks", "months", "year", "years"]);
    (0..=9_000_u16, units).prop_map(|(count, unit)| format!("{count} {unit}"))
}

fn dates() -> impl Strategy<Value = String> {
    let any =
        (0..=9999, 1..=12, 1..=28).prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"));
    prop_oneof![1 => Just("today".to_owned()), 4 => any]
}

fn numbers() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| json!(n)),
        any::<i64>().prop_map(|n| json!(n))
    ]
}

/// What can be asked of one field of the small pack, by its type.
fn asked() -> impl Strategy<Value = Value> {
    let fields = vec![
        "child.name",
        "child.dob",
        "child.gender",
        "child.nid",
        "child.weight",
        "child.twin",
        "mother.verify",
        "child.name#surname",
    ];
    let presence =
        (prop::sample::select(fields.clone()), prop::sample::select(vec!["present", "absent", "changed"]))
            .prop_map(|(field, asked)| json!({ field: asked }));
    let ages = (
        prop::sample::select(vec!["child.dob", "mother.dob"]),
        prop::sample::select(vec!["age_below", "age_at_least"]),
        ages(),
    )
        .prop_map(|(field, predicate, age)| json!({ field: { predicate: age } }));
    let dates = (prop::sample::select(vec!["before", "after"]), dates())
        .prop_map(|(predicate, date)| json!({ "child.dob": { predicate: date } }));
    let choice = prop::sample::subsequence(vec!["verified", "authenticated", "failed", "pending"], 1..4)
        .prop_shuffle()
        .prop_map(|words| json!({ "mother.verified": { "in": words } }));
    let amount = (numbers(), numbers())
        .prop_map(|(low, high)| json!({ "child.weight": { "at_least": low, "less_than": high } }));
    let flag = any::<bool>().prop_map(|flag| json!({ "child.twin": { "equals": flag } }));
    let text = "\\PC{0,20}".prop_map(|text| json!({ "child.nid": { "equals": text } }));
    let pattern = prop::sample::select(vec!["[0-9]{3}", "a|b", "\\p{L}+", ""])
        .prop_map(|pattern| json!({ "child.nid": { "matches": pattern } }));
    let foreign = prop::collection::vec(
        prop_oneof![any::<bool>().prop_map(|b| json!(b)), Just(json!("t")), Just(json!(1))],
        1..4,
    )
    .prop_map(|words| json!({ "mother.verify#data#sub": { "in": words } }));
    let changed = prop_oneof![
        Just(json!({ "changed": "biographic" })),
        prop::sample::subsequence(fields, 1..4)
            .prop_shuffle()
            .prop_map(|fields| json!({ "changed": fields })),
    ];
    prop_oneof![
        presence,
        ages,
        dates,
        choice,
        amount,
        flag,
        text,
        pattern,
        foreign,
        changed,
        Just(json!("mother_known"))
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    asked().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|terms| json!({ "all": terms })),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|terms| json!({ "any": terms })),
            inner.prop_map(|term| json!({ "not": term })),
        ]
    })
}

fn texts(english: &str, french: &str) -> Value {
    json!({ "en": english, "fr": french })
}

fn rule() -> impl Strategy<Value = Value> {
    let effect = prop::sample::select(vec!["ignore", "reject", "create_uin", "update_biographics"]);
    let mode = prop::sample::select(vec!["enforce", "enforce", "enforce", "evaluate", "off"]);
    (prop::option::weighted(0.9, condition()), 0..4_usize, effect, mode, any::<bool>(), 1..60_u16).prop_map(
        |(condition, step, effect, mode, hold, days)| {
            let (event, action, custom) = STEPS[step];
            let mut rule = json!({
                "name": texts("A rule", "Une règle"),
                "on": { "event": event, "action": action },
                "do": effect,
                "mode": mode,
                "if_unknown": if hold { "hold" } else { "skip" },
            });
            if let Some(custom) = custom {
                rule["on"]["custom_action"] = json!(custom);
            }
            if let Some(condition) = condition {
                rule["if"] = condition;
            }
            match effect {
                "reject" => rule["reason"] = texts("No", "Non"),
                "create_uin" => {
                    rule["send"] = json!("birth");
                    rule["respond"] = json!("await_external_validation");
                    rule["deadline"] = json!(format!("{days} days"));
                }
                "update_biographics" => {
                    rule["send"] = json!("update");
                    rule["respond"] = json!("continue");
                }
                _ => {}
            }
            rule
        },
    )
}

/// rules.yaml as a value: arbitrary rules for the small pack.
fn rules() -> impl Strategy<Value = Value> {
    prop::collection::vec(rule(), 1..7).prop_map(|mut rules| {
        for (number, rule) in rules.iter_mut().enumerate() {
            rule["id"] = json!(format!("rule-{number}"));
        }
        json!({
            "version": 1,
            "groups": { "biographic": ["child.name", "child.dob", "child.gender"] },
            "conditions": { "mother_known": { "mother.verified": { "in": ["verified", "authenticated"] } } },
            "rules": rules,
        })
    })
}

fn with(rules: String) -> PackFiles {
    let mut files = crate::common::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pack"));
    let case = "version: 1\ncases:\n  - name: one\n    given: { event: other, action: DECLARE, at: 2026-01-01T00:00:00Z }\n    expect: { do: none }\n";
    files.0.insert("cases/all.yaml".to_owned(), case.to_owned());
    files.0.insert("rules.yaml".to_owned(), rules);
    files
}

fn load(rules: &Value) -> Result<Pack, TestCaseError> {
    Pack::load(&with(rules.to_string())).map_err(|problems| TestCaseError::reject(problems.to_string()))
}

/// The next choice of a style, below `of`.
fn choose(style: &mut u64, of: u64) -> u64 {
    *style = style.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*style >> 33) % of
}

/// Writes the value as YAML in some other way: other order of keys, blocks or braces, remarks, line ends.
fn written(value: &Value, style: &mut u64, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) if !map.is_empty() && (depth == 0 || choose(style, 4) > 0) => {
            let mut keys: Vec<&String> = map.keys().collect();
            let turns = choose(style, keys.len() as u64);
            keys.rotate_left(usize::try_from(turns).expect("small"));
            for key in keys {
                if choose(style, 4) == 0 {
                    let _ = write!(out, "\n{indent}# a remark: \"{key}\" [");
                }
                let _ = write!(out, "\n{indent}{}: ", json!(key));
                written(&map[key], style, depth + 1, out);
            }
        }
        Value::Array(items) if !items.is_empty() && choose(style, 4) > 0 => {
            for item in items {
                let _ = write!(out, "\n{indent}- ");
                written(item, style, depth + 1, out);
            }
        }
        plain => out.push_str(&plain.to_string()),
    }
}

fn noisy(value: &Value, mut style: u64) -> String {
    let mut out = String::from("# yaml-language-server: $schema=x");
    written(value, &mut style, 0, &mut out);
    if style.is_multiple_of(3) { out.replace('\n', "\r\n") } else { out + "\n\n# the end\n" }
}

fn junk() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!("")),
        Just(json!(CANARY)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(|text| json!(format!("{CANARY}{text}"))),
        prop::sample::select(vec![
            "0000-01-01",
            "2016-02-29",
            "2020-06-01",
            "9999-12-31",
            "2019-13-01",
            "verified",
            "male",
            "123",
            "t",
            "\u{202e}\0"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            (inner.clone(), inner).prop_map(|(a, b)| json!({ "surname": a.clone(), "firstname": b.clone(), "data": { "sub": a, CANARY: b } })),
        ]
    })
}

fn record() -> impl Strategy<Value = Map<String, Value>> {
    let fields = vec![
        "child.name",
        "child.dob",
        "child.gender",
        "child.nid",
        "child.weight",
        "child.twin",
        "mother.dob",
        "mother.verified",
        "mother.verify",
        "elsewhere",
    ];
    prop::collection::btree_map(prop::sample::select(fields), junk(), 0..8)
        .prop_map(|entries| entries.into_iter().map(|(field, value)| (field.to_owned(), value)).collect())
}

fn instants() -> impl Strategy<Value = Timestamp> {
    (-62_000_000_000_i64..253_000_000_000)
        .prop_map(|second| Timestamp::from_second(second).expect("an instant"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Read, written and read again, a pack is the same; so it is with remarks and in another order of keys.
    #[test]
    fn a_pack_is_its_canonical_form_however_it_is_written(rules in rules(), style in any::<u64>()) {
        let pack = load(&rules)?;
        let archived = Pack::from_canonical(pack.canonical()).expect("an archived rule set");
        prop_assert_eq!(archived.canonical(), pack.canonical());
        prop_assert_eq!(archived.digest(), pack.digest());
        prop_assert!(archived.rule_ids().eq(pack.rule_ids()));
        let text = noisy(&rules, style);
        let noisy = Pack::load(&with(text.clone())).map_err(|problems| TestCaseError::fail(format!("{problems}\n{text}")))?;
        prop_assert_eq!(noisy.canonical(), pack.canonical());
        // The canonical form is itself a pack that can be written as files.
        let root: Map<String, Value> = serde_json::from_str(pack.canonical()).expect("JSON");
        let mut files: BTreeMap<String, String> =
            root.iter().filter(|(_, value)| value.is_object()).map(|(name, value)| (name.clone(), value.to_string())).collect();
        files.insert("cases/all.yaml".to_owned(), with(String::new()).0["cases/all.yaml"].clone());
        let unpacked = Pack::load(&PackFiles(files)).expect("a pack");
        prop_assert_eq!(unpacked.digest(), pack.digest());
    }

    /// Another order of a list has the same name where nobody can tell, and another where it can be told.
    #[test]
    fn only_order_that_says_nothing_is_ignored(rules in rules(), keep in any::<bool>()) {
        let pack = load(&rules)?;
        let mut other = rules.clone();
        other["groups"]["biographic"].as_array_mut().expect("a list").reverse();
        let turned = load(&other)?;
        prop_assert_eq!(turned.digest(), pack.digest());
        let list = if keep { "/rules" } else { "/conditions/mother_known/mother.verified/in" };
        let list = other.pointer_mut(list).and_then(Value::as_array_mut).expect("a list");
        let before = list.clone();
        list.reverse();
        let told = before != *list;
        prop_assert_eq!(load(&other)?.digest() != pack.digest(), told);
    }

    /// A rule set with another bound, word, effect or mode has another name.
    #[test]
    fn what_decides_is_in_the_name(rules in rules(), at in any::<prop::sample::Index>(), change in 0..5) {
        let pack = load(&rules)?;
        let mut other = rules.clone();
        let count = other["rules"].as_array().map_or(0, Vec::len);
        let rule = &mut other["rules"][at.index(count)];
        match change {
            0 => rule["mode"] = json!(if rule["mode"] == "off" { "enforce" } else { "off" }),
            1 => rule["if_unknown"] = json!(if rule["if_unknown"] == "hold" { "skip" } else { "hold" }),
            2 => rule["if"] = json!({ "not": rule.get("if").cloned().unwrap_or(json!("mother_known")) }),
            3 => rule["name"]["fr"] = json!("Autre"),
            _ => rule["id"] = json!("another"),
        }
        let other = load(&other)?;
        prop_assert_ne!(other.digest(), pack.digest());
    }

    /// Deciding never fails, is repeatable, and is what the explanation and the archive say; no value is told.
    #[test]
    fn decision_explanation_and_archive_agree_and_tell_no_values(
        rules in rules(),
        events in prop::collection::vec((record(), record(), prop::sample::select(STEPS.to_vec()), instants()), 1..12),
    ) {
        let pack = load(&rules)?;
        let archived = Pack::from_canonical(pack.canonical()).expect("an archived rule set");
        for (before, after, (event, action, custom_action), at) in &events {
            let facts = Facts { event, action, custom_action: *custom_action, before, after, at: *at };
            let decision = pack.decide(&facts);
            prop_assert_eq!(&decision, &pack.clone().decide(&facts));
            prop_assert_eq!(&decision, &archived.decide(&facts));
            let (explanation, archive) = (pack.explain(&facts), archived.explain(&facts));
            prop_assert_eq!(&decision, explanation.decision());
            let mut said = format!("{facts:?}{explanation:?}{decision:?}");
            for language in ["en", "fr", "xx"] {
                let (sentence, tree) = (explanation.sentence(language), explanation.tree(language));
                prop_assert!(!sentence.trim().is_empty());
                prop_assert_eq!(&sentence, &archive.sentence(language));
                prop_assert_eq!(&tree, &archive.tree(language));
                // Exactly the rule that decided says so, and its outcome fits.
                let decided: Vec<&str> = tree.iter().filter(|rule| rule.decided).map(|rule| rule.rule.as_str()).collect();
                prop_assert_eq!(decided, decision.rule.as_deref().into_iter().collect::<Vec<_>>());
                said.push_str(&sentence);
                said.push_str(&serde_json::to_string(&tree).expect("a tree is data"));
            }
            let stored = serde_json::to_string(&decision).expect("a decision is data");
            prop_assert_eq!(&serde_json::from_str::<civitas_rules::Decision>(&stored).expect("a decision"), &decision);
            if let Effect::Operate { send, .. } = &decision.effect {
                let context = PacketContext { facts: &facts, event_id: "e", tracking_id: "t", registration_number: Some("n") };
                let built = pack.build_packet(send, &context);
                prop_assert_eq!(&built, &pack.build_packet(send, &context));
                prop_assert_eq!(&built, &archived.build_packet(send, &context));
                match built {
                    Ok(packet) => drop(write!(said, "{packet:?}")),
                    Err(error) => said.push_str(&error.to_string()),
                }
            }
            prop_assert!(!said.contains(CANARY), "{}", said);
        }
    }

    /// Rules for other steps, and rules that are off, are as if they were not there.
    #[test]
    fn rules_of_other_steps_change_nothing(rules in rules(), after in record(), step in prop::sample::select(STEPS.to_vec()), at in instants()) {
        let (event, action, custom_action) = step;
        let before = Map::new();
        let facts = Facts { event, action, custom_action, before: &before, after: &after, at };
        let mut own = rules.clone();
        let list = own["rules"].as_array_mut().expect("a list");
        list.retain(|rule| {
            rule["on"]["event"] == event && rule["on"]["action"] == action
                && rule["on"].get("custom_action").and_then(Value::as_str) == custom_action && rule["mode"] != "off"
        });
        prop_assert_eq!(load(&rules)?.decide(&facts), load(&own)?.decide(&facts));
    }
}
