//! MOSIP's response wrapper, and how each kind of service says no.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

/// `{id, version, responsetime, metadata, response, errors}`, HTTP 200.
pub(crate) fn ok(id: &str, at: &str, response: &Value) -> Response {
    Json(json!({"id": id, "version": "v1", "responsetime": at, "metadata": null, "response": response, "errors": []}))
        .into_response()
}

/// The same with one error; HTTP 200 all the same.
pub(crate) fn error(id: &str, at: &str, code: &str, message: &str) -> Response {
    Json(json!({
        "id": id, "version": "v1", "responsetime": at, "response": null,
        "errors": [{"errorCode": code, "message": message}],
    }))
    .into_response()
}

/// How a Spring service refuses a token: 401 or 403 with MOSIP's body.
pub(crate) fn refused(status: StatusCode) -> Response {
    let (code, message) = if status == StatusCode::FORBIDDEN {
        ("KER-ATH-403", "Forbidden")
    } else {
        ("KER-ATH-401", "Authentication Failed")
    };
    (status, Json(json!({"response": null, "errors": [{"errorCode": code, "message": message}]})))
        .into_response()
}
