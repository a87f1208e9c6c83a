//! `POST /events/update-biographics` (2.x): a country configuration sends a correction of a known person.

use axum::extract::{Request, State};
use axum::response::Response;
use civitas_engine::RequestRoute;

use super::registration::take;
use crate::state::App;

/// Takes a correction. Nobody waits for it in OpenCRVS; it is followed all the same, and read back.
pub(super) async fn update_biographics(State(app): State<App>, request: Request) -> Response {
    take(app, request, RequestRoute::UpdateBiographics).await
}
