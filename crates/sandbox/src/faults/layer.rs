//! The middleware in front of every route but `/admin`.

use super::{FaultBox, Outage, RouteFaults};
use crate::wire::Hangup;
use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Whose error bodies a service speaks, and how its paths are named.
#[derive(Clone, Copy)]
pub(crate) struct Flavour {
    /// Path to fault name; `None` means the route takes no faults.
    pub(crate) name: fn(&Request) -> Option<&'static str>,
    /// True for MOSIP's envelope, false for tRPC errors.
    pub(crate) mosip: bool,
}

/// Draws the faults of one request and lets the rest through.
pub(crate) async fn inject(
    State((faults, flavour)): State<(Arc<FaultBox>, Flavour)>,
    request: Request,
    next: Next,
) -> Response {
    let Some(name) = (flavour.name)(&request) else { return next.run(request).await };
    faults.arrived(name);
    let Some(route) = faults.route(name) else { return next.run(request).await };
    let hangup = request.extensions().get::<ConnectInfo<Hangup>>().map(|info| info.0.clone());
    match route.outage {
        Outage::Off => {}
        Outage::Unavailable => {
            return (StatusCode::SERVICE_UNAVAILABLE, "upstream connect error or disconnect").into_response();
        }
        Outage::Disconnect => return cut(hangup),
    }
    let latency = faults.dice.draw(route.latency_ms);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    if let Some(answer) = refuse(&faults, name, &route, flavour.mosip) {
        return answer;
    }
    let hold = faults.dice.chance(route.timeout_after_success_rate);
    let answer = next.run(request).await;
    if !hold {
        return answer;
    }
    tokio::time::sleep(Duration::from_millis(route.hold_ms)).await;
    cut(hangup)
}

fn refuse(faults: &FaultBox, name: &'static str, route: &RouteFaults, mosip: bool) -> Option<Response> {
    let dice = &faults.dice;
    if dice.chance(route.error_rate) {
        return Some(if mosip {
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                Json(json!({"status": 500, "error": "Internal Server Error"})),
            )
                .into_response()
        } else {
            masked_500()
        });
    }
    if dice.chance(route.errors_in_200_rate) {
        return Some(if mosip {
            mosip_errors("KER-PUT-028", "Unknown exception occured")
        } else {
            masked_500()
        });
    }
    if dice.chance(route.null_in_200_rate) || faults.in_burst(name, route) {
        return Some(Json(json!({"response": null, "errors": null})).into_response());
    }
    if dice.chance(route.unauthorised_rate) {
        return Some(if mosip {
            mosip_errors("KER-ATH-401", "Invalid Token")
        } else {
            StatusCode::UNAUTHORIZED.into_response()
        });
    }
    None
}

fn mosip_errors(code: &str, message: &str) -> Response {
    Json(json!({"response": null, "errors": [{"errorCode": code, "message": message}]})).into_response()
}

fn masked_500() -> Response {
    let data = json!({"code": "INTERNAL_SERVER_ERROR", "httpStatus": 500});
    let error =
        json!({"error": {"json": {"message": "Internal server error", "code": -32603, "data": data}}});
    (StatusCode::INTERNAL_SERVER_ERROR, Json(error)).into_response()
}

/// Cuts the connection. The response is never written.
fn cut(hangup: Option<Hangup>) -> Response {
    if let Some(hangup) = hangup {
        hangup.cut();
    }
    (StatusCode::GATEWAY_TIMEOUT, Body::empty()).into_response()
}
