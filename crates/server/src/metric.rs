//! `GET /metrics`: Prometheus text. No label holds an id or personal data.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;

use crate::state::App;

/// Everything that is counted, as Prometheus text.
#[utoipa::path(get, path = "/metrics", tag = "Operation",
    responses((status = 200, description = "Prometheus text format 0.0.4", body = String)))]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    crate::certificates::measure(&app);
    let text =
        app.metrics.as_ref().map(metrics_exporter_prometheus::PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
