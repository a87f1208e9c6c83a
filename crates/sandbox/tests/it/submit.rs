//! What a reply of the country config makes of a click.

use crate::stage::{awaiting, country_config, declared, map, sandbox};
use civitas_sandbox::opencrvs::Status;
use civitas_sandbox::{Clicked, Regime, Submission, Trigger};
use serde_json::json;

#[tokio::test]
async fn only_200_202_and_400_mean_something() {
    let frozen = |status| Clicked::Frozen { status };
    let table = [
        (200, r#"{"registrationNumber":"PD9TL0RL12RO"}"#, Clicked::Accepted),
        (202, "", Clicked::Awaiting),
        (400, r#"{"reason":"not stored"}"#, Clicked::Rejected),
        (200, r#"{"registrationNumber":12}"#, frozen(Some(200))),
        (200, "{}", frozen(Some(200))),
        (200, "", frozen(Some(200))),
        (201, r#"{"registrationNumber":"X"}"#, frozen(Some(201))),
        (204, "", frozen(Some(204))),
        (401, "", frozen(Some(401))),
        (409, "", frozen(Some(409))),
        (500, "", frozen(Some(500))),
    ];
    for (status, body, outcome) in table {
        let (sandbox, _) = sandbox(Regime::V2_0).await;
        let config = country_config(&[(200, "{}"), (status, body)]).await;
        sandbox.opencrvs().set_country_config(&config.url);
        let record = declared(&sandbox).await;
        let click = sandbox.opencrvs().submit(record, Submission::new("REGISTER")).await;
        assert_eq!(click.outcome, outcome, "{status} {body}");
        let waits = matches!(outcome, Clicked::Frozen { .. } | Clicked::Awaiting);
        assert_eq!(!sandbox.opencrvs().pending(record).is_empty(), waits, "{status} {body}");
    }
}

#[tokio::test]
async fn the_trigger_is_the_bare_document_with_a_token_once() {
    let (sandbox, _) = sandbox(Regime::V2_0).await;
    let mut config = country_config(&[(200, "{}"), (202, "")]).await;
    sandbox.opencrvs().set_country_config(&config.url);
    let (record, action) = awaiting(&sandbox).await;
    let (path, ..) = config.seen.recv().await.unwrap();
    assert_eq!(path, "/trigger/events/birth/actions/DECLARE");
    let (path, headers, body) = config.seen.recv().await.unwrap();
    assert_eq!(path, "/trigger/events/birth/actions/REGISTER");
    assert!(headers["authorization"].to_str().unwrap().starts_with("Bearer ey"));
    assert_eq!(body["id"], record.to_string());
    assert_eq!(body["actions"].as_array().unwrap().last().unwrap()["id"], action.to_string());
    assert!(config.seen.try_recv().is_err(), "core makes one attempt");
    let event = civitas_opencrvs::EventDocument::parse(body.to_string().as_bytes()).unwrap();
    assert_eq!(event.pending("REGISTER").unwrap().action.id, action);
    assert_eq!(event.flags(), ["register:requested"]);
    assert_eq!(event.flags(), sandbox.opencrvs().flags(record));
}

#[tokio::test]
async fn the_browsers_retry_calls_nobody_but_for_a_declaration() {
    let (sandbox, _) = sandbox(Regime::V2_0).await;
    let mut config = country_config(&[(500, ""), (200, "{}"), (500, "")]).await;
    sandbox.opencrvs().set_country_config(&config.url);
    let record = sandbox.opencrvs().create("birth");
    let again = |kind: &str, transaction: &str| {
        let mut submission = Submission::new(kind);
        submission.transaction_id = Some(transaction.to_owned());
        submission
    };
    let first = sandbox.opencrvs().submit(record, again("DECLARE", "t-1")).await;
    assert_eq!(first.outcome, Clicked::Frozen { status: Some(500) });
    let second = sandbox.opencrvs().submit(record, again("DECLARE", "t-1")).await;
    assert_eq!((second.outcome, second.action_id), (Clicked::Accepted, first.action_id));
    let register = sandbox.opencrvs().submit(record, again("REGISTER", "t-2")).await;
    assert_eq!(register.outcome, Clicked::Frozen { status: Some(500) });
    let retry = sandbox.opencrvs().submit(record, again("REGISTER", "t-2")).await;
    assert_eq!(retry.outcome, Clicked::Repeated);
    let mut calls = 0;
    while config.seen.try_recv().is_ok() {
        calls += 1;
    }
    assert_eq!(calls, 3);
}

#[tokio::test]
async fn a_frozen_record_answers_409_to_everything() {
    let (sandbox, _) = sandbox(Regime::V2_0).await;
    let config = country_config(&[(200, "{}"), (202, "")]).await;
    sandbox.opencrvs().set_country_config(&config.url);
    let (record, _) = awaiting(&sandbox).await;
    for kind in ["REGISTER", "PRINT_CERTIFICATE", "ARCHIVE", "CUSTOM", "EDIT"] {
        let click = sandbox.opencrvs().submit(record, Submission::new(kind)).await;
        assert_eq!(click.outcome, Clicked::Conflict { because: "register:requested".into() }, "{kind}");
    }
}

#[tokio::test]
async fn a_correction_is_requested_then_approved() {
    let (sandbox, _) = sandbox(Regime::V2_0).await;
    let config = country_config(&[
        (200, "{}"),
        (200, r#"{"registrationNumber":"B26ABCDEFGH"}"#),
        (200, "{}"),
        (202, ""),
    ])
    .await;
    sandbox.opencrvs().set_country_config(&config.url);
    let record = declared(&sandbox).await;
    sandbox.opencrvs().submit(record, Submission::new("REGISTER")).await;
    assert_eq!(sandbox.opencrvs().status(record), Some("REGISTERED"));
    let name = map(&json!({"child.name": {"firstname": "Acer", "surname": "Portgas"}}));
    let request = sandbox.opencrvs().submit(record, Submission::new("REQUEST_CORRECTION").with(name)).await;
    assert_eq!(request.outcome, Clicked::Accepted);
    let approve = sandbox.opencrvs().submit(record, Submission::new("APPROVE_CORRECTION")).await;
    assert_eq!(approve.outcome, Clicked::Awaiting);
    let pending = sandbox.opencrvs().pending(record).remove(0);
    let document = sandbox.opencrvs().document(record).unwrap();
    let requested = document.actions.iter().find(|action| Some(action.id) == pending.request_id).unwrap();
    assert_eq!((requested.kind.as_str(), requested.status), ("REQUEST_CORRECTION", Status::Accepted));
    assert_eq!(sandbox.opencrvs().flags(record), ["approve_correction:requested", "correction-requested"]);
}

#[tokio::test]
async fn a_click_can_be_handed_over_instead_of_posted() {
    let mut options = civitas_sandbox::SandboxOptions::instant(3);
    let (sender, mut handed) = tokio::sync::mpsc::unbounded_channel();
    options.opencrvs.trigger = Trigger::Hand(sender);
    let sandbox = crate::stage::start(options, &crate::stage::Time::new()).await;
    let record = sandbox.opencrvs().create("birth");
    let click = sandbox.opencrvs().submit(record, Submission::new("DECLARE")).await;
    assert_eq!(click.outcome, Clicked::Awaiting);
    let handed = handed.recv().await.unwrap();
    assert_eq!((handed.event_id, Some(handed.action_id)), (record, click.action_id));
    assert!(civitas_opencrvs::EventDocument::parse(&handed.body).is_ok());
}

/// A client's call of a custom action.
async fn note(sandbox: &civitas_sandbox::Sandbox, input: serde_json::Value) -> (u16, serde_json::Value) {
    let opencrvs = sandbox.opencrvs();
    let http = crate::stage::http();
    let form = "client_id=civitas&client_secret=civitas-secret&grant_type=client_credentials";
    let token = http
        .post(format!("{}/auth/token", opencrvs.url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    let token: serde_json::Value = token.json().await.unwrap();
    let sent = http
        .post(format!("{}/events/event.actions.custom.request", opencrvs.url()))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .json(&json!({ "json": input }))
        .send()
        .await
        .unwrap();
    (sent.status().as_u16(), sent.json().await.unwrap())
}

#[tokio::test]
async fn a_client_performs_a_custom_action_on_a_record_that_is_free_and_once() {
    let (sandbox, _) = sandbox(Regime::V2_0).await;
    let config = country_config(&[(200, "{}"), (500, ""), (200, "{}")]).await;
    sandbox.opencrvs().set_country_config(&config.url);
    let record = declared(&sandbox).await;
    let office = "9e069dda-0d83-4f67-a4f2-9adbf5658e2e";
    let call = |transaction: &str, action: &str| {
        json!({"eventId": record, "transactionId": transaction, "customActionType": action,
            "createdAtLocation": office, "annotation": {"civitas.message": "noted"}})
    };
    sandbox.opencrvs().assign(record);
    assert_eq!(note(&sandbox, call("a", "NATIONAL_ID_NOTE")).await.0, 409, "somebody holds it");
    sandbox.opencrvs().submit(record, Submission::new("UNASSIGN")).await;
    assert_eq!(note(&sandbox, call("a", "NOT_CONFIGURED")).await.0, 400);
    let mut nowhere = call("a", "NATIONAL_ID_NOTE");
    nowhere.as_object_mut().unwrap().remove("createdAtLocation");
    assert_eq!(note(&sandbox, nowhere).await.0, 400, "a client has no office of its own");

    assert_eq!(note(&sandbox, call("a", "NATIONAL_ID_NOTE")).await.0, 500, "the trigger failed");
    assert_eq!(sandbox.opencrvs().pending(record).len(), 1, "and the record is frozen");
    assert_eq!(note(&sandbox, call("a", "NATIONAL_ID_NOTE")).await.0, 409, "for the same call too");
    let click = sandbox.opencrvs().submit(record, Submission::new("REGISTER")).await;
    assert_eq!(click.outcome, Clicked::Conflict { because: "custom:requested".to_owned() });

    let other = declared(&sandbox).await;
    let mut fresh = call("b", "NATIONAL_ID_NOTE");
    fresh["eventId"] = json!(other);
    let (status, answer) = note(&sandbox, fresh.clone()).await;
    assert_eq!(status, 200);
    let actions = answer["result"]["data"]["json"]["actions"].as_array().unwrap().clone();
    let last = actions.last().unwrap();
    assert_eq!(
        (&last["type"], &last["status"]),
        (&json!("CUSTOM"), &json!("Accepted")),
        "no UNASSIGN after it"
    );
    assert_eq!(last["createdByUserType"], "system");
    let (status, again) = note(&sandbox, fresh).await;
    assert_eq!((status, &again), (200, &answer), "the same transaction is not performed again");
}
