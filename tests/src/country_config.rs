//! A country configuration as one is written for mosip-api: it takes the triggers of OpenCRVS, maps the fields itself,
//! sends them on with the trigger's own token, and answers by what it is answered.

#![expect(clippy::expect_used, reason = "test support: what fails here fails the test")]

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// What was posted to the mediator, and what it answered.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The address.
    pub route: &'static str,
    /// The body.
    pub body: Value,
    /// The bearer.
    pub token: String,
    /// The status of the answer.
    pub status: u16,
}

#[derive(Clone)]
struct Shared {
    mediator: String,
    http: reqwest::Client,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    death_status: StatusCode,
}

/// A country configuration. Dropping it closes its port.
pub struct CountryConfig {
    /// `http://…`
    pub url: String,
    shared: Shared,
    task: JoinHandle<()>,
}

impl CountryConfig {
    /// Listens, and sends to this mediator. A death that was taken is answered with `death_status`: 202 by those of
    /// 1.9, 200 by those of 2.0.
    pub async fn start(mediator: &str, http: reqwest::Client, death_status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let death_status = StatusCode::from_u16(death_status).expect("a status");
        let shared = Shared { mediator: mediator.to_owned(), http, exchanges: Arc::default(), death_status };
        let router = Router::new()
            .route("/trigger/events/{type}/actions/{action}", post(trigger))
            .with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("served") });
        Self { url, shared, task }
    }

    /// Everything that was sent to the mediator so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.exchanges.lock().expect("no panic").clone()
    }
}

/// One that answers every trigger with this status at once, and where it is, until the task ends.
pub async fn answering(status: u16) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let status = StatusCode::from_u16(status).expect("a status");
    // Other actions than a registration are nobody's business.
    let answer = move |Path((_, action)): Path<(String, String)>| async move {
        (if action == "REGISTER" { status } else { StatusCode::OK }, Json(json!({})))
    };
    let router = Router::new().route("/trigger/events/{type}/actions/{action}", post(answer));
    (url, tokio::spawn(async move { axum::serve(listener, router).await.expect("served") }))
}

impl Drop for CountryConfig {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn trigger(
    State(shared): State<Shared>,
    Path((kind, action)): Path<(String, String)>,
    headers: HeaderMap,
    Json(document): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let token = headers["authorization"].to_str().expect("text").trim_start_matches("Bearer ").to_owned();
    let form = folded(&document);
    let number = number_of(&document);
    let registered = |status| (status, Json(json!({ "registrationNumber": number })));
    let (route, fields) = match (kind.as_str(), action.as_str()) {
        ("birth", "REGISTER") => ("/events/registration", birth(&form, &number)),
        ("birth", "APPROVE_CORRECTION") if form.get("child.nid").is_none_or(Value::is_null) => {
            ("/events/registration", birth(&form, &number))
        }
        ("birth", "APPROVE_CORRECTION") => ("/events/update-biographics", correction(&form)),
        ("death", "REGISTER") => ("/events/registration", death(&form, &number)),
        _ => return (StatusCode::OK, Json(json!({}))),
    };
    let body = json!({
        "trackingId": document["trackingId"], "requestFields": fields,
        "notification": { "recipientFullName": "@TODO", "recipientEmail": "@TODO", "recipientPhone": "@TODO" },
        "metaInfo": { "informantPsut": "psut-of-the-informant" }, "audit": {},
    });
    let sent = shared.http.post(format!("{}{route}", shared.mediator)).bearer_auth(&token).json(&body).send();
    let status = sent.await.map_or(0, |answer| answer.status().as_u16());
    let exchange = Exchange { route, body, token, status };
    shared.exchanges.lock().expect("no panic").push(exchange);
    match (status, route) {
        (202, "/events/update-biographics") => (StatusCode::OK, Json(json!({}))),
        (202, _) if kind == "death" => registered(shared.death_status),
        (202, _) => (StatusCode::ACCEPTED, Json(json!({}))),
        _ => (StatusCode::BAD_REQUEST, Json(json!({ "reason": "Unexpected error in event notification" }))),
    }
}

/// Later values over earlier ones: enough for what a test declares.
fn folded(document: &Value) -> Map<String, Value> {
    let mut form = Map::new();
    for action in document["actions"].as_array().into_iter().flatten() {
        if let Some(declared) = action["declaration"].as_object() {
            form.extend(declared.clone());
        }
    }
    form
}

/// The number of the record; the last characters of its id where it has none yet.
fn number_of(document: &Value) -> String {
    let actions = document["actions"].as_array().into_iter().flatten();
    let known = actions.filter_map(|action| action["registrationNumber"].as_str()).next_back();
    let fresh = document["id"].as_str().unwrap_or_default().replace('-', "").to_uppercase();
    known.map_or_else(|| format!("2026B{}", &fresh[fresh.len() - 12..]), str::to_owned)
}

/// As Farajaland's sends it: plain texts, dashed dates.
fn birth(form: &Map<String, Value>, number: &str) -> Value {
    let name = &form["child.name"];
    let full = format!(
        "{} {}",
        name["firstname"].as_str().unwrap_or_default(),
        name["surname"].as_str().unwrap_or_default()
    );
    json!({
        "birthCertificateNumber": number, "fullName": full, "dateOfBirth": form["child.dob"],
        "gender": form["child.gender"], "guardian": "a field that the ID schema lacks",
    })
}

fn correction(form: &Map<String, Value>) -> Value {
    let birth = birth(form, "");
    json!({ "VID": form["child.nid"], "fullName": birth["fullName"], "introducerInfoToken": "psut" })
}

fn death(form: &Map<String, Value>, number: &str) -> Value {
    json!({
        "deathCertificateNumber": number, "nationalIdNumber": form["deceased.nid"],
        "declaredAsDeceased": "Y", "deceasedDeclarationDate": "2026-05-01",
    })
}
