//! `POST /events/registration`: a country configuration asks for a UIN, or tells of a death, with mapped fields.
//!
//! 202 means durable: what follows is retried, explained, and told to OpenCRVS. The same request again, at any time,
//! is answered alike and has no effect.

use axum::extract::{Request, State};
use axum::response::Response;
use civitas_engine::{CountryRequest, RequestError, RequestRoute};
use http::StatusCode;
use serde_json::Value;

use super::{caller, reply};
use crate::body;
use crate::reply::{Refusal, chain};
use crate::state::App;
use crate::trace;

/// Takes a registration that the country configuration sends to MOSIP.
pub(super) async fn registration(State(app): State<App>, request: Request) -> Response {
    take(app, request, RequestRoute::Registration).await
}

/// Takes a request on either address. In a task of its own: it ends even if the caller goes away.
pub(super) async fn take(app: App, request: Request, route: RequestRoute) -> Response {
    let task = tokio::spawn(handle(app, request, route));
    let response = match task.await {
        Ok(Ok(())) => reply::taken(),
        Ok(Err(response)) => response,
        Err(_) => reply::error(&reply::broken()),
    };
    reply::counted(route.as_str(), response)
}

async fn handle(app: App, request: Request, route: RequestRoute) -> Result<(), Response> {
    let (head, body) = request.into_parts();
    let (caller, token) = caller::may_ask(&app, &head.headers).await?;
    let most = app.options.max_event_size;
    let raw = body::read(body, most).await.map_err(|error| reply::unread(error, most))?;
    let Some(event_id) = caller.event_id.or_else(|| named(&raw)) else {
        return Err(reply::error(&Refusal::bad(
            "record_unknown",
            "neither the token nor the body names the record (eventId)",
            "forward the token of the trigger as it came",
        )));
    };
    let request = CountryRequest {
        event_id,
        action_id: caller.action_id,
        route,
        body: raw,
        token_expires_at: caller.expires_at,
        token: Some(token),
        traceparent: trace::traceparent(&head.headers),
    };
    app.intake.request(request).await.map_err(|error| {
        tracing::warn!(code = error.code(), %event_id, "a request of the country configuration was not taken");
        reply::error(&refused(&error))
    })
}

/// `eventId` of the body, which the contract of 2.1 has.
fn named(raw: &[u8]) -> Option<uuid::Uuid> {
    let body: Value = serde_json::from_slice(raw).ok()?;
    body.get("eventId")?.as_str()?.parse().ok()
}

fn refused(error: &RequestError) -> Refusal {
    let status = match error {
        RequestError::NumberTaken(_) | RequestError::NothingWaits(_) => StatusCode::CONFLICT,
        RequestError::ActionUnknown(_) | RequestError::Journal(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    Refusal::new(status, error.code(), chain(error), error.advice())
}
