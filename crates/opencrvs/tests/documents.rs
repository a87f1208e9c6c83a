//! The documents of the field: what they amount to, and what is said about broken ones.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use civitas_opencrvs::{ActionStatus, Anomaly, DocumentError, EventDocument, EventStatus, Version};
use serde_json::{Value, json};
use uuid::Uuid;

const BIRTH: &str = include_str!("documents/birth-register.json");
const CORRECTION: &str = include_str!("documents/birth-approve-correction.json");
const DEATH: &str = include_str!("documents/death-register.json");
const DEATH_ELIGIBLE: &str = include_str!("documents/death-eligible.json");

fn parse(text: &str) -> EventDocument {
    EventDocument::parse(text.as_bytes()).unwrap()
}

fn id(text: &str) -> Uuid {
    text.parse().unwrap()
}

fn edited(text: &str, edit: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    edit(&mut value);
    value.to_string()
}

#[test]
fn a_birth_to_be_registered() {
    let event = parse(BIRTH);
    assert_eq!((event.kind.as_str(), event.tracking_id.as_str()), ("birth", "7KQ2ZB"));
    let pending = event.pending("REGISTER").unwrap();
    assert_eq!(pending.action.id, id("0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a06"));
    assert_eq!(pending.anomaly, None);
    assert_eq!(pending.action.created_at.at(), "2026-06-01T09:01:00Z".parse().unwrap());
    assert_eq!(event.find_pending().unwrap(), pending);
    assert_eq!(event.status(), EventStatus::Declared);
    assert_eq!(event.flags(), ["register:requested"]);
    assert_eq!(event.registration_number(), None);
    for version in [Version::V1_9, Version::V2_0, Version::V2_1] {
        let prospective = event.prospective(pending.action.id, version).unwrap();
        assert_eq!(prospective.after, prospective.before);
        assert!(prospective.changed.is_empty() && prospective.anomaly.is_none());
        assert_eq!(prospective.after["mother.verify-nid-http-fetch"]["data"]["sub"], "267315890126");
        assert_eq!(prospective.after["child.name"]["middlename"], "D");
        assert_eq!(*prospective.before, event.current(version));
    }
}

#[test]
fn a_birth_after_its_acceptance() {
    let accepted = edited(BIRTH, |event| {
        event["actions"].as_array_mut().unwrap().push(json!({
            "id": "0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a07", "transactionId": "civitas-1", "type": "REGISTER",
            "status": "Accepted", "originalActionId": "0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a06",
            "registrationNumber": "PD9TL0RL12RO", "createdAt": "2026-06-01T09:02:00.000Z", "createdBy": "u",
            "createdByUserType": "system", "declaration": {"child.nid": "8031687218"}
        }));
    });
    let event = parse(&accepted);
    assert_eq!(event.status(), EventStatus::Registered);
    assert!(event.flags().is_empty());
    assert_eq!(event.registration_number(), Some("PD9TL0RL12RO"));
    assert_eq!(event.current(Version::V1_9)["child.nid"], "8031687218");
    let none = event.pending("REGISTER").unwrap_err();
    assert!(none.answered);
    assert_eq!(
        none.to_string(),
        "record 6f1c0d4e-4f1a-4c58-9f0b-2f0a5b7f2d11 has no REGISTER action that waits for an answer: \
         the last one was answered already"
    );
}

#[test]
fn a_birth_to_be_corrected() {
    let event = parse(CORRECTION);
    let pending = event.pending("APPROVE_CORRECTION").unwrap();
    assert_eq!(pending.action.id, id("0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a0a"));
    assert_eq!(event.content(pending.action)["immediateCorrection"], true);
    assert_eq!(event.status(), EventStatus::Registered);
    assert_eq!(event.flags(), ["approve_correction:requested", "correction-requested"]);
    assert_eq!(event.registration_number(), Some("PD9TL0RL12RO"));
    for version in [Version::V1_9, Version::V2_0] {
        let prospective = event.prospective(pending.action.id, version).unwrap();
        assert_eq!(prospective.before["child.name"]["firstname"], "Ace");
        assert_eq!(prospective.after["child.name"]["firstname"], "Acer");
        assert_eq!(prospective.changed, ["child.name"]);
        assert_eq!(prospective.after["child.nid"], "8031687218");
        assert_eq!(prospective.anomaly, None);
    }
}

