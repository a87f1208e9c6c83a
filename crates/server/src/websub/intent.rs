//! `GET /websub/callback`: the hub asks whether a subscription is really ours, or says that it denied one.
//!
//! A challenge is echoed only for a topic that we asked for and whose request is pending; whoever guesses the
//! address cannot subscribe or unsubscribe us.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use civitas_engine::IntentAnswer;
use civitas_mosip::websub::Intent;
use http::{StatusCode, header};

use crate::compat::websub as compat;
use crate::reply::{ErrorBody, Refusal};
use crate::state::App;

/// Answers the hub's verification of a subscription.
#[utoipa::path(
    get,
    path = "/websub/callback",
    tag = "MOSIP",
    params(
        ("hub.mode" = String, Query, description = "subscribe, unsubscribe or denied"),
        ("hub.topic" = Option<String>, Query, description = "The topic it is about"),
        ("hub.challenge" = Option<String>, Query, description = "Echoed when the subscription is ours"),
        ("hub.lease_seconds" = Option<u64>, Query, description = "Not enforced by the hub"),
        ("hub.reason" = Option<String>, Query, description = "Why it was denied"),
    ),
    responses(
        (status = 200, description = "The challenge, or an empty body for a denial", body = String),
        (status = 404, description = "We asked for no such subscription", body = ErrorBody),
        (status = 400, description = "Not a verification of intent", body = ErrorBody),
    ),
)]
pub(crate) async fn intent(State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    if app.options.mosip_api.is_some() && !query.contains("hub.challenge=") && !query.contains("denied") {
        return compat::no_challenge();
    }
    let intent = match Intent::parse(&query) {
        Ok(intent) => intent,
        Err(error) => return Refusal::bad("intent_unreadable", error.to_string(), ADVICE).into_response(),
    };
    match app.intake.intent(intent).await {
        IntentAnswer::Echo(challenge) => {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response()
        }
        IntentAnswer::Noted => StatusCode::OK.into_response(),
        IntentAnswer::Refused => Refusal::new(
            StatusCode::NOT_FOUND,
            "not_our_subscription",
            "no request for this topic is open here",
            ADVICE,
        )
        .into_response(),
    }
}

const ADVICE: &str = "this address is for MOSIP's WebSub hub only";
