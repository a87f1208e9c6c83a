//! Paths of the OpenCRVS stand-in: gateway, auth and events service in one.

use super::authorise;
use super::core::Core;
use super::procedure::{Procedure, Verb};
use super::tokens::Claims;
use super::trpc::{self, Code, Outcome, TrpcError};
use super::{accept, config, get, reindex, reject, search, submit, token_endpoint};
use crate::entropy::lock;
use crate::options::Regime;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get as on_get, post};
use axum::{Json, Router};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

type Params = Query<HashMap<String, String>>;

pub(crate) fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/token", post(token_endpoint::token))
        .route("/auth/token", post(token_endpoint::token))
        .route("/verifyToken", post(verify_token))
        .route("/.well-known", on_get(well_known))
        .route("/config/events", on_get(event_configs))
        .route("/config/workqueues", on_get(workqueues))
        .route("/events/config", on_get(event_configs))
        .route("/events/events/search", post(rest_search))
        .route("/events/events/reindex", post(rest_reindex))
        .route("/events/events/{event}", on_get(rest_get))
        .route("/events/{procedure}", any(call))
        .route("/{procedure}", any(call))
        .with_state(core)
}

/// Every fault name of OpenCRVS.
pub(crate) const FAULT_NAMES: [&str; 8] = [
    "opencrvs.token",
    "opencrvs.publicKey",
    "opencrvs.config",
    "opencrvs.search",
    "opencrvs.accept",
    "opencrvs.reject",
    "opencrvs.request",
    "opencrvs.get",
];

/// The fault name of a request.
pub(crate) fn fault_name(request: &Request) -> Option<&'static str> {
    let path = request.uri().path();
    Some(match path {
        "/token" | "/auth/token" => "opencrvs.token",
        "/.well-known" => "opencrvs.publicKey",
        "/config/events" | "/events/config" => "opencrvs.config",
        "/events/events/search" => "opencrvs.search",
        _ if path.starts_with("/admin") => return None,
        _ if path.ends_with(".accept") => "opencrvs.accept",
        _ if path.ends_with(".reject") => "opencrvs.reject",
        _ if path.ends_with(".request") => "opencrvs.request",
        _ if path.ends_with(".search") => "opencrvs.search",
        _ => "opencrvs.get",
    })
}

async fn well_known(State(core): State<Arc<Core>>) -> String {
    core.public_key_pem.clone()
}

async fn event_configs(State(core): State<Arc<Core>>) -> Json<Value> {
    Json(config::events(&lock(&core.lacking)))
}

/// As the reference's country configuration has them: corrections that wait are in none.
async fn workqueues() -> Json<Value> {
    let queue = |slug: &str, flag: &str| {
        json!({
            "slug": slug, "icon": "FileClock",
            "query": {"type": "or", "clauses": [{"flags": {"anyOf": [flag]}}]},
        })
    };
    Json(json!([
        queue("in-external-validation", "register:requested"),
        queue("pending-corrections", "correction-requested"),
    ]))
}

async fn verify_token(State(core): State<Arc<Core>>, Json(body): Json<Value>) -> Json<Value> {
    let valid = body["token"].as_str().is_some_and(|token| core.tokens.check(token, core.now()).is_some());
    Json(json!({"valid": valid}))
}

async fn rest_search(State(core): State<Arc<Core>>, headers: HeaderMap, body: axum::body::Bytes) -> Response {
    let outcome = authorise::bearer(&core, &headers).and_then(|claims| {
        let input =
            serde_json::from_slice(&body).map_err(|_| TrpcError::new(Code::BadRequest, "Bad JSON"))?;
        let outcome = search::search(&core, &claims, &input);
        keep(&core, "event.search", input, &outcome);
        outcome
    });
    rest(outcome)
}

async fn rest_get(State(core): State<Arc<Core>>, Path(event): Path<String>, headers: HeaderMap) -> Response {
    rest(
        authorise::bearer(&core, &headers)
            .and_then(|claims| get::get(&core, &claims, &json!({"eventId": event}))),
    )
}

async fn rest_reindex(State(core): State<Arc<Core>>, headers: HeaderMap) -> Response {
    let allowed = authorise::bearer(&core, &headers)
        .and_then(|claims| authorise::scope(&core, &claims, "record.reindex"));
    if let Err(error) = allowed {
        return rest(Err(error));
    }
    let done = reindex::reindex(&core, reindex::Feed::of(core.tokens.regime)).await;
    rest(Ok(json!({"documents": done.documents, "complete": done.complete})))
}

/// REST bodies are the bare data or `{message, code}`.
fn rest(outcome: Outcome) -> Response {
    match outcome {
        Ok(data) => Json(data).into_response(),
        Err(error) => {
            let status = match error.code {
                Code::BadRequest => StatusCode::BAD_REQUEST,
                Code::Unauthorized => StatusCode::UNAUTHORIZED,
                Code::Forbidden => StatusCode::FORBIDDEN,
                Code::NotFound => StatusCode::NOT_FOUND,
                Code::Conflict => StatusCode::CONFLICT,
                Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            };
            (status, Json(json!({"message": error.message}))).into_response()
        }
    }
}

async fn call(
    State(core): State<Arc<Core>>,
    Path(path): Path<String>,
    Query(params): Params,
    method: Method,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let batch = params.contains_key("batch");
    let paths: Vec<&str> = path.split(',').collect();
    let text = params.get("input").map_or(&b"{}"[..], String::as_bytes);
    let source = if method == Method::GET { text } else { &body };
    let inputs = match trpc::inputs(source, batch, paths.len()) {
        Ok(inputs) => inputs,
        Err(error) => return trpc::respond(vec![(path.clone(), Err(error))], batch),
    };
    let mut outcomes = Vec::with_capacity(paths.len());
    for (path, input) in paths.into_iter().zip(inputs) {
        let sent = input.clone();
        let outcome = run(&core, path, &headers, input).await;
        keep(&core, path, sent, &outcome);
        tally(&core, path, &outcome);
        outcomes.push((path.to_owned(), outcome));
    }
    trpc::respond(outcomes, batch)
}

