//! Credential requests: made at the end of a birth's flow, picked up by a job,
//! looked up and retriggered by partners.

use super::auth;
use super::credential::{self, Draft};
use super::desk::CredentialRequest;
use super::envelope;
use super::state::Mosip;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

const ID: &str = "mosip.credential.request.service.id";
/// The job that picks FAILED and RETRY runs every twenty minutes.
const RETRY_EVERY: Duration = Duration::from_mins(20);

/// The credential requestor stage: NEW, picked up within seconds.
pub(crate) fn request(mosip: &Arc<Mosip>, aid: &str) {
    let at = mosip.pace.iso();
    let id = format!("{aid}{}", mosip.options.request_id_suffix);
    let row = CredentialRequest {
        aid: aid.to_owned(),
        status: "NEW".to_owned(),
        comment: String::new(),
        created_at: at.clone(),
        updated_at: at,
    };
    mosip.desk().requests.insert(id.clone(), row);
    pick(mosip, id, mosip.dice.draw(mosip.options.credential_delay), true);
}

/// Goes on with a request that a restart interrupted.
pub(crate) fn resume(mosip: &Arc<Mosip>, id: String) {
    pick(mosip, id, mosip.dice.draw(mosip.options.credential_delay), false);
}

/// Sets a request to RETRY; it is issued again with a new event id.
pub(crate) fn retrigger(mosip: &Arc<Mosip>, id: &str) -> bool {
    if !set(mosip, id, "RETRY", "") {
        return false;
    }
    pick(mosip, id.to_owned(), RETRY_EVERY, false);
    true
}

fn set(mosip: &Mosip, id: &str, status: &str, comment: &str) -> bool {
    let at = mosip.pace.iso();
    let mut desk = mosip.desk();
    let Some(row) = desk.requests.get_mut(id) else { return false };
    status.clone_into(&mut row.status);
    comment.clone_into(&mut row.comment);
    row.updated_at = at;
    true
}

fn pick(mosip: &Arc<Mosip>, id: String, wait: Duration, first: bool) {
    let job = Arc::clone(mosip);
    mosip.spawn(async move {
        job.pace.pass(wait).await;
        if first && job.faults.dice.chance(job.faults.outcomes().credential_failed_rate) {
            set(&job, &id, "FAILED", "IDR-CRG-009: credential could not be issued");
            return;
        }
        issue(&job, &id).await;
        if first && job.faults.dice.chance(job.faults.deliveries().reissue_rate) {
            issue(&job, &id).await;
        }
    });
}

/// Issues a credential and publishes it.
pub(crate) async fn issue(mosip: &Arc<Mosip>, id: &str) {
    let Some(aid) = mosip.desk().requests.get(id).map(|row| row.aid.clone()) else { return };
    let claims = {
        let registry = mosip.registry();
        registry.by_aid(&aid).map(|identity| credential::claims(&mosip.options, &registry, identity))
    };
    let Some(claims) = claims else {
        set(mosip, id, "FAILED", "IDR-CRG-010: no identity");
        return;
    };
    let draft = Draft::new(mosip, &aid, claims, meta_info(mosip, &aid));
    let Some(event) = build(mosip, draft).await else {
        set(mosip, id, "FAILED", "IDR-CRG-011: encryption failed");
        return;
    };
    set(mosip, id, "ISSUED", "");
    mosip.desk().audit(&aid).credentials += 1;
    mosip.hub.publish(&credential::topic(&mosip.options), &aid, event);
}

/// Signs and seals off the async workers, two at a time.
pub(crate) async fn build(mosip: &Arc<Mosip>, draft: Draft) -> Option<Vec<u8>> {
    let _permit = mosip.crypto.acquire().await.ok()?;
    let shared = Arc::clone(mosip);
    let built = tokio::task::spawn_blocking(move || {
        let keys = shared.keys();
        credential::event(&shared, &keys, &keys.kernel, &draft)
    });
    built.await.ok()?.ok()
}

/// The packet's metaInfo values that the partner entry names.
pub(crate) fn meta_info(mosip: &Mosip, aid: &str) -> Map<String, Value> {
    let desk = mosip.desk();
    let Some(packet) = desk.packets.get(aid) else { return Map::new() };
    let wanted = mosip.options.meta_info_fields.iter();
    wanted.filter_map(|name| Some((name.clone(), packet.meta_info.get(name)?.clone()))).collect()
}

/// What the status topic and its callback do: copied verbatim, so NEW, FAILED
/// and RETRY make the jobs issue again.
pub(crate) fn status_update(mosip: &Arc<Mosip>, body: &Value) {
    let event = &body["event"];
    let (Some(id), Some(status)) = (event["requestId"].as_str(), event["status"].as_str()) else { return };
    if set(mosip, id, status, "") && matches!(status, "NEW" | "FAILED" | "RETRY") {
        let wait = if status == "NEW" { Duration::from_secs(1) } else { RETRY_EVERY };
        pick(mosip, id.to_owned(), wait, false);
    }
}

/// `GET /v1/credentialrequest/get/{requestId}`.
pub(crate) async fn get(
    State(mosip): State<Arc<Mosip>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let at = mosip.pace.iso();
    if let Err(status) = auth::spring(&mosip, &headers, &["CREDENTIAL_REQUEST"]) {
        return envelope::refused(status);
    }
    let desk = mosip.desk();
    let Some(row) = desk.requests.get(&id) else {
        return envelope::error(ID, &at, "IDR-CRG-008", "Request id is not present");
    };
    let response = json!({
        "id": row.aid, "requestId": id, "statusCode": row.status, "statusComment": row.comment, "url": null,
        "createDateTime": row.created_at, "updateDateTime": row.updated_at,
    });
    envelope::ok(ID, &at, &response)
}

/// `PUT /v1/credentialrequest/retrigger/{requestId}`.
pub(crate) async fn put_retrigger(
    State(mosip): State<Arc<Mosip>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let at = mosip.pace.iso();
    if let Err(status) = auth::spring(&mosip, &headers, &["CREDENTIAL_REQUEST"]) {
        return envelope::refused(status);
    }
    if retrigger(&mosip, &id) {
        envelope::ok(ID, &at, &json!({"requestId": id, "statusCode": "RETRY"}))
    } else {
        envelope::error(ID, &at, "IDR-CRG-008", "Request id is not present")
    }
}
