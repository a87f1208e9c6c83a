//! `GET /api/v1/records/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use civitas_engine::queue::RecordView;
use http::HeaderMap;

use super::{described, unknown, unreadable};
use crate::auth::{self, Act, Carrier};
use crate::operators::Role;
use crate::reply::{ErrorBody, Refusal};
use crate::state::App;

/// One record by event id, tracking id or AID: decisions, operations, history.
#[utoipa::path(get, path = "/api/v1/records/{id}", tag = "Operators", security(("operator" = [])),
    params(("id" = String, Path, description = "Event id, tracking id or AID")),
    responses((status = 200, body = described::RecordView), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
              (status = 503, body = ErrorBody)))]
pub(crate) async fn record(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<RecordView>, Refusal> {
    let act = Act { name: "record", needs: Role::Viewer, record: Some(&id), carrier: Carrier::Bearer };
    auth::admit(&app, &headers, act).await?;
    let found = app.desk.show(id.clone()).await.map_err(|error| unreadable(&error))?;
    found.map(Json).ok_or_else(|| unknown(&id))
}
