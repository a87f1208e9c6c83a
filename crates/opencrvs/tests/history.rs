//! The civil events of a finished record, and where its values came from.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use civitas_opencrvs::{EventDocument, Origin, Version};
use serde_json::{Value, json};
use uuid::Uuid;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A history; each action gets its position as id and as minute.
fn event(actions: &[Value]) -> EventDocument {
    let actions: Vec<Value> = actions
        .iter()
        .enumerate()
        .map(|(index, action)| {
            let mut full = json!({
                "id": id(index as u128),
                "status": "Accepted",
                "createdAt": format!("2026-06-01T08:{index:02}:00.000Z"),
            });
            full.as_object_mut().unwrap().extend(action.as_object().unwrap().clone());
            full
        })
        .collect();
    let document = json!({
        "id": id(1000), "type": "birth", "trackingId": "ABC123",
        "createdAt": "2026-06-01T08:00:00.000Z", "updatedAt": "2026-06-01T08:00:00.000Z", "actions": actions,
    });
    EventDocument::parse(document.to_string().as_bytes()).unwrap()
}

/// A birth: declared, registered with a number by MOSIP, corrected.
fn life() -> EventDocument {
    event(&[
        json!({"type": "CREATE"}),
        json!({"type": "DECLARE", "status": "Requested", "declaration":
            {"child.name": {"firstname": "Ace", "surname": "Portgas"}, "child.dob": "2026-05-20", "x": 1}}),
        json!({"type": "DECLARE", "originalActionId": id(1)}),
        json!({"type": "ASSIGN", "status": "Requested"}),
        json!({"type": "REGISTER", "status": "Requested", "declaration": {"x": null, "child.dob": "2026-05-20"}}),
        json!({"type": "REGISTER", "originalActionId": id(4), "declaration": {"child.nid": "8031687218"}}),
        json!({"type": "REQUEST_CORRECTION", "status": "Requested", "declaration":
            {"child.name": {"firstname": "Acer", "surname": "Portgas"}}}),
        json!({"type": "REQUEST_CORRECTION", "originalActionId": id(6)}),
        json!({"type": "APPROVE_CORRECTION", "status": "Requested", "requestId": id(7)}),
        json!({"type": "APPROVE_CORRECTION", "requestId": id(7), "originalActionId": id(8)}),
        json!({"type": "ARCHIVE"}),
    ])
}

#[test]
fn what_was_requested_was_asked_about_whatever_became_of_it() {
    let life = life();
    let past = life.past(Version::V2_0);
    let seen: Vec<_> =
        past.iter().map(|event| (event.action.kind.as_str(), event.answer.map(|answer| answer.id))).collect();
    assert_eq!(
        seen,
        [
            ("DECLARE", Some(id(2))),
            ("REGISTER", Some(id(5))),
            ("REQUEST_CORRECTION", Some(id(7))),
            ("APPROVE_CORRECTION", Some(id(9))),
        ],
        "an assignment is nobody's business, and an accepted action without a request was never put to anybody"
    );
    assert_eq!(life.unasked(), 1, "the archiving");
}

#[test]
fn each_is_judged_on_what_stood_before_it() {
    let life = life();
    let past = life.past(Version::V2_0);
    let [declare, register, request, approve] = past.as_slice() else { panic!("{past:?}") };
    assert!(declare.states.before.is_empty());
    assert_eq!(declare.states.after["child.name"]["firstname"], json!("Ace"));
    assert!(!register.states.after.contains_key("child.nid"), "MOSIP had not answered");
    assert!(!register.states.after.contains_key("x"), "the registrar erased it");
    assert_eq!(request.states.changed, Vec::<String>::new(), "a correction counts when it is approved");
    assert_eq!(approve.states.before["child.name"]["firstname"], json!("Ace"));
    assert_eq!(approve.states.after["child.name"]["firstname"], json!("Acer"));
    assert_eq!(approve.states.after["child.nid"], json!("8031687218"));
    assert_eq!(approve.states.changed, ["child.name"]);
}

#[test]
fn each_is_what_its_trigger_showed() {
    let life = life();
    for event in life.past(Version::V2_0) {
        let mut then = life.clone();
        let last = then.actions.iter().position(|action| action.id == event.action.id).unwrap();
        then.actions.truncate(last + 1);
        let prospective = then.prospective(event.action.id, Version::V2_0).unwrap();
        assert_eq!(event.states, prospective, "{}", event.action.kind);
    }
}

