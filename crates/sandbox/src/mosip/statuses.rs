//! The three ways of asking: one good, one that has the reason, one that lies.

use super::auth;
use super::desk::{Raw, Workflow};
use super::envelope;
use super::state::Mosip;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST …/workflowmanager/workflow/search`: raw status; answered as `text/plain`.
pub(crate) async fn workflows(
    State(mosip): State<Arc<Mosip>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    const ID: &str = "mosip.registration.processor.workflow.search";
    let at = mosip.pace.iso();
    let plain = |value: Value| ([(CONTENT_TYPE, "text/plain")], value.to_string()).into_response();
    if let Err((code, message)) = auth::vertx(&mosip, &headers, &["REGISTRATION_PROCESSOR", "GLOBAL_ADMIN"]) {
        let errors = json!([{"errorCode": code, "message": message}]);
        return plain(
            json!({"id": ID, "version": "v1", "responsetime": at, "response": null, "errors": errors}),
        );
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let request = &body["request"];
    let filters = request["filters"].as_array().cloned().unwrap_or_default();
    let page = &request["pagination"];
    let fetch = usize::try_from(page["pageFetch"].as_u64().unwrap_or(10)).unwrap_or(10);
    let start = usize::try_from(page["pageStart"].as_u64().unwrap_or(0)).unwrap_or(0) * fetch;
    let desk = mosip.desk();
    let exact = filters.iter().find(|filter| filter["columnName"] == "regId" && filter["type"] != "contains");
    let found: Vec<Value> = if let Some(aid) = exact.and_then(|filter| filter["value"].as_str()) {
        let row = desk.workflows.get(aid).filter(|row| keep(aid, row, &filters));
        row.map(|row| line(aid, row)).into_iter().collect()
    } else {
        let known = desk.order.iter().filter_map(|aid| Some((aid, desk.workflows.get(aid)?)));
        known.filter(|(aid, row)| keep(aid, row, &filters)).map(|(aid, row)| line(aid, row)).collect()
    };
    let total = found.len();
    let data: Vec<Value> = found.into_iter().skip(start).take(fetch).collect();
    let response =
        json!({"fromRecord": start, "toRecord": start + data.len(), "totalRecord": total, "data": data});
    plain(json!({"id": ID, "version": "v1", "responsetime": at, "response": response, "errors": null}))
}

fn keep(aid: &str, row: &Workflow, filters: &[Value]) -> bool {
    filters.iter().all(|filter| {
        let value = match filter["columnName"].as_str() {
            Some("regId") => aid,
            Some("statusCode") => row.status.as_str(),
            Some("workflowType") => row.process.as_str(),
            _ => return true,
        };
        filter["value"] == value
    })
}

fn line(aid: &str, row: &Workflow) -> Value {
    json!({
        "workflowId": aid, "statusCode": row.status.as_str(), "statusComment": row.comment, "createdBy": "MOSIP",
        "createDateTime": row.created_at, "updatedBy": "MOSIP", "workflowType": row.process,
        "updateDateTime": row.updated_at, "currentStageName": row.stage, "resumeTimestamp": null,
        "defaultResumeAction": null, "pauseRuleIds": null, "lastSuccessStageName": row.last_good,
    })
}

/// `GET …/registrationtransaction/search/{rid}`: the trail, and in it the reason.
pub(crate) async fn transactions(
    State(mosip): State<Arc<Mosip>>,
    Path(aid): Path<String>,
    headers: HeaderMap,
) -> Response {
    const ID: &str = "mosip.registration.transaction";
    let at = mosip.pace.iso();
    let roles = ["REGISTRATION_PROCESSOR", "REGISTRATION_ADMIN", "RESIDENT"];
    if let Err(status) = auth::spring(&mosip, &headers, &roles) {
        return envelope::refused(status);
    }
    let desk = mosip.desk();
    let Some(row) = desk.workflows.get(&aid) else {
        return envelope::error(ID, &at, "RPR-RTS-001", "No Transactions Found");
    };
    let mut parent = Value::Null;
    let steps: Vec<Value> = row
        .trail
        .iter()
        .map(|step| {
            let value = json!({
                "id": step.id, "registrationId": aid, "transactionTypeCode": step.code,
                "parentTransactionId": parent, "statusCode": step.status, "subStatusCode": step.sub_status,
                "statusComment": step.comment, "createdDateTimes": step.at,
            });
            parent = json!(step.id);
            value
        })
        .collect();
    envelope::ok(ID, &at, &Value::Array(steps))
}

/// `POST …/registrationstatus/search`: success and failure both read PROCESSED.
pub(crate) async fn statuses(
    State(mosip): State<Arc<Mosip>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    const ID: &str = "mosip.registration.status";
    let at = mosip.pace.iso();
    let roles = [
        "REGISTRATION_ADMIN",
        "REGISTRATION_PROCESSOR",
        "REGISTRATION_OFFICER",
        "REGISTRATION_SUPERVISOR",
        "RESIDENT",
    ];
    if let Err(status) = auth::spring(&mosip, &headers, &roles) {
        return envelope::refused(status);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let desk = mosip.desk();
    let ids = body["request"].as_array().cloned().unwrap_or_default();
    let found: Vec<Value> = ids
        .iter()
        .filter_map(|entry| {
            let aid = entry["registrationId"].as_str()?;
            let row = desk.workflows.get(aid)?;
            let code = if row.status == Raw::Resumable { "RECEIVED" } else { "PROCESSED" };
            Some(json!({"registrationId": aid, "statusCode": code, "additionalInfoReqId": null}))
        })
        .collect();
    Json(json!({"id": ID, "version": "1.0", "responsetime": at, "response": found, "errors": null}))
        .into_response()
}
