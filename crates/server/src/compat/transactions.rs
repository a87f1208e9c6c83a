//! `GET /debug/transactions` and `DELETE /debug/transactions/{id}`: what waits for MOSIP, in mosip-api's form.
//!
//! A row that is deleted there lets its record be registered by hand, with the token that the reply hands out. Here the
//! record is released: OpenCRVS is told to accept it without an identifier, in the name of whoever asked, for the
//! audit log. The token stays where it is.

use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use civitas_engine::queue::{Act, ActError, ActRequest, Transaction};
use civitas_opencrvs::Caller;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{Contract, caller, contract, reply};
use crate::reply::{Refusal, chain};
use crate::state::App;

/// What waits, oldest first.
pub(super) async fn list(State(app): State<App>, request: Request) -> Response {
    let scopes: &[&str] = match contract(&app) {
        Contract::V1_9 => &["search.birth", "search.death"],
        Contract::V2 => &["record.search"],
    };
    if let Err(response) = allowed(&app, request.headers(), scopes, "debug transactions").await {
        return response;
    }
    match app.desk.transactions().await {
        Ok(rows) => {
            let rows: Vec<_> = rows.iter().map(row).collect();
            reply::json_of(StatusCode::OK, &json!(rows))
        }
        Err(error) => reply::error(&unavailable(&error)),
    }
}

/// Why a record is released.
#[derive(Deserialize)]
pub(super) struct Why {
    reason: Option<String>,
}

/// Releases the record that waits for this packet.
pub(super) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(why): Query<Why>,
    headers: HeaderMap,
) -> Response {
    let scope = match contract(&app) {
        Contract::V1_9 => "record.reject-registration",
        Contract::V2 => "record.register",
    };
    let asker = match allowed(&app, &headers, &[scope], "delete of a debug transaction").await {
        Ok(asker) => asker,
        Err(response) => return response,
    };
    let waiting = match app.desk.transactions().await {
        Ok(waiting) => waiting,
        Err(error) => return reply::error(&unavailable(&error)),
    };
    let Some(found) = waiting.into_iter().find(|row| row.aid.as_deref() == Some(id.as_str())) else {
        return not_found(&id);
    };
    let reason = why.reason.unwrap_or_else(|| "deleted from mosip-api's list of transactions".to_owned());
    let actor = caller::actor(&asker);
    let act = ActRequest { record: id.clone(), act: Act::Release, actor, reason };
    match app.desk.act(act).await {
        Ok(_) => {
            let body = json!({ "token": null, "registrationNumber": found.registration_number });
            reply::json_of(StatusCode::OK, &body)
        }
        Err(ActError::NoSuchRecord(_) | ActError::NothingOpen(_)) => not_found(&id),
        Err(ActError::Journal(error)) => reply::error(&unavailable(&error)),
        Err(error) => reply::error(&Refusal::new(
            StatusCode::CONFLICT,
            "not_possible",
            error.to_string(),
            "`civitas queue show` tells how the record stands",
        )),
    }
}

fn row(row: &Transaction) -> serde_json::Value {
    json!({
        "eventId": row.event_id, "actionId": row.action_id, "id": row.aid,
        "registration_number": row.registration_number, "created_at": row.created_at,
    })
}

async fn allowed(app: &App, headers: &HeaderMap, scopes: &[&str], what: &str) -> Result<Caller, Response> {
    let (caller, _) = caller::known(app, headers).await?;
    if scopes.iter().all(|scope| caller.has_scope(scope)) {
        return Ok(caller);
    }
    app.intake.denied(None, format!("{what}: a token without its scope")).await;
    Err(reply::forbidden())
}

fn not_found(id: &str) -> Response {
    let body = json!({ "error": format!("Transaction with id '{id}' not found.") });
    reply::json_of(StatusCode::NOT_FOUND, &body)
}

fn unavailable(error: &dyn std::error::Error) -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "journal_unavailable",
        chain(error),
        "see `civitas doctor`, then ask again",
    )
}
