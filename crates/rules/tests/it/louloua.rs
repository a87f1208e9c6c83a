//! The second shipped pack: other rules, two scripts, a zone that matters; nothing is for one country only.

use civitas_rules::{Effect, Facts, Operation, Pack};
use serde_json::{Map, Value, json};

use crate::common::{read, workspace};

fn louloua() -> Pack {
    let files = read(&workspace().join("country-config/louloua"));
    Pack::load(&files).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_pack_loads_without_a_word() {
    assert!(louloua().warnings().is_empty(), "{}", louloua().warnings());
}

#[test]
fn its_cases_pass() {
    let report = louloua().run_cases();
    assert!(report.is_ok(), "{report}");
    assert!(report.total >= 80, "{report}");
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => panic!("a map"),
    }
}

fn decided(pack: &Pack, event: &str, action: &str, custom: Option<&str>, after: Value) -> (Effect, String) {
    let (before, after) = (Map::new(), map(after));
    let facts = Facts {
        event,
        action,
        custom_action: custom,
        before: &before,
        after: &after,
        at: "2026-07-05T00:00:00Z".parse().expect("an instant"),
    };
    (pack.decide(&facts).effect, pack.explain(&facts).sentence("ar"))
}

/// Steps and records that between them reach every rule.
fn steps() -> Vec<(&'static str, &'static str, Option<&'static str>, Value)> {
    let citizen = json!({ "firstname": "مريم", "surname": "الحسن" });
    vec![
        ("birth", "REGISTER", None, json!({})),
        ("birth", "REGISTER", None, json!({ "infant.birthDate": "2030-01-01" })),
        ("birth", "REGISTER", None, json!({ "infant.birthDate": "1990-01-01" })),
        (
            "birth",
            "REGISTER",
            None,
            json!({ "infant.birthDate": "2026-07-01", "infant.circumstance": "FOUNDLING", "court.ruling": "GRANTED" }),
        ),
        (
            "birth",
            "REGISTER",
            None,
            json!({
                "infant.birthDate": "2026-07-01", "infant.circumstance": "PARENTS_KNOWN",
                "mother.name": citizen, "mother.nationality": "LUL", "mother.status": "authenticated"
            }),
        ),
        (
            "birth",
            "APPROVE_CORRECTION",
            None,
            json!({ "infant.birthDate": "2026-07-01", "infant.identifier": "1", "infant.sex": "male" }),
        ),
        ("birth", "CUSTOM", Some("REVOKE_REGISTRATION"), json!({ "infant.identifier": "1" })),
        ("birth", "CUSTOM", Some("REINSTATE_REVOKE_REGISTRATION"), json!({ "infant.identifier": "1" })),
        ("birth", "DECLARE", None, json!({ "mother.identifier": "1", "mother.status": "failed" })),
        (
            "death",
            "REGISTER",
            None,
            json!({ "person.identifierKind": "NATIONAL", "person.identifier": "1029384756" }),
        ),
        ("death", "REGISTER", None, json!({})),
        ("marriage", "REGISTER", None, json!({})),
    ]
}

#[test]
fn what_is_only_tried_is_recorded_and_not_done() {
    let pack = louloua();
    let (before, after) = (Map::new(), map(json!({ "mother.identifier": "1", "mother.status": "failed" })));
    let at = "2026-07-05T00:00:00Z".parse().expect("an instant");
    let facts =
        Facts { event: "birth", action: "DECLARE", custom_action: None, before: &before, after: &after, at };
    let decision = pack.decide(&facts);
    assert_eq!(decision.effect, Effect::None);
    assert_eq!(decision.would_have, ["birth-mother-compared"]);
}

#[test]
fn every_operation_and_every_other_outcome_is_reached() {
    let pack = louloua();
    let effects: Vec<Effect> = steps()
        .into_iter()
        .map(|(event, action, custom, after)| decided(&pack, event, action, custom, after).0)
        .collect();
    // What MOSIP is asked to compare is only counted here.
    for operation in Operation::ALL.into_iter().filter(|operation| *operation != Operation::VerifyIdentity) {
        let found = effects
            .iter()
            .any(|effect| matches!(effect, Effect::Operate { operation: other, .. } if *other == operation));
        assert!(found, "{operation} is not reached: {effects:#?}");
    }
    for word in ["none", "hold", "reject", "ignore"] {
        assert!(effects.iter().any(|effect| effect.as_str() == word), "{word} is not reached");
    }
}

/// What is left in Latin letters names things: rules, values of the form, steps. English words are none of them.
#[test]
fn sentences_in_arabic_have_no_english_in_them() {
    let pack = louloua();
    let allowed = [
        "FOUNDLING",
        "PARENTS_KNOWN",
        "GRANTED",
        "NATIONAL",
        "REGISTER",
        "DECLARE",
        "marriage",
        "authenticated",
    ];
    for (event, action, custom, after) in steps() {
        let sentence = decided(&pack, event, action, custom, after).1;
        let latin = sentence
            .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .filter(|word| word.chars().any(|c| c.is_ascii_alphabetic()));
        for word in latin {
            let known = allowed.contains(&word) || pack.rule_ids().any(|id| id == word) || word.contains('.');
            assert!(known, "`{word}` in {sentence}");
        }
    }
}

#[test]
fn the_archived_rule_set_says_the_same_words() {
    let pack = louloua();
    let archived = Pack::from_canonical(pack.canonical()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(archived.digest(), pack.digest());
    for (event, action, custom, after) in steps() {
        let now = decided(&pack, event, action, custom, after.clone());
        assert_eq!(decided(&archived, event, action, custom, after), now);
    }
}

#[test]
fn numbers_follow_their_templates_in_the_country_s_own_year() {
    let pack = louloua();
    // The last day of the year in Greenwich is the first of the next on the islands.
    let number = |event: &str| {
        pack.registration_number(event, "e", "a", "2026-12-31T12:00:00Z".parse().expect("an instant"), 0)
    };
    let (birth, death) = (number("birth"), number("death"));
    assert!(birth.starts_with("N/2027/") && birth.len() == 21, "{birth}");
    assert!(death.starts_with("LUL-2027-") && death.len() == 21, "{death}");
}
