//! What rules and packets can say beyond the first pack: lists, places, instants, messages.

use std::fmt::Write as _;
use std::path::Path;

use civitas_rules::{Code, Effect, Facts, Outcome, Pack, PackFiles, Packet, PacketContext, PacketError};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

const PLACES: &str = "\
# Areas and one hospital.
id,level,part_of,code,name_en,name_fr
h-1,facility,d-1,,\"Hospital \"\"Hope\"\", East\",Hôpital
d-1,district,p-1,IB,Ibombo,Ibombo-fr
p-1,province,,C,Central,Centre
";

const ONE_CASE: &str = "version: 1\ncases:\n  - name: one\n    given: { event: other, action: DECLARE, at: 2026-01-01T00:00:00Z }\n    expect: { do: none }\n";

/// The small pack with more fields, a list of places, and these files instead of its own.
fn pack_with(files: &[(&str, &str)]) -> PackFiles {
    let mut pack = crate::common::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pack"));
    let mut edit = |name: &str, from: &str, to: &str| {
        let text = pack.0.get_mut(name).expect("the file is there");
        assert!(text.contains(from), "{name} has no {from}");
        *text = text.replacen(from, to, 1);
    };
    edit(
        "country.yaml",
        "opencrvs: \"1.9\"",
        "locations: { levels: [province, district] }\nopencrvs: \"2.0\"",
    );
    edit(
        "fields.yaml",
        "      mother.dob:",
        "      child.home: { type: ADDRESS }\n      child.place: { type: FACILITY }\n      child.papers: { type: FILE_WITH_OPTIONS }\n      mother.scan: { type: QR_READER }\n      mother.dob:",
    );
    edit(
        "id-schema.json",
        "\"gender\":",
        "\"handles\": { \"type\": \"array\", \"items\": { \"type\": \"string\" }, \"fieldCategory\": \"none\" },\n        \
         \"weight\": { \"type\": \"number\", \"fieldCategory\": \"pvt\" },\n        \
         \"twin\": { \"type\": \"boolean\", \"fieldCategory\": \"pvt\" },\n        \
         \"home\": { \"$ref\": \"#/definitions/simpleType\", \"fieldCategory\": \"pvt\" },\n        \
         \"homeCode\": { \"type\": \"string\", \"fieldCategory\": \"pvt\" },\n        \
         \"gender\":",
    );
    pack.0.insert("locations.csv".to_owned(), PLACES.to_owned());
    pack.0.insert("cases/all.yaml".to_owned(), ONE_CASE.to_owned());
    for (name, text) in files {
        pack.0.insert((*name).to_owned(), (*text).to_owned());
    }
    pack
}

fn load(files: &PackFiles) -> Pack {
    Pack::load(files).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A pack whose packet `birth` has these fields, as YAML in braces.
fn with_fields(fields: &str) -> PackFiles {
    let packets = format!(
        "version: 1\nsource: CRVS1\nschema_version: \"0.5\"\npackets:\n  birth: {{ event: birth, process: CRVS_NEW, fields: {fields} }}\n"
    );
    let rules = "version: 1\nrules:\n  - id: always\n    name: { en: A, fr: A }\n    on: { event: birth, action: REGISTER }\n    do: create_uin\n    send: birth\n    respond: continue\n    despite: [registration_after_enrolment]\n";
    pack_with(&[("packets.yaml", &packets), ("rules.yaml", rules)])
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => panic!("a map"),
    }
}

/// New Year's Eve in UTC, New Year in Lusaka.
fn at() -> Timestamp {
    "2025-12-31T22:30:00Z".parse().expect("an instant")
}

fn build(pack: &Pack, after: Value) -> Result<Packet, PacketError> {
    let after = map(after);
    let facts = Facts {
        event: "birth",
        action: "REGISTER",
        custom_action: None,
        before: &after,
        after: &after,
        at: at(),
    };
    let context = PacketContext { facts: &facts, event_id: "e", tracking_id: "t", registration_number: None };
    pack.build_packet("birth", &context)
}

fn fields(text: &str, after: Value) -> std::collections::BTreeMap<String, String> {
    build(&load(&with_fields(text)), after).expect("a packet").fields
}

