//! `PUT /commons/v1/packetmanager/createPacket`.
//!
//! Whatever goes wrong inside the writer comes out as HTTP 200 with a null
//! response and no error: the facade catches everything and only logs.

use super::auth;
use super::desk::Packet;
use super::envelope;
use super::state::Mosip;
use crate::jwt::b64;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const ID: &str = "mosip.registration.packet.writer";
const ROLES: [&str; 2] = ["ONLINE_REGISTRATION_CLIENT", "REGISTRATION_PROCESSOR"];

/// What the writer needs of a request.
struct Written {
    aid: String,
    packet: Packet,
    dropped: Vec<String>,
    subpackets: Vec<&'static str>,
    digest: String,
}

pub(crate) async fn create(
    State(mosip): State<Arc<Mosip>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    if let Err(status) = auth::spring(&mosip, &headers, &ROLES) {
        return envelope::refused(status);
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let request = &body["request"];
    let at = mosip.pace.iso();
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    if !provided(&mosip, text("source"), text("process")) {
        return envelope::error(ID, &at, "KER-PUT-006", "No available provider for given source and process");
    }
    let Some(written) = write(request) else {
        tracing::debug!("sandbox packet manager swallowed a failure of the writer");
        return Json(json!({"id": ID, "version": "v1", "responsetime": at, "metadata": null, "response": null, "errors": null}))
            .into_response();
    };
    let flight = Flight::start(&mosip, &written);
    mosip.pace.pass(mosip.dice.draw(mosip.options.race_gap)).await;
    store(&mosip, &written, &at);
    drop(flight);
    let receipts: Vec<Value> =
        written.subpackets.iter().map(|name| receipt(request, &written, name, &at)).collect();
    envelope::ok(ID, &at, &Value::Array(receipts))
}

/// Providers match by substring on source and on process, iteration suffix off.
fn provided(mosip: &Mosip, source: &str, process: &str) -> bool {
    let process =
        process.rsplit_once('-').filter(|(_, n)| n.parse::<u32>().is_ok()).map_or(process, |(base, _)| base);
    !source.is_empty()
        && !process.is_empty()
        && mosip.options.providers.iter().any(|(known, processes)| {
            known.contains(source) && processes.iter().any(|candidate| candidate.contains(process))
        })
}

/// The writer: `None` for whatever throws inside it.
fn write(request: &Value) -> Option<Written> {
    let aid = request["id"].as_str().filter(|id| !id.is_empty())?.to_owned();
    request["schemaVersion"].as_str()?.parse::<f64>().ok()?;
    let schema: Value = serde_json::from_str(request["schemaJson"].as_str()?).ok()?;
    let identity = &schema["properties"]["identity"];
    let properties = identity["properties"].as_object()?;
    if request["audits"].as_array().is_none_or(Vec::is_empty) {
        return None;
    }
    let mut subpackets = Vec::new();
    for property in properties.values() {
        let category = property["fieldCategory"].as_str().unwrap_or("none").to_ascii_lowercase();
        let parts: &[&str] = match category.as_str() {
            "pvt" | "kyc" => &["id"],
            "none" => &["id", "evidence", "optional"],
            "evidence" => &["evidence"],
            "optional" => &["optional"],
            _ => return None,
        };
        for part in parts {
            if !subpackets.contains(part) {
                subpackets.push(*part);
            }
        }
    }
    let (mut fields, mut dropped) = (Map::new(), Vec::new());
    for (name, value) in request["fields"].as_object()? {
        if !value.is_string() && !value.is_null() {
            return None;
        }
        if properties.contains_key(name) {
            fields.insert(name.clone(), value.clone());
        } else {
            dropped.push(name.clone());
        }
    }
    let required = identity["required"].as_array().into_iter().flatten();
    let packet = Packet {
        process: request["process"].as_str()?.to_owned(),
        fields,
        meta_info: request["metaInfo"].as_object().cloned().unwrap_or_default(),
        required: required.filter_map(|name| name.as_str().map(str::to_owned)).collect(),
    };
    let digest = hex::encode(openssl::sha::sha256(request.to_string().as_bytes()));
    Some(Written { aid, packet, dropped, subpackets, digest })
}

/// One create in flight for an AID: two at once mix their fields.
struct Flight<'a> {
    mosip: &'a Mosip,
    aid: String,
}

impl<'a> Flight<'a> {
    fn start(mosip: &'a Mosip, written: &Written) -> Self {
        let aid = written.aid.clone();
        let mut desk = mosip.desk();
        let audit = desk.audit(&aid);
        audit.in_flight += 1;
        if audit.in_flight > 1 {
            desk.violation(format!("mosip: concurrent creates for AID {aid}"));
        }
        Self { mosip, aid }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut desk = self.mosip.desk();
        let audit = desk.audit(&self.aid);
        audit.in_flight = audit.in_flight.saturating_sub(1);
    }
}

fn store(mosip: &Mosip, written: &Written, at: &str) {
    let mut desk = mosip.desk();
    let aid = &written.aid;
    if desk.workflows.contains_key(aid) {
        desk.violation(format!("mosip: packet of AID {aid} written again after its trigger"));
    }
    let audit = desk.audit(aid);
    audit.creates += 1;
    audit.process.clone_from(&written.packet.process);
    audit.created_at.get_or_insert_with(|| at.to_owned());
    audit.record = written.packet.meta("crvsEventId").map(str::to_owned).or_else(|| audit.record.take());
    audit.packets.insert(written.digest.clone());
    audit.dropped.extend(written.dropped.iter().cloned());
    if audit.packets.len() > 1 {
        desk.violation(format!("mosip: AID {aid} was written with different contents"));
    }
    desk.packets.insert(aid.clone(), written.packet.clone());
}

fn receipt(request: &Value, written: &Written, subpacket: &str, at: &str) -> Value {
    let name = format!("{}_{subpacket}", written.aid);
    let hash = openssl::sha::sha256(format!("{name}:{}", written.digest).as_bytes());
    json!({
        "id": written.aid, "packetName": name, "source": request["source"], "process": request["process"],
        "refId": request["refId"], "schemaVersion": request["schemaVersion"],
        "signature": b64(openssl::sha::sha256(&hash)), "encryptedHash": b64(hash),
        "providerName": "PacketWriterImpl", "providerVersion": "v1.0", "creationDate": at,
    })
}
