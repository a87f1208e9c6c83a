//! What is concluded about rules, and what is left in peace.

use civitas_rules::{Code, Pack};

use crate::common::farajaland;
use crate::diagnostics::{problems_of, small};

/// The codes that the small pack raises when the conditions of `corrected`, and of a rule after it
/// for the same step, are these. Codes about names that nobody uses then are left out, and that a
/// bound makes needless what `corrected` lifts.
fn said(first: &str, second: Option<&str>) -> Vec<(Code, String)> {
    let mut files = small();
    let rules = files.0.get_mut("rules.yaml").expect("rules");
    let later = second.map_or_else(String::new, |rule| {
        format!(
            "  - id: second\n    name: {{ en: Second, fr: Deuxième }}\n    on: {{ event: birth, action: APPROVE_CORRECTION }}\n{rule}\n"
        )
    });
    let head = "    if: { changed: biographic }\n";
    assert!(rules.contains(head));
    *rules = rules.replacen(head, first, 1).replacen("  - id: closed", &format!("{later}  - id: closed"), 1);
    let problems = problems_of(&files);
    let unrelated = |code: Code| matches!(code, Code::R028 | Code::R067);
    problems
        .iter()
        .filter(|problem| !unrelated(problem.code))
        .map(|problem| (problem.code, format!("{}:{} {}", problem.line, problem.column, problem.message)))
        .collect()
}

fn codes(first: &str, second: Option<&str>) -> Vec<Code> {
    said(first, second).into_iter().map(|(code, _)| code).collect()
}

/// A condition of one rule alone.
fn alone(condition: &str) -> Vec<Code> {
    codes(&format!("    if: {condition}\n"), None)
}

#[test]
fn contradictions_are_found_in_every_guise() {
    for condition in [
        "{ all: [{ child.nid: present }, { child.nid: absent }] }",
        "{ all: [{ child.gender: { equals: male } }, { child.gender: { in: [female] } }] }",
        "{ child.weight: { at_least: 3, less_than: 3 } }",
        "{ child.dob: { after: 2020-01-01, before: 2020-01-02 } }",
        "{ child.dob: { age_below: 10 years, age_at_least: 121 months } }",
        "{ child.dob: { age_below: 10 years, age_at_least: 3653 days } }",
        "{ child.dob: { age_below: 0 days } }",
        "{ child.dob: { before: today, after: today } }",
        "{ all: [mother_known, { not: mother_known }] }",
        "{ all: [mother_known, { mother.verified: absent }] }",
        "{ all: [{ child.name: absent }, { child.name#surname: present }] }",
        "{ all: [{ not: { changed: biographic } }, { child.dob: changed }] }",
        "{ child.nid: { equals: \"\" } }",
        "{ all: [{ child.nid: { equals: abc } }, { child.nid: { matches: '[0-9]+' } }] }",
        "{ not: { any: [{ child.nid: present }, { child.nid: absent }] } }",
        "{ all: [{ child.twin: { equals: true } }, { not: { child.twin: present } }] }",
        // A missing value is unknown, and so is its opposite: nothing true comes of it.
        "{ all: [{ child.dob: absent }, { not: { child.dob: { age_below: 10 years } } }] }",
    ] {
        assert_eq!(alone(condition), [Code::R031], "{condition}");
    }
}

#[test]
fn what_can_be_true_is_left_alone() {
    for condition in [
        "{ child.weight: { at_least: 3, less_than: 3.1 } }",
        "{ child.dob: { after: 2020-01-01, before: 2020-01-03 } }",
        // Ten years are 3,651 days for some and 3,653 for others.
        "{ child.dob: { age_below: 10 years, age_at_least: 3652 days } }",
        "{ all: [{ changed: biographic }, { not: { child.dob: changed } }] }",
        "{ all: [{ mother.dob: { age_below: 20 years } }, { child.dob: { age_at_least: 20 years } }] }",
        "{ all: [{ child.nid: { matches: '[0-9]+' } }, { child.nid: { matches: '.{10}' } }] }",
        "{ not: mother_known }",
        // A form never holds a third value, but a record of last year's form may.
        "{ not: { child.gender: { in: [male, female] } } }",
        "{ any: [{ child.dob: absent }, { not: { child.dob: { age_below: 10 years } } }] }",
    ] {
        assert_eq!(alone(condition), [], "{condition}");
    }
}

#[test]
fn terms_without_effect_are_found_and_the_first_of_two_stays() {
    for (condition, count) in [
        ("{ any: [{ child.nid: present }, { child.nid: absent }] }", 1),
        ("{ all: [{ child.dob: present }, { child.dob: { age_below: 10 years } }] }", 1),
        ("{ all: [mother_known, mother_known] }", 1),
        ("{ any: [mother_known, { mother.verified: { equals: verified } }] }", 1),
        ("{ child.dob: { age_below: 10 years, before: today, age_at_least: 1 day } }", 1),
        ("{ all: [{ changed: child.dob }, { changed: biographic }] }", 1),
        ("{ all: [{ child.name#surname: present }, { child.name: present }] }", 1),
    ] {
        assert_eq!(alone(condition), vec![Code::R032; count], "{condition}");
    }
    let first = "    if:\n      all:\n        - mother_known\n        - mother_known\n";
    assert!(said(first, None)[0].1.starts_with("25:11 "), "{:?}", said(first, None));
}

#[test]
fn where_unknown_matters_a_term_that_settles_it_has_an_effect() {
    let condition = "    if: { all: [{ child.dob: present }, { child.dob: { age_below: 10 years } }] }\n";
    assert_eq!(codes(condition, None), [Code::R032]);
    // With hold, a missing date would freeze the record; `present` keeps that from happening.
    assert_eq!(codes(&format!("{condition}    if_unknown: hold\n"), None), []);
}

