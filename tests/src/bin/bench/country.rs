//! A country with as many rules as nobody has yet: six forms, five steps each, one rule after the other.
//!
//! The rules exist twice, as YAML and as [`Ask`]s that a `match` walks through, so that the cases know what must
//! come out, and the bench has a limit to stand beside.

use std::fmt::Write as _;

use civitas_rules::{Facts, PackFiles};
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

pub(crate) const EVENTS: [&str; 6] = ["birth", "death", "marriage", "divorce", "adoption", "recognition"];
const PERSONS: [&str; 5] = ["subject", "mother", "father", "informant", "witness"];
const NATIONS: [&str; 10] = ["FAR", "ZMB", "TZA", "KEN", "UGA", "MWI", "MOZ", "NAM", "BWA", "AGO"];
const STEPS: [(&str, Option<&str>); 5] = [
    ("REGISTER", None),
    ("APPROVE_CORRECTION", None),
    ("DECLARE", None),
    ("CUSTOM", Some("REVOKE_REGISTRATION")),
    ("CUSTOM", Some("REINSTATE_REGISTRATION")),
];

/// One term of a rule.
#[derive(Clone, Copy)]
enum Ask {
    Nid(bool),
    Below(i16),
    AtLeast(i16),
    ParentIsKnown,
    Nation(usize, usize),
    Lighter(f64),
    Resident(bool),
    Changed,
}

/// One rule.
pub(crate) struct Spec {
    pub(crate) id: String,
    pub(crate) event: &'static str,
    pub(crate) action: &'static str,
    pub(crate) custom: Option<&'static str>,
    asks: Vec<Ask>,
    act: &'static str,
}

/// Rules in file order, spread over events and steps.
pub(crate) fn specs(count: usize) -> Vec<Spec> {
    let steps = EVENTS.len() * STEPS.len();
    (0..count)
        .map(|number| {
            let (step, turn) = (number % steps, number / steps);
            let event = EVENTS[step % EVENTS.len()];
            let (action, custom) = STEPS[step / EVENTS.len()];
            let years = i16::try_from(5 + turn % 13).unwrap_or(18);
            let mut asks = vec![
                // Whoever is already known to MOSIP, or has to be.
                Ask::Nid(event == "death" || matches!(action, "APPROVE_CORRECTION" | "CUSTOM")),
                if turn % 4 == 3 { Ask::AtLeast(years) } else { Ask::Below(years) },
                Ask::Nation(turn % NATIONS.len(), (turn * 3 + 1) % NATIONS.len()),
            ];
            match turn % 3 {
                0 => asks.push(Ask::ParentIsKnown),
                1 => asks.push(Ask::Resident(turn % 2 == 0)),
                _ => asks.push(Ask::Lighter(1.5 + f64::from(years) / 10.0)),
            }
            if action == "APPROVE_CORRECTION" {
                asks.push(Ask::Changed);
            }
            let act = match (action, custom) {
                ("APPROVE_CORRECTION", _) => "update_biographics",
                (_, Some("REVOKE_REGISTRATION")) => "deactivate_id",
                (_, Some(_)) => "reactivate_id",
                _ if event == "death" => "flag_deceased",
                _ => "create_uin",
            };
            Spec {
                id: format!("{event}-{}-{turn}", action.to_lowercase().replace('_', "-")),
                event,
                action,
                custom,
                asks,
                act,
            }
        })
        .enumerate()
        .map(|(number, spec)| Spec { id: format!("{}-{number}", spec.id), ..spec })
        .collect()
}

impl Ask {
    fn yaml(self) -> String {
        match self {
            Ask::Nid(there) => format!("subject.nid: {}", if there { "present" } else { "absent" }),
            Ask::Below(years) => format!("subject.dob: {{ age_below: {years} years }}"),
            Ask::AtLeast(years) => format!("subject.dob: {{ age_at_least: {years} years }}"),
            Ask::ParentIsKnown => "a_parent_is_known".to_owned(),
            Ask::Nation(a, b) => format!("subject.nationality: {{ in: [{}, {}] }}", NATIONS[a], NATIONS[b]),
            Ask::Lighter(weight) => format!("subject.weight: {{ less_than: {weight} }}"),
            Ask::Resident(yes) => format!("subject.resident: {{ equals: {yes} }}"),
            Ask::Changed => "changed: biographic".to_owned(),
        }
    }

