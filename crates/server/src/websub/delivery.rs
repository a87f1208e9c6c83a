//! `POST /websub/callback`: the hub delivers.
//!
//! The signature is checked over the bytes as received, before anything reads them; then they are made durable, then
//! 2xx is said. What they mean is found out later. Only a journal that cannot take them is answered 5xx: the hub gives
//! up on a subscriber after three failures, so that content alone must never cause one.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use civitas_engine::DeliverError;
use http::StatusCode;
use serde_json::Value;

use crate::body::{self, BodyError};
use crate::compat::websub as compat;
use crate::reply::{ErrorBody, Refusal};
use crate::state::App;

/// Takes one delivery of the hub.
#[utoipa::path(
    post,
    path = "/websub/callback",
    tag = "MOSIP",
    params(("X-Hub-Signature" = String, Header, description = "sha256= and the HMAC of the body in hexadecimal")),
    request_body(content = Object, content_type = "application/json", description = "As the topic's publisher says"),
    responses(
        (status = 200, description = "Durable; what it means is found out later"),
        (status = 400, description = "Too large or incomplete", body = ErrorBody),
        (status = 401, description = "Not signed with a secret of ours; nothing was kept", body = ErrorBody),
        (status = 503, description = "Not durable; deliver it again", body = ErrorBody),
    ),
)]
pub(crate) async fn delivery(State(app): State<App>, request: Request) -> Response {
    let as_mosip_api = app.options.mosip_api.is_some();
    let task = tokio::spawn(handle(app, request));
    let response = match task.await {
        Ok(Ok(None)) => StatusCode::OK.into_response(),
        Ok(Ok(Some(receipt))) => compat::received(&receipt),
        Ok(Err(refusal)) if as_mosip_api => compat::refused(&refusal),
        Ok(Err(refusal)) => refusal.into_response(),
        Err(_) => not_durable().into_response(),
    };
    let status = response.status().as_u16().to_string();
    metrics::counter!("civitas_callback_replies_total", "status" => status).increment(1);
    response
}

/// The receipt, where one is asked for.
async fn handle(app: App, request: Request) -> Result<Option<Value>, Refusal> {
    let (head, body) = request.into_parts();
    let raw = body::read(body, app.options.max_callback_size).await.map_err(|error| match error {
        BodyError::TooLarge => Refusal::bad(
            "body_too_large",
            format!("the delivery is larger than {} bytes", app.options.max_callback_size),
            "raise server.max_callback_size in civitas.yaml",
        ),
        BodyError::Broken => {
            Refusal::bad("body_incomplete", "the connection ended early", "deliver it again")
        }
    })?;
    let signature =
        head.headers.get("x-hub-signature").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let receipt = app.options.mosip_api.is_some().then(|| compat::receipt(&raw, (app.clock)()));
    app.intake.deliver(raw, signature).await.map(|()| receipt).map_err(|error| match error {
        DeliverError::Signature => Refusal::unauthorised(
            "signature_wrong",
            error.to_string(),
            "if this is MOSIP's hub, its secret for us differs from ours: subscribe again after a rotation",
        ),
        DeliverError::Journal(_) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a delivery was not made durable");
            not_durable()
        }
    })
}

fn not_durable() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "not_durable",
        "the delivery could not be stored",
        "deliver it again; see `civitas doctor`",
    )
}
