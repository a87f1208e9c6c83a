//! Accepting and rejecting: the bytes that travel, and what is never sent.

use crate::fixture::{
    ACCEPT, BIRTH, CORRECTION, EVENT, accepted, by_credentials, by_trigger, confirmation, now, procedure,
};
use crate::support::{Server, json as answer};
use civitas_opencrvs::{Cause, Class, Confirmation, SearchQuery};
use serde_json::{Value, json};

#[tokio::test]
async fn accepts_a_registration_with_the_triggers_token() {
    let server = Server::start(|_, _| answer(200, accepted())).await;
    let traced = Confirmation { traceparent: Some("00-a-b-01".to_owned()), ..confirmation(BIRTH) };
    let event = by_trigger(&server.url).accept(&traced, now()).await.unwrap().unwrap();
    assert_eq!(event.registration_number(), Some("PD9TL0RL12RO"));

    let [asked] = &server.asked()[..] else { panic!("one call") };
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", ACCEPT));
    assert_eq!(asked.header("authorization"), "Bearer trigger");
    assert_eq!(asked.header("content-type"), "application/json");
    assert_eq!(asked.header("traceparent"), "00-a-b-01");
    assert_eq!(
        asked.body,
        concat!(
            r#"{"json":{"transactionId":"civitas-0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a06","#,
            r#""eventId":"6f1c0d4e-4f1a-4c58-9f0b-2f0a5b7f2d11","actionId":"0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a06","#,
            r#""registrationNumber":"PD9TL0RL12RO","declaration":{"child.nid":"8031687218"}}}"#
        )
    );
}

#[tokio::test]
async fn accepts_an_approval_with_its_request() {
    let server = Server::start(|_, _| answer(200, procedure(&Value::Null))).await;
    let approval = Confirmation {
        annotation: Some([("note".to_owned(), json!("ok"))].into_iter().collect()),
        ..confirmation(CORRECTION)
    };
    assert_eq!(by_trigger(&server.url).accept(&approval, now()).await, Ok(None));
    let [asked] = &server.asked()[..] else { panic!("one call") };
    assert_eq!(asked.path, "/events/event.actions.correction.approve.accept");
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(
        body["json"],
        json!({
            "transactionId": "civitas-0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a0a",
            "eventId": EVENT,
            "actionId": "0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a0a",
            "requestId": "0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a09",
            "content": {"immediateCorrection": true},
            "annotation": {"note": "ok"},
            "declaration": {"child.nid": "8031687218"},
        })
    );
}

#[tokio::test]
async fn every_confirmable_type_has_its_procedure_and_no_null_travels() {
    let server = Server::start(|_, _| answer(200, procedure(&json!({"ok": true})))).await;
    let client = by_trigger(&server.url);
    let reason = || Some([("reason".to_owned(), json!("twice"))].into_iter().collect());
    let nulls = json!({"child.nid": null, "child.name": {"firstname": "A", "middlename": null}});
    let base = Confirmation { declaration: nulls.as_object().unwrap().clone(), ..confirmation(CORRECTION) };
    let cases = [
        ("NOTIFY", "notify"),
        ("DECLARE", "declare"),
        ("VALIDATE", "validate"),
        ("EDIT", "edit"),
        ("REJECT", "reject"),
        ("ARCHIVE", "archive"),
        ("PRINT_CERTIFICATE", "printCertificate"),
        ("REQUEST_CORRECTION", "correction.request"),
        ("REJECT_CORRECTION", "correction.reject"),
        ("CUSTOM", "custom"),
    ];
    for (kind, path) in cases {
        let confirmation = Confirmation {
            action_type: kind.to_owned(),
            custom_action: (kind == "CUSTOM").then(|| "REVOKE".to_owned()),
            content: reason(),
            ..base.clone()
        };
        client.accept(&confirmation, now()).await.unwrap();
        let asked = server.asked().pop().unwrap();
        assert_eq!(asked.path, format!("/events/event.actions.{path}.accept"));
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        assert_eq!(body["json"]["declaration"], json!({"child.name": {"firstname": "A"}}));
        assert!(!asked.body.contains("null") && !asked.body.contains("meta"), "{}", asked.body);
        assert_eq!(body["json"].get("registrationNumber"), None, "a number is of registrations only");
        assert_eq!(body["json"].get("customActionType").is_some(), kind == "CUSTOM");
    }
}

#[tokio::test]
async fn what_cannot_be_said_is_not_sent() {
    let server = Server::start(|_, _| answer(200, accepted())).await;
    let client = by_trigger(&server.url);
    let base = || confirmation(BIRTH);
    let typed = |kind: &str| Confirmation { action_type: kind.to_owned(), ..base() };
    let cases = [
        (Confirmation { registration_number: None, ..base() }, Cause::Incomplete),
        (Confirmation { registration_number: Some(String::new()), ..base() }, Cause::Incomplete),
        (typed("APPROVE_CORRECTION"), Cause::Incomplete),
        (typed("CUSTOM"), Cause::Incomplete),
        (typed("ARCHIVE"), Cause::Incomplete),
        (typed("ASSIGN"), Cause::NotConfirmable),
    ];
    for (confirmation, cause) in cases {
        let error = client.accept(&confirmation, now()).await.unwrap_err();
        assert_eq!((error.class, error.cause, error.status), (Class::Permanent, cause, None));
    }
    for kind in ["APPROVE_CORRECTION", "REJECT_CORRECTION", "REJECT"] {
        let error = client.reject(&typed(kind), false, now()).await.unwrap_err();
        assert_eq!((error.class, error.cause), (Class::Permanent, Cause::CannotReject));
    }
    let error = client.accept(&Confirmation { trigger_token: None, ..base() }, now()).await.unwrap_err();
    assert_eq!((error.class, error.cause), (Class::Unauthorised, Cause::NoCredentials));
    // {"exp":1780300000}: 2026-06-01T07:46:40Z.
    let old = Confirmation { trigger_token: Some("e30.eyJleHAiOjE3ODAzMDAwMDB9.c2ln".into()), ..base() };
    let error = client.accept(&old, now()).await.unwrap_err();
    assert_eq!((error.class, error.cause), (Class::Unauthorised, Cause::TokenExpired));
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn rejects_with_a_transaction_of_its_own() {
    let server = Server::start(|_, _| answer(200, procedure(&Value::Null))).await;
    let client = by_trigger(&server.url);
    client.reject(&confirmation(BIRTH), true, now()).await.unwrap();
    client.reject(&confirmation(BIRTH), false, now()).await.unwrap();
    let bodies: Vec<String> = server.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(
        bodies[0],
        concat!(
            r#"{"json":{"transactionId":"civitas-0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a06-reject","#,
            r#""eventId":"6f1c0d4e-4f1a-4c58-9f0b-2f0a5b7f2d11","actionId":"0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a06","#,
            r#""keepAssignment":true}}"#
        )
    );
    assert!(!bodies[1].contains("keepAssignment"));
    assert_eq!(server.asked()[0].path, "/events/event.actions.register.reject");
}

#[test]
fn calls_can_be_spawned() {
    fn sendable<T: Send>(_: T) {}
    let client = by_credentials("http://127.0.0.1:1");
    let confirmation = confirmation(BIRTH);
    sendable(client.accept(&confirmation, now()));
    sendable(client.reject(&confirmation, true, now()));
    sendable(client.get(confirmation.event_id, now()));
    sendable(client.search(&SearchQuery::awaiting(None), now()));
    sendable(client.event_config("birth", now()));
    sendable(client.check_auth(now()));
}
