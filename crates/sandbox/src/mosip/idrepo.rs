//! The ID repository's endpoints that an engine meets: look-up by AID, VID to
//! UIN and back, deactivation.

use super::auth;
use super::envelope;
use super::registry::Identity;
use super::state::Mosip;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

const ROLES: [&str; 3] = ["REGISTRATION_PROCESSOR", "ID_REPOSITORY", "RESIDENT"];
const READ: &str = "mosip.id.read";

fn identity(mosip: &Mosip, id: &str, kind: &str) -> Option<Value> {
    let registry = mosip.registry();
    let found: Option<&Identity> = match kind {
        "AID" => registry.by_aid(id),
        "VID" => registry.by_vid(id),
        _ => registry.by_uin(id),
    };
    found.map(|identity| {
        let mut fields = identity.fields.clone();
        fields.insert("UIN".to_owned(), json!(identity.uin));
        json!({"status": identity.status, "identity": fields, "documents": [], "verifiedAttributes": []})
    })
}

fn answer(mosip: &Mosip, id: &str, kind: &str) -> Response {
    let at = mosip.pace.iso();
    match identity(mosip, id, kind) {
        Some(found) => envelope::ok(READ, &at, &found),
        None => envelope::error(READ, &at, "IDR-IDC-007", "No Record(s) found"),
    }
}

/// `GET /idrepository/v1/identity/idvid/{id}?idType=AID`.
pub(crate) async fn get_idvid(
    State(mosip): State<Arc<Mosip>>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Err(status) = auth::spring(&mosip, &headers, &ROLES) {
        return envelope::refused(status);
    }
    answer(&mosip, &id, query.get("idType").map_or("UIN", String::as_str))
}

/// `POST /idrepository/v1/identity/idvid/`.
pub(crate) async fn post_idvid(
    State(mosip): State<Arc<Mosip>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    if let Err(status) = auth::spring(&mosip, &headers, &ROLES) {
        return envelope::refused(status);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| body["request"][name].as_str().unwrap_or_default();
    answer(&mosip, text("id"), text("idType"))
}

/// `PATCH /idrepository/v1/identity/`: status, and attributes merged.
pub(crate) async fn patch(
    State(mosip): State<Arc<Mosip>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    const ID: &str = "mosip.id.update";
    let at = mosip.pace.iso();
    if let Err(status) = auth::spring(&mosip, &headers, &["REGISTRATION_PROCESSOR", "ID_REPOSITORY"]) {
        return envelope::refused(status);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let request = &body["request"];
    let aid = request["registrationId"].as_str().unwrap_or_default();
    let uin = request["identity"]["UIN"].as_str().unwrap_or_default();
    let status = match request["status"].as_str() {
        Some("DEACTIVATED") => "DEACTIVATED",
        Some("BLOCKED") => "BLOCKED",
        _ => "ACTIVATED",
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
    envelope::ok(ID, &at, &json!({"status": status}))
}

/// `GET /idrepository/v1/vid/{VID}`: only an active VID of an active UIN.
pub(crate) async fn vid(
    State(mosip): State<Arc<Mosip>>,
    Path(vid): Path<String>,
    headers: HeaderMap,
) -> Response {
    const ID: &str = "mosip.vid.read";
    let at = mosip.pace.iso();
    if let Err(status) = auth::spring(&mosip, &headers, &ROLES) {
        return envelope::refused(status);
    }
    let registry = mosip.registry();
    match registry.by_vid(&vid) {
        Some(identity) => {
            envelope::ok(ID, &at, &json!({"UIN": identity.uin, "vidStatus": "ACTIVE", "VID": vid}))
        }
        None if registry.knows_vid(&vid) => {
            envelope::error(ID, &at, "IDR-VID-004", "VID or UIN is not active")
        }
        None => envelope::error(ID, &at, "IDR-VID-001", "No Record(s) found for VID"),
    }
}

/// `GET /idrepository/v1/vid/uin/{UIN}`.
pub(crate) async fn vids(
    State(mosip): State<Arc<Mosip>>,
    Path(uin): Path<String>,
    headers: HeaderMap,
) -> Response {
    const ID: &str = "mosip.vid.read";
    let at = mosip.pace.iso();
    if let Err(status) = auth::spring(&mosip, &headers, &ROLES) {
        return envelope::refused(status);
    }
    let registry = mosip.registry();
    let Some(identity) = registry.by_uin(&uin) else {
        return envelope::error(ID, &at, "IDR-VID-001", "No Record(s) found for UIN");
    };
    let vids: Vec<Value> = identity
        .vids
        .iter()
        .filter(|vid| registry.by_vid(vid).is_some())
        .map(|vid| {
            // `genrated` is how the service spells it.
            json!({"vid": vid, "vidType": "Perpetual", "expiryTimestamp": "9999-12-31T23:59:59.999",
                   "genratedOnTimestamp": at, "transactionLimit": null, "hashAttributes": null})
        })
        .collect();
    envelope::ok(ID, &at, &Value::Array(vids))
}

/// `PATCH /idrepository/v1/vid/{VID}` with `vidStatus`.
pub(crate) async fn patch_vid(
    State(mosip): State<Arc<Mosip>>,
    Path(vid): Path<String>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    const ID: &str = "mosip.vid.update";
    let at = mosip.pace.iso();
    if let Err(status) = auth::spring(&mosip, &headers, &ROLES) {
        return envelope::refused(status);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let wanted = body["request"]["vidStatus"].as_str().unwrap_or_default();
    if !mosip.registry().set_vid(&vid, wanted == "ACTIVE") {
        return envelope::error(ID, &at, "IDR-VID-001", "No Record(s) found for VID");
    }
    envelope::ok(ID, &at, &json!({"vidStatus": wanted}))
}

/// `POST /idrepository/v1/vid/deactivate` and `/reactivate`: all VIDs of a UIN.
pub(crate) async fn switch_vids(
    State(mosip): State<Arc<Mosip>>,
    Path(verb): Path<String>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let id = format!("mosip.vid.{verb}");
    let at = mosip.pace.iso();
    if let Err(status) = auth::spring(&mosip, &headers, &["ID_REPOSITORY", "RESIDENT"]) {
        return envelope::refused(status);
    }
    let active = match verb.as_str() {
        "deactivate" => false,
        "reactivate" => true,
        _ => return envelope::error(&id, &at, "IDR-IDC-002", "Invalid Input Parameter"),
    };
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let uin = body["request"]["UIN"].as_str().unwrap_or_default();
    if !mosip.registry().set_vids(uin, active) {
        return envelope::error(&id, &at, "IDR-IDC-007", "No Record(s) found");
    }
    envelope::ok(&id, &at, &json!({"vidStatus": if active { "ACTIVE" } else { "DEACTIVATED" }}))
}
