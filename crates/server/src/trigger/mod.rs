//! `POST /trigger/events/{type}/actions/{action}`: OpenCRVS asks what to do with an action.
//!
//! OpenCRVS posts once. For a REGISTER or APPROVE_CORRECTION it understands 200, 202 and 400 and nothing else: any
//! other code leaves the record frozen with nobody to ask again. So whatever is wrong with a request, the answer is
//! 400, from which a registrar can go on; the only other code is 401, for a token that OpenCRVS provably did not
//! issue. A token that cannot be checked at the moment is not held against the record.
//!
//! The event is durable before it is answered. Once handed to the engine it is finished there even if the
//! connection breaks, so that what we did and what we would answer a second time cannot differ.

mod token;

pub use token::TokenPolicy;

use std::time::Instant;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use civitas_engine::{Answer, Arrival, IngestError, Origin};
use civitas_opencrvs::EventDocument;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::Instrument as _;
use utoipa::ToSchema;

use crate::body::{self, BodyError};
use crate::reply::{ErrorBody, Refusal, chain};
use crate::state::App;
use crate::trace;

/// 200: the action is accepted now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Accepted {
    /// Minted for a REGISTER; absent for other actions.
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_number: Option<String>,
    /// What a rule of the pack writes into the record: fields of the form and their values.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    declaration: Map<String, Value>,
    /// What the record's history says of it, under the key that the pack names.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    annotation: Option<Map<String, Value>>,
}

/// 400: the action is rejected by a rule of the pack.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rejected {
    /// The pack's sentence.
    reason: String,
}

/// Takes one civil event in and says what OpenCRVS shall do with the action.
#[utoipa::path(
    post,
    path = "/trigger/events/{type}/actions/{action}",
    tag = "OpenCRVS",
    params(
        ("type" = String, Path, description = "Event type, such as `birth`"),
        ("action" = String, Path, description = "Action type, such as `REGISTER`"),
    ),
    request_body(
        content = Object,
        content_type = "application/json",
        description = "The OpenCRVS event document with its whole history; also accepted wrapped as {\"event\": …}",
    ),
    responses(
        (status = 200, description = "Accept the action now", body = Accepted),
        (status = 202, description = "Wait: the action is accepted or rejected later", body = Object),
        (status = 400, description = "Reject the action: by a rule (`reason`), or because the request is unusable \
            or could not be made durable (`error`)", body = ErrorBody),
        (status = 401, description = "The bearer token is missing or provably not OpenCRVS's", body = ErrorBody),
    ),
    security(("opencrvs" = [])),
)]
pub(crate) async fn trigger(
    State(app): State<App>,
    Path((event_type, action_type)): Path<(String, String)>,
    request: Request,
) -> Response {
    // A task of its own: it ends even if the caller goes away, and a panic in it is an answer like any other.
    let begun = Instant::now();
    let action = action_label(&action_type);
    let traceparent = trace::traceparent(request.headers());
    let span = tracing::info_span!("trigger", event_type, action, traceparent);
    trace::continues(&span, traceparent.as_deref());
    let task = tokio::spawn(handle(app, event_type, action_type, request).instrument(span));
    let response = match task.await {
        Ok(Ok(answer)) => reply(answer),
        Ok(Err(refusal)) => {
            tracing::warn!(code = refusal.code(), action, "trigger refused");
            refusal.into_response()
        }
        Err(_) => broken().into_response(),
    };
    let status = response.status().as_u16().to_string();
    metrics::counter!("civitas_triggers_total", "action" => action, "status" => status).increment(1);
    metrics::histogram!("civitas_trigger_seconds", "action" => action).record(begun.elapsed());
    response
}

/// The action type as a metric's label: OpenCRVS's own, not whatever a stranger puts in a path.
fn action_label(action: &str) -> &'static str {
    const KNOWN: [&str; 13] = [
        "NOTIFY",
        "DECLARE",
        "VALIDATE",
        "EDIT",
        "REGISTER",
        "REJECT",
        "ARCHIVE",
        "UNARCHIVE",
        "PRINT_CERTIFICATE",
        "REQUEST_CORRECTION",
        "APPROVE_CORRECTION",
        "REJECT_CORRECTION",
        "CUSTOM",
    ];
    KNOWN.into_iter().find(|known| *known == action).unwrap_or("other")
}

/// What is answered when something of ours broke: 400, from which the registrar can go on.
pub(crate) fn broken() -> Refusal {
    Refusal::bad(
        "internal_error",
        "the event was not taken in because of an error in Civitas",
        "send it again; if it fails again, report the trace id of this request to the operator",
    )
}

async fn handle(
    app: App,
    event_type: String,
    action_type: String,
    request: Request,
) -> Result<Answer, Refusal> {
    let (head, body) = request.into_parts();
    let bytes = body::read(body, app.options.max_event_size).await.map_err(|error| match error {
        BodyError::TooLarge => Refusal::bad(
            "body_too_large",
            format!("the event document is larger than {} bytes", app.options.max_event_size),
            "raise server.max_event_size in civitas.yaml if records are really this large",
        ),
        BodyError::Broken => {
            Refusal::bad("body_incomplete", "the connection ended before the document did", "send it again")
        }
    })?;
    expect_json(&head.headers)?;
    // Whom the token must be for; what was declared is the engine's business.
    let document = EventDocument::parse_only(&bytes, |_| false)
        .map_err(|error| refused(&IngestError::Document(error)))?;
    let action_id = document.pending(&action_type).ok().map(|pending| pending.action.id);
    let event_id = document.id;
    let now = (app.clock)();
    let bearer = match token::check(&app, &head.headers, event_id, action_id, now).await {
        Ok(bearer) => bearer,
        Err(refusal) => {
            let what = format!("a trigger for record {event_id}: {}", refusal.code());
            app.intake.denied(None, what).await;
            return Err(refusal);
        }
    };
    drop(document);
    let arrival = Arrival {
        document: bytes,
        event_id: None,
        event_type: Some(event_type),
        action_type: Some(action_type),
        origin: Origin::Trigger,
        token: bearer.token,
        token_expires_at: bearer.expires_at,
        traceparent: trace::traceparent(&head.headers),
    };
    app.intake.trigger(arrival).await.map_err(|error| refused(&error))
}

fn expect_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    if encoding.is_some_and(|encoding| encoding != b"identity") {
        return Err(Refusal::bad(
            "content_encoding_unsupported",
            "the body is compressed",
            "send the event document as it is, without Content-Encoding",
        ));
    }
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    if json {
        return Ok(());
    }
    Err(Refusal::bad(
        "content_type_not_json",
        if given.is_empty() { "the request says no Content-Type" } else { "the Content-Type is not JSON" },
        "send the event document with Content-Type: application/json",
    ))
}

fn refused(error: &IngestError) -> Refusal {
    Refusal::bad(error.code(), chain(error), error.advice())
}

fn reply(answer: Answer) -> Response {
    match answer {
        Answer::Accept { registration_number, declaration, note } => {
            let annotation = note.map(|note| Map::from_iter([(note.key, Value::from(note.message))]));
            Json(Accepted { registration_number, declaration: declaration.0, annotation }).into_response()
        }
        Answer::Await => (StatusCode::ACCEPTED, Json(Value::Object(Map::new()))).into_response(),
        Answer::Reject { reason } => (StatusCode::BAD_REQUEST, Json(Rejected { reason })).into_response(),
    }
}
