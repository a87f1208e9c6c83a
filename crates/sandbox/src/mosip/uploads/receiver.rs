//! `POST …/packetreceiver/registrationpackets`: compares with the
//! announcement, answers, and only then scans and stores: 200 is not stored.

use super::{Announced, multipart, opening};
use crate::mosip::desk::{Raw, Workflow};
use crate::mosip::pipeline;
use crate::mosip::state::Mosip;
use crate::mosip::{auth, envelope};
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use openssl::sha::sha256;
use serde_json::json;
use std::sync::Arc;

const ID: &str = "mosip.registration.packet";
const ROLES: [&str; 4] =
    ["REGISTRATION_PROCESSOR", "REGISTRATION_OFFICER", "REGISTRATION_SUPERVISOR", "RESIDENT"];
/// registration.processor.max.file.size
const LARGEST: usize = 5 * 1024 * 1024;

pub(crate) async fn receive(State(mosip): State<Arc<Mosip>>, headers: HeaderMap, body: Bytes) -> Response {
    let at = mosip.pace.iso();
    let failed = |code: &str, message: &str| envelope::error(ID, &at, code, message);
    if let Err((code, message)) = auth::vertx(&mosip, &headers, &ROLES) {
        return failed(code, message);
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((name, file)) = multipart::file(kind, &body) else {
        return failed("RPR-PKR-006", "No packet available in request");
    };
    let Some(packet_id) = name.strip_suffix(".zip") else {
        return failed("RPR-PKR-003", "Invalid packet format");
    };
    // The first row found is the one that is compared with.
    let row = mosip.desk().announced.iter().find(|row| row.packet_id == packet_id).cloned();
    let Some(row) = row else { return failed("RPR-PKR-001", "Packet Not Found in Sync Table") };
    if file.len() > LARGEST {
        return failed("RPR-PKR-002", "Packet Size is greater than the max size");
    }
    if u64::try_from(file.len()).ok() != Some(row.size) {
        return failed("RPR-PKR-013", "Packet Size is not matching with the synced one");
    }
    let hash = hex::encode_upper(sha256(file));
    if hash != row.hash {
        return failed("RPR-PKR-009", "Packet Hash is not equal to the synced one");
    }
    {
        let mut desk = mosip.desk();
        let audit = desk.audit(&row.aid);
        audit.uploads += 1;
        audit.packets.insert(hash);
        if audit.packets.len() > 1 {
            desk.violation(format!("mosip: AID {} was uploaded with different bytes", row.aid));
        }
        if desk.workflows.contains_key(&row.aid) {
            return failed("RPR-PKR-005", "Duplicate Request Received");
        }
    }
    if !mosip.faults.dice.chance(mosip.faults.outcomes().upload_lost_rate) {
        let work = store(Arc::clone(&mosip), row, file.to_vec());
        mosip.spawn(work);
    }
    envelope::ok(ID, &at, &json!({"status": "Packet has been received"}))
}

/// What follows the answer: scan, landing zone, uploader, and the flow of the process.
async fn store(mosip: Arc<Mosip>, row: Announced, file: Vec<u8>) {
    let (work, announced) = (Arc::clone(&mosip), row.clone());
    let opened = tokio::task::spawn_blocking(move || {
        let keys = work.keys();
        let keys = keys.upload().map_err(|error| error.to_string())?;
        opening::open(keys, &announced.aid, &announced.process, &file)
    })
    .await;
    let opened = opened.unwrap_or_else(|error| Err(error.to_string()));
    let (at, instance) = (mosip.pace.iso(), mosip.dice.uuid());
    {
        let mut desk = mosip.desk();
        if desk.workflows.contains_key(&row.aid) {
            return;
        }
        match opened {
            Ok(packet) => {
                let record = packet.meta("crvsEventId").map(str::to_owned);
                let audit = desk.audit(&row.aid);
                audit.record = record;
                audit.created_at.get_or_insert_with(|| at.clone());
                desk.packets.insert(row.aid.clone(), packet);
            }
            // Without the packet its flow fails in the first stage.
            Err(why) => desk.violation(format!("mosip: packet of AID {} does not open: {why}", row.aid)),
        }
        let audit = desk.audit(&row.aid);
        audit.instances.push(instance);
        audit.process.clone_from(&row.process);
        audit.triggered_at.get_or_insert_with(|| at.clone());
        let workflow = Workflow {
            process: row.process.clone(),
            status: Raw::Processing,
            stage: "PacketReceiverStage".into(),
            last_good: None,
            comment: "Packet is received".to_owned(),
            created_at: at.clone(),
            updated_at: at,
            trail: Vec::new(),
        };
        desk.workflows.insert(row.aid.clone(), workflow);
    }
    pipeline::stages(mosip, row.aid).await;
}
