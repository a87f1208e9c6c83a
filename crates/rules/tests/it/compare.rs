//! What changed between two packs, and what rules read.

use civitas_rules::{Change, Comparison, Line, Pack, PackFiles};

use crate::common::farajaland;

fn load(files: &PackFiles) -> Pack {
    Pack::load(files).unwrap_or_else(|problems| panic!("{problems}"))
}

fn with(file: &str, from: &str, to: &str) -> PackFiles {
    let mut files = farajaland();
    let text = files.0.get_mut(file).expect("a file of the pack");
    assert!(text.contains(from), "{from}");
    *text = text.replacen(from, to, 1);
    files
}

fn compared(new: &PackFiles) -> Vec<(&'static str, String, Change)> {
    let comparison = Comparison::of(&load(&farajaland()), &load(new));
    assert!(!comparison.is_same());
    comparison.entries.into_iter().map(|entry| (entry.kind, entry.name, entry.change)).collect()
}

#[test]
fn layout_and_comments_are_no_change() {
    let new = with("rules.yaml", "version: 1\n", "# a remark\nversion:    1\n");
    let comparison = Comparison::of(&load(&farajaland()), &load(&new));
    assert!(comparison.is_same() && comparison.entries.is_empty());
}

#[test]
fn a_bound_that_moved_is_shown_in_its_rule() {
    let new = with("rules.yaml", "age_below: 10 years", "age_below: 8 years");
    let comparison = Comparison::of(&load(&farajaland()), &load(&new));
    let [entry] = comparison.entries.as_slice() else { panic!("{comparison:#?}") };
    assert_eq!((entry.file, entry.kind, &*entry.name), ("rules.yaml", "rule", "birth-uin-on-registration"));
    let changed: Vec<&Line> = entry.lines.iter().filter(|line| !matches!(line, Line::Same(_))).collect();
    assert_eq!(
        changed,
        [
            &Line::Old("    - child.dob: { age_below: 10 years }".into()),
            &Line::New("    - child.dob: { age_below: 8 years }".into()),
        ]
    );
}

#[test]
fn each_entry_is_named_in_the_words_of_its_file() {
    let new = with(
        "rules.yaml",
        "mother.verified: { in: [verified, authenticated] }",
        "mother.verified: { in: [authenticated] }",
    );
    assert_eq!(compared(&new), [("condition", "a_parent_is_known".into(), Change::Changed)]);
    let new = with("packets.yaml", "preferredLang: { constant: eng }", "preferredLang: { constant: fra }");
    assert_eq!(compared(&new), [("packet", "birth".into(), Change::Changed)]);
    let new = with(
        "fields.yaml",
        "      child.reason: { type: TEXT }\n",
        "      child.reason: { type: TEXT }\n      child.new: { type: TEXT }\n",
    );
    assert_eq!(compared(&new), [("field", "birth child.new".into(), Change::Added)]);
    let new = with("country.yaml", "leap_birthday: feb_28", "leap_birthday: mar_1");
    assert_eq!(compared(&new), [("setting", "leap_birthday".into(), Change::Changed)]);
}

#[test]
fn a_rule_that_stands_elsewhere_has_moved() {
    let mut files = farajaland();
    let text = files.0.get_mut("rules.yaml").expect("rules");
    let start = text.find("  # The identity is flagged").expect("the rule");
    let end = text.find("  # A revoked birth").expect("the next one");
    let rule: String = text.drain(start..end).collect();
    let first = text.find("  - id: birth-uin-on-registration").expect("the first rule");
    text.insert_str(first, &format!("{rule}\n"));
    assert_eq!(compared(&files), [("rule", "death-flag-deceased".into(), Change::Moved)]);
}

#[test]
fn rules_read_the_fields_that_they_name_and_no_other() {
    let pack = load(&farajaland());
    let fields = pack.fields_of_rules();
    let expected = [
        "child.dob",
        "child.gender",
        "child.name",
        "child.nid",
        "deceased.nid",
        "father.verified",
        "mother.verified",
    ];
    assert_eq!(fields.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    assert!(pack.fields().is_superset(fields) && pack.fields().contains("informant.phoneNo"));
}