const REJECT: &str = "    do: reject\n    reason: { en: No, fr: Non }";

#[test]
fn a_rule_that_earlier_ones_cover_is_never_reached() {
    for (first, second) in [
        ("{ child.dob: { age_below: 10 years } }", "{ child.dob: { age_below: 9 years } }"),
        (
            "{ any: [{ child.nid: absent }, mother_known] }",
            "{ all: [mother_known, { changed: biographic }] }",
        ),
        ("{ child.weight: { less_than: 5 } }", "{ child.weight: { equals: 4 } }"),
        ("{ changed: biographic }", "{ child.dob: changed }"),
        ("{ not: { child.nid: present } }", "{ child.nid: absent }"),
    ] {
        let second = format!("    if: {second}\n{REJECT}");
        assert_eq!(codes(&format!("    if: {first}\n"), Some(&second)), [Code::R027], "{first}");
    }
}

/// Neither rule alone covers the third; together they do.
#[test]
fn two_rules_may_cover_a_third_together() {
    let on = "on: { event: birth, action: APPROVE_CORRECTION }";
    let second = format!(
        "    if: {{ child.nid: absent }}\n    do: ignore\n  - id: third\n    name: {{ en: Third, fr: Troisième }}\n    {on}\n    if: mother_known\n{REJECT}"
    );
    let found = said("    if: { child.nid: present }\n", Some(&second));
    assert_eq!(found.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [Code::R027], "{found:?}");
    assert!(found[0].1.contains("`third` is never reached"), "{found:?}");
}

/// A rule that holds the record where it is undecided leaves less to later ones.
#[test]
fn a_rule_that_holds_decides_where_it_is_unknown() {
    let first = "    if: { child.dob: { age_below: 10 years } }\n";
    let second = format!("    if: {{ child.dob: absent }}\n{REJECT}");
    assert_eq!(codes(first, Some(&second)), []);
    assert_eq!(codes(&format!("{first}    if_unknown: hold\n"), Some(&second)), [Code::R027]);
}

#[test]
fn only_an_order_that_nobody_can_see_is_asked_about() {
    let overlap = "    if: { changed: biographic }\n";
    let later = |rest: &str| format!("    if: mother_known\n{rest}");
    assert_eq!(codes(overlap, Some(&later(REJECT))), [Code::R033]);
    // Said to be meant.
    assert_eq!(codes(overlap, Some(&later(&format!("{REJECT}\n    after: corrected")))), []);
    // Everything else; nothing to be done; the same thing done.
    assert_eq!(codes(overlap, Some(REJECT)), []);
    assert_eq!(codes(overlap, Some(&later("    do: ignore"))), []);
    let same = "    do: update_biographics\n    send: update\n    respond: continue\n    despite: [update_after_enrolment]";
    assert_eq!(codes(overlap, Some(&later(same))), []);
    // An exception before the rule.
    let exception = format!("    if: {{ any: [mother_known, {{ changed: biographic }}] }}\n{REJECT}");
    assert_eq!(codes(overlap, Some(&exception)), []);
    // Provably apart.
    for (first, second) in [
        ("{ child.nid: present }", "{ child.nid: absent }"),
        ("{ child.dob: { age_below: 10 years } }", "{ child.dob: { age_at_least: 120 months } }"),
        ("mother_known", "{ mother.verified: { equals: failed } }"),
        ("mother_known", "{ not: mother_known }"),
    ] {
        let second = format!("    if: {second}\n{REJECT}");
        assert_eq!(codes(&format!("    if: {first}\n"), Some(&second)), [], "{first}");
    }
    // Tried beside the others, and switched off.
    for mode in ["evaluate", "off"] {
        assert_eq!(codes(overlap, Some(&later(&format!("{REJECT}\n    mode: {mode}")))), []);
    }
}

/// What is shown for an overlap is a record on which the two rules are decided by order.
#[test]
fn the_record_that_is_shown_is_one_that_both_match() {
    let first = "    if: { child.dob: { age_below: 10 years } }\n";
    let second = format!("    if: {{ child.dob: {{ after: 2020-01-01 }} }}\n{REJECT}");
    let mut files = small();
    let rules = files.0.get_mut("rules.yaml").expect("rules");
    *rules = rules.replacen("    if: { changed: biographic }\n", first, 1).replacen(
        "  - id: closed",
        &format!("  - id: second\n    name: {{ en: Second, fr: Deuxième }}\n    on: {{ event: birth, action: APPROVE_CORRECTION }}\n{second}\n  - id: closed"),
        1,
    );
    let problems = problems_of(&files);
    let problem = problems.iter().find(|problem| problem.code == Code::R033).expect("an overlap");
    let help = problem.help.as_deref().unwrap_or_default();
    assert!(
        help.starts_with("a record where child.dob is 2026-06-01, on 2026-06-01: `corrected` decides"),
        "{help}"
    );
}

/// Without its explicit answer to a revocation, the shipped pack is asked for one.
#[test]
fn the_shipped_pack_answers_what_becomes_of_a_revoked_death() {
    let mut files = farajaland();
    assert!(Pack::load(&files).is_ok_and(|pack| pack.warnings().is_empty()));
    let rules = files.0.get_mut("rules.yaml").expect("rules");
    *rules = rules.replace("REVOKE_REGISTRATION", "SOMETHING_ELSE");
    let problems = problems_of(&files);
    let codes: Vec<Code> = problems.iter().map(|problem| problem.code).collect();
    // Reinstatement went with revocation, for the death and for the birth.
    assert_eq!(codes, [Code::R035, Code::R035], "{problems}");
}