#[test]
fn a_birth_corrected_before_it_has_a_number() {
    let event = parse(&edited(CORRECTION, |event| event["actions"][4]["declaration"] = json!({})));
    let pending = event.find_pending().unwrap();
    let prospective = event.prospective(pending.action.id, Version::V2_0).unwrap();
    assert!(!prospective.after.contains_key("child.nid"));
    assert_eq!(prospective.changed, ["child.name"]);
}

#[test]
fn an_approval_that_names_the_requested_twin_applies_nothing() {
    let twin = "0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a08";
    let event = parse(&edited(CORRECTION, |event| event["actions"][7]["requestId"] = json!(twin)));
    let prospective = event.prospective(event.find_pending().unwrap().action.id, Version::V2_0).unwrap();
    assert_eq!(prospective.after, prospective.before);
    let accepted = Some(id("0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a09"));
    assert_eq!(prospective.anomaly, Some(Anomaly::CorrectionIsTwin { accepted }));
}

#[test]
fn an_approval_of_nothing_known_applies_nothing() {
    let unknown = id("0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0aff");
    let event = parse(&edited(CORRECTION, |event| event["actions"][7]["requestId"] = json!(unknown)));
    let prospective = event.prospective(event.find_pending().unwrap().action.id, Version::V2_0).unwrap();
    assert_eq!(prospective.after, prospective.before);
    assert_eq!(prospective.anomaly, Some(Anomaly::CorrectionUnknown { request_id: unknown }));

    let event = parse(&edited(CORRECTION, |event| event["actions"][7]["requestId"] = Value::Null));
    let prospective = event.prospective(event.find_pending().unwrap().action.id, Version::V2_0).unwrap();
    assert_eq!(prospective.anomaly, Some(Anomaly::CorrectionMissing));
}

#[test]
fn a_death_to_be_registered() {
    let event = parse(DEATH);
    let pending = event.pending("REGISTER").unwrap();
    assert_eq!(pending.action.id, id("e4ef249e-dc06-4b5e-840a-2ee7edc3f826"));
    assert_eq!(event.status(), EventStatus::Declared);
    assert_eq!(event.flags(), ["register:requested"]);
    let prospective = event.prospective(pending.action.id, Version::V2_0).unwrap();
    assert_eq!(prospective.after, prospective.before);
    assert_eq!(prospective.after["deceased.age"]["age"], 31);
    assert!(!prospective.after.contains_key("deceased.nid"));
}

#[test]
fn a_death_of_somebody_with_a_number() {
    let more: Value = serde_json::from_str(DEATH_ELIGIBLE).unwrap();
    let event = parse(&edited(DEATH, |event| {
        let declaration = event["actions"][1]["declaration"].as_object_mut().unwrap();
        declaration.extend(more.as_object().unwrap().clone());
    }));
    let prospective = event.prospective(event.find_pending().unwrap().action.id, Version::V2_0).unwrap();
    assert_eq!(prospective.after["deceased.nid"], "2714358906");
    assert_eq!(prospective.after["deceased.idType"], "NATIONAL_ID");
}

