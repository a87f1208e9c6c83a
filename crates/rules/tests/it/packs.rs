//! What a compiled pack promises: its name, its decisions, its packets, its numbers.

use std::path::Path;

use civitas_rules::{
    Code, Decision, Effect, Facts, Guard, Operation, Pack, PackFiles, PacketContext, PacketError, Respond,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn small() -> PackFiles {
    crate::common::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pack"))
}

fn load(files: &PackFiles) -> Pack {
    Pack::load(files).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The small pack with its rules replaced; its cases shrink to one that always holds.
fn with_rules(rules: &str) -> Pack {
    let mut files = small();
    files.0.insert(
        "rules.yaml".to_owned(),
        format!(
            "version: 1\nconditions:\n  known: {{ mother.verified: {{ equals: verified }} }}\nrules:\n{rules}"
        ),
    );
    files.0.insert(
        "cases/all.yaml".to_owned(),
        "version: 1\ncases:\n  - name: one\n    given: { event: other, action: DECLARE, at: 2026-01-01T00:00:00Z }\n    expect: { do: none }\n".to_owned(),
    );
    load(&files)
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => panic!("a map"),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn decide(pack: &Pack, after: Value) -> Decision {
    let after = map(after);
    pack.decide(&facts("birth", "REGISTER", &after, &after))
}

fn facts<'a>(
    event: &'a str,
    action: &'a str,
    before: &'a Map<String, Value>,
    after: &'a Map<String, Value>,
) -> Facts<'a> {
    Facts { event, action, custom_action: None, before, after, at: at("2026-02-01T00:00:00Z") }
}

fn newborn() -> Value {
    json!({
        "child.name": { "firstname": "Ann", "surname": "Lee" },
        "child.dob": "2026-01-01",
        "child.gender": "female",
        "mother.verified": "verified",
    })
}

#[test]
fn a_rule_set_keeps_its_name_through_comments_order_and_archive() {
    let files = small();
    let pack = load(&files);
    assert_eq!(pack.digest().len(), 64);

    let mut noisy = files.clone();
    let rules = noisy.0.get_mut("rules.yaml").expect("rules");
    *rules = format!(
        "# a remark\n{}",
        rules.replace(
            "on: { event: birth, action: REGISTER }",
            "on:\n      action: REGISTER\n      event: birth"
        )
    );
    noisy.0.insert("README.md".to_owned(), "notes".to_owned());
    let cases = noisy.0.get_mut("cases/all.yaml").expect("cases");
    *cases = cases.replace("a newborn", "a new-born");
    assert_eq!(load(&noisy).digest(), pack.digest());

    let mut other = files;
    let rules = other.0.get_mut("rules.yaml").expect("rules");
    *rules = rules.replace("10 years", "9 years");
    assert_ne!(load(&other).digest(), pack.digest());

    let archived = Pack::from_canonical(pack.canonical()).expect("an archived rule set");
    assert_eq!(archived.digest(), pack.digest());
    assert_eq!(archived.canonical(), pack.canonical());
    assert_eq!(decide(&archived, newborn()), decide(&pack, newborn()));
}

#[test]
fn the_shipped_pack_survives_the_archive() {
    let pack = load(&crate::common::farajaland());
    let archived = Pack::from_canonical(pack.canonical()).expect("an archived rule set");
    assert_eq!(archived.digest(), pack.digest());
    assert!(archived.rule_ids().eq(pack.rule_ids()));
    let after = map(newborn());
    let facts = facts("birth", "REGISTER", &after, &after);
    let context = PacketContext { facts: &facts, event_id: "e", tracking_id: "t", registration_number: None };
    let build = |pack: &Pack| pack.build_packet("birth", &context).expect("a packet");
    assert_eq!(build(&archived), build(&pack));
}

#[test]
fn what_is_no_archived_rule_set_is_refused() {
    let pack = load(&small());
    for text in [
        "",
        "[]",
        "{}",
        "{\"civitas_rule_set\":2}",
        "{\"civitas_rule_set\":1}",
        &pack.canonical().replace("\"civitas_rule_set\":1", "\"civitas_rule_set\":1,\"more\":1"),
    ] {
        let problems = Pack::from_canonical(text).expect_err("refused");
        assert!(problems.iter().all(|problem| problem.code == Code::P009), "{problems}");
    }
    let broken = pack.canonical().replace("10 years", "ten years");
    let problems = Pack::from_canonical(&broken).expect_err("refused");
    assert!(problems.iter().any(|problem| problem.code == Code::R015), "{problems}");
}

#[test]
fn an_operation_says_what_where_and_until_when() {
    let pack = load(&small());
    let decision = decide(&pack, newborn());
    assert_eq!(decision.rule.as_deref(), Some("young"));
    assert_eq!(
        decision.effect,
        Effect::Operate {
            operation: Operation::CreateUin,
            send: "birth".to_owned(),
            respond: Respond::AwaitExternalValidation,
            deadline: Some(SignedDuration::from_hours(14 * 24)),
        }
    );
}

const RULE: &str = "    name: { en: Test, fr: Test }\n    on: { event: birth, action: REGISTER }\n";

#[test]
fn an_undecided_rule_holds_where_it_says_so() {
    let rules = |if_unknown: &str| {
        with_rules(&format!(
            "  - id: first\n{RULE}    if: {{ all: [{{ child.dob: {{ age_below: 10 years }} }}, known] }}\n    do: ignore\n{if_unknown}  - id: second\n{RULE}    do: reject\n    reason: {{ en: No, fr: Non }}\n"
        ))
    };
    let holding = rules("    if_unknown: hold\n");
    let decision = decide(&holding, json!({ "child.dob": "2026-01-01" }));
    assert_eq!(decision.rule.as_deref(), Some("first"));
    assert_eq!(decision.effect, Effect::Hold { missing: vec!["mother.verified".to_owned()] });
    // False is not unknown: the next rule is asked.
    let decision = decide(&holding, json!({ "mother.verified": "failed" }));
    assert_eq!(decision.rule.as_deref(), Some("second"));
    assert_eq!(decision.effect, Effect::Reject { reason: "No".to_owned() });
    // The default goes on.
    let decision = decide(&rules(""), json!({ "child.dob": "2026-01-01" }));
    assert_eq!(decision.rule.as_deref(), Some("second"));

    let empty = Map::new();
    let facts = facts("birth", "REGISTER", &empty, &empty);
    assert_eq!(
        holding.explain(&facts).sentence("en"),
        "held for a person to decide on “Test”: child.dob is missing, it is not known whether known (mother.verified is missing)"
    );
}

#[test]
fn a_rule_on_trial_is_recorded_and_does_nothing() {
    let pack = with_rules(&format!(
        "  - id: trial\n{RULE}    do: reject\n    reason: {{ en: No, fr: Non }}\n    mode: evaluate\n  - id: out\n{RULE}    do: ignore\n    mode: off\n  - id: real\n{RULE}    if: known\n    do: ignore\n"
    ));
    let decision = decide(&pack, json!({ "mother.verified": "verified" }));
    assert_eq!(decision.rule.as_deref(), Some("real"));
    assert_eq!(decision.effect, Effect::Ignore);
    assert_eq!(decision.would_have, ["trial"]);
    let decision = decide(&pack, json!({}));
    assert_eq!((decision.rule, decision.effect), (None, Effect::None));
    assert_eq!(decision.would_have, ["trial"]);
    assert_eq!(pack.rules_on_trial().collect::<Vec<_>>(), ["trial"]);
}

#[test]
fn what_a_rule_on_trial_would_have_done_is_told_also_when_it_would_have_held() {
    let pack = with_rules(&format!(
        "  - id: trial\n{RULE}    if: known\n    do: reject\n    reason: {{ en: No, fr: Non }}\n    if_unknown: hold\n    mode: evaluate\n  - id: skips\n{RULE}    if: known\n    do: ignore\n    mode: evaluate\n"
    ));
    let tried = |declaration: serde_json::Value| {
        let after = declaration.as_object().unwrap().clone();
        let facts = facts("birth", "REGISTER", &after, &after);
        let decision = pack.decide(&facts);
        assert_eq!((&decision.rule, &decision.effect), (&None, &Effect::None), "a trial decides nothing");
        let told = pack.would_have(&facts, &decision).into_iter();
        told.map(|(rule, effect)| (rule.to_owned(), effect)).collect::<Vec<_>>()
    };
    let reject = Effect::Reject { reason: "No".to_owned() };
    assert_eq!(
        tried(json!({ "mother.verified": "verified" })),
        [("trial".to_owned(), reject), ("skips".to_owned(), Effect::Ignore)]
    );
    let hold = Effect::Hold { missing: vec!["mother.verified".to_owned()] };
    assert_eq!(tried(json!({})), [("trial".to_owned(), hold)]);
    assert_eq!(tried(json!({ "mother.verified": "failed" })), []);
}

#[test]
fn custom_actions_are_told_apart() {
    let pack = with_rules(
        "  - id: revoked\n    name: { en: Revoked, fr: Annulé }\n    on: { event: birth, action: CUSTOM, custom_action: REVOKE }\n    do: ignore\n",
    );
    let empty = Map::new();
    let ask = |custom_action| {
        pack.decide(&Facts { custom_action, ..facts("birth", "CUSTOM", &empty, &empty) }).rule
    };
    assert_eq!(ask(Some("REVOKE")).as_deref(), Some("revoked"));
    assert_eq!(ask(Some("REINSTATE")), None);
    assert_eq!(ask(None), None);
}

/// Condition, record, whether the rule matches.
#[test]
fn every_predicate_decides_as_written() {
    let name = |first: &str| json!({ "child.name": { "firstname": first, "surname": "" } });
    let table = [
        ("{ child.nid: present }", json!({ "child.nid": "1" }), true),
        ("{ child.nid: present }", json!({ "child.nid": "" }), false),
        ("{ child.nid: absent }", json!({ "child.nid": null }), true),
        ("{ child.name#surname: absent }", name("Ann"), true),
        ("{ child.name#firstname: { equals: Ann } }", name("Ann"), true),
        ("{ child.name#firstname: { equals: Ann } }", name("ann"), false),
        ("{ child.twin: { equals: true } }", json!({ "child.twin": true }), true),
        ("{ child.twin: { equals: true } }", json!({ "child.twin": "true" }), false),
        ("{ child.weight: { equals: 3 } }", json!({ "child.weight": 3.0 }), true),
        ("{ child.weight: { less_than: 2.5 } }", json!({ "child.weight": 2.4 }), true),
        ("{ child.weight: { less_than: 2.5 } }", json!({ "child.weight": 2.5 }), false),
        ("{ child.weight: { at_least: 2.5 } }", json!({ "child.weight": 2.5 }), true),
        ("{ child.weight: { at_least: 2.5, less_than: 4 } }", json!({ "child.weight": 4 }), false),
        ("{ child.nid: { matches: '[0-9]{3}' } }", json!({ "child.nid": "123" }), true),
        ("{ child.nid: { matches: '[0-9]{3}' } }", json!({ "child.nid": "1234" }), false),
        ("{ child.nid: { matches: 'a|b' } }", json!({ "child.nid": "ab" }), false),
        ("{ child.dob: { before: 2026-01-01 } }", json!({ "child.dob": "2025-12-31" }), true),
        ("{ child.dob: { before: 2026-01-01 } }", json!({ "child.dob": "2026-01-01" }), false),
        ("{ child.dob: { after: 2026-01-01 } }", json!({ "child.dob": "2026-01-02" }), true),
        ("{ child.dob: { after: 2026-01-01 } }", json!({ "child.dob": "2026-01-01" }), false),
        ("{ child.dob: { before: today } }", json!({ "child.dob": "2026-01-31" }), true),
        ("{ child.dob: { before: today } }", json!({ "child.dob": "2026-02-01" }), false),
        ("{ mother.dob: { age_at_least: 18 years } }", json!({ "mother.dob": "2008-02-01" }), true),
        ("{ mother.dob: { age_at_least: 18 years } }", json!({ "mother.dob": "2008-02-02" }), false),
        ("{ not: { child.dob: { age_below: 10 years } } }", json!({ "child.dob": "2016-02-01" }), true),
        ("{ not: { child.dob: { age_below: 10 years } } }", json!({}), false),
        ("{ mother.verify#data#sub: present }", json!({ "mother.verify": { "data": { "sub": "t" } } }), true),
        ("{ mother.verify#data#sub: present }", json!({ "mother.verify.data.sub": "t" }), false),
        ("{ any: [{ child.nid: present }, known] }", json!({ "mother.verified": "verified" }), true),
    ];
    for (condition, record, matches) in table {
        let pack = with_rules(&format!(
            "  - id: asked\n{RULE}    if: {condition}\n    do: ignore\n  - id: other\n{RULE}    if: known\n    do: ignore\n    mode: off\n"
        ));
        let decision = decide(&pack, record.clone());
        assert_eq!(decision.rule.is_some(), matches, "{condition} on {record}");
    }
}

#[test]
fn packets_hold_each_script_and_the_date_as_the_country_writes_it() {
    let pack = load(&small());
    let mut after = map(newborn());
    after.insert("child.altName".to_owned(), json!({ "firstname": "आन", "surname": "ली" }));
    let facts = facts("birth", "REGISTER", &after, &after);
    let context =
        PacketContext { facts: &facts, event_id: "e", tracking_id: "t", registration_number: Some("B26") };
    let packet = pack.build_packet("birth", &context).expect("a packet");
    let name: Value = serde_json::from_str(&packet.fields["fullName"]).expect("JSON");
    assert_eq!(
        name,
        json!([{ "language": "eng", "value": "Ann Lee" }, { "language": "fra", "value": "आन ली" }])
    );
    assert_eq!(packet.fields["dateOfBirth"], "01.01.2026");
    assert_eq!(packet.fields["gender"], "F");
    assert_eq!(packet.fields["birthCertificateNumber"], "B26");
    assert_eq!(packet.subject, None);
    let schema: Value = serde_json::from_str(&packet.schema_json).expect("JSON");
    assert!(schema.pointer("/properties/identity/properties/fullName").is_some());
    assert!(!format!("{packet:?} {context:?}").contains("Ann"), "Debug shows no values");
}

#[test]
fn a_packet_error_names_fields_and_reasons_and_no_values() {
    let pack = load(&small());
    let after = map(json!({
        "child.name": { "firstname": "X", "surname": "" },
        "child.dob": "2026-13-77",
        "child.gender": "other-secret",
    }));
    let facts = facts("birth", "REGISTER", &after, &after);
    let context = PacketContext { facts: &facts, event_id: "e", tracking_id: "t", registration_number: None };
    let error = pack.build_packet("birth", &context).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "the record does not make a `birth` packet: \
         dateOfBirth: child.dob is not a date; \
         fullName: the value does not fit the validator of the ID schema; \
         gender: child.gender has a value without a code"
    );
    assert_eq!(
        pack.build_packet("brith", &context).expect_err("refused"),
        PacketError::Unknown("brith".to_owned())
    );
}

