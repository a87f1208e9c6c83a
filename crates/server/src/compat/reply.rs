//! Replies in mosip-api's forms.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::caller;
use super::identity::Trouble;
use crate::body::BodyError;
use crate::reply::{Refusal, chain};
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

/// Why nothing was found out about a person, with the time to wait where there is one.
pub(super) fn trouble(trouble: &Trouble) -> Response {
    let mut response = error(&trouble.refusal());
    if let Some(wait) = trouble.retry_after {
        let seconds = HeaderValue::from(wait.as_secs().max(1));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// A panic of ours.
pub(super) fn broken() -> Refusal {
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal_error",
        "an error in Civitas ended this request",
        "send it again; if it fails again, report it with the time of the request",
    )
}

/// The same, as what came of asking.
pub(super) fn broke_down() -> Trouble {
    Trouble {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        code: "internal_error",
        message: "an error in Civitas ended this request".to_owned(),
        advice: "send it again; if it fails again, report it with the time of the request",
        retry_after: None,
    }
}

/// A body that is too large, or did not come whole.
pub(super) fn unread(error: BodyError, most: usize) -> Response {
    self::error(&match error {
        BodyError::TooLarge => Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the request is larger than {most} bytes"),
            "raise server.max_event_size in civitas.yaml if registrations are really this large; nothing else is",
        ),
        BodyError::Broken => Refusal::bad("body_incomplete", "the connection ended early", "send it again"),
    })
}

/// An outcome that could not be kept.
pub(super) fn unrecorded(error: &dyn std::error::Error) -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "journal_unavailable",
        chain(error),
        "see `civitas doctor`, then ask again",
    )
}

/// The reply, counted.
pub(super) fn counted(route: &'static str, response: Response) -> Response {
    let status = response.status().as_u16().to_string();
    metrics::counter!("civitas_mosip_api_total", "route" => route, "status" => status).increment(1);
    response
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