#[test]
fn a_document_may_be_wrapped_and_may_know_more_than_we() {
    assert_eq!(parse(&format!("{{\"event\":{BIRTH}}}")), parse(BIRTH));
    let newer = edited(CORRECTION, |event| {
        event["eventType"] = json!("birth");
        event["actions"][0]["eventId"] = json!(7);
        event["actions"][5]["type"] = json!("UNARCHIVE");
        event["actions"][0]["annotation"] = Value::Null;
        event["actions"][0]["declaration"] = Value::Null;
        event["actions"][2].as_object_mut().unwrap().remove("declaration");
    });
    let event = parse(&newer);
    assert_eq!(event.actions[5].kind, "UNARCHIVE");
    assert!(event.actions[0].declaration.is_empty() && event.actions[2].declaration.is_empty());
}

#[test]
fn what_was_read_can_be_written_and_read() {
    for text in [BIRTH, CORRECTION, DEATH] {
        let event = parse(text);
        let written = serde_json::to_string(&event).unwrap();
        assert_eq!(parse(&written), event);
        let (ours, theirs): (Value, Value) =
            (serde_json::from_str(&written).unwrap(), serde_json::from_str(text).unwrap());
        assert_eq!(ours, theirs, "nothing that the samples hold is lost");
    }
}

#[test]
fn several_pending_actions_are_an_anomaly_and_the_newest_counts() {
    let event = parse(&edited(BIRTH, |event| {
        let mut again = event["actions"][5].clone();
        again["id"] = json!("0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a08");
        again["createdAt"] = json!("2026-06-01T09:05:00.000Z");
        let mut custom = again.clone();
        custom["id"] = json!("0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a09");
        custom["type"] = json!("CUSTOM");
        custom["customActionType"] = json!("REVOKE_REGISTRATION");
        custom["createdAt"] = json!("2026-06-01T09:06:00.000Z");
        event["actions"].as_array_mut().unwrap().extend([custom, again]);
    }));
    let pending = event.pending("REGISTER").unwrap();
    assert_eq!(pending.action.id, id("0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a08"));
    assert_eq!(pending.anomaly, Some(Anomaly::SeveralPending { count: 3 }));
    let newest = event.find_pending().unwrap().action;
    assert_eq!(newest.custom_action_type.as_deref(), Some("REVOKE_REGISTRATION"));
    assert_eq!(event.flags(), ["register:requested", "custom:requested"]);
}

#[test]
fn a_rejected_action_waits_no_more() {
    let event = parse(&edited(BIRTH, |event| {
        event["actions"].as_array_mut().unwrap().push(json!({
            "id": "0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a07", "transactionId": "t", "type": "REGISTER",
            "status": "Rejected", "originalActionId": "0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a06",
            "createdAt": "2026-06-01T09:02:00.000Z", "createdBy": "u", "createdByUserType": "system"
        }));
    }));
    assert!(event.pending("REGISTER").unwrap_err().answered);
    assert!(!event.pending("CUSTOM").unwrap_err().answered);
    assert_eq!(event.flags(), ["register:rejected"]);
    assert_eq!(event.status(), EventStatus::Declared);
    let rejected = id("0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a07");
    assert_eq!(event.action(rejected).unwrap().status, ActionStatus::Rejected);
    assert!(event.prospective(rejected, Version::V2_0).is_err());
    assert!(event.prospective(id("0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a06"), Version::V2_0).is_err());
    assert!(event.prospective(Uuid::nil(), Version::V2_0).is_err());
}

#[test]
fn bytes_that_are_no_text_are_said_to_be_none() {
    let mut bytes = BIRTH.as_bytes().to_vec();
    bytes[900] = 0xff;
    assert_eq!(EventDocument::parse(&bytes), Err(DocumentError::NotUtf8 { offset: 900 }));
}

#[test]
fn a_truncated_document_breaks_at_a_line_and_column() {
    let cut = &CORRECTION[..CORRECTION.len() - 5];
    let last = cut.rsplit('\n').next().unwrap();
    let expected = DocumentError::NotJson { line: cut.lines().count(), column: last.len() };
    assert_eq!(EventDocument::parse(cut.as_bytes()), Err(expected));
    assert_eq!(EventDocument::parse(b""), Err(DocumentError::NotJson { line: 1, column: 0 }));
    assert_eq!(
        EventDocument::parse(b"<html>").unwrap_err().to_string(),
        "the document is not JSON: it breaks at line 1, column 1"
    );
}

