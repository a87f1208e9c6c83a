//! `POST /token` and `/auth/token`: client credentials and token exchange.

use super::core::Core;
use crate::options::Regime;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use secrecy::ExposeSecret;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

const EXCHANGE: &str = "urn:opencrvs:oauth:grant-type:token-exchange";
const SINGLE_RECORD: &str = "urn:opencrvs:oauth:token-type:single_record_token";

pub(crate) async fn token(
    State(core): State<Arc<Core>>,
    Query(query): Query<HashMap<String, String>>,
    body: axum::body::Bytes,
) -> Response {
    let form = |bytes: &[u8]| serde_json::from_slice::<HashMap<String, String>>(bytes).ok();
    let body: HashMap<String, String> = match core.tokens.regime {
        // 1.9 reads the query only.
        Regime::V1_9 => HashMap::new(),
        _ => decode(&body).or_else(|| form(&body)).unwrap_or_default(),
    };
    if core.tokens.regime == Regime::V2_1 && query.contains_key("client_secret") {
        return refuse(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "Credentials are not accepted in the query",
        );
    }
    let param = |name: &str| body.get(name).or_else(|| query.get(name)).map(String::as_str);
    match param("grant_type") {
        Some("client_credentials") => {
            client_credentials(&core, param("client_id"), param("client_secret")).await
        }
        Some(EXCHANGE) if core.tokens.regime != Regime::V2_1 => exchange(&core, &param).await,
        Some(_) => refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type", "Unsupported grant type"),
        None => refuse(StatusCode::BAD_REQUEST, "invalid_request", "grant_type is required"),
    }
}

/// `application/x-www-form-urlencoded`, by the same decoder as a query.
fn decode(body: &[u8]) -> Option<HashMap<String, String>> {
    let text = std::str::from_utf8(body).ok()?.trim();
    if text.is_empty() || text.starts_with('{') {
        return None;
    }
    let uri: http::Uri = format!("/?{text}").parse().ok()?;
    Query::<HashMap<String, String>>::try_from_uri(&uri).ok().map(|query| query.0)
}

async fn client_credentials(core: &Arc<Core>, id: Option<&str>, secret: Option<&str>) -> Response {
    let (Some(id), Some(secret)) = (id, secret) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "client_id and client_secret are required",
        );
    };
    let known =
        core.options.clients.iter().find(|client| client.id == id && client.secret.expose_secret() == secret);
    let Some(client) = known.cloned() else {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client", "Invalid client id or secret");
    };
    let core = Arc::clone(core);
    mint(move || core.tokens.system(&client.id, &client.scopes, core.now(), core.options.system_token_life))
        .await
}

async fn exchange<'a>(core: &Arc<Core>, param: &impl Fn(&str) -> Option<&'a str>) -> Response {
    let wanted =
        (param("subject_token"), param("requested_token_type"), param("event_id"), param("action_id"));
    let (Some(subject), Some(SINGLE_RECORD), Some(event), Some(action)) = wanted else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "subject_token, requested_token_type, event_id and action_id are required",
        );
    };
    let (Ok(event), Ok(action)) = (event.parse(), action.parse()) else {
        return refuse(StatusCode::BAD_REQUEST, "invalid_request", "event_id and action_id must be UUIDs");
    };
    let Some(subject) = core.tokens.check(subject, core.now()) else {
        return refuse(StatusCode::UNAUTHORIZED, "unauthorized_client", "Invalid subject token");
    };
    // Any authenticated subject may exchange for any record and action: as it is.
    let core = Arc::clone(core);
    let (life, signed) = (core.options.confirmation_token_life, core.options.signed_exchange);
    mint(move || core.tokens.confirmation(&subject, event, action, core.now(), life, signed)).await
}

async fn mint<E: Send + 'static>(work: impl FnOnce() -> Result<String, E> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(token)) => Json(json!({"access_token": token, "token_type": "Bearer"})).into_response(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn refuse(status: StatusCode, error: &str, description: &str) -> Response {
    (status, Json(json!({"error": error, "error_description": description}))).into_response()
}
