//! `/websub/callback` in mosip-api's words: the receipt of a delivery, and a verification without a challenge.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::reply;
use crate::reply::Refusal;

/// The receipt of a delivery that is durable. What is not in the delivery is not in it.
pub(crate) fn receipt(raw: &[u8], now: Timestamp) -> Value {
    let delivery: Value = serde_json::from_slice(raw).unwrap_or_default();
    let of = |pointer: &str| delivery.pointer(pointer).cloned().unwrap_or_default();
    let now = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    json!({
        "publisher": of("/publisher"), "topic": of("/topic"), "publishedOn": now,
        "event": {
            "id": of("/event/id"), "requestId": of("/event/transactionId"), "timestamp": now,
            "status": "RECEIVED", "url": "",
        },
    })
}

/// The receipt as a reply.
pub(crate) fn received(receipt: &Value) -> Response {
    reply::json_of(StatusCode::OK, receipt)
}

/// A refused delivery: a wrong signature in the words of 2.x.
pub(crate) fn refused(refusal: &Refusal) -> Response {
    if refusal.status() == StatusCode::UNAUTHORIZED {
        let body = json!({ "error": "Invalid X-Hub-Signature", "code": refusal.code() });
        return reply::json_of(StatusCode::UNAUTHORIZED, &body);
    }
    reply::error(refusal)
}

/// A verification that asks nothing.
pub(crate) fn no_challenge() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (StatusCode::BAD_REQUEST, kind, "Missing hub.challenge").into_response()
}
