//! The shipped pack: it loads without a warning, its cases pass, its schemas are fresh.

use civitas_rules::{Pack, schemas};

use crate::common::{farajaland, workspace};

#[test]
fn the_pack_loads_without_a_word() {
    let pack = Pack::load(&farajaland()).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(pack.warnings().is_empty(), "{}", pack.warnings());
}

#[test]
fn its_cases_pass() {
    let pack = Pack::load(&farajaland()).expect("a pack");
    let report = pack.run_cases();
    assert!(report.is_ok(), "{report}");
    assert!(report.total >= 50, "{report}");
}

#[test]
fn schemas_are_fresh() {
    let folder = workspace().join("schemas");
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    for (name, text) in schemas() {
        let path = folder.join(name);
        if update {
            std::fs::write(&path, &text).expect("schemas can be written");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == text, "{name} is stale: run the test with UPDATE_SCHEMAS=1");
    }
}

/// Rules and mappings changed for the worse: file, text, which occurrence, what stands there then.
const MUTANTS: &[(&str, &str, usize, &str)] = &[
    ("rules.yaml", "10 years", 0, "9 years"),
    ("rules.yaml", "10 years", 0, "11 years"),
    ("rules.yaml", "10 years", 1, "9 years"),
    ("rules.yaml", "10 years", 1, "11 years"),
    ("rules.yaml", "10 years", 2, "9 years"),
    ("rules.yaml", "10 years", 2, "11 years"),
    ("rules.yaml", "age_below", 0, "age_at_least"),
    ("rules.yaml", "        - child.nid: absent\n", 0, ""),
    ("rules.yaml", "        - child.nid: absent\n", 1, ""),
    ("rules.yaml", "        - child.nid: present\n", 0, ""),
    ("rules.yaml", "        - child.dob: { age_below: 10 years }\n", 0, ""),
    ("rules.yaml", "        - child.dob: { age_below: 10 years }\n", 1, ""),
    ("rules.yaml", "        - child.dob: { age_below: 10 years }\n", 2, ""),
    ("rules.yaml", "        - a_parent_is_known\n", 0, ""),
    ("rules.yaml", "        - a_parent_is_known\n", 1, ""),
    ("rules.yaml", "        - changed: biographic\n", 0, ""),
    ("rules.yaml", "[child.name, child.dob, child.gender]", 0, "[child.dob, child.gender]"),
    ("rules.yaml", "[child.name, child.dob, child.gender]", 0, "[child.name, child.gender]"),
    ("rules.yaml", "[child.name, child.dob, child.gender]", 0, "[child.name, child.dob]"),
    ("rules.yaml", "{ in: [verified, authenticated] }", 0, "{ in: [verified] }"),
    ("rules.yaml", "{ in: [verified, authenticated] }", 0, "{ in: [authenticated] }"),
    ("rules.yaml", "{ in: [verified, authenticated] }", 0, "{ in: [verified, authenticated, failed] }"),
    ("rules.yaml", "{ in: [verified, authenticated] }", 0, "{ in: [verified, authenticated, pending] }"),
    ("rules.yaml", "{ in: [verified, authenticated] }", 1, "{ in: [verified] }"),
    ("rules.yaml", "{ in: [verified, authenticated] }", 1, "{ in: [authenticated] }"),
    ("rules.yaml", "{ in: [verified, authenticated] }", 1, "{ in: [verified, authenticated, failed] }"),
    ("rules.yaml", "{ in: [verified, authenticated] }", 1, "{ in: [verified, authenticated, pending] }"),
    ("rules.yaml", "    any:\n", 0, "    all:\n"),
    ("rules.yaml", "deceased.nid: present", 0, "deceased.nid: absent"),
    ("rules.yaml", "deceased.nid: present", 0, "informant.nid: present"),
    ("rules.yaml", "await_external_validation\n    deadline: 14 days", 0, "continue"),
    ("rules.yaml", "await_external_validation\n    deadline: 14 days", 1, "continue"),
    ("rules.yaml", "14 days", 0, "13 days"),
    ("rules.yaml", "14 days", 1, "13 days"),
    ("rules.yaml", "action: REGISTER", 1, "action: APPROVE_CORRECTION"),
    ("country.yaml", "Africa/Lusaka", 0, "UTC"),
    ("country.yaml", "feb_28", 0, "mar_1"),
    ("packets.yaml", "yyyy/MM/dd", 0, "dd/MM/yyyy"),
    ("packets.yaml", "unknown: Others", 0, "unknown: Male"),
    ("packets.yaml", "        only_if_changed: true\n", 0, ""),
    ("packets.yaml", ", only_if_changed: true", 0, ""),
    ("packets.yaml", "        only_if_changed: true\n", 1, ""),
    ("packets.yaml", "    subject: child.nid\n", 0, ""),
    ("packets.yaml", "    subject: deceased.nid\n", 0, "    subject: spouse.nid\n"),
    ("packets.yaml", "name.middlename, ", 0, ""),
    ("packets.yaml", "CRVS_UPDATE", 0, "CRVS_NEW"),
    ("packets.yaml", "constant: \"Y\"", 0, "constant: \"N\""),
    ("packets.yaml", "{ given: event_id }", 0, "{ given: tracking_id }"),
    ("packets.yaml", "spouse.verify-nid-http-fetch", 0, "informant.verify-nid-http-fetch"),
    ("packets.yaml", "              - father.verify-nid-http-fetch#data#sub\n", 1, ""),
];

#[test]
fn every_mutant_is_killed_by_a_case() {
    let mut alive = Vec::new();
    for (file, text, occurrence, instead) in MUTANTS {
        let mut files = farajaland();
        let content = files.0.get_mut(*file).expect("the file is there");
        let (place, _) = content.match_indices(text).nth(*occurrence).expect("the text is there");
        content.replace_range(place..place + text.len(), instead);
        match Pack::load(&files) {
            Ok(pack) if pack.run_cases().is_ok() => alive.push((file, text, occurrence, instead)),
            Ok(_) => {}
            Err(problems) => panic!("{file}: {text} → {instead} does not load:\n{problems}"),
        }
    }
    assert!(alive.is_empty(), "no case tells these from the pack: {alive:#?}");
}