#[test]
fn registration_numbers_follow_the_template_and_stay() {
    let pack = load(&small());
    let mint = |event, candidate| {
        // New Year's Eve in UTC is New Year in Lusaka.
        pack.registration_number(event, "event", "action", at("2026-12-31T22:30:00Z"), candidate)
    };
    assert_eq!(mint("birth", 0), mint("birth", 0));
    assert_ne!(mint("birth", 0), mint("birth", 1));
    assert!(mint("birth", 0).starts_with("B27"), "{}", mint("birth", 0));
    assert_eq!(mint("birth", 0).len(), 14);
    assert_eq!(mint("death", 0).len(), 12);
}

#[test]
fn a_failed_case_shows_what_was_expected_and_what_came() {
    let mut files = small();
    let cases = files.0.get_mut("cases/all.yaml").expect("cases");
    *cases = cases.replace("{ do: reject, rule: closed }", "{ do: none }");
    insta::assert_snapshot!(load(&files).run_cases().to_string(), @r"
    failed: a death
      --> cases/all.yaml:16
      rule  expected  none
            found     closed
      do    expected  none
            found     reject
      because: rejected, Closed

    1 of 2 cases passed
    ");
}

/// A word that stands for personal data: it must never come out again.
const SECRET: &str = "Zyxwvut";

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!("")),
        Just(json!(SECRET)),
        Just(json!({ "firstname": SECRET, "surname": 3 })),
        Just(json!([SECRET])),
        Just(json!("2020-02-29")),
        Just(json!("1990-01-01")),
        prop::sample::select(vec!["verified", "authenticated", "failed", "pending"]).prop_map(Value::from),
    ]
}