fn reasons(text: &str, after: Value) -> Vec<String> {
    match build(&load(&with_fields(text)), after) {
        Err(PacketError::Unfit { problems, .. }) => {
            problems.into_iter().map(|problem| format!("{}: {}", problem.field, problem.reason)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn home(area: &str) -> Value {
    json!({ "child.home": { "country": "TST", "administrativeArea": area } })
}

#[test]
fn a_place_goes_out_by_name_in_the_language_around_it() {
    let both = "{ home: { languages: { eng: { location: child.home#administrativeArea, level: province }, fra: { location: child.home#administrativeArea, level: district, optional: true } } } }";
    let sent = |area| serde_json::from_str::<Value>(&fields(both, home(area))["home"]).expect("JSON");
    assert_eq!(
        sent("d-1"),
        json!([{ "language": "eng", "value": "Central" }, { "language": "fra", "value": "Ibombo-fr" }])
    );
    // A province lies in no district.
    assert_eq!(sent("p-1"), json!([{ "language": "eng", "value": "Central" }]));
    let french = "{ home: { location: child.home#administrativeArea, level: province, language: fra } }";
    assert_eq!(fields(french, home("d-1"))["home"], r#"[{"language":"fra","value":"Centre"}]"#);
    // Without a language around it, the country's first one counts.
    let bare = "{ homeCode: { location: child.place, level: facility } }";
    assert_eq!(fields(bare, json!({ "child.place": "h-1" }))["homeCode"], "Hospital \"Hope\", East");
}

#[test]
fn a_place_goes_out_by_code_too() {
    let code = |level| format!("{{ homeCode: {{ location: child.place, level: {level}, as: code }} }}");
    assert_eq!(fields(&code("province"), json!({ "child.place": "h-1" }))["homeCode"], "C");
    let problems = Pack::load(&with_fields(&code("facility"))).expect_err("refused");
    assert!(problems.iter().any(|problem| problem.code == Code::M016), "{problems}");
}

#[test]
fn a_place_that_the_list_lacks_is_said_or_stands_as_stated() {
    let stated = |more: &str| {
        format!("{{ homeCode: {{ location: child.home#administrativeArea, level: province{more} }} }}")
    };
    assert_eq!(
        reasons(&stated(", optional: true"), home("d-secret")),
        ["homeCode: child.home#administrativeArea is a place that locations.csv does not have"]
    );
    assert_eq!(fields(&stated(", default: Elsewhere"), home("d-9"))["homeCode"], "Elsewhere");
    assert!(!fields(&stated(", default: Elsewhere, optional: true"), json!({})).contains_key("homeCode"));
    assert_eq!(reasons(&stated(""), json!({})), ["homeCode: nothing in child.home#administrativeArea"]);
}

#[test]
fn the_digest_knows_places_and_not_their_order() {
    let files = with_fields("{ homeCode: { location: child.place, level: province } }");
    let pack = load(&files);
    assert_eq!(pack.location_count(), 3);
    let archived = Pack::from_canonical(pack.canonical()).expect("an archived rule set");
    assert_eq!((archived.digest(), archived.canonical()), (pack.digest(), pack.canonical()));
    let record = json!({ "child.place": "h-1" });
    assert_eq!(build(&archived, record.clone()), build(&pack, record));

    let mut turned = files.clone();
    turned.0.insert(
        "locations.csv".to_owned(),
        "name_fr,name_en,id,part_of,level,code\nCentre,Central,p-1,,province,C\nIbombo-fr,Ibombo,d-1,p-1,district,IB\n\nHôpital,\"Hospital \"\"Hope\"\", East\",h-1,d-1,facility,\n".to_owned(),
    );
    assert_eq!(load(&turned).digest(), pack.digest());
    let mut other = files;
    other.0.insert("locations.csv".to_owned(), PLACES.replace("Ibombo,", "Isamba,"));
    assert_ne!(load(&other).digest(), pack.digest());
}

#[test]
fn a_rule_set_that_has_decided_is_not_judged_by_newer_checks() {
    let files = crate::common::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pack"));
    let archived = load(&files)
        .canonical()
        .replace("\"UIN\":{\"from\":\"child.nid\"}", "\"UIN\":{\"from\":\"child.nid\",\"optional\":true}");
    assert_ne!(archived, load(&files).canonical());
    Pack::from_canonical(&archived).expect("an archived rule set");
    let mut today = files;
    let packets = today.0.get_mut("packets.yaml").expect("packets");
    *packets = packets.replace("UIN: { from: child.nid }", "UIN: { from: child.nid, optional: true }");
    let problems = Pack::load(&today).expect_err("refused");
    assert!(problems.iter().any(|problem| problem.code == Code::R060), "{problems}");
}

#[test]
fn a_broken_list_of_a_whole_country_is_told_in_a_page() {
    let mut table = "id,level,part_of,code,name_en,name_fr\n".to_owned();
    for index in 0..20_000 {
        writeln!(table, "d-{index},district,p-{index},,A,B").expect("text");
    }
    let files = pack_with(&[("locations.csv", &table)]);
    let problems = Pack::load(&files).expect_err("refused");
    assert_eq!(problems.len(), 50, "as many as somebody mends");
    assert!(problems.to_string().contains("19950 more problems of this file are not shown"));
}

#[test]
fn a_list_goes_out_as_json_whatever_stands_in_it() {
    let list = "{ handles: { list: [{ constant: one }, { from: child.nid, optional: true }, { from: child.name#surname }] } }";
    let sent = fields(list, json!({ "child.name": { "surname": "O\"Neill, \\" } }));
    let read: Value = serde_json::from_str(&sent["handles"]).expect("JSON");
    assert_eq!(read, json!(["one", "O\"Neill, \\"]));
    let problems = Pack::load(&with_fields("{ handles: { from: child.nid } }")).expect_err("refused");
    assert!(problems.iter().any(|problem| problem.code == Code::M017), "{problems}");
}

#[test]
fn numbers_and_yes_or_no_travel_as_texts_and_are_checked() {
    let plain = "{ weight: { from: child.weight }, twin: { from: child.twin } }";
    let sent = fields(plain, json!({ "child.weight": 3.25, "child.twin": false }));
    assert_eq!((sent["weight"].as_str(), sent["twin"].as_str()), ("3.25", "false"));
    let wrong = "{ weight: { from: child.nid }, twin: { from: child.gender } }";
    assert_eq!(
        reasons(wrong, json!({ "child.nid": "secret", "child.gender": "male" })),
        ["twin: the ID schema wants `true` or `false`", "weight: the ID schema wants a number"]
    );
    let coded = "{ gender: { code: child.twin, map: { \"true\": Y, \"false\": N } } }";
    assert_eq!(fields(coded, json!({ "child.twin": true }))["gender"], "Y");
    let half = "{ gender: { code: child.twin, map: { \"true\": Y } } }";
    let problems = Pack::load(&with_fields(half)).expect_err("refused");
    assert!(problems.iter().any(|problem| problem.code == Code::M009), "{problems}");
}

#[test]
fn days_are_the_countrys_own() {
    let date = "{ dateOfBirth: { given: action_date, format: dd.MM.yyyy } }";
    assert_eq!(fields(date, json!({}))["dateOfBirth"], "01.01.2026");
    let instant = "{ dateOfBirth: { date: mother.scan#data#issued, format: dd.MM.yyyy } }";
    let scan = |issued: &str| json!({ "mother.scan": { "data": { "issued": issued } } });
    assert_eq!(fields(instant, scan("2025-03-31T22:00:00.000Z"))["dateOfBirth"], "01.04.2025");
    assert_eq!(fields(instant, scan("2025-03-31"))["dateOfBirth"], "31.03.2025");
    assert_eq!(reasons(instant, scan("31 March")), ["dateOfBirth: mother.scan#data#issued is not a date"]);
}

#[test]
fn one_of_two_mandatory_attributes_is_enough() {
    let files = |mandatory: &str| {
        let mut files = with_fields(
            "{ fullName: { from: child.name#surname, language: eng, optional: true }, gender: { constant: M } }",
        );
        let packets = files.0.get_mut("packets.yaml").expect("packets");
        *packets = packets.replace(
            "process: CRVS_NEW",
            &format!("process: CRVS_NEW, source: RESIDENT, mandatory: [{mandatory}]"),
        );
        load(&files)
    };
    let packet = build(&files("fullName|gender"), json!({})).expect("a packet");
    assert_eq!(packet.source, "RESIDENT", "a packet has its own source where it says so");
    let error = build(&files("fullName|dateOfBirth"), json!({})).expect_err("refused");
    assert!(
        error.to_string().ends_with("fullName|dateOfBirth: mandatory, and the record has nothing for it")
    );
}

/// Condition, record, and whether it holds; none where the record does not decide it.
#[test]
fn every_kind_of_field_can_be_asked() {
    let papers = |options: &[&str]| {
        let files: Vec<Value> =
            options.iter().map(|option| json!({ "path": "p", "option": option })).collect();
        json!({ "child.papers": files })
    };
    let table = [
        ("{ child.papers: { contains: CARD } }", papers(&["NOTE", "CARD"]), Some(true)),
        ("{ child.papers: { contains: CARD } }", papers(&["NOTE"]), Some(false)),
        ("{ child.papers: { contains: CARD } }", papers(&[]), None),
        ("{ child.papers: present }", papers(&[]), Some(false)),
        ("{ child.papers: present }", papers(&["NOTE"]), Some(true)),
        (
            "{ mother.scan#data#tags: { contains: 3 } }",
            json!({ "mother.scan": { "data": { "tags": [1, 3] } } }),
            Some(true),
        ),
        (
            "{ mother.scan#data#tags: { contains: 3 } }",
            json!({ "mother.scan": { "data": { "tags": "3" } } }),
            None,
        ),
        (
            "{ child.name: present }",
            json!({ "child.name": { "firstname": "", "surname": null } }),
            Some(false),
        ),
        ("{ child.name: absent }", json!({ "child.name": { "firstname": "", "surname": "x" } }), Some(false)),
        ("{ mother.verify: present }", json!({ "mother.verify": { "loading": false } }), Some(true)),
        (
            "{ child.name#surname: { matches: 'O.*' } }",
            json!({ "child.name": { "surname": "Obi" } }),
            Some(true),
        ),
        (
            "{ child.name#surname: { in: [Obi, Eze] } }",
            json!({ "child.name": { "surname": "Ada" } }),
            Some(false),
        ),
        ("{ child.home#administrativeArea: { equals: d-1 } }", home("d-1"), Some(true)),
        ("{ child.place: { in: [h-1, h-2] } }", json!({ "child.place": "h-3" }), Some(false)),
        (
            "{ mother.scan#data#birthDate: { age_at_least: 16 years } }",
            json!({ "mother.scan": { "data": { "birthDate": "2010-01-01" } } }),
            Some(true),
        ),
        (
            "{ mother.scan#data#birthDate: { age_at_least: 16 years } }",
            json!({ "mother.scan": { "data": { "birthDate": "2010-01-02" } } }),
            Some(false),
        ),
        (
            "{ mother.scan#data#birthDate: { before: today } }",
            json!({ "mother.scan": { "data": { "birthDate": 7 } } }),
            None,
        ),
    ];
    for (condition, record, holds) in table {
        let rules = format!(
            "version: 1\nrules:\n  - id: asked\n    name: {{ en: A, fr: A }}\n    on: {{ event: birth, action: REGISTER }}\n    if: {condition}\n    do: ignore\n    if_unknown: hold\n"
        );
        let pack = load(&pack_with(&[("rules.yaml", &rules)]));
        let after = map(record.clone());
        let facts = Facts {
            event: "birth",
            action: "REGISTER",
            custom_action: None,
            before: &after,
            after: &after,
            at: at(),
        };
        let found = match pack.decide(&facts).effect {
            Effect::Ignore => Some(true),
            Effect::None => Some(false),
            Effect::Hold { .. } => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(found, holds, "{condition} on {record}");
    }
}

#[test]
fn a_change_of_a_part_is_a_change_of_that_part_only() {
    let rules = "version: 1\nrules:\n  - id: moved\n    name: { en: A, fr: A }\n    on: { event: birth, action: APPROVE_CORRECTION }\n    if: { changed: [child.home#administrativeArea, child.name#surname] }\n    do: ignore\n";
    let pack = load(&pack_with(&[("rules.yaml", rules)]));
    let decide = |before: Value, after: Value| {
        let (before, after) = (map(before), map(after));
        let facts = Facts {
            event: "birth",
            action: "APPROVE_CORRECTION",
            custom_action: None,
            before: &before,
            after: &after,
            at: at(),
        };
        pack.decide(&facts).rule.is_some()
    };
    let name = |first: &str, last: &str| json!({ "child.name": { "firstname": first, "surname": last } });
    assert!(decide(home("d-1"), home("d-2")));
    assert!(decide(name("A", "B"), name("A", "C")));
    assert!(!decide(name("A", "B"), name("Z", "B")));
}

#[test]
fn the_history_says_what_the_pack_says() {
    let rules = "version: 1\nrules:\n  - id: held\n    name: { en: Held, fr: Retenu }\n    on: { event: birth, action: REGISTER }\n    if: { child.twin: { equals: true } }\n    do: create_uin\n    send: birth\n    respond: await_external_validation\n    deadline: 36 hours\n    despite: [registration_after_enrolment]\n    if_unknown: hold\n    audit:\n      requested: { en: UIN requested, fr: UIN demandé }\n      completed: { en: UIN issued, fr: UIN attribué }\n      held: { en: A registrar looks, fr: Un officier regarde }\n  - id: quiet\n    name: { en: Quiet, fr: Muet }\n    on: { event: birth, action: DECLARE }\n    do: ignore\n";
    let pack = load(&pack_with(&[("rules.yaml", rules)]));
    assert_eq!(pack.audit_message("held", Outcome::Completed, "fr"), Some("UIN attribué"));
    assert_eq!(pack.audit_message("held", Outcome::Completed, "xx"), Some("UIN issued"));
    assert_eq!(pack.audit_message("held", Outcome::Failed, "en"), None);
    assert_eq!(pack.audit_message("nobody", Outcome::Failed, "en"), None);
    let said = |action: &str, after: Value| {
        let after = map(after);
        let facts =
            Facts { event: "birth", action, custom_action: None, before: &after, after: &after, at: at() };
        pack.explain(&facts).audit_message("en").map(str::to_owned)
    };
    assert_eq!(said("REGISTER", json!({ "child.twin": true })).as_deref(), Some("UIN requested"));
    assert_eq!(said("REGISTER", json!({})).as_deref(), Some("A registrar looks"));
    assert_eq!(said("REGISTER", json!({ "child.twin": false })), None);
    assert_eq!(said("DECLARE", json!({})), None, "a rule without messages");
    let archived = Pack::from_canonical(pack.canonical()).expect("an archived rule set");
    assert_eq!(archived.audit_message("held", Outcome::Requested, "en"), Some("UIN requested"));
}

#[test]
fn sentences_call_fields_and_values_as_the_catalogue_does() {
    let mut files = pack_with(&[(
        "rules.yaml",
        "version: 1\nrules:\n  - id: asked\n    name: { en: Asked, fr: Demandé }\n    on: { event: birth, action: REGISTER }\n    if:\n      all:\n        - child.gender: { equals: female }\n        - child.name#surname: present\n        - child.papers: { contains: CARD }\n    do: ignore\n",
    )]);
    let catalogue = files.0.get_mut("fields.yaml").expect("fields");
    *catalogue = catalogue
        .replace("options: [male, female] }", "options: [male, female], label: { en: the child’s sex, fr: le sexe de l’enfant }, option_labels: { female: { en: a girl, fr: fille } } }")
        .replace("child.name: { type: NAME }", "child.name: { type: NAME, label: { en: the child’s name, fr: le nom de l’enfant } }");
    let pack = load(&files);
    let after = map(
        json!({ "child.gender": "female", "child.name": { "surname": "Obi" }, "child.papers": [{ "option": "CARD" }] }),
    );
    let facts = Facts {
        event: "birth",
        action: "REGISTER",
        custom_action: None,
        before: &after,
        after: &after,
        at: at(),
    };
    assert_eq!(
        pack.explain(&facts).sentence("en"),
        "nothing to do, Asked: the child’s sex is a girl, the child’s name (surname) is present, child.papers contains CARD"
    );
    assert_eq!(
        pack.explain(&facts).sentence("fr"),
        "rien à faire, Demandé : le sexe de l’enfant est fille, le nom de l’enfant (surname) est présent, child.papers contient CARD"
    );
}
