//! `GET /api/v1/pack` and `POST /api/v1/pack/reload`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use civitas_engine::swap::{Attempt, DeciderView, PackView};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{described, unreadable};
use crate::auth::{self, Act, Carrier};
use crate::operators::Role;
use crate::reply::{ErrorBody, Refusal};
use crate::state::App;

/// Longest reason, in characters.
const REASON: usize = 500;

/// What decides, here and in the other processes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deciding {
    /// This process.
    #[schema(value_type = described::PackView)]
    pack: PackView,
    /// Every process on this journal that decides. Different digests: they read different folders, or one of them
    /// refused its own.
    #[schema(value_type = Vec<described::DeciderView>)]
    deciders: Vec<DeciderView>,
}

/// Why the pack is read anew; the body may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    /// For the audit log, such as the change's number. At most 500 characters, no personal data.
    #[serde(default)]
    reason: Option<String>,
}

/// The pack was read and refused: the rule set that ran goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotTaken {
    /// As in every error.
    #[serde(flatten)]
    error: ErrorBody,
    /// What was tried, and the first problems with their places.
    #[schema(value_type = described::Attempt)]
    attempt: Attempt,
}

/// The rule set that decides, since when, and what became of the last attempt to change it.
#[utoipa::path(get, path = "/api/v1/pack", tag = "Operators", security(("operator" = [])),
    responses((status = 200, body = Deciding), (status = 401, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(crate) async fn pack(State(app): State<App>, headers: HeaderMap) -> Result<Json<Deciding>, Refusal> {
    let act = Act { name: "pack", needs: Role::Viewer, record: None, carrier: Carrier::Bearer };
    auth::admit(&app, &headers, act).await?;
    let deciders = app.desk.deciders().await.map_err(|error| unreadable(&error))?;
    Ok(Json(Deciding { pack: app.desk.pack(), deciders }))
}

/// Has the country pack read anew by this process: compiled, its own cases run, swapped. Needs the role admin; who
/// and why go into the audit log. Other processes read their own folders.
#[utoipa::path(post, path = "/api/v1/pack/reload", tag = "Operators", security(("operator" = [])),
    request_body = Option<Why>,
    responses((status = 200, description = "The pack in the folder decides", body = described::Attempt),
              (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
              (status = 409, description = "This process reads no folder", body = ErrorBody),
              (status = 422, description = "The pack was refused; the rule set that ran goes on", body = NotTaken)))]
pub(crate) async fn reload(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let act = Act { name: "pack reload", needs: Role::Admin, record: None, carrier: Carrier::Bearer };
    let operator = auth::admit(&app, &headers, act).await?;
    let reason = reason(&body)?;
    // A task of its own: a swap that was begun is finished and told also if the caller goes away.
    let desk = app.desk.clone();
    let attempt = tokio::spawn(async move { desk.reload(operator.name, reason).await }).await;
    let attempt = attempt.map_err(|_| {
        let advice = "look at the log; the rule set that ran goes on";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "the reload failed", advice)
    })?;
    let attempt = attempt.ok_or_else(|| {
        let advice = "ask a process that runs the server or the consumer";
        Refusal::new(StatusCode::CONFLICT, "pack_not_read_here", "this process reads no pack folder", advice)
    })?;
    if attempt.outcome.runs() {
        return Ok(Json(attempt).into_response());
    }
    let first = attempt.problems.first().map(|first| format!(": {first}")).unwrap_or_default();
    let message = format!("{}{first}", attempt.outcome.sentence());
    let advice = "mend it and call again; the rule set that ran goes on meanwhile";
    let error = Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "pack_refused", message, advice).into_body();
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(NotTaken { error, attempt })).into_response())
}

fn reason(body: &[u8]) -> Result<Option<String>, Refusal> {
    if body.is_empty() {
        return Ok(None);
    }
    let wrong = |message: String| {
        Refusal::bad("reason_wrong", message, "send {\"reason\": \"…\"} as application/json, or no body")
    };
    let Why { reason } = serde_json::from_slice(body).map_err(|error| wrong(error.to_string()))?;
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON) {
        return Err(wrong(format!("the reason is longer than {REASON} characters")));
    }
    Ok(reason)
}
