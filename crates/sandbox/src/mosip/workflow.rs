//! `POST /registrationprocessor/v1/workflowmanager/workflowinstance`: always
//! HTTP 200, not transactional, and it does not look whether the packet exists.

use super::auth;
use super::desk::{Raw, Workflow};
use super::envelope;
use super::pipeline;
use super::state::Mosip;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};
use std::sync::Arc;

const ID: &str = "mosip.registration.processor.workflow.instance";
const ROLES: [&str; 3] = ["ONLINE_REGISTRATION_CLIENT", "REGISTRATION_PROCESSOR", "GLOBAL_ADMIN"];
/// main-processes and additional-process.category-mapping.
const PROCESSES: [&str; 10] = [
    "NEW",
    "UPDATE",
    "LOST",
    "RES_UPDATE",
    "ACTIVATE",
    "DEACTIVATE",
    "OPENCRVS_NEW",
    "CRVS_NEW",
    "CRVS_DEATH",
    "CRVS_UPDATE",
];

pub(crate) async fn trigger(
    State(mosip): State<Arc<Mosip>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let at = mosip.pace.iso();
    if let Err((code, message)) = auth::vertx(&mosip, &headers, &ROLES) {
        return envelope::error(ID, &at, code, message);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if ["id", "version", "requesttime"].iter().any(|name| !body[*name].is_string()) {
        return envelope::error(
            ID,
            &at,
            "RPR-WIN-000",
            "Missing Input Parameter - id, version or requesttime",
        );
    }
    let request = &body["request"];
    let (Some(aid), Some(process)) = (request["registrationId"].as_str(), request["process"].as_str()) else {
        return envelope::error(ID, &at, "RPR-WIS-000", "Unknown Exception Found");
    };
    // refId is cut out of the first ten characters: shorter throws, longer does not fit the column.
    if aid.len() < 10 || aid.len() > 39 || !PROCESSES.contains(&process) {
        return envelope::error(ID, &at, "RPR-WIS-000", "Unknown Exception Found");
    }
    {
        let mut desk = mosip.desk();
        desk.audit(aid).trigger_calls += 1;
        if desk.workflows.contains_key(aid) {
            return envelope::error(ID, &at, "RPR-WIS-001", "WorkflowInstance already present");
        }
    }
    mosip.pace.pass(mosip.dice.draw(mosip.options.race_gap)).await;
    let instance = mosip.dice.uuid();
    insert(&mosip, aid, process, instance, &at);
    let pipeline = pipeline::process(Arc::clone(&mosip), aid.to_owned());
    mosip.spawn(pipeline);
    envelope::ok(ID, &at, &json!({"workflowInstanceId": instance}))
}

fn insert(mosip: &Mosip, aid: &str, process: &str, instance: uuid::Uuid, at: &str) {
    let mut desk = mosip.desk();
    let audit = desk.audit(aid);
    audit.instances.push(instance);
    audit.triggered_at.get_or_insert_with(|| at.to_owned());
    if audit.process.is_empty() {
        process.clone_into(&mut audit.process);
    }
    if audit.instances.len() > 1 {
        desk.violation(format!("mosip: AID {aid} triggered twice"));
    }
    let row = Workflow {
        process: process.to_owned(),
        status: Raw::Resumable,
        stage: "PacketValidatorStage".into(),
        last_good: None,
        comment: "Packet is resumable".to_owned(),
        created_at: at.to_owned(),
        updated_at: at.to_owned(),
        trail: Vec::new(),
    };
    desk.workflows.insert(aid.to_owned(), row);
}
