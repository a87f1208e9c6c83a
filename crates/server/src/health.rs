//! `GET /health/live` and `GET /health/ready`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use civitas_engine::queue::Filter;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::App;

/// How the process is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, or what is missing.
    status: &'static str,
}

/// Whether the process runs at all.
#[utoipa::path(get, path = "/health/live", tag = "Operation",
    responses((status = 200, description = "It runs", body = Health)))]
pub(crate) async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether it can take work: the journal answers, and no stop was asked for.
#[utoipa::path(get, path = "/health/ready", tag = "Operation",
    responses((status = 200, description = "It takes work", body = Health),
              (status = 503, description = "It does not, or not any more", body = Health)))]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let status = if app.stop.is_cancelled() {
        "stopping"
    } else if app.desk.list(Filter { limit: 1, ..Filter::default() }).await.is_err() {
        "journal unavailable"
    } else {
        return Json(Health { status: "ok" }).into_response();
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status })).into_response()
}