async fn run(core: &Arc<Core>, path: &str, headers: &HeaderMap, input: Value) -> Outcome {
    let procedure = Procedure::parse(path)
        .ok_or_else(|| TrpcError::new(Code::NotFound, &format!("No procedure found on path \"{path}\"")))?;
    let claims = authorise::bearer(core, headers)?;
    match procedure {
        Procedure::Get => get::get(core, &claims, &input),
        Procedure::Search => search::search(core, &claims, &input),
        Procedure::Action(kind, Verb::Accept) => accept::accept(core, &claims, kind, input).await,
        Procedure::Action(kind, Verb::Reject) => reject::reject(core, &claims, kind, input),
        Procedure::Action(kind, Verb::Request) => request(core, &claims, kind, &input).await,
    }
}

/// `….request`: for clients only the five that core lets them, on records that
/// nobody holds; for people, the click itself.
async fn request(core: &Arc<Core>, claims: &Claims, kind: &str, input: &Value) -> Outcome {
    const OPEN_TO_SYSTEMS: [&str; 5] =
        ["NOTIFY", "REQUEST_CORRECTION", "APPROVE_CORRECTION", "REJECT_CORRECTION", "CUSTOM"];
    if claims.system && !OPEN_TO_SYSTEMS.contains(&kind) {
        return Err(TrpcError::new(Code::Forbidden, "FORBIDDEN"));
    }
    let event = input["eventId"].as_str().and_then(|id| id.parse().ok());
    let event = event.ok_or_else(|| TrpcError::new(Code::BadRequest, "Input validation failed: eventId"))?;
    if claims.system && kind == "CUSTOM" {
        authorise::scope(core, claims, "record.custom-action")?;
    }
    let held = core.store.rows().records.get(&event).and_then(|record| record.assigned_to.clone());
    if claims.system && held.is_some() {
        return Err(TrpcError::new(Code::Conflict, "CONFLICT"));
    }
    if kind == "CUSTOM" {
        custom(core, claims, event, input)?;
    }
    // A person must have the record in hand.
    if !claims.system && held.as_deref() != Some(claims.sub.as_str()) {
        return Err(TrpcError::new(Code::Conflict, "CONFLICT"));
    }
    let map = |name: &str| input[name].as_object().cloned();
    let submission = submit::Submission {
        kind: kind.to_owned(),
        transaction_id: input["transactionId"].as_str().map(str::to_owned),
        declaration: map("declaration").unwrap_or_default(),
        annotation: map("annotation"),
        request_id: input["requestId"].as_str().and_then(|id| id.parse().ok()),
        content: input.get("content").cloned(),
        custom_action_type: input["customActionType"].as_str().map(str::to_owned),
        keep_assignment: input["keepAssignment"] == true,
        location: input["createdAtLocation"].as_str().map(str::to_owned),
    };
    let click = if claims.system {
        submit::submit_as(core, claims.clone(), event, submission).await
    } else {
        submit::submit(core, event, submission).await
    };
    match click.outcome {
        submit::Clicked::Conflict { .. } => Err(TrpcError::new(Code::Conflict, "CONFLICT")),
        submit::Clicked::Frozen { .. } => Err(TrpcError::internal("trigger failed")),
        submit::Clicked::Unknown => Err(TrpcError::new(Code::NotFound, "Event not found")),
        _ => core.store.rows().json(event).ok_or_else(|| TrpcError::internal("record vanished")),
    }
}

/// What a custom action needs beside the record: to be configured, and the office of a client. Not in 1.9.
fn custom(core: &Core, claims: &Claims, event: Uuid, input: &Value) -> Result<(), TrpcError> {
    let refuse = |message: &str| Err(TrpcError::new(Code::BadRequest, message));
    if core.tokens.regime == Regime::V1_9 {
        return Err(TrpcError::new(
            Code::NotFound,
            "No procedure found on path \"event.actions.custom.request\"",
        ));
    }
    let name = input["customActionType"].as_str().unwrap_or_default();
    let kind = core.store.rows().records.get(&event).map(|record| record.document.kind.clone());
    if kind.is_some_and(|kind| !config::has_custom_action(&kind, name, &lock(&core.lacking))) {
        return refuse(&format!("Custom action configuration not found with name: {name}"));
    }
    let office = input["createdAtLocation"].as_str().is_some_and(|id| id.parse::<Uuid>().is_ok());
    if claims.system && !office {
        return refuse("createdAtLocation is required and must be a valid office id");
    }
    Ok(())
}

fn keep(core: &Core, call: &str, sent: Value, outcome: &Outcome) {
    core.keep(|| super::Exchange {
        call: call.to_owned(),
        sent,
        status: outcome.is_ok().then_some(200),
        answered: outcome.as_ref().ok().cloned().unwrap_or_default(),
    });
}

fn tally(core: &Core, path: &str, outcome: &Outcome) {
    let verb = path.rsplit('.').next().unwrap_or(path);
    let said = match outcome {
        Ok(_) => "ok".to_owned(),
        Err(error) => format!("{:?}", error.code),
    };
    *core.store.rows().tally.confirmations.entry(format!("{verb} {said}")).or_default() += 1;
}