    fn holds(self, facts: &Facts<'_>, today: Date) -> bool {
        let text =
            |field: &str| facts.after.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        let turns = |years: i16| {
            let born: Date = text("subject.dob")?.parse().ok()?;
            born.checked_add(Span::new().years(years)).ok().map(|birthday| today < birthday)
        };
        let known = |field| matches!(text(field), Some("verified" | "authenticated"));
        match self {
            Ask::Nid(there) => text("subject.nid").is_some() == there,
            Ask::Below(years) => turns(years) == Some(true),
            Ask::AtLeast(years) => turns(years) == Some(false),
            Ask::ParentIsKnown => known("mother.verified") || known("father.verified"),
            Ask::Nation(a, b) => {
                text("subject.nationality").is_some_and(|nation| nation == NATIONS[a] || nation == NATIONS[b])
            }
            Ask::Lighter(weight) => {
                facts.after.get("subject.weight").and_then(Value::as_f64).is_some_and(|it| it < weight)
            }
            Ask::Resident(yes) => facts.after.get("subject.resident").and_then(Value::as_bool) == Some(yes),
            Ask::Changed => ["subject.name", "subject.dob", "subject.gender"]
                .iter()
                .any(|field| facts.before.get(*field) != facts.after.get(*field)),
        }
    }
}

/// The id of the first rule that matches, by a `match` over every rule's terms.
pub(crate) fn by_hand<'s>(
    specs: &'s [Spec],
    facts: &Facts<'_>,
    zone: &jiff::tz::TimeZone,
) -> Option<&'s str> {
    let today = zone.to_datetime(facts.at).date();
    let mut own = specs.iter().filter(|spec| {
        spec.event == facts.event && spec.action == facts.action && spec.custom == facts.custom_action
    });
    own.find(|spec| spec.asks.iter().all(|ask| ask.holds(facts, today))).map(|spec| spec.id.as_str())
}

/// A record of that event as a form would hold it, values at random.
pub(crate) fn record(rng: &mut StdRng) -> Map<String, Value> {
    let mut record = Map::new();
    for person in PERSONS {
        let mut put = |field: &str, value: Value| record.insert(format!("{person}.{field}"), value);
        put("name", json!({ "firstname": "Mwila", "surname": "Banda" }));
        put(
            "dob",
            json!(format!(
                "{}-{:02}-{:02}",
                rng.random_range(2005..2026),
                rng.random_range(1..13),
                rng.random_range(1..29)
            )),
        );
        put("gender", json!(if rng.random_bool(0.5) { "male" } else { "female" }));
        put("nationality", json!(NATIONS[rng.random_range(0..NATIONS.len())]));
        put("verified", json!(["verified", "authenticated", "failed", "pending"][rng.random_range(0..4)]));
        put("weight", json!(f64::from(rng.random_range(10..50)) / 10.0));
        put("resident", json!(rng.random_bool(0.5)));
        if rng.random_bool(0.5) {
            put("nid", json!(format!("{:010}", rng.random_range(0..9_999_999_999_u64))));
        }
    }
    record
}

/// A step at random.
pub(crate) fn step(rng: &mut StdRng) -> (&'static str, &'static str, Option<&'static str>) {
    let (action, custom) = STEPS[rng.random_range(0..STEPS.len())];
    (EVENTS[rng.random_range(0..EVENTS.len())], action, custom)
}

/// An instant of 2026.
pub(crate) fn instant(rng: &mut StdRng) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + rng.random_range(0..31_000_000)).unwrap_or_default()
}

/// The pack; one case per record of `cases`.
pub(crate) fn files(specs: &[Spec], cases: &str) -> PackFiles {
    let files = [
        ("country.yaml", COUNTRY.to_owned()),
        ("fields.yaml", fields()),
        ("rules.yaml", rules(specs)),
        ("packets.yaml", packets()),
        ("identity.yaml", IDENTITY.to_owned()),
        ("id-schema.json", schema()),
        ("cases/all.yaml", cases.to_owned()),
    ];
    PackFiles(files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect())
}

const COUNTRY: &str = "version: 1\ncode: FAR\nname: { en: Farajaland, fr: Farajalande }\nlanguages:\n  - { code: en, mosip: eng }\n  - { code: fr, mosip: fra }\ntime_zone: Africa/Lusaka\nopencrvs: \"2.0\"\nbiometric_enrolment_age: 18 years\nnational_id:\n  credential_key: VID\n  fields: { birth: subject.nid, marriage: subject.nid, divorce: subject.nid, adoption: subject.nid, recognition: subject.nid }\nregistration_number: { template: \"{code:12}\" }\n";

