//! `GET /api/v1/queue`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use civitas_engine::State as OperationState;
use civitas_engine::queue::{Filter, QueueRow};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{described, unreadable};
use crate::auth::{self, Act, Carrier};
use crate::operators::Role;
use crate::reply::{ErrorBody, Refusal};
use crate::state::App;

/// Which operations to list; everything that is given must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only this state, such as `stalled` or `confirmed`. Without one: what is frozen or stalled.
    state: Option<String>,
    /// Only this operation, such as `create_uin`.
    operation: Option<String>,
    /// Only this cause, such as `deadline_passed`.
    cause: Option<String>,
    /// How many, 1 to 1000; 100 if not given.
    limit: Option<u32>,
}

/// Operations, oldest first.
#[utoipa::path(get, path = "/api/v1/queue", tag = "Operators", params(Wanted), security(("operator" = [])),
    responses((status = 200, body = Vec<described::QueueRow>), (status = 400, body = ErrorBody),
              (status = 401, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(crate) async fn queue(
    State(app): State<App>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Vec<QueueRow>>, Refusal> {
    let act = Act { name: "queue", needs: Role::Viewer, record: None, carrier: Carrier::Bearer };
    auth::admit(&app, &headers, act).await?;
    let wrong =
        |message: String| Refusal::bad("filter_wrong", message, "see /api/openapi.json for the parameters");
    let Query(wanted) = wanted.map_err(|error| wrong(error.body_text()))?;
    let limit = wanted.limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return Err(wrong("limit is not from 1 to 1000".to_owned()));
    }
    let state = match wanted.state.as_deref().map(OperationState::from_word) {
        None => None,
        Some(Some(state)) => Some(state),
        Some(None) => return Err(wrong("no operation can be in this state".to_owned())),
    };
    let filter = Filter { state, operation: wanted.operation, cause: wanted.cause, limit };
    app.desk.list(filter).await.map(Json).map_err(|error| unreadable(&error))
}
