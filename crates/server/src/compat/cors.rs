//! Cross-origin calls of the OpenCRVS client, as mosip-api allows them.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};

use crate::state::App;

/// Answers a preflight, which carries no token, and says on every reply who may read it.
pub(super) async fn cors(State(app): State<App>, request: Request, next: Next) -> Response {
    let allowed = app.options.mosip_api.as_ref().and_then(|api| api.client_app_url.clone());
    let origin = request.headers().get(header::ORIGIN).cloned();
    let preflight = request.method() == Method::OPTIONS
        && origin.is_some()
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    let origin = origin.filter(|origin| {
        allowed.is_some_and(|allowed| allowed.trim_end_matches('/').as_bytes() == origin.as_bytes())
    });
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if preflight {
            let methods = HeaderValue::from_static("GET, POST, OPTIONS");
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            let names = HeaderValue::from_static("Content-Type, Authorization");
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
        }
    }
    response
}
