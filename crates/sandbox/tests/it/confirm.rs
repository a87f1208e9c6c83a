//! The accept and reject table, over the tRPC wire.

use crate::stage::{awaiting, country_config, declared, http, map, sandbox};
use civitas_sandbox::opencrvs::Status;
use civitas_sandbox::{Clicked, Regime, Sandbox, Submission};
use serde_json::{Value, json};
use uuid::Uuid;

struct Desk {
    sandbox: Sandbox,
    record: Uuid,
    action: Uuid,
    token: String,
}

async fn desk() -> Desk {
    let (sandbox, _) = sandbox(Regime::V2_0).await;
    let config = country_config(&[(200, "{}"), (202, "")]).await;
    sandbox.opencrvs().set_country_config(&config.url);
    let (record, action) = awaiting(&sandbox).await;
    let token = sandbox.opencrvs().trigger_token(record, action).await.unwrap();
    Desk { sandbox, record, action, token }
}

impl Desk {
    async fn call(&self, procedure: &str, body: &Value) -> (u16, Value) {
        self.call_as(&self.token, procedure, body).await
    }

    async fn call_as(&self, token: &str, procedure: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/events/{procedure}", self.sandbox.opencrvs().url());
        let reply = http().post(url).bearer_auth(token).json(body).send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }

    fn accept(&self, number: &str) -> Value {
        json!({"transactionId": format!("civitas-{}", self.action), "eventId": self.record, "actionId": self.action,
               "registrationNumber": number, "declaration": {"child.nid": "9830872690593682"}})
    }

    /// A second record in the same state.
    async fn another(&self) -> (Uuid, Uuid) {
        let config = country_config(&[(200, "{}"), (202, "")]).await;
        self.sandbox.opencrvs().set_country_config(&config.url);
        awaiting(&self.sandbox).await
    }

    fn reject(&self) -> Value {
        json!({"json": {"transactionId": "r-1", "eventId": self.record, "actionId": self.action}})
    }

    fn count(&self, kind: &str, status: Status) -> usize {
        let document = self.sandbox.opencrvs().document(self.record).unwrap();
        document.actions.iter().filter(|action| action.kind == kind && action.status == status).count()
    }
}

const ACCEPT: &str = "event.actions.register.accept";
const REJECT: &str = "event.actions.register.reject";

