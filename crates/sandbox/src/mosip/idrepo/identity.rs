//! Identities: look-up by UIN, VID and AID, and the change of attributes and status.

use super::super::envelope;
use super::super::registry::{Identity, Registry};
use super::super::state::Mosip;
use super::{READERS, refused};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

const READ: &str = "mosip.id.read";

/// By VID only an active one of an active identity is found; by UIN and by AID whatever the status is.
fn find<'r>(
    registry: &'r Registry,
    id: &str,
    kind: &str,
) -> Result<&'r Identity, (&'static str, &'static str)> {
    let found = match kind {
        "AID" => registry.by_aid(id),
        "VID" if registry.knows_vid(id) => {
            return registry.by_vid(id).ok_or(("IDR-VID-004", "VID or UIN is not active"));
        }
        "VID" => None,
        _ => registry.by_uin(id),
    };
    found.ok_or(("IDR-IDC-007", "No Record(s) found"))
}

fn answer(mosip: &Mosip, id: &str, kind: &str) -> Response {
    let at = mosip.pace.iso();
    match find(&mosip.registry(), id, kind) {
        Ok(identity) => {
            let mut fields = identity.fields.clone();
            fields.insert("UIN".to_owned(), json!(identity.uin));
            // Values by language are stored as lists, although packets carry them as texts.
            for value in fields.values_mut() {
                let list = value.as_str().filter(|text| text.starts_with('['));
                if let Some(list) = list.and_then(|text| serde_json::from_str(text).ok()) {
                    *value = list;
                }
            }
            let found = json!({"status": identity.status, "identity": fields, "documents": [], "verifiedAttributes": []});
            envelope::ok(READ, &at, &found)
        }
        Err((code, message)) => envelope::error(READ, &at, code, message),
    }
}

/// `GET /idrepository/v1/identity/idvid/{id}?idType=AID`: deprecated, since the id is in the address.
pub(crate) async fn get_idvid(
    State(mosip): State<Arc<Mosip>>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&mosip, &headers, &READERS) {
        return refused;
    }
    answer(&mosip, &id, query.get("idType").map_or("UIN", String::as_str))
}

/// `POST /idrepository/v1/identity/idvid/`.
pub(crate) async fn post_idvid(
    State(mosip): State<Arc<Mosip>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    if let Some(refused) = refused(&mosip, &headers, &READERS) {
        return refused;
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| body["request"][name].as_str().unwrap_or_default();
    answer(&mosip, text("id"), text("idType"))
}

/// `GET /idrepository/v1/identity/rid/{individualId}`: the last RID of the identity.
pub(crate) async fn get_rid(
    State(mosip): State<Arc<Mosip>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    const ID: &str = "mosip.id.rid.read";
    let at = mosip.pace.iso();
    if let Some(refused) = refused(&mosip, &headers, &["RESIDENT", "ID_REPOSITORY"]) {
        return refused;
    }
    let registry = mosip.registry();
    match registry.by_uin(&id).or_else(|| registry.by_vid(&id)) {
        Some(identity) => envelope::ok(ID, &at, &json!({"rid": identity.last_aid})),
        None => envelope::error(ID, &at, "IDR-IDC-007", "No Record(s) found"),
    }
}

/// `PATCH /idrepository/v1/identity/`: status, and attributes merged. VIDs stay as they are.
pub(crate) async fn patch(
    State(mosip): State<Arc<Mosip>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    const ID: &str = "mosip.id.update";
    let at = mosip.pace.iso();
    if let Some(refused) = refused(&mosip, &headers, &["REGISTRATION_PROCESSOR", "ID_REPOSITORY"]) {
        return refused;
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let request = &body["request"];
    if body["id"] != ID || body["version"] != "v1" {
        return envelope::error(ID, &at, "IDR-IDC-002", "Invalid Input Parameter - id or version");
    }
    let aid = request["registrationId"].as_str().unwrap_or_default();
    let uin = request["identity"]["UIN"].as_str().unwrap_or_default();
    if !request["identity"]["IDSchemaVersion"].is_number() {
        return envelope::error(ID, &at, "IDR-IDC-002", "Invalid Input Parameter - identity/IDSchemaVersion");
    }
    let status = match request["status"].as_str() {
        Some("DEACTIVATED") => "DEACTIVATED",
        Some("BLOCKED") => "BLOCKED",
        Some("ACTIVATED") | None => "ACTIVATED",
        Some(_) => return envelope::error(ID, &at, "IDR-IDC-002", "Invalid Input Parameter - status"),
    };
    let mut registry = mosip.registry();
    if registry.by_aid(aid).is_some() {
        // uk_uin_reg_id
        return envelope::error(ID, &at, "IDR-IDS-003", "Failed to retrieve or store: duplicate key value");
    }
    let fields = request["identity"].as_object().cloned().unwrap_or_default();
    if !registry.merge(uin, aid, &fields) || !registry.set_status(uin, status) {
        return envelope::error(ID, &at, "IDR-IDC-007", "No Record(s) found");
    }
    drop(registry);
    mosip.desk().audit(aid).status_changes += 1;
    envelope::ok(ID, &at, &json!({"status": status}))
}
