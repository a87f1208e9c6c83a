//! Replies in mosip-api's forms.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::caller;
use crate::reply::Refusal;
use crate::state::App;

/// JSON as mosip-api labels it.
pub(super) fn json_of(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// 202 and nothing: taken, to be carried out.
pub(super) fn taken() -> Response {
    json_of(StatusCode::ACCEPTED, &json!({}))
}

/// An error: its text where mosip-api has a text, and what it does not say beside it.
pub(super) fn error(refusal: &Refusal) -> Response {
    let body = json!({ "error": refusal.message(), "code": refusal.code(), "advice": refusal.advice() });
    json_of(refusal.status(), &body)
}

/// 401, word for word.
pub(super) fn unauthorised() -> Response {
    json_of(StatusCode::UNAUTHORIZED, &json!({ "error": "Unauthorized" }))
}

/// 403, word for word.
pub(super) fn forbidden() -> Response {
    let body = json!({ "error": "You do not have permission to access this resource." });
    json_of(StatusCode::FORBIDDEN, &body)
}

/// No such address, or not by this method: 404 for whoever shows a token, else 401.
pub(crate) async fn no_route(State(app): State<App>, request: Request) -> Response {
    if caller::known(&app, request.headers()).await.is_err() {
        return unauthorised();
    }
    let (method, path) = (request.method(), request.uri().path());
    // What a stranger wrote is repeated to the stranger alone, as JSON.
    let body = json!({
        "message": format!("Route {method}:{path} not found"), "error": "Not Found", "statusCode": 404,
    });
    json_of(StatusCode::NOT_FOUND, &body)
}
