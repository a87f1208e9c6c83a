//! `GET /style.css`.

use axum::response::{IntoResponse, Response};
use http::header;

pub(crate) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../templates/style.css"))
        .into_response()
}