fn any_record() -> impl Strategy<Value = Map<String, Value>> {
    let fields =
        vec!["child.nid", "child.dob", "child.name", "mother.verified", "father.verified", "deceased.nid"];
    prop::collection::btree_map(prop::sample::select(fields), any_value(), 0..6)
        .prop_map(|entries| entries.into_iter().map(|(field, value)| (field.to_owned(), value)).collect())
}

proptest! {
    #[test]
    fn decide_and_explain_agree_and_tell_no_values(
        before in any_record(),
        after in any_record(),
        step in prop::sample::select(vec![("birth", "REGISTER"), ("birth", "APPROVE_CORRECTION"), ("death", "REGISTER"), ("x", "Y")]),
        hour in 0_i64..200_000,
    ) {
        thread_local!(static PACK: Pack = load(&crate::common::farajaland()));
        let at = at("2020-01-01T00:00:00Z") + SignedDuration::from_hours(hour);
        let facts = Facts { event: step.0, action: step.1, custom_action: None, before: &before, after: &after, at };
        PACK.with(|pack| {
            let decision = pack.decide(&facts);
            let explanation = pack.explain(&facts);
            prop_assert_eq!(&decision, explanation.decision());
            prop_assert_eq!(&decision, &pack.decide(&facts));
            let mut said = format!("{facts:?} {explanation:?}");
            for language in ["en", "fr", "xx"] {
                said.push_str(&explanation.sentence(language));
                said.push_str(&serde_json::to_string(&explanation.tree(language)).expect("JSON"));
            }
            if let Effect::Operate { send, .. } = &decision.effect {
                let context = PacketContext { facts: &facts, event_id: "e", tracking_id: "t", registration_number: None };
                if let Err(error) = pack.build_packet(send, &context) {
                    said.push_str(&error.to_string());
                }
            }
            prop_assert!(!said.contains(SECRET), "{}", said);
            Ok(())
        })?;
    }
}

/// A rule set of before the guards may still decide: what it asks for is asked about again.
#[test]
fn a_guard_stands_also_against_a_rule_set_that_was_checked_before_it() {
    let lifted = load(&small());
    let canonical = lifted.canonical().replace(r#""despite":["update_after_enrolment"],"#, "");
    assert_ne!(canonical, lifted.canonical());
    let archived = Pack::from_canonical(&canonical).unwrap_or_else(|problems| panic!("{problems}"));
    let before = Map::new();
    let asked = |pack: &Pack, born: &str| {
        let after = json!({ "child.dob": born, "child.nid": "1" }).as_object().unwrap().clone();
        let facts = facts("birth", "APPROVE_CORRECTION", &before, &after);
        let decision = pack.decide(&facts);
        assert_eq!(decision.rule.as_deref(), Some("corrected"));
        pack.forbids(&facts, &decision)
    };
    // `facts` are of 1 February 2026.
    assert_eq!(asked(&archived, "2016-02-01"), Some(Guard::UpdateAfterEnrolment));
    assert_eq!(asked(&archived, "2016-02-02"), None);
    assert_eq!(asked(&lifted, "2016-02-01"), None, "its rule says so in many words");
}