const IDENTITY: &str = "version: 1\npersons: { birth: [mother, father] }\nesignet: { essential: [name], fields: { birthdate: dob }, name_order: given_first }\nqr: { at_most: pending, fields: { date_of_birth: dob } }\n";

fn fields() -> String {
    let mut text = "version: 1\nevents:\n".to_owned();
    for event in EVENTS {
        let _ = writeln!(text, "  {event}:\n    fields:");
        for person in PERSONS {
            for (field, kind) in [
                ("name", "NAME".to_owned()),
                ("dob", "DATE".to_owned()),
                ("gender", "SELECT, options: [male, female, unknown]".to_owned()),
                ("nid", "ID".to_owned()),
                ("verified", "VERIFICATION_STATUS".to_owned()),
                ("nationality", format!("SELECT, options: [{}]", NATIONS.join(", "))),
                ("weight", "NUMBER".to_owned()),
                ("resident", "CHECKBOX".to_owned()),
            ] {
                let _ = writeln!(text, "      {person}.{field}: {{ type: {kind} }}");
            }
        }
    }
    text
}

fn rules(specs: &[Spec]) -> String {
    let mut text = "version: 1\n\ngroups:\n  biographic: [subject.name, subject.dob, subject.gender]\n\nconditions:\n  a_parent_is_known:\n    any:\n      - mother.verified: { in: [verified, authenticated] }\n      - father.verified: { in: [verified, authenticated] }\n\nrules:\n".to_owned();
    for Spec { id, event, action, custom, asks, act } in specs {
        let custom = custom.map_or(String::new(), |custom| format!(", custom_action: {custom}"));
        let _ = write!(
            text,
            "\n  # What {id} is about, and who asked for it.\n  - id: {id}\n    name: {{ en: Rule {id}, fr: Règle {id} }}\n    on: {{ event: {event}, action: {action}{custom} }}\n    if:\n      all:\n"
        );
        for ask in asks {
            let _ = writeln!(text, "        - {}", ask.yaml());
        }
        let (packet, respond) = match *act {
            "create_uin" => ("new", "await_external_validation\n    deadline: 14 days"),
            "update_biographics" => ("update", "continue"),
            _ => ("status", "continue"),
        };
        // What MOSIP keeps for people, the bench's country does all the same.
        let grown = asks.iter().any(|ask| matches!(ask, Ask::AtLeast(_)));
        let guard = match (*act, *event) {
            ("deactivate_id", "death") => "deactivation_on_death",
            ("deactivate_id", _) => "automatic_deactivation",
            ("reactivate_id", "death") => "reversal_of_death",
            ("reactivate_id", _) => "automatic_reactivation",
            ("create_uin", _) if grown => "registration_after_enrolment",
            ("update_biographics", _) if grown => "update_after_enrolment",
            _ => "",
        };
        let despite = if guard.is_empty() { String::new() } else { format!("\n    despite: [{guard}]") };
        let _ = writeln!(text, "    do: {act}\n    send: {event}-{packet}\n    respond: {respond}{despite}");
    }
    text
}

fn packets() -> String {
    let mut text = "version: 1\nsource: CRVS1\nschema_version: \"0.5\"\npackets:\n".to_owned();
    for event in EVENTS {
        let packets: &[&str] =
            if event == "death" { &["update", "status"] } else { &["new", "update", "status"] };
        for packet in packets {
            let process = packet.to_uppercase();
            let _ = write!(text, "  {event}-{packet}:\n    event: {event}\n    process: CRVS_{process}\n");
            // An update is about a person who is known, and carries what has changed; a status the person alone.
            let changed = match *packet {
                "new" => "",
                _ => ", only_if_changed: true",
            };
            text.push_str(match *packet {
                "new" => "    fields:\n",
                _ => "    subject: subject.nid\n    fields:\n      UIN: { from: subject.nid }\n",
            });
            if *packet == "status" {
                continue;
            }
            let _ = write!(
                text,
                "      fullName: {{ text: \"{{{{ [name.firstname, name.middlename, name.surname] | words }}}}\", with: {{ name: subject.name }}, language: eng{changed} }}\n      dateOfBirth: {{ date: subject.dob, format: yyyy/MM/dd{changed} }}\n      gender: {{ code: subject.gender, map: {{ male: MLE, female: FLE }}, default: OTH, language: eng{changed} }}\n"
            );
            for (number, person) in PERSONS.iter().enumerate().skip(1) {
                let _ = writeln!(
                    text,
                    "      attribute{number}: {{ from: [{person}.nid, {person}.nationality], optional: true{changed} }}"
                );
            }
        }
    }
    text
}

