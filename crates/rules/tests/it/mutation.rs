//! Mutants and missing cases of a pack that has a little of everything.

use std::collections::BTreeSet;
use std::path::Path;

use civitas_rules::{MutationReport, Pack, PackFiles, mutants};

const RULES: &str = r#"version: 1
groups:
  biographic: [child.name, child.dob]
conditions:
  mother_known: { mother.verified: { in: [verified, authenticated] } }
rules:
  # heavy, yet a child
  - id: wide
    name: { en: Wide, fr: Large }
    on: { event: birth, action: REGISTER }
    if:
      all:
        - child.weight: { at_least: 0.5, less_than: 6 } # kilograms
        - child.dob: { before: today }
        - not: { child.twin: { equals: true } }
        - any:
            - child.gender: { equals: female }
            - child.nid: { matches: "[0-9]+" }
        - mother.dob: { after: 1950-01-01 }
    do: create_uin
    send: birth
    respond: await_external_validation
    deadline: 14 days
    if_unknown: hold
    despite: [registration_after_enrolment]
  - id: watched
    mode: evaluate
    name: { en: Watched, fr: Vu }
    on: { event: birth, action: REGISTER }
    if: { child.nid: present }
    do: ignore
  - id: known
    name: { en: Known, fr: Connu }
    on: { event: birth, action: REGISTER }
    if: mother_known
    do: ignore
  - { id: asleep, mode: off, name: { en: Asleep, fr: Endormi }, on: { event: birth, action: REGISTER }, do: ignore }
  - id: corrected
    name: { en: Corrected, fr: Corrigé }
    on: { event: birth, action: APPROVE_CORRECTION }
    if: { changed: biographic }
    do: update_biographics
    send: update
    respond: continue
    despite: [update_after_enrolment]
  - id: closed
    name: { en: Closed, fr: Fermé }
    on: { event: death, action: REGISTER }
    do: reject
    reason: { en: Not yet, fr: Pas encore }
"#;

fn small() -> PackFiles {
    crate::common::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pack"))
}

fn wide() -> PackFiles {
    let mut files = small();
    files.0.insert("rules.yaml".to_owned(), RULES.to_owned());
    let cases = files.0.get_mut("cases/all.yaml").expect("cases");
    *cases = cases.replace("do: create_uin\n      rule: young", "do: hold\n      rule: wide");
    files
}

fn load(files: &PackFiles) -> Pack {
    Pack::load(files).unwrap_or_else(|problems| panic!("{problems}"))
}

fn run(pack: &Pack, files: &PackFiles) -> MutationReport {
    pack.run_mutants(files, &mutants(pack, files), 2, &|_| {})
}

/// The changed lines of a diff.
fn changes(diff: &str) -> String {
    let is_change =
        |line: &&str| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---");
    let lines: Vec<String> = diff.lines().filter(is_change).map(|line| format!("\n  {line}")).collect();
    lines.concat()
}

#[test]
fn each_change_is_made_in_the_authors_text() {
    let files = wide();
    let pack = load(&files);
    let all = mutants(&pack, &files);
    let text: Vec<String> =
        all.iter().map(|mutant| format!("{mutant:?}{}", changes(&mutant.diff()))).collect();
    insta::assert_snapshot!("each_change_is_made_in_the_authors_text", text.join("\n"));
    let refused: Vec<String> =
        run(&pack, &files).refused.iter().map(|mutant| format!("{mutant:?}")).collect();
    // The ID schema and the process want the name; the operations say whom a packet is about.
    assert_eq!(
        refused,
        [
            "rules.yaml:20 `do: update_biographics` for `do: create_uin`",
            "rules.yaml:42 `do: create_uin` for `do: update_biographics`",
            "packets.yaml:10 `fullName` dropped in `birth`",
            "packets.yaml:25 `subject` dropped in `update`",
            "packets.yaml:27 `UIN` dropped in `update`",
            "packets.yaml:27 `UIN` optional in `update`",
            "packets.yaml:27 `UIN` sent only if changed in `update`",
        ]
    );
}

#[test]
fn rules_that_exclude_each_other_are_not_put_in_another_order() {
    let swapped = |second: &str| {
        let mut files = small();
        let rules = files.0.get_mut("rules.yaml").expect("rules");
        let more = format!(
            "  - id: second\n    name: {{ en: Second, fr: Deux }}\n    on: {{ event: birth, action: REGISTER }}\n    if: {second}\n    do: ignore\n"
        );
        *rules = rules.replace("  - id: corrected", &format!("{more}  - id: corrected"));
        mutants(&load(&files), &files).iter().any(|mutant| mutant.what.contains("tried after"))
    };
    assert!(swapped("{ child.twin: { equals: true } }"));
    assert!(!swapped("{ child.nid: present }"));
    assert!(!swapped("{ child.dob: { age_at_least: 10 years } }"));
    assert!(swapped("{ child.dob: { age_at_least: 9 years } }"));
    assert!(!swapped("{ mother.verified: { equals: failed } }"));
    assert!(swapped("{ any: [{ mother.verified: { equals: failed } }, { child.nid: present }] }"));
}

#[test]
fn what_no_case_notices_is_shown() {
    let files = small();
    let pack = load(&files);
    let report = run(&pack, &files);
    assert!(report.score() < 100 && report.killed > 0, "{report:?}");
    let bound =
        report.survived.iter().find(|mutant| mutant.what.contains("9 years")).expect("nobody is nine");
    assert_eq!((bound.file.as_str(), bound.line), ("rules.yaml", 13));
    assert_eq!(
        bound.diff(),
        "--- a/rules.yaml\n+++ b/rules.yaml\n@@ -11,5 +11,5 @@\n       all:\n         - child.nid: absent\n\
         -        - child.dob: { age_below: 10 years }\n+        - child.dob: { age_below: 9 years }\n         \
         - mother_known\n     do: create_uin\n"
    );
}

/// The files with every missing case pasted at the end of its file.
fn pasted(files: &PackFiles) -> (PackFiles, Vec<String>) {
    let missing = load(files).missing_cases(files);
    let mut files = files.clone();
    for case in missing.cases {
        let text = files.0.get_mut(&case.file).expect("the file is there");
        text.push('\n');
        text.push_str(&case.yaml);
    }
    (files, missing.not_found)
}

#[test]
fn a_missing_case_that_is_pasted_passes_and_is_no_longer_missing() {
    for files in [small(), wide(), crate::common::farajaland()] {
        // Of each file the first case is left.
        let mut files = files;
        for (name, text) in &mut files.0 {
            if name.starts_with("cases/")
                && let Some((second, _)) = text.match_indices("\n  - name:").nth(1)
            {
                text.truncate(second + 1);
            }
        }
        files.0.retain(|name, _| !name.starts_with("documents/"));
        let before = load(&files).coverage();
        assert!(!before.missing.is_empty());
        let (files, not_found) = pasted(&files);
        let pack = load(&files);
        assert!(pack.warnings().is_empty(), "{}", pack.warnings());
        let report = pack.run_cases();
        assert!(report.is_ok(), "{report}");
        let after = pack.coverage();
        let left: BTreeSet<&String> = after.missing.iter().collect();
        assert_eq!(left, not_found.iter().collect(), "{}", files.0["cases/all.yaml"]);
        assert!(after.missing.is_empty(), "{:#?}", after.missing);
    }
}