#[test]
fn a_rejected_action_changes_nothing_and_was_asked_about() {
    let record = event(&[
        json!({"type": "DECLARE", "status": "Requested", "declaration": {"a": 1}}),
        json!({"type": "DECLARE", "status": "Rejected", "originalActionId": id(0)}),
        json!({"type": "DECLARE", "status": "Requested", "declaration": {"b": 1}}),
    ]);
    let past = record.past(Version::V2_0);
    assert_eq!(past[0].answer.unwrap().id, id(1));
    assert!(past[1].answer.is_none() && past[1].states.before.is_empty());
}

/// `TYPE id` of each action that gave a value; `+` where it is still to come, `-` where it took it away.
fn given(document: &EventDocument, action: u128, field: &str) -> Vec<String> {
    let origins = document.origins(id(action), Version::V2_0).unwrap();
    let mut parts = field.split('#');
    let field = parts.next().unwrap();
    let said = |origin: &Origin<'_>| {
        let sign = if origin.prospective { "+" } else { "" };
        let erased = if origin.erased { "-" } else { "" };
        format!("{sign}{erased}{} {}", origin.action.kind, origin.action.id.as_u128())
    };
    origins.of(field, parts).iter().map(said).collect()
}

#[test]
fn each_value_names_the_action_that_gave_it() {
    let life = life();
    assert_eq!(given(&life, 4, "child.dob"), ["DECLARE 1"], "whoever repeats a value did not give it");
    assert_eq!(given(&life, 4, "x"), ["+-REGISTER 4"]);
    assert_eq!(given(&life, 4, "child.nid"), Vec::<String>::new());
    assert_eq!(given(&life, 8, "child.nid"), ["REGISTER 5"], "the answer added it");
    assert_eq!(given(&life, 8, "child.name#firstname"), ["+REQUEST_CORRECTION 6"]);
    assert_eq!(given(&life, 8, "child.name#surname"), ["DECLARE 1"]);
    assert_eq!(given(&life, 8, "child.name"), ["DECLARE 1", "+REQUEST_CORRECTION 6"]);
    assert_eq!(given(&life, 8, "child.name#middlename"), Vec::<String>::new());
    assert_eq!(given(&life, 8, "x"), ["-REGISTER 4"]);
    assert!(life.origins(id(5), Version::V2_0).is_none(), "an answer is no civil event");
}

#[test]
fn reading_only_what_is_wanted_gives_the_same_of_it() {
    let life = life();
    let bytes = serde_json::to_vec(&life).unwrap();
    let some = EventDocument::parse_only(&bytes, |field| field == "child.nid").unwrap();
    let only = |whole: &civitas_opencrvs::Map| {
        let mut whole = whole.clone();
        whole.retain(|field, _| field == "child.nid");
        whole
    };
    for (whole, part) in life.past(Version::V2_0).iter().zip(some.past(Version::V2_0)) {
        assert_eq!(*part.states.before, only(&whole.states.before));
        assert_eq!(*part.states.after, only(&whole.states.after));
        assert_eq!(part.action.id, whole.action.id);
    }
    assert_eq!(
        EventDocument::parse_only(&bytes, |_| true).unwrap().current(Version::V2_0),
        life.current(Version::V2_0)
    );
    assert_eq!(some.registration_number(), life.registration_number());
}

#[test]
fn reading_only_what_is_wanted_is_as_strict_about_what_is_used() {
    let bytes = serde_json::to_vec(&life()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let faults = [
        ("\"status\":\"Accepted\"", "\"status\":\"Perhaps\""),
        ("\"trackingId\":", "\"trackingID\":"),
        ("\"declaration\":{}", "\"declaration\":[]"),
        ("\"type\":\"CREATE\"", "\"type\":7"),
        ("2026-06-01T08:02:00.000Z", "yesterday"),
        ("\"status\":\"Accepted\"", "\"status\":\"Accepted\",\"status\":\"Accepted\""),
        ("]}", "]"),
        ("]}", "]}}"),
    ];
    for (right, wrong) in faults {
        let broken = text.replacen(right, wrong, 1);
        assert_ne!(broken, text, "{right}");
        let expected = EventDocument::parse(broken.as_bytes()).unwrap_err();
        assert_eq!(EventDocument::parse_only(broken.as_bytes(), |_| false).unwrap_err(), expected, "{wrong}");
    }
    let wrapped = format!("{{\"event\":{text}}}");
    assert!(EventDocument::parse_only(wrapped.as_bytes(), |_| false).is_ok());
    let lenient = text.replacen("\"type\":\"CREATE\"", "\"type\":\"HATCH\",\"new\":[1,{}]", 1);
    assert!(EventDocument::parse_only(lenient.as_bytes(), |_| false).is_ok());
}