#[test]
fn a_hostile_depth_is_refused() {
    let deep = format!("{{\"id\":{}", "[".repeat(100_000));
    assert!(matches!(EventDocument::parse(deep.as_bytes()), Err(DocumentError::NotJson { .. })));
}

type Breaking = fn(&mut Value);

#[test]
fn what_is_missing_or_wrong_is_named_by_its_place() {
    let cases: [(Breaking, &str); 14] = [
        (|e| *e = json!([]), "`$` of the document is not an object"),
        (|e| *e = json!({"event": 3}), "`event` of the document is not an object"),
        (|e| *e = json!({"event": {"id": 3}}), "`event.id` of the document is not a UUID"),
        (|e| _ = e.as_object_mut().unwrap().remove("id"), "the document has no `id`"),
        (|e| e["id"] = json!("Rouge"), "`id` of the document is not a UUID"),
        (|e| e["type"] = Value::Null, "the document has no `type`"),
        (|e| e["actions"] = json!({}), "`actions` of the document is not an array"),
        (|e| e["actions"][3] = json!("Rouge"), "`actions[3]` of the document is not an object"),
        (
            |e| _ = e["actions"][3].as_object_mut().unwrap().remove("id"),
            "the document has no `actions[3].id`",
        ),
        (
            |e| e["actions"][3]["status"] = json!("accepted"),
            "`actions[3].status` of the document is not `Requested`, `Accepted` or `Rejected`",
        ),
        (
            |e| e["actions"][3]["status"] = json!(1),
            "`actions[3].status` of the document is not `Requested`, `Accepted` or `Rejected`",
        ),
        (
            |e| e["actions"][1]["createdAt"] = json!("1995-03-01"),
            "`actions[1].createdAt` of the document is not an ISO 8601 instant with its offset",
        ),
        (
            |e| e["actions"][1]["declaration"] = json!(["Rouge"]),
            "`actions[1].declaration` of the document is not an object",
        ),
        (
            |e| e["actions"][1]["originalActionId"] = json!("Rouge"),
            "`actions[1].originalActionId` of the document is not a UUID",
        ),
    ];
    for (breaking, expected) in cases {
        let error = EventDocument::parse(edited(BIRTH, breaking).as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(!error.to_string().contains("Rouge"), "no value in an error");
    }
}

#[test]
fn a_key_said_twice_is_refused() {
    let twice = BIRTH.replacen("\"type\":\"birth\"", "\"type\":\"birth\",\"type\":\"death\"", 1);
    let error = EventDocument::parse(twice.as_bytes()).unwrap_err();
    assert!(matches!(error, DocumentError::Twice { line: 1, .. }), "{error}");
}

#[test]
fn a_document_in_which_nothing_waits() {
    let event = parse(&edited(BIRTH, |event| event["actions"].as_array_mut().unwrap().truncate(5)));
    assert_eq!(event.find_pending().unwrap_err().action_type, None);
    let none = parse(&edited(BIRTH, |event| event["actions"] = json!([])));
    assert_eq!(none.status(), EventStatus::Created);
    assert!(none.find_pending().is_err() && none.flags().is_empty());
    assert!(none.current(Version::V2_0).is_empty());
}

#[test]
fn debug_shows_no_field_value() {
    let event = parse(BIRTH);
    let pending = event.find_pending().unwrap();
    let prospective = event.prospective(pending.action.id, Version::V2_0).unwrap();
    let shown = format!("{event:?} {pending:?} {prospective:?}");
    for secret in ["Portgas", "Rouge", "267315890126", "0734231245", "1995-03-01"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    assert!(shown.contains("7KQ2ZB"));
}
