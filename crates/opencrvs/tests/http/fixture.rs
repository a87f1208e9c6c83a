//! A confirmation to send, the clients to send it with, and the answers to it.

use axum::response::Response;
use civitas_opencrvs::{
    CallError, Client, Confirmation, ConfirmationAuth, Endpoints, EventDocument, SystemClient, Version,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::{Server, http, json as answer};

pub(crate) const BIRTH: &str = include_str!("../documents/birth-register.json");
pub(crate) const CORRECTION: &str = include_str!("../documents/birth-approve-correction.json");
pub(crate) const ACCEPT: &str = "/events/event.actions.register.accept";
pub(crate) const EVENT: &str = "6f1c0d4e-4f1a-4c58-9f0b-2f0a5b7f2d11";

pub(crate) fn now() -> Timestamp {
    "2026-06-01T10:00:00Z".parse().unwrap()
}

pub(crate) fn event(text: &str) -> EventDocument {
    EventDocument::parse(text.as_bytes()).unwrap()
}

pub(crate) fn confirmation(document: &str) -> Confirmation {
    let event = event(document);
    Confirmation {
        registration_number: Some("PD9TL0RL12RO".to_owned()),
        declaration: [("child.nid".to_owned(), json!("8031687218"))].into_iter().collect(),
        trigger_token: Some("trigger".into()),
        ..Confirmation::of(event.id, event.find_pending().unwrap().action)
    }
}

pub(crate) fn system() -> SystemClient {
    SystemClient { id: "civitas".to_owned(), secret: "s3cret&=".into() }
}

pub(crate) fn client(server: &str, auth: ConfirmationAuth, version: Version) -> Client {
    let endpoints = Endpoints { gateway: format!("{server}/"), auth: format!("{server}/auth") };
    Client::new(http(), endpoints, auth, version)
}

pub(crate) fn by_trigger(server: &str) -> Client {
    client(server, ConfirmationAuth::TriggerToken, Version::V1_9)
}

pub(crate) fn by_credentials(server: &str) -> Client {
    client(server, ConfirmationAuth::ClientCredentials { client: system() }, Version::V2_1)
}

/// The record after its registration was accepted, as the procedure answers it.
pub(crate) fn accepted() -> String {
    let mut event: Value = serde_json::from_str(BIRTH).unwrap();
    event["actions"].as_array_mut().unwrap().push(json!({
        "id": "0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a07", "transactionId": "civitas-1", "type": "REGISTER",
        "status": "Accepted", "originalActionId": "0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a06",
        "registrationNumber": "PD9TL0RL12RO", "createdAt": "2026-06-01T10:00:00.000Z",
        "declaration": {"child.nid": "8031687218"}
    }));
    procedure(&event)
}

pub(crate) fn procedure(result: &Value) -> String {
    json!({ "result": { "data": { "json": result } } }).to_string()
}

pub(crate) fn refusal(message: &str, code: &str, status: u16) -> String {
    json!({ "error": { "json": {
        "message": message, "code": -32004, "data": { "code": code, "httpStatus": status, "path": "event.x" }
    } } })
    .to_string()
}

pub(crate) fn token(name: &str) -> Response {
    answer(200, json!({ "access_token": name, "token_type": "Bearer" }).to_string())
}

pub(crate) async fn accept_answered(status: u16, body: String) -> Result<Option<EventDocument>, CallError> {
    let server = Server::start(move |_, _| answer(status, body.clone())).await;
    by_trigger(&server.url).accept(&confirmation(BIRTH), now()).await
}