#[tokio::test]
async fn accept_is_idempotent_whatever_the_transaction() {
    let desk = desk().await;
    let (status, body) = desk.call(ACCEPT, &json!({"json": desk.accept("PD9TL0RL12RO")})).await;
    assert_eq!(status, 200);
    let data = &body["result"]["data"]["json"];
    assert_eq!(data["id"], desk.record.to_string());
    assert_eq!(desk.sandbox.opencrvs().status(desk.record), Some("REGISTERED"));
    assert_eq!(desk.sandbox.opencrvs().registration_number(desk.record).as_deref(), Some("PD9TL0RL12RO"));
    let mut again = desk.accept("ANOTHERNUMBER");
    again["transactionId"] = json!("something else");
    let (status, _) = desk.call(ACCEPT, &json!({"json": again})).await;
    assert_eq!((status, desk.count("REGISTER", Status::Accepted)), (200, 1));
    assert_eq!(desk.sandbox.opencrvs().registration_number(desk.record).as_deref(), Some("PD9TL0RL12RO"));
    // A person's token gives the record back.
    assert_eq!(desk.count("UNASSIGN", Status::Accepted), 2);
    assert_eq!(desk.sandbox.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_batch_form_wraps_answers_and_errors() {
    let desk = desk().await;
    let url = format!("{ACCEPT}?batch=1");
    let (status, body) = desk.call(&url, &json!({"0": {"json": desk.accept("PD9TL0RL12RO")}})).await;
    assert_eq!((status, body[0]["result"]["data"]["json"]["type"].as_str()), (200, Some("birth")));
    let mut unknown = desk.accept("X");
    unknown["actionId"] = json!(Uuid::nil());
    let token = desk.sandbox.opencrvs().trigger_token(desk.record, Uuid::nil()).await.unwrap();
    let (status, body) = desk.call_as(&token, &url, &json!({"0": {"json": unknown}})).await;
    assert_eq!(status, 404);
    let expected = json!([{"error": {"json": {"message": "Action not found.", "code": -32004,
        "data": {"code": "NOT_FOUND", "httpStatus": 404, "path": ACCEPT}}}}]);
    assert_eq!(body, expected);
}

#[tokio::test]
async fn rejections_and_their_aftermath() {
    let desk = desk().await;
    assert_eq!(desk.call(REJECT, &desk.reject()).await.0, 200);
    assert_eq!(desk.sandbox.opencrvs().flags(desk.record), ["register:rejected"]);
    assert_eq!(desk.call(REJECT, &desk.reject()).await.0, 200, "already rejected");
    let (status, body) = desk.call(ACCEPT, &json!({"json": desk.accept("N")})).await;
    assert_eq!(
        (status, &body["error"]["json"]["message"]),
        (400, &json!("Action has already been rejected."))
    );
    let click = desk.sandbox.opencrvs().submit(desk.record, Submission::new("REGISTER")).await;
    assert_eq!(click.outcome, Clicked::Awaiting, "REGISTER is available again");
}

#[tokio::test]
async fn reject_after_accept_is_a_masked_500() {
    let desk = desk().await;
    desk.call(ACCEPT, &json!({"json": desk.accept("N-1234567890")})).await;
    let (status, body) = desk.call(REJECT, &desk.reject()).await;
    assert_eq!((status, &body["error"]["json"]["message"]), (500, &json!("Internal server error")));
    assert_eq!(desk.count("REGISTER", Status::Rejected), 0);
}

#[tokio::test]
async fn a_number_that_is_taken_is_500_and_nothing_is_written() {
    let desk = desk().await;
    desk.call(ACCEPT, &json!({"json": desk.accept("TAKEN-123456")})).await;
    let (record, action) = desk.another().await;
    let token = desk.sandbox.opencrvs().trigger_token(record, action).await.unwrap();
    let body = json!({"json": {"transactionId": "t", "eventId": record, "actionId": action, "registrationNumber": "TAKEN-123456"}});
    assert_eq!(desk.call_as(&token, ACCEPT, &body).await.0, 500);
    assert_eq!(desk.sandbox.opencrvs().pending(record).len(), 1);
}

#[tokio::test]
async fn a_transaction_of_another_record_is_dropped_without_a_word() {
    let desk = desk().await;
    desk.call(ACCEPT, &json!({"json": desk.accept("FIRST-123456")})).await;
    let (record, action) = desk.another().await;
    let token = desk.sandbox.opencrvs().trigger_token(record, action).await.unwrap();
    let body = json!({"json": {"transactionId": format!("civitas-{}", desk.action), "eventId": record, "actionId": action, "registrationNumber": "SECOND-12345"}});
    assert_eq!(desk.call_as(&token, ACCEPT, &body).await.0, 200);
    assert_eq!(desk.sandbox.opencrvs().pending(record).len(), 1, "200, and still frozen");
}

#[tokio::test]
async fn an_unknown_field_is_500_after_the_commit_and_breaks_the_record() {
    let desk = desk().await;
    let mut accept = desk.accept("N-1234567890");
    accept["declaration"] = json!({"child.vid": "1"});
    assert_eq!(desk.call(ACCEPT, &json!({"json": accept})).await.0, 500);
    assert_eq!(desk.sandbox.opencrvs().status(desk.record), Some("REGISTERED"));
    assert_eq!(
        desk.call(ACCEPT, &json!({"json": desk.accept("N-1234567890")})).await.0,
        200,
        "asked again: accepted"
    );
    let click = desk.sandbox.opencrvs().submit(desk.record, Submission::new("REQUEST_CORRECTION")).await;
    assert_eq!(click.outcome, Clicked::Frozen { status: Some(500) });
}

#[tokio::test]
async fn a_correction_approval_can_be_accepted_but_not_rejected() {
    let (sandbox, _) = sandbox(Regime::V2_0).await;
    let replies = [(200, "{}"), (200, r#"{"registrationNumber":"B26ABCDEFGH"}"#), (200, "{}"), (202, "")];
    let config = country_config(&replies).await;
    sandbox.opencrvs().set_country_config(&config.url);
    let record = declared(&sandbox).await;
    sandbox.opencrvs().submit(record, Submission::new("REGISTER")).await;
    let gender = map(&json!({"child.gender": "female"}));
    sandbox.opencrvs().submit(record, Submission::new("REQUEST_CORRECTION").with(gender)).await;
    sandbox.opencrvs().submit(record, Submission::new("APPROVE_CORRECTION")).await;
    let pending = sandbox.opencrvs().pending(record).remove(0);
    let token = sandbox.opencrvs().trigger_token(record, pending.id).await.unwrap();
    let desk = Desk { sandbox, record, action: pending.id, token };
    assert_eq!(desk.call("event.actions.correction.approve.reject", &desk.reject()).await.0, 500);
    let mut accept = desk.accept("ignored");
    accept.as_object_mut().unwrap().remove("registrationNumber");
    assert_eq!(
        desk.call("event.actions.correction.approve.accept", &json!({"json": accept})).await.0,
        400,
        "no requestId"
    );
    accept["requestId"] = json!(pending.request_id);
    assert_eq!(desk.call("event.actions.correction.approve.accept", &json!({"json": accept})).await.0, 200);
    let document = serde_json::to_vec(&desk.sandbox.opencrvs().document(record).unwrap()).unwrap();
    let current =
        civitas_opencrvs::EventDocument::parse(&document).unwrap().current(civitas_opencrvs::Version::V2_0);
    assert_eq!(
        (&current["child.gender"], &current["child.nid"]),
        (&json!("female"), &json!("9830872690593682"))
    );
}

#[tokio::test]
async fn get_writes_a_read_and_repairs_the_index() {
    let desk = desk().await;
    let input = json!({"json": {"eventId": desk.record}}).to_string();
    let url = format!("{}/events/event.get", desk.sandbox.opencrvs().url());
    let reply = http().get(&url).query(&[("input", &input)]).bearer_auth(&desk.token).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(desk.count("READ", Status::Accepted), 1);
    let other = json!({"json": {"eventId": Uuid::nil()}}).to_string();
    let reply = http().get(&url).query(&[("input", &other)]).bearer_auth(&desk.token).send().await.unwrap();
    assert_eq!(reply.status(), 403, "a single-record token reads its own record only");
}
