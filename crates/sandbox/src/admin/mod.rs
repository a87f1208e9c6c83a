//! `/admin`: faults, key rotations, data shares, records, the ledger, a fresh start. On both ports, free of faults.

mod records;

use crate::faults::{FaultBox, Faults};
use crate::keys::KeyError;
use crate::mosip::{self, Mosip};
use crate::opencrvs::{self, OpenCrvs};
use crate::options::ShareOptions;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
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
        .route("/admin/records", post(records::register))
        .route("/admin/reset", post(reset))
        .route("/admin/keys/partner", post(rotate_partner))
        .route("/admin/keys/signing", post(rotate_signing))
        .route("/admin/keys/published", post(restart_file_server))
        .route("/admin/shares", put(write_shares).delete(end_shares))
        .with_state(Admin { opencrvs, mosip, faults })
}

async fn read_faults(State(admin): State<Admin>) -> Json<Faults> {
    Json(admin.faults.get())
}

/// Replaces all faults; what the body leaves out is off.
async fn write_faults(State(admin): State<Admin>, body: axum::body::Bytes) -> Response {
    let faults = match serde_json::from_slice::<Faults>(&body) {
        Ok(faults) => faults,
        Err(error) => return refused(&error.to_string()),
    };
    let mut known: Vec<&str> = opencrvs::FAULT_NAMES.into_iter().chain(mosip::fault_names()).collect();
    if let Some(unknown) = faults.unknown_route(&known) {
        known.sort_unstable();
        known.dedup();
        return refused(&format!("no route is called `{unknown}`; there are *, {}", known.join(", ")));
    }
    admin.faults.set(faults.clone());
    Json(faults).into_response()
}

fn refused(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response()
}

/// `?summary=1` leaves the entries per record and AID out.
async fn read_ledger(
    State(admin): State<Admin>,
    Query(query): Query<HashMap<String, String>>,
) -> Json<Value> {
    Json(ledger_of(&admin.opencrvs, &admin.mosip, query.contains_key("summary")))
}

/// The next generation of the partner key. With a certificate (PEM) as body that one is sealed to; without, a pair is
/// made and answered.
async fn rotate_partner(State(admin): State<Admin>, body: axum::body::Bytes) -> Response {
    if body.is_empty() {
        let made = admin.mosip.rotate_partner_key();
        return rotated(
            made.map(|(key, certificate)| json!({"key": text(key), "certificate": text(certificate)})),
        );
    }
    rotated(admin.mosip.use_partner_certificate(&body).map(|()| json!({})))
}

/// MOSIP's next signing key; what the file server publishes stays as it was.
async fn rotate_signing(State(admin): State<Admin>) -> Response {
    rotated(admin.mosip.rotate_signing_key().map(|certificate| json!({"certificate": text(certificate)})))
}

async fn restart_file_server(State(admin): State<Admin>) -> Response {
    rotated(admin.mosip.restart_file_server().map(|()| json!({})))
}

fn rotated(outcome: Result<Value, KeyError>) -> Response {
    match outcome {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => refused(&error.to_string()),
    }
}

fn text(pem: Vec<u8>) -> String {
    String::from_utf8(pem).unwrap_or_default()
}

/// Credentials by data share from now on; what the body leaves out is as shipped.
async fn write_shares(State(admin): State<Admin>, body: axum::body::Bytes) -> Response {
    let body = if body.is_empty() { &b"{}"[..] } else { &body };
    match serde_json::from_slice::<ShareOptions>(body) {
        Ok(shares) => {
            admin.mosip.share_credentials(Some(shares.clone()));
            Json(shares).into_response()
        }
        Err(error) => refused(&error.to_string()),
    }
}

/// Credentials in the events again.
async fn end_shares(State(admin): State<Admin>) -> StatusCode {
    admin.mosip.share_credentials(None);
    StatusCode::NO_CONTENT
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