fn schema() -> String {
    let mut properties = json!({
        "IDSchemaVersion": { "type": "number", "fieldCategory": "none" },
        "UIN": { "type": "string", "fieldCategory": "none" },
        "fullName": { "$ref": "#/definitions/simpleType", "fieldCategory": "pvt", "validators": [{ "type": "regex", "validator": "^(?=.{3,50}$).*" }] },
        "gender": { "$ref": "#/definitions/simpleType", "fieldCategory": "pvt" },
        "dateOfBirth": { "type": "string", "fieldCategory": "pvt", "validators": [{ "type": "regex", "validator": "[0-9]{4}/[0-9]{2}/[0-9]{2}" }] },
    });
    for number in 0..25 {
        properties[format!("attribute{number}")] = json!({ "type": "string", "fieldCategory": "pvt" });
    }
    let item = json!({ "type": "object", "required": ["language", "value"], "properties": { "language": { "type": "string" }, "value": { "type": "string" } } });
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "definitions": { "simpleType": { "type": "array", "items": item } },
        "properties": { "identity": { "type": "object", "required": ["IDSchemaVersion", "fullName"], "properties": properties } },
    });
    format!("{schema:#}\n")
}

/// Cases for the records, with what comes out by hand.
pub(crate) fn cases(specs: &[Spec], events: &[Event], zone: &jiff::tz::TimeZone) -> String {
    // As a team writes them: a record per event to start from, and in each case what is special about it.
    let mut text = "version: 1\nrecords:\n".to_owned();
    for event in EVENTS {
        if let Some(first) = events.iter().find(|it| it.form == event) {
            let _ = writeln!(text, "  {event}:\n    event: {event}\n    values:");
            for (field, value) in &first.after {
                let _ = writeln!(text, "      {field}: {value}");
            }
        }
    }
    text.push_str("\ncases:\n");
    for (number, event) in events.iter().enumerate() {
        let facts = event.facts();
        let expected = by_hand(specs, &facts, zone).and_then(|id| specs.iter().find(|spec| spec.id == id));
        let expect = match expected {
            Some(spec) => json!({ "do": spec.act, "rule": spec.id }),
            None => json!({ "do": "none" }),
        };
        let custom = event.custom.map_or(String::new(), |custom| format!("      custom_action: {custom}\n"));
        let _ = write!(
            text,
            "  - name: event {number}\n    given:\n      record: {}\n      action: {}\n{custom}      at: {}\n      with:\n",
            event.form, event.action, event.at
        );
        for field in
            ["nid", "dob", "nationality", "weight", "resident"].map(|field| format!("subject.{field}"))
        {
            let _ = writeln!(text, "        {field}: {}", event.after.get(&field).unwrap_or(&Value::Null));
        }
        for field in ["mother.verified", "father.verified"] {
            let _ = writeln!(text, "        {field}: {}", event.after[field]);
        }
        let _ = writeln!(text, "    expect: {expect}");
    }
    text
}

/// A civil event of the bench.
pub(crate) struct Event {
    form: &'static str,
    action: &'static str,
    custom: Option<&'static str>,
    before: Map<String, Value>,
    after: Map<String, Value>,
    at: Timestamp,
}

impl Event {
    /// At random; every second one changes the record.
    pub(crate) fn any(rng: &mut StdRng, changing: bool) -> Self {
        let (form, action, custom) = step(rng);
        let after = record(rng);
        let mut before = after.clone();
        if changing && rng.random_bool(0.5) {
            before.insert("subject.dob".to_owned(), json!("2004-01-01"));
        }
        Self { form, action, custom, before, after, at: instant(rng) }
    }

    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            event: self.form,
            action: self.action,
            custom_action: self.custom,
            before: &self.before,
            after: &self.after,
            at: self.at,
        }
    }
}
