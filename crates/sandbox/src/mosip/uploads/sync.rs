//! `POST …/registrationstatus/sync`, `/syncV2` and `/packetexternalstatus`.
//!
//! V1 without a packet id inserts another row each time. V2 updates the row of
//! its packet id, and drops what it finds invalid: then its answer has neither
//! a response nor an error. Of several items it gives all the last one's packet id.

use super::{Announced, sealed};
use crate::mosip::state::Mosip;
use crate::mosip::{auth, envelope};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

const ID: &str = "mosip.registration.sync";
const STATUS_ID: &str = "mosip.registration.packet.external.status";
const ROLES: [&str; 5] = [
    "REGISTRATION_ADMIN",
    "REGISTRATION_PROCESSOR",
    "REGISTRATION_OFFICER",
    "REGISTRATION_SUPERVISOR",
    "RESIDENT",
];
/// registration.processor.main-processes: no CRVS process is in it.
const MAIN_PROCESSES: [&str; 7] =
    ["NEW", "UPDATE", "LOST", "RES_UPDATE", "ACTIVATE", "DEACTIVATE", "OPENCRVS_NEW"];
const TOLERANCE: SignedDuration = SignedDuration::from_secs(10_800);

pub(crate) async fn sync_v1(mosip: State<Arc<Mosip>>, headers: HeaderMap, body: Bytes) -> Response {
    sync(&mosip, &headers, &body, false)
}

pub(crate) async fn sync_v2(mosip: State<Arc<Mosip>>, headers: HeaderMap, body: Bytes) -> Response {
    sync(&mosip, &headers, &body, true)
}

fn sync(mosip: &Mosip, headers: &HeaderMap, body: &[u8], v2: bool) -> Response {
    let at = mosip.pace.iso();
    let failed = |code: &str, message: &str| envelope::error(ID, &at, code, message);
    if let Err((code, message)) = auth::vertx(mosip, headers, &ROLES) {
        return failed(code, message);
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("Center-Machine-RefId").split('_').count() != 2 || header("timestamp").is_empty() {
        return failed("RPR-RGS-028", "Decryption failed");
    }
    let Some(body) = decrypted(mosip, body) else { return failed("RPR-RGS-028", "Decryption failed") };
    if body["id"] != ID {
        return failed("RPR-RGS-024", "Invalid id");
    }
    let asked: Option<Timestamp> = body["requesttime"].as_str().and_then(|text| text.parse().ok());
    let asked = asked.filter(|asked| asked.duration_since(mosip.pace.now()).abs() <= TOLERANCE);
    if asked.is_none() {
        return failed("RPR-RGS-022", "Invalid request timestamp");
    }
    let items = body["request"].as_array().cloned().unwrap_or_default();
    let last_packet = items.last().map(|item| item["packetId"].clone()).unwrap_or_default();
    let mut answers = Vec::new();
    for item in items {
        let row = row(&item, if v2 { &last_packet } else { &item["packetId"] });
        match row {
            Ok(row) => {
                answers
                    .push(json!({"registrationId": row.aid, "packetId": row.packet_id, "status": "SUCCESS"}));
                keep(mosip, row, v2);
            }
            // The DTO of a failure is dropped by the response builder of V2.
            Err(_) if v2 => {}
            Err(code) => answers.push(json!({
                "registrationId": item["registrationId"], "status": "FAILURE", "errorCode": code,
            })),
        }
    }
    if answers.is_empty() {
        let nothing =
            json!({"id": ID, "version": "1.0", "responsetime": at, "response": null, "errors": null});
        return Json(nothing).into_response();
    }
    envelope::ok(ID, &at, &Value::Array(answers))
}

fn decrypted(mosip: &Mosip, body: &[u8]) -> Option<Value> {
    let text: String = serde_json::from_slice(body).ok()?;
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let keys = mosip.keys();
    let keys = keys.upload().ok()?;
    let plain = sealed::open(&keys.registration, &keys.registration_certificate, &bytes).ok()?;
    serde_json::from_slice(&plain).ok()
}

fn row(item: &Value, packet_id: &Value) -> Result<Announced, &'static str> {
    let text = |name: &str| item[name].as_str().filter(|text| !text.is_empty());
    let process = text("registrationType").filter(|process| MAIN_PROCESSES.contains(process));
    let status = text("supervisorStatus").filter(|status| matches!(*status, "APPROVED" | "REJECTED"));
    let aid = text("registrationId").ok_or("RPR-RGS-006")?;
    status.ok_or("RPR-RGS-026")?;
    text("langCode").filter(|code| code.len() == 3).ok_or("RPR-RGS-004")?;
    Ok(Announced {
        aid: aid.to_owned(),
        packet_id: packet_id.as_str().unwrap_or(aid).to_owned(),
        process: process.ok_or("RPR-RGS-003")?.to_owned(),
        hash: text("packetHashValue").ok_or("RPR-RGS-027")?.to_owned(),
        size: item["packetSize"].as_u64().ok_or("RPR-RGS-015")?,
    })
}

fn keep(mosip: &Mosip, row: Announced, v2: bool) {
    let mut desk = mosip.desk();
    if desk.announced.iter().any(|known| known.aid == row.aid && known.hash != row.hash) {
        desk.violation(format!("mosip: AID {} was announced with two hashes", row.aid));
    }
    let known = desk.announced.iter_mut().find(|known| v2 && known.packet_id == row.packet_id);
    match known {
        Some(known) => *known = row,
        None => desk.announced.push(row),
    }
}

/// Announced and not received is `UPLOAD_PENDING`; after that it is the workflow's.
pub(crate) async fn packet_status(
    State(mosip): State<Arc<Mosip>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let at = mosip.pace.iso();
    if let Err((code, message)) = auth::vertx(&mosip, &headers, &ROLES) {
        return envelope::error(STATUS_ID, &at, code, message);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let desk = mosip.desk();
    let asked = body["request"].as_array().into_iter().flatten().filter_map(|item| item["packetId"].as_str());
    let rows: Vec<Value> = asked
        .filter_map(|packet| {
            let row = desk.announced.iter().find(|row| row.packet_id == packet)?;
            let status = match desk.workflows.get(&row.aid).map(|workflow| workflow.status.as_str()) {
                None => "UPLOAD_PENDING",
                Some("PROCESSED") => "UIN_GENERATED",
                Some("REJECTED" | "FAILED") => "REJECTED",
                Some("REPROCESS_FAILED") => "REREGISTER",
                Some(_) => "PROCESSING",
            };
            Some(json!({"packetId": packet, "statusCode": status}))
        })
        .collect();
    drop(desk);
    if rows.is_empty() {
        return envelope::error(STATUS_ID, &at, "RPR-RGS-037", "PacketId not found");
    }
    envelope::ok(STATUS_ID, &at, &Value::Array(rows))
}
