//! workflowinstance: its one idempotency signal, and what is left open.

use civitas_mosip::{Class, Limits, Triggered};
use serde_json::{Value, json};

use crate::stub::{Answer, Stub, aid, now, trigger};

async fn start(answer: Value) -> (Result<Triggered, civitas_mosip::CallError>, Stub) {
    let stub = Stub::start(move |_| Answer::json(&answer)).await;
    (stub.mosip().trigger(&trigger(), now()).await, stub)
}

fn refusal(code: &str) -> Value {
    json!({ "response": null, "errors": [{ "errorCode": code, "message": "about Asha Rao" }] })
}

#[tokio::test]
async fn a_started_workflow_has_an_id() {
    let (answer, stub) =
        start(json!({ "response": { "workflowInstanceId": "95d09502" }, "errors": null })).await;
    assert_eq!(
        answer,
        Ok(Triggered { workflow_instance_id: Some("95d09502".to_owned()), already_present: false })
    );
    let asked = &stub.asked("/registrationprocessor/v1/workflowmanager/workflowinstance")[0];
    let body = asked.json();
    assert_eq!(body["id"], "mosip.registration.processor.workflow.instance");
    assert_eq!(body["version"], "v1");
    assert_eq!(body["request"]["registrationId"], aid().as_str());
    assert_eq!(body["request"]["notificationInfo"]["name"], "Asha Rao");
}

#[tokio::test]
async fn a_workflow_that_is_there_already_counts_as_started() {
    let (answer, _stub) = start(refusal("RPR-WIS-001")).await;
    assert_eq!(answer, Ok(Triggered { workflow_instance_id: None, already_present: true }));
}

#[tokio::test]
async fn an_unexplained_failure_is_repeated_a_few_times_and_a_wrong_form_not_at_all() {
    let (answer, _stub) = start(refusal("RPR-WIS-000")).await;
    let error = answer.unwrap_err();
    assert_eq!((error.class, error.attempts.is_some()), (Class::Transient, true));
    assert!(!format!("{error:?}").contains("Asha"));
    for code in ["RPR-WIN-000", "RPR-WIN-001"] {
        let (answer, _stub) = start(refusal(code)).await;
        assert_eq!(answer.unwrap_err().class, Class::Permanent, "{code}");
    }
    let (answer, _stub) = start(refusal("NEW-IN-1-4")).await;
    let error = answer.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Transient, Some("NEW-IN-1-4")));
    assert!(error.attempts.is_some());
}

#[tokio::test]
async fn without_an_answer_or_an_instance_the_outcome_is_open() {
    let stub = Stub::start(|_| Answer::never()).await;
    let error = stub.impatient(&Limits::default()).trigger(&trigger(), now()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Unknown, Some("time-out")));
    let (answer, _stub) = start(json!({ "response": null, "errors": null })).await;
    assert_eq!(answer.unwrap_err().class, Class::Unknown);
}

#[test]
fn debug_shows_no_person() {
    assert!(!format!("{:?}", trigger()).contains("Asha"));
}
