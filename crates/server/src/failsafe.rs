//! What every reply has to get right, whatever happens in the handlers.

use std::any::Any;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::reply::Refusal;
use crate::trigger;

/// Whether a path belongs to OpenCRVS's trigger, which must never see a 5xx.
fn is_trigger(path: &str) -> bool {
    path.starts_with("/trigger/") || path.starts_with("/triggers/")
}

/// A panic outside of the triggers' own task.
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    metrics::counter!("civitas_panics_total").increment(1);
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal_error",
        "an error in Civitas ended this request",
        "try again; if it fails again, report it with the time of the request",
    )
    .into_response()
}

/// No path of ours.
pub(crate) async fn not_found() -> Response {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is nothing at this address",
        "see /api/openapi.json for what there is",
    )
    .into_response()
}

/// A path of ours, but not by this method.
pub(crate) async fn wrong_method() -> Response {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this address does not take this method",
        "see /api/openapi.json for what it takes",
    )
    .into_response()
}

/// Turns every 4xx and 5xx on a trigger into one that OpenCRVS understands, and forbids browsers to keep or embed
/// what we say.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let trigger = is_trigger(request.uri().path()) && request.method() == http::Method::POST;
    let mut response = next.run(request).await;
    let status = response.status();
    let understood = matches!(status.as_u16(), 200 | 202 | 400 | 401);
    let ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if trigger && !(understood && ours) {
        response = match status {
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => Refusal::bad(
                "path_unknown",
                "this is not the path of a trigger",
                "post to /trigger/events/{type}/actions/{action}",
            )
            .into_response(),
            _ => trigger::broken().into_response(),
        };
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    );
    response
}
