//! Every diagnostic code, provoked by one edit of a small sound pack, with its golden rendering.
//!
//! The goldens are `tests/diagnostics/<code>.snap`; a change of wording is a visible diff.

use std::collections::BTreeSet;
use std::path::Path;

use civitas_rules::{Code, Diagnostics, Pack, PackFiles};

/// What is done to the small pack.
pub(crate) enum Edit {
    /// In the file, put the second text in place of the first.
    Swap(&'static str, &'static str, &'static str),
    /// Take the file out.
    Drop(&'static str),
    /// Put a file in.
    Add(&'static str, &'static str),
    /// One after the other.
    All(&'static [Edit]),
}

use Edit::{Add, All, Drop, Swap};

const COUNTRY: &str = "country.yaml";
const FIELDS: &str = "fields.yaml";
const RULES: &str = "rules.yaml";
const PACKETS: &str = "packets.yaml";
const IDENTITY: &str = "identity.yaml";
const SCHEMA: &str = "id-schema.json";
const WORDS: &str = "words.yaml";
const CASES: &str = "cases/all.yaml";
const IF: &str = "if: { changed: biographic }";
/// A choice of two in eleven places: two thousand combinations.
const TOO_LARGE: &str = "if:\n      all:\n        - any: [{ mother.verify#data#a0: present }, { mother.verify#data#b0: present }]\n        - any: [{ mother.verify#data#a1: present }, { mother.verify#data#b1: present }]\n        - any: [{ mother.verify#data#a2: present }, { mother.verify#data#b2: present }]\n        - any: [{ mother.verify#data#a3: present }, { mother.verify#data#b3: present }]\n        - any: [{ mother.verify#data#a4: present }, { mother.verify#data#b4: present }]\n        - any: [{ mother.verify#data#a5: present }, { mother.verify#data#b5: present }]\n        - any: [{ mother.verify#data#a6: present }, { mother.verify#data#b6: present }]\n        - any: [{ mother.verify#data#a7: present }, { mother.verify#data#b7: present }]\n        - any: [{ mother.verify#data#a8: present }, { mother.verify#data#b8: present }]\n        - any: [{ mother.verify#data#a9: present }, { mother.verify#data#b9: present }]\n        - any: [{ mother.verify#data#a10: present }, { mother.verify#data#b10: present }]";
const GENDER: &str = "{ code: child.gender, map: { male: M, female: F } }";

const PLACES: &str = "locations.csv";
const BIRTH_DATE: &str = "dateOfBirth: { date: child.dob, format: dd.MM.yyyy }";
const HOME: &str = "dateOfBirth: { location: child.home, level: district }";

/// A list of places, and a field that holds one.
const WITH_PLACES: Edit = All(&[
    Add(
        PLACES,
        "id,level,part_of,code,name_en,name_fr\np-1,province,,C,Central,Centre\nd-1,district,p-1,I,Ibombo,Ibombo\nd-2,district,p-1,,Isamba,Isamba\n",
    ),
    Swap(COUNTRY, "opencrvs:", "locations: { levels: [province, district] }\nopencrvs:"),
    HOME_FIELD,
]);

const HOME_FIELD: Edit =
    Swap(FIELDS, "      mother.dob:", "      child.home: { type: ADMINISTRATIVE_AREA }\n      mother.dob:");

pub(crate) const EDITS: &[(Code, Edit)] = &[
    (Code::P001, Drop(IDENTITY)),
    (Code::P002, Swap(RULES, "  - id: young", "  - id: [young")),
    (
        Code::P003,
        Swap(SCHEMA, "\"type\": \"object\",\n  \"definitions\"", "\"type\": \"object\"\n  \"definitions\""),
    ),
    (Code::P004, Swap(FIELDS, "child.twin:", "child.dob:")),
    (Code::P005, Add("rule.yaml", "version: 1")),
    (Code::P006, Drop(CASES)),
    (Code::P007, Swap(RULES, "version: 1", "version: 2")),
    (Code::P008, Swap(PACKETS, "source: CRVS1", "source: ${SOURCE}")),
    (Code::P010, Swap(RULES, "        - child.nid: absent", "\t\t- child.nid: absent")),
    (Code::P011, Swap(RULES, "Corrigé", "Corrig\u{fffd}")),
    (Code::P012, Swap(RULES, "    do: create_uin", "\u{a0}   do: create_uin")),
    (Code::S001, Swap(RULES, "    name: { en: Young, fr: Jeune }\n", "")),
    (Code::S002, Swap(RULES, "    deadline: 14 days\n", "    deadline: 14 days\n    if_unknow: hold\n")),
    (Code::S003, Swap(RULES, "send: birth", "send: [birth]")),
    (Code::S004, Swap(RULES, "do: create_uin", "do: create_uni")),
    (Code::S005, Swap(PACKETS, "\"0.5\"", "\"half\"")),
    (Code::N001, Swap(COUNTRY, "mosip: eng", "mosip: en")),
    (Code::N002, Swap(COUNTRY, "Africa/Lusaka", "Africa/Lusaca")),
    (Code::N003, Swap(COUNTRY, "{code:12}", "{code:4}")),
    (Code::N004, Swap(COUNTRY, "{ code: fr, mosip: fra }", "{ code: en, mosip: fra }")),
    (Code::N005, Swap(COUNTRY, "birth: child.nid", "birth: child.nidd")),
    (Code::N006, Swap(COUNTRY, "birth: child.nid", "brith: child.nid")),
    (Code::N007, Swap(COUNTRY, "birth: child.nid", "birth: child.dob")),
    (Code::N008, Swap(COUNTRY, "biometric_enrolment_age: 10 years", "biometric_enrolment_age: ten years")),
    (
        Code::N009,
        Swap(
            COUNTRY,
            "biometric_enrolment_age: 10 years",
            "biometric_enrolment_age: 10 years\nhistory: { annotation: civitas_message }",
        ),
    ),
    (
        Code::N010,
        Swap(
            COUNTRY,
            "biometric_enrolment_age: 10 years",
            "biometric_enrolment_age: 10 years\nhistory: { annotation: civitas.message, custom_action: NATIONAL_ID_NOTE }",
        ),
    ),
    (Code::N020, Swap(COUNTRY, "{ code: fr, mosip: fra }", "{ code: sw, mosip: fra }")),
    (
        Code::N021,
        Add(
            WORDS,
            "version: 1\nlanguages:\n  en:\n    missing: \"{feld} is missing\"\n    absent: is absent\n    nothing: \"nothing {sent}\"\n",
        ),
    ),
    (Code::N022, Add(WORDS, "version: 1\nlanguages:\n  es: { and: \" y \" }\n")),
    (
        Code::N023,
        Add(
            WORDS,
            "version: 1\nlanguages:\n  en:\n    days: { \"few\": some days, other: \"{count} days\" }\n    weeks: { \"1\": a week }\n    and: { other: x }\n",
        ),
    ),
    (Code::F001, Swap(FIELDS, "child.twin:", "child.is_twin:")),
    (Code::F002, Swap(FIELDS, "{ type: SELECT, options: [male, female] }", "{ type: SELECT }")),
    (Code::F003, Swap(FIELDS, "child.twin:", "child.twin#one:")),
    (Code::F004, Swap(FIELDS, "child: { en: the child, fr: l’enfant }", "child: { en: the child }")),
    (
        Code::F020,
        Swap(
            FIELDS,
            "options: [male, female] }",
            "options: [male, female], option_labels: { mal: { en: boy } } }",
        ),
    ),
    (Code::L001, All(&[WITH_PLACES, Swap(COUNTRY, "locations: { levels: [province, district] }\n", "")])),
    (Code::L002, All(&[WITH_PLACES, Swap(PLACES, "part_of", "partof")])),
    (Code::L003, All(&[WITH_PLACES, Swap(PLACES, "C,Central", "C,Central, the")])),
    (Code::L004, All(&[WITH_PLACES, Swap(PLACES, "d-2", "d-1")])),
    (Code::L005, All(&[WITH_PLACES, Swap(PLACES, "d-2,district", "d-2,distrikt")])),
    (Code::L006, All(&[WITH_PLACES, Swap(PLACES, "d-2,district,p-1", "d-2,district,p-7")])),
    (Code::L007, All(&[WITH_PLACES, Swap(PLACES, "p-1,province,", "p-1,province,d-1")])),
    (Code::L008, All(&[WITH_PLACES, Swap(PLACES, "Isamba,Isamba", "Isamba,")])),
    (Code::L009, Swap(COUNTRY, "opencrvs:", "locations: { levels: [province, office] }\nopencrvs:")),
    (Code::L010, All(&[WITH_PLACES, Swap(PLACES, "d-2,district,p-1,", "d-2,district,p-1,I")])),
    (Code::R001, Swap(RULES, "id: corrected", "id: young")),
    (Code::R002, Swap(RULES, "id: corrected", "id: Corrected one")),
    (Code::R003, Swap(RULES, "event: death", "event: deaht")),
    (Code::R004, Swap(RULES, "action: APPROVE_CORRECTION", "action: APROVE_CORRECTION")),
    (Code::R005, Swap(RULES, "action: APPROVE_CORRECTION", "action: CUSTOM")),
    (Code::R006, Swap(RULES, "child.dob: { age", "child.dbo: { age")),
    (Code::R007, Swap(RULES, IF, "if: { child.name#firstnam: present }")),
    (Code::R008, Swap(RULES, "- mother_known", "- mother_knwon")),
    (Code::R009, Swap(RULES, "mother_known: {", "mother_known: { not: mother_known }\n  other: {")),
    (Code::R010, Swap(RULES, "age_below: 10", "age_bellow: 10")),
    (Code::R011, Swap(RULES, IF, "if: { child.name: { equals: Ann } }")),
    (Code::R012, Swap(RULES, IF, "if: { child.nid: { equals: 12345 } }")),
    (Code::R013, Swap(RULES, "[verified, authenticated]", "[verified, autenticated]")),
    (Code::R014, Swap(RULES, IF, "if: { child.nid: { matches: '[0-9' } }")),
    (Code::R015, Swap(RULES, "10 years", "ten years")),
    (Code::R016, Swap(RULES, IF, "if: { child.dob: { before: 2026-02-30 } }")),
    (Code::R017, Swap(RULES, IF, "if: { any: [] }")),
    (Code::R018, Swap(RULES, IF, "if: { child.nid: present, changed: biographic }")),
    (Code::R019, Swap(RULES, IF, "if: 7")),
    (Code::R020, Swap(RULES, IF, "if: { changed: biografic }")),
    (Code::R021, Swap(RULES, "    send: update\n", "")),
    (Code::R022, Swap(RULES, "do: reject", "do: ignore")),
    (Code::R023, Swap(RULES, "send: update", "send: updat")),
    (
        Code::R024,
        Swap(
            RULES,
            "do: reject\n    reason: { en: Not yet, fr: Pas encore }",
            "do: flag_deceased\n    send: update\n    respond: continue",
        ),
    ),
    (Code::R025, Swap(RULES, "respond: continue", "respond: continue\n    deadline: 2 days")),
    (Code::R026, Swap(RULES, "    reason: { en: Not yet, fr: Pas encore }\n", "")),
    (
        Code::R027,
        Swap(
            RULES,
            "  - id: closed",
            "  - id: all-deaths\n    name: { en: All, fr: Tous }\n    on: { event: death, action: REGISTER }\n    do: ignore\n  - id: closed",
        ),
    ),
    (Code::R028, Swap(RULES, "        - mother_known\n", "")),
    (Code::R029, Swap(RULES, "{ en: Not yet, fr: Pas encore }", "{ en: Not yet }")),
    (Code::R030, Swap(RULES, "respond: continue", "respond: await_external_validation")),
    (
        Code::R031,
        Swap(
            RULES,
            "        - child.nid: absent\n",
            "        - child.nid: absent\n        - child.nid: { matches: '[0-9]{10}' }\n",
        ),
    ),
    (
        Code::R032,
        Swap(
            RULES,
            "        - child.dob: { age_below: 10 years }\n",
            "        - child.dob: { age_below: 10 years }\n        - child.dob: { age_below: 216 months }\n",
        ),
    ),
    (
        Code::R033,
        Swap(
            RULES,
            "  - id: closed",
            "  - id: refused\n    name: { en: Refused, fr: Refusé }\n    on: { event: birth, action: APPROVE_CORRECTION }\n    if: { not: mother_known }\n    do: reject\n    reason: { en: Who is the mother?, fr: Qui est la mère ? }\n  - id: closed",
        ),
    ),
    (Code::R034, Swap(RULES, "    deadline: 14 days\n", "")),
    (
        Code::R035,
        All(&[
            Swap(COUNTRY, "\"1.9\"", "\"2.0\""),
            Swap(
                PACKETS,
                "  update:\n",
                "  death:\n    event: death\n    process: CRVS_DEATH\n    subject: deceased.nid\n    fields: { UIN: { from: deceased.nid } }\n  update:\n",
            ),
            Swap(
                RULES,
                "    do: reject\n    reason: { en: Not yet, fr: Pas encore }\n",
                "    do: flag_deceased\n    send: death\n    respond: continue\n",
            ),
            Swap(
                RULES,
                "  - id: corrected",
                "  - id: revoked\n    name: { en: Revoked, fr: Révoqué }\n    on: { event: birth, action: CUSTOM, custom_action: REVOKE_REGISTRATION }\n    do: ignore\n  - id: corrected",
            ),
        ]),
    ),
    (
        Code::R036,
        Swap(
            PACKETS,
            "{ date: child.dob, format: dd.MM.yyyy, only_if_changed: true }",
            "{ date: child.dob, format: dd.MM.yyyy }",
        ),
    ),
    (
        Code::R037,
        Swap(
            RULES,
            "  mother_known: {",
            "  known_mother: { mother.verified: { in: [authenticated, verified] } }\n  mother_known: {",
        ),
    ),
    (Code::R038, Swap(RULES, IF, "if: { changed: biographic }\n    after: young")),
    (Code::R039, Swap(RULES, IF, TOO_LARGE)),
    (Code::R040, Swap(COUNTRY, "fields: { birth: child.nid }", "fields: {}")),
    (
        Code::R041,
        Swap(
            RULES,
            "    deadline: 14 days\n",
            "    deadline: 14 days\n    write: { child.gender: { constant: boy } }\n",
        ),
    ),
    (Code::R060, Swap(PACKETS, "UIN: { from: child.nid }", "UIN: { from: child.nid, optional: true }")),
    (Code::R061, Swap(PACKETS, "    mandatory: [fullName, UIN]\n", "    subject: child.nid\n")),
    (Code::R062, Swap(RULES, "do: update_biographics", "do: verify_identity")),
    (
        Code::R063,
        Swap(
            RULES,
            "    respond: continue\n",
            "    respond: continue\n    audit: { held: { en: Held, fr: Retenu } }\n",
        ),
    ),
    (
        Code::R064,
        All(&[
            Swap(COUNTRY, "\"1.9\"", "\"2.0\""),
            Swap(RULES, "action: APPROVE_CORRECTION", "action: VALIDATE"),
        ]),
    ),
    (
        Code::R065,
        Swap(
            RULES,
            "    do: update_biographics\n    send: update\n    respond: continue\n    despite: [update_after_enrolment]\n",
            "    do: deactivate_id\n    send: update\n    respond: continue\n",
        ),
    ),
    (Code::R066, Swap(RULES, "    despite: [update_after_enrolment]\n", "")),
    (
        Code::R067,
        Swap(
            RULES,
            "    deadline: 14 days\n",
            "    deadline: 14 days\n    despite: [registration_after_enrolment]\n",
        ),
    ),
    (Code::M001, Swap(PACKETS, "{ from: child.nid }", "{ from: child.nid, constant: x }")),
    (Code::M002, Swap(PACKETS, "{ from: child.nid }", "{ from: child.nid, format: yyyy }")),
    (Code::M003, Swap(PACKETS, "      gender:", "      gendre:")),
    (Code::M004, Swap(PACKETS, "      fullName:\n        languages:", "      gender2:\n        languages:")),
    (
        Code::M005,
        Swap(
            PACKETS,
            "        text: \"{{ [name.firstname, name.surname] | words }}\"\n        with: { name: child.name }\n        language",
            "        text: \"{{ name.first }}\"\n        with: { name: child.name }\n        language",
        ),
    ),
    (Code::M006, Swap(PACKETS, "format: dd.MM.yyyy, only", "format: DD.MM.yyyy, only")),
    (Code::M007, Swap(PACKETS, "{ from: child.nid }", "{ from: child.name }")),
    (Code::M008, Swap(PACKETS, GENDER, "{ code: child.gender, map: { male: M, femal: F }, default: U }")),
    (Code::M009, Swap(PACKETS, GENDER, "{ code: child.gender, map: { male: M } }")),
    (Code::M010, Swap(PACKETS, GENDER, "{ code: child.gender, map: { male: M, female: F }, language: eng }")),
    (Code::M011, Swap(PACKETS, "        language: eng\n", "        language: end\n")),
    (
        Code::M012,
        Swap(
            PACKETS,
            "  update:\n",
            "  spare:\n    event: birth\n    process: CRVS_NEW\n    fields: { gender: { constant: M } }\n  update:\n",
        ),
    ),
    (Code::M013, All(&[HOME_FIELD, Swap(PACKETS, BIRTH_DATE, HOME)])),
    (
        Code::M014,
        All(&[
            WITH_PLACES,
            Swap(PACKETS, BIRTH_DATE, "dateOfBirth: { location: child.home, level: distric }"),
        ]),
    ),
    (Code::M015, All(&[WITH_PLACES, Swap(PACKETS, BIRTH_DATE, "dateOfBirth: { from: child.home }")])),
    (
        Code::M016,
        All(&[
            WITH_PLACES,
            Swap(PACKETS, BIRTH_DATE, "dateOfBirth: { location: child.home, level: district, as: code }"),
        ]),
    ),
    (Code::M017, Swap(PACKETS, GENDER, "{ list: [{ constant: M }] }")),
    (Code::M018, Swap(PACKETS, "mandatory: [fullName, UIN]", "mandatory: [fullname, UIN]")),
    (
        Code::M019,
        Swap(
            PACKETS,
            "      fullName:\n        languages:",
            "      fullName:\n        optional: true\n        languages:",
        ),
    ),
    (
        Code::I001,
        Swap(SCHEMA, "\"type\": \"object\",\n  \"definitions\"", "\"type\": \"thing\",\n  \"definitions\""),
    ),
    (Code::I002, Swap(SCHEMA, "\"identity\": {", "\"person\": {")),
    (Code::I003, Swap(SCHEMA, "^(?=.{3,50}$).*", "^(?=.{3,50}$.*")),
    (
        Code::I004,
        Swap(
            SCHEMA,
            "\"gender\": { \"type\": \"string\", \"fieldCategory\": \"pvt\" }",
            "\"gender\": { \"type\": \"string\" }",
        ),
    ),
    (Code::E001, Swap(IDENTITY, "[mother]", "[mother, fahter]")),
    (Code::E002, Swap(IDENTITY, "birthdate: dob", "birthdate: birthDate")),
    (Code::C001, Swap(CASES, "- name: a death", "- name: a newborn")),
    (Code::C002, Swap(CASES, "record: ann", "record: anne")),
    (Code::C003, Swap(CASES, "child.gender: female", "child.gender: woman")),
    (Code::C004, Swap(CASES, "rule: closed", "rule: close")),
    (Code::C005, Swap(CASES, "{ do: reject, rule: closed }", "{ do: none, rule: closed }")),
    (
        Code::C006,
        Swap(
            CASES,
            "at: 2026-02-01T00:00:00Z }\n    expect:\n      do",
            "at: 2026-02-01 }\n    expect:\n      do",
        ),
    ),
    (Code::C007, Swap(CASES, "record: ann", "document: documents/ann.json")),
    (Code::C008, Add("documents/ann.json", "{ \"type\": \"birth\" }")),
    (Code::C009, Add("documents/ann.json", "{ \"type\": \"birth\", \"actions\": [] }")),
    (Code::C010, Swap(CASES, "record: ann", "record: ann, document: documents/ann.json")),
    (
        Code::C011,
        Swap(
            CASES,
            "{ do: reject, rule: closed }",
            "{ do: reject, rule: closed, because: { young: { failed: child.nidd } } }",
        ),
    ),
];

pub(crate) fn small() -> PackFiles {
    crate::common::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pack"))
}

/// Does the edit.
pub(crate) fn apply(files: &mut PackFiles, edit: &Edit) {
    match edit {
        All(edits) => edits.iter().for_each(|edit| apply(files, edit)),
        Swap(file, from, to) => {
            let text = files.0.get_mut(*file).expect("the file is there");
            assert!(text.contains(from), "{file} has no {from:?}");
            *text = text.replacen(from, to, 1);
        }
        Drop(file) => {
            files.0.remove(*file);
        }
        Add(file, text) => {
            files.0.insert((*file).to_owned(), (*text).to_owned());
        }
    }
}

fn problems_after(edit: &Edit) -> Diagnostics {
    let mut files = small();
    apply(&mut files, edit);
    problems_of(&files)
}

/// What is said of a pack, whether it loads or not.
pub(crate) fn problems_of(files: &PackFiles) -> Diagnostics {
    match Pack::load(files) {
        Ok(pack) => pack.warnings().clone(),
        Err(problems) => problems,
    }
}

#[test]
fn the_small_pack_is_sound() {
    let pack = Pack::load(&small()).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(pack.warnings().is_empty(), "{}", pack.warnings());
    let report = pack.run_cases();
    assert!(report.is_ok(), "{report}");
}

#[test]
fn every_code_has_its_golden() {
    let provoked: BTreeSet<Code> = EDITS.iter().map(|(code, _)| *code).collect();
    // P009 is about archived rule sets; its test is beside the round trip. Limits have theirs in `limits`.
    let elsewhere = |code: &Code| *code == Code::P009 || code.as_str().starts_with("P03");
    let missing: Vec<&Code> =
        Code::ALL.iter().filter(|code| !provoked.contains(code) && !elsewhere(code)).collect();
    assert!(missing.is_empty(), "no edit provokes {missing:?}");
}

#[test]
fn diagnostics_read_as_their_goldens_say() {
    for (code, edit) in EDITS {
        let problems = problems_after(edit);
        assert!(problems.iter().any(|problem| problem.code == *code), "{code} expected:\n{problems}");
        assert_eq!(problems.has_errors(), problems.iter().any(|p| !p.code.is_warning()));
        insta::with_settings!({
            snapshot_path => "../diagnostics",
            prepend_module_to_snapshot => false,
            description => code.title(),
            omit_expression => true,
        }, {
            insta::assert_snapshot!(code.as_str(), problems.to_string());
        });
    }
}

#[test]
fn many_mistakes_are_reported_in_one_go() {
    let mut files = small();
    for (file, from, to) in [
        (COUNTRY, "Africa/Lusaka", "Africa/Lusaca"),
        (RULES, "child.dob: { age", "child.dbo: { age"),
        (RULES, "10 years", "ten years"),
        (RULES, "send: update", "send: updat"),
        (PACKETS, "      gender:", "      gendre:"),
        (IDENTITY, "[mother]", "[fahter]"),
        (CASES, "record: ann", "record: anne"),
    ] {
        let text = files.0.get_mut(file).expect("the file is there");
        *text = text.replacen(from, to, 1);
    }
    let problems = Pack::load(&files).expect_err("refused");
    let codes: BTreeSet<Code> = problems.iter().map(|problem| problem.code).collect();
    for code in [Code::N002, Code::R006, Code::R015, Code::R023, Code::M003, Code::E001, Code::C002] {
        assert!(codes.contains(&code), "{code} is not among\n{problems}");
    }
    assert!(
        problems.iter().all(|problem| problem.line > 0 && problem.column > 0 && problem.source.is_some())
    );
}

#[test]
fn diagnostics_are_data_too() {
    let problems = problems_after(&Swap(RULES, "child.dob: { age", "child.dbo: { age"));
    let json = serde_json::to_value(&problems).expect("JSON");
    let first = &json[0];
    assert_eq!(first["code"], "R006");
    assert_eq!(first["severity"], "error");
    assert_eq!(first["file"], RULES);
    assert_eq!(first["line"], 13);
    assert_eq!(first["column"], 11);
    assert_eq!(first["suggestion"], "child.dob");
}
