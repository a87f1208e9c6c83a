//! What rules write into a record: typed, told by the cases, and watched by mutants.

use civitas_rules::{Code, Facts, Pack, PackFiles, PacketContext, mutants};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::diagnostics::{problems_of, small};

const YOUNG: &str = "    deadline: 14 days\n";

/// The small pack on OpenCRVS 2.0, with this under `write` of its first rule.
fn writing(write: &str) -> PackFiles {
    let mut files = small();
    let country = files.0.get_mut("country.yaml").unwrap();
    *country = country.replace("\"1.9\"", "\"2.0\"");
    let rules = files.0.get_mut("rules.yaml").unwrap();
    *rules = rules.replace(YOUNG, &format!("{YOUNG}    write:\n{write}"));
    files
}

fn written(files: &PackFiles, record: &Value) -> civitas_rules::Writing {
    let pack = Pack::load(files).unwrap_or_else(|problems| panic!("{problems}"));
    let values: Map<String, Value> = record.as_object().unwrap().clone();
    let at: Timestamp = "2026-06-01T22:30:00Z".parse().unwrap();
    let facts = Facts {
        event: "birth",
        action: "REGISTER",
        custom_action: None,
        before: &values,
        after: &values,
        at,
    };
    let context = PacketContext {
        facts: &facts,
        event_id: "e",
        tracking_id: "ABC123",
        registration_number: Some("B26X"),
    };
    pack.write("young", &context)
}

const ALL: &str = "      child.weight: { constant: \"3.5\" }
      child.twin: { constant: \"true\" }
      child.gender: { code: mother.verified, map: { verified: female, authenticated: male, failed: male, pending: male } }
      child.dob: { given: action_date, format: yyyy-MM-dd }
      mother.dob: { from: child.dob, optional: true }
";

#[test]
fn values_are_of_the_type_that_the_field_has() {
    let writing = written(&writing(ALL), &json!({"mother.verified": "verified", "child.dob": "2026-05-20"}));
    let expected = json!({
        "child.weight": 3.5,
        "child.twin": true,
        "child.gender": "female",
        // The day of the action where the country is.
        "child.dob": "2026-06-02",
        "mother.dob": "2026-05-20",
    });
    assert_eq!(Value::Object(writing.declaration), expected);
    assert!(writing.left_out.is_empty());
}

#[test]
fn what_the_record_does_not_give_is_left_out_and_said_unless_it_is_optional() {
    let writing = written(&writing(ALL), &json!({"child.dob": "soon"}));
    let left_out: Vec<(&str, &str)> =
        writing.left_out.iter().map(|problem| (problem.field.as_str(), problem.reason.as_str())).collect();
    assert_eq!(
        left_out,
        [("child.gender", "nothing in mother.verified"), ("mother.dob", "not a date")],
        "reasons name no value"
    );
    assert_eq!(writing.declaration.len(), 3);
}

#[test]
fn what_a_field_could_not_hold_is_refused() {
    for (write, code) in [
        ("      child.name: { constant: Ann }\n", Code::R041),
        ("      mother.verify: { constant: Ann }\n", Code::R041),
        ("      child.nid: { constant: \"1\" }\n", Code::R041),
        ("      child.gender: { constant: boy }\n", Code::R041),
        ("      child.gender: { from: mother.verified }\n", Code::R041),
        ("      child.gender: { given: tracking_id }\n", Code::R041),
        ("      child.weight: { constant: heavy }\n", Code::R041),
        ("      child.weight: { from: child.dob }\n", Code::R041),
        ("      child.twin: { constant: perhaps }\n", Code::R041),
        ("      child.dob: { given: action_date, format: dd.MM.yyyy }\n", Code::R041),
        ("      child.nidd: { constant: \"1\" }\n", Code::R006),
        ("      child.weight: { constant: \"1\", language: eng }\n", Code::M002),
        ("      child.weight: { constant: \"1\", given: event_id }\n", Code::M001),
    ] {
        let problems = problems_of(&writing(write));
        assert!(problems.iter().any(|problem| problem.code == code), "{write} {code}\n{problems}");
    }
}

#[test]
fn a_rule_that_rejects_writes_nothing_and_1_9_ignores_what_a_correction_writes() {
    let mut files = small();
    let rules = files.0.get_mut("rules.yaml").unwrap();
    *rules = rules
        .replace("    do: reject\n", "    do: reject\n    write: { deceased.nid: { constant: \"1\" } }\n");
    assert!(problems_of(&files).iter().any(|problem| problem.code == Code::R022));
    let mut files = small();
    let rules = files.0.get_mut("rules.yaml").unwrap();
    *rules = rules.replace(
        "    respond: continue\n",
        "    respond: continue\n    write: { child.gender: { constant: male } }\n",
    );
    assert!(problems_of(&files).iter().any(|problem| problem.code == Code::R030));
}

#[test]
fn no_rule_answers_the_engines_own_notes() {
    let mut files = writing("      child.gender: { constant: male }\n");
    let country = files.0.get_mut("country.yaml").unwrap();
    country.push_str("history: { annotation: civitas.message, custom_action: NATIONAL_ID_NOTE }\n");
    assert!(Pack::load(&files).is_ok(), "{}", problems_of(&files));
    let rules = files.0.get_mut("rules.yaml").unwrap();
    rules.push_str(
        "  - id: noted\n    name: { en: Noted, fr: Noté }\n    on: { event: birth, action: CUSTOM, custom_action: NATIONAL_ID_NOTE }\n    do: ignore\n",
    );
    assert!(problems_of(&files).iter().any(|problem| problem.code == Code::N010));
}

#[test]
fn cases_tell_what_is_written_and_mutants_what_they_miss() {
    let mut files = writing("      child.gender: { constant: male }\n");
    let pack = Pack::load(&files).unwrap_or_else(|problems| panic!("{problems}"));
    let unwatched = pack.run_mutants(&files, &mutants(&pack, &files), 1, &|_| {});
    let missed: Vec<&str> = unwatched.survived.iter().map(|mutant| mutant.what.as_str()).collect();
    assert!(missed.contains(&"`child.gender` not written"), "{missed:?}");

    let cases = files.0.get_mut("cases/all.yaml").unwrap();
    *cases = cases.replacen("rule: young", "rule: young\n      write: { child.gender: male }", 1);
    let pack = Pack::load(&files).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(pack.run_cases().is_ok(), "{}", pack.run_cases());
    let watched = pack.run_mutants(&files, &mutants(&pack, &files), 1, &|_| {});
    let missed: Vec<&str> = watched.survived.iter().map(|mutant| mutant.what.as_str()).collect();
    assert!(!missed.iter().any(|what| what.contains("child.gender` not written")), "{missed:?}");

    let cases = files.0.get_mut("cases/all.yaml").unwrap();
    *cases = cases.replacen("write: { child.gender: male }", "write: {}", 1);
    let pack = Pack::load(&files).unwrap_or_else(|problems| panic!("{problems}"));
    let report = pack.run_cases();
    assert!(report.to_string().contains("write.child.gender"), "{report}");
}
