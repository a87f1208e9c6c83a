//! `GET /api/v1/overview`.

use axum::Json;
use axum::extract::State;
use civitas_engine::queue::Overview;
use http::HeaderMap;

use super::{described, unreadable};
use crate::auth::{self, Act, Carrier};
use crate::operators::Role;
use crate::reply::{ErrorBody, Refusal};
use crate::state::App;

/// How things stand: counts, what waits, last decisions.
#[utoipa::path(get, path = "/api/v1/overview", tag = "Operators", security(("operator" = [])),
    responses((status = 200, body = described::Overview), (status = 401, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(crate) async fn overview(State(app): State<App>, headers: HeaderMap) -> Result<Json<Overview>, Refusal> {
    let act = Act { name: "overview", needs: Role::Viewer, record: None, carrier: Carrier::Bearer };
    auth::admit(&app, &headers, act).await?;
    app.desk.overview(100).await.map(Json).map_err(|error| unreadable(&error))
}
