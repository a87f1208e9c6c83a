//! `POST /hub`: subscribe, unsubscribe, register, publish. Denials are HTTP 200.

use super::super::auth::{self, Grant};
use super::super::issuance;
use super::super::state::Mosip;
use super::verify;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

const FORM: &str = "application/x-www-form-urlencoded";

pub(crate) async fn hub(
    State(mosip): State<Arc<Mosip>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let form: HashMap<String, String> = if query.contains_key("hub.mode") {
        query.clone()
    } else {
        let text = String::from_utf8_lossy(&body);
        let uri: Option<http::Uri> = format!("/?{}", text.trim()).parse().ok();
        uri.and_then(|uri| Query::try_from_uri(&uri).ok().map(|query| query.0)).unwrap_or_default()
    };
    let param = |name: &str| form.get(name).map(String::as_str);
    let (Some(mode), Some(topic)) = (param("hub.mode"), param("hub.topic")) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Some(grant) = auth::grant(&mosip, &headers) else {
        return denied("Unauthorized: invalid token");
    };
    match mode {
        "register" | "deregister" => accepted(StatusCode::OK),
        "publish" => publish(&mosip, &grant, topic, &body),
        "subscribe" | "unsubscribe" => {
            // The hub casts the secret; without one the cast panics.
            let (Some(callback), Some(secret)) = (param("hub.callback"), param("hub.secret")) else {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            };
            if !may(&mosip, &grant, "SUBSCRIBE", topic, "INDIVIDUAL") {
                return denied("Forbidden: subscriber is not authorised for the topic");
            }
            let lease = param("hub.lease_seconds").unwrap_or("86400");
            let request = verify::Request {
                subscribe: mode == "subscribe",
                topic: topic.to_owned(),
                callback: callback.to_owned(),
                secret: secret.to_owned(),
                lease: lease.to_owned(),
            };
            mosip.spawn(verify::verify(Arc::clone(&mosip), request));
            accepted(StatusCode::ACCEPTED)
        }
        _ => denied("hub.mode is not valid"),
    }
}

fn publish(mosip: &Arc<Mosip>, grant: &Grant, topic: &str, body: &[u8]) -> Response {
    if !may(mosip, grant, "PUBLISH", topic, "ALL_INDIVIDUAL") {
        return denied("Forbidden: publisher is not authorised for the topic");
    }
    let Ok(event) = serde_json::from_slice::<Value>(body) else { return denied("content is not JSON") };
    if topic == "CREDENTIAL_STATUS_UPDATE" {
        issuance::status_update(mosip, &event);
    }
    mosip.hub.publish(
        topic,
        event["instanceId"].as_str().unwrap_or_default(),
        event.to_string().into_bytes(),
    );
    accepted(StatusCode::OK)
}

/// Topic `P/X` needs `<ACT>_X_<individual>` and to be P; topic `X` needs `<ACT>_X_GENERAL`.
fn may(mosip: &Mosip, grant: &Grant, act: &str, topic: &str, individual: &str) -> bool {
    if !mosip.options.hub.check_roles {
        return true;
    }
    match topic.split_once('/') {
        Some((partner, name)) => {
            let own = act == "PUBLISH" || partner == grant.client;
            own && grant.any(&[&format!("{act}_{name}_{individual}")])
        }
        None => grant.any(&[&format!("{act}_{topic}_GENERAL")]),
    }
}

fn accepted(status: StatusCode) -> Response {
    (status, [(CONTENT_TYPE, FORM)], "hub.mode=accepted").into_response()
}

fn denied(reason: &str) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, FORM)], format!("hub.mode=denied&hub.reason={reason}")).into_response()
}

pub(crate) async fn health() -> Json<Value> {
    Json(json!({"status": "UP"}))
}
