//! `/admin`: faults, the ledger, a fresh start. On both ports, free of faults.

use crate::faults::{FaultBox, Faults};
use crate::mosip::Mosip;
use crate::opencrvs::OpenCrvs;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Clone)]
struct Admin {
    opencrvs: OpenCrvs,
    mosip: Mosip,
    faults: Arc<FaultBox>,
}

pub(crate) fn router(opencrvs: OpenCrvs, mosip: Mosip, faults: Arc<FaultBox>) -> Router {
    Router::new()
        .route("/admin/faults", get(read_faults).put(write_faults))
        .route("/admin/ledger", get(read_ledger))
        .route("/admin/reset", post(reset))
        .with_state(Admin { opencrvs, mosip, faults })
}

async fn read_faults(State(admin): State<Admin>) -> Json<Faults> {
    Json(admin.faults.get())
}

/// Replaces all faults; what the body leaves out is off.
async fn write_faults(State(admin): State<Admin>, body: axum::body::Bytes) -> Response {
    match serde_json::from_slice::<Faults>(&body) {
        Ok(faults) => {
            admin.faults.set(faults.clone());
            Json(faults).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({"error": error.to_string()}))).into_response(),
    }
}

/// `?summary=1` leaves the entries per record and AID out.
async fn read_ledger(
    State(admin): State<Admin>,
    Query(query): Query<HashMap<String, String>>,
) -> Json<Value> {
    Json(ledger_of(&admin.opencrvs, &admin.mosip, query.contains_key("summary")))
}

async fn reset(State(admin): State<Admin>) -> StatusCode {
    admin.opencrvs.reset();
    admin.mosip.reset();
    admin.faults.set(Faults::default());
    StatusCode::NO_CONTENT
}

/// Both ledgers.
pub(crate) fn ledger_of(opencrvs: &OpenCrvs, mosip: &Mosip, summary: bool) -> Value {
    json!({"opencrvs": opencrvs.ledger(summary), "mosip": mosip.ledger(summary)})
}
