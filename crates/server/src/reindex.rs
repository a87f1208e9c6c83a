//! `POST /reindex`: OpenCRVS's reindex feed, in batches of 100, 300 or 1000 documents, kept for a back-fill.
//!
//! Nothing is decided here, and nothing that a trigger told is touched: the feed loses explicit nulls, comes in no
//! order, repeats itself, and may be incomplete. `civitas backfill --spool` reads what was kept. OpenCRVS posts a batch
//! up to five times and gives the whole run up then, so that only a journal that cannot take it is answered otherwise
//! than well.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::bearer;
use crate::body::{self, BodyError};
use crate::reply::{ErrorBody, Refusal};
use crate::state::App;
use crate::trigger::TokenPolicy;

const SCOPE: &str = "record.reindex";

/// What was kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Kept {
    /// Documents.
    documents: usize,
    /// Entries of the batch that are no documents.
    unreadable: usize,
}

/// What is read of a document here.
#[derive(Deserialize)]
struct Named {
    id: Uuid,
}

/// Keeps one batch of the reindex feed.
#[utoipa::path(
    post,
    path = "/reindex",
    tag = "OpenCRVS",
    request_body(content = Object, content_type = "application/json", description = "A list of event documents"),
    responses(
        (status = 200, description = "Durable", body = Kept),
        (status = 400, description = "Not a list, or too large", body = ErrorBody),
        (status = 401, description = "The bearer token is missing or not OpenCRVS's", body = ErrorBody),
        (status = 403, description = "The token has not the scope record.reindex", body = ErrorBody),
        (status = 404, description = "Not switched on (server.reindex.enabled)", body = ErrorBody),
        (status = 503, description = "Not durable; post it again", body = ErrorBody),
    ),
    security(("opencrvs" = [])),
)]
pub(crate) async fn reindex(State(app): State<App>, request: Request) -> Response {
    match keep(app, request).await {
        Ok(kept) => Json(kept).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn keep(app: App, request: Request) -> Result<Kept, Refusal> {
    let Some(most) = app.options.max_reindex_size else {
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "reindex_off",
            "the reindex feed is not taken here",
            "set server.reindex.enabled in civitas.yaml for as long as a back-fill is prepared",
        ));
    };
    let (head, body) = request.into_parts();
    if let Err(refusal) = admit(&app, &head.headers).await {
        app.intake.denied(None, format!("a reindex batch: {}", refusal.code())).await;
        return Err(refusal);
    }
    let raw = body::read(body, most).await.map_err(|error| match error {
        BodyError::TooLarge => Refusal::bad(
            "body_too_large",
            format!("the batch is larger than {most} bytes"),
            "raise server.reindex.max_size in civitas.yaml",
        ),
        BodyError::Broken => Refusal::bad("body_incomplete", "the connection ended early", "post it again"),
    })?;
    let entries: Vec<&RawValue> = serde_json::from_slice(&raw).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Refusal::bad("body_unreadable", format!("not a list in JSON at {place}"), "post a list of documents")
    })?;
    let records: Vec<(Uuid, Vec<u8>)> = entries
        .iter()
        .filter_map(|entry| {
            let named: Named = serde_json::from_str(entry.get()).ok()?;
            Some((named.id, entry.get().as_bytes().to_vec()))
        })
        .collect();
    let kept = Kept { documents: records.len(), unreadable: entries.len() - records.len() };
    if kept.unreadable > 0 {
        tracing::warn!(unreadable = kept.unreadable, "entries of a reindex batch are no event documents");
    }
    app.intake.reindexed(records).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a reindex batch was not made durable");
        Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not_durable",
            "the batch could not be stored",
            "post it again; see `civitas doctor`",
        )
    })?;
    metrics::counter!("civitas_reindexed_total").increment(kept.documents as u64);
    Ok(kept)
}

async fn admit(app: &App, headers: &http::HeaderMap) -> Result<(), Refusal> {
    if app.options.token_policy == TokenPolicy::Open {
        return Ok(());
    }
    let advice = "start the reindex with a token that has the scope record.reindex, and pass it on";
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = given.and_then(bearer) else {
        return Err(Refusal::unauthorised("token_missing", "the request carries no bearer token", advice));
    };
    let caller = app
        .tokens
        .identify(token, (app.clock)())
        .await
        .map_err(|error| Refusal::unauthorised("token_invalid", error.to_string(), advice))?;
    if caller.has_scope(SCOPE) {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::FORBIDDEN, "scope_missing", "the token has not the scope", advice))
}
