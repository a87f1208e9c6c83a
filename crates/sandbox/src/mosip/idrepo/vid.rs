//! VIDs, with the traps of their re-creation: what looks like reading or switching off may issue a new one.

use super::super::envelope;
use super::super::registry::VidKind;
use super::super::state::Mosip;
use super::refused;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};
use std::sync::Arc;

const ROLES: [&str; 4] = ["REGISTRATION_PROCESSOR", "ID_AUTHENTICATION", "RESIDENT", "ID_REPOSITORY"];
const READ: &str = "mosip.vid.read";
const CREATE: &str = "mosip.vid.create";

/// A number that nobody has.
fn fresh(mosip: &Mosip) -> String {
    loop {
        let vid = mosip.dice.digits(16);
        if !mosip.registry().knows_vid(&vid) {
            return vid;
        }
    }
}

/// `GET /idrepository/v1/vid/{VID}`: only an active VID of an active UIN.
pub(crate) async fn uin_of(
    State(mosip): State<Arc<Mosip>>,
    Path(vid): Path<String>,
    headers: HeaderMap,
) -> Response {
    let at = mosip.pace.iso();
    if let Some(refused) = refused(&mosip, &headers, &ROLES) {
        return refused;
    }
    let registry = mosip.registry();
    match registry.by_vid(&vid) {
        Some(identity) => {
            envelope::ok(READ, &at, &json!({"UIN": identity.uin, "vidStatus": "ACTIVE", "VID": vid}))
        }
        None if registry.knows_vid(&vid) => {
            envelope::error(READ, &at, "IDR-VID-004", "VID or UIN is not active")
        }
        None => envelope::error(READ, &at, "IDR-VID-001", "No Record(s) found for VID"),
    }
}

/// `GET /idrepository/v1/vid/uin/{UIN}`: the active ones.
pub(crate) async fn by_uin(
    State(mosip): State<Arc<Mosip>>,
    Path(uin): Path<String>,
    headers: HeaderMap,
) -> Response {
    let at = mosip.pace.iso();
    if let Some(refused) = refused(&mosip, &headers, &["REGISTRATION_PROCESSOR", "ID_REPOSITORY", "RESIDENT"])
    {
        return refused;
    }
    let registry = mosip.registry();
    let active = registry.by_uin(&uin).is_some_and(|identity| identity.status == "ACTIVATED");
    let vids: Vec<Value> = registry
        .vids_of(&uin)
        .filter(|(_, vid)| active && vid.status == "ACTIVE")
        .map(|(id, vid)| {
            // `genrated` is how the service spells it.
            json!({"vid": id, "vidType": vid.kind.as_str(), "expiryTimestamp": "9999-12-31T23:59:59.999",
                   "genratedOnTimestamp": at, "transactionLimit": null, "hashAttributes": null})
        })
        .collect();
    if vids.is_empty() {
        return envelope::error(READ, &at, "IDR-VID-001", "No Record(s) found for UIN");
    }
    envelope::ok(READ, &at, &Value::Array(vids))
}

/// `POST /idrepository/v1/vid`: a second perpetual VID silently revokes the first.
pub(crate) async fn create(
    State(mosip): State<Arc<Mosip>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let at = mosip.pace.iso();
    if let Some(refused) = refused(&mosip, &headers, &["RESIDENT", "REGISTRATION_PROCESSOR", "ID_REPOSITORY"])
    {
        return refused;
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| body["request"][name].as_str().unwrap_or_default();
    let Some(kind) = VidKind::parse(text("vidType")) else {
        return envelope::error(CREATE, &at, "IDR-IDC-002", "Invalid Input Parameter - vidType");
    };
    let vid = fresh(&mosip);
    let mut registry = mosip.registry();
    if registry.by_uin(text("UIN")).is_none_or(|identity| identity.status != "ACTIVATED") {
        return envelope::error(CREATE, &at, "IDR-VID-004", "UIN is not active");
    }
    match registry.add_vid(text("UIN"), &vid, kind) {
        Ok(revoked) => {
            drop(registry);
            if revoked {
                mosip.desk().violation("mosip: a perpetual VID was revoked by creating another".to_owned());
            }
            envelope::ok(CREATE, &at, &json!({"VID": vid, "vidStatus": "ACTIVE"}))
        }
        Err(()) => envelope::error(CREATE, &at, "IDR-VID-003", "VID policy: too many active VIDs"),
    }
}

/// `PATCH /idrepository/v1/vid/{VID}` with `vidStatus`: REVOKED restores, which is to say makes, a new one.
pub(crate) async fn patch_vid(
    State(mosip): State<Arc<Mosip>>,
    Path(vid): Path<String>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    const ID: &str = "mosip.vid.update";
    let at = mosip.pace.iso();
    if let Some(refused) = refused(&mosip, &headers, &ROLES) {
        return refused;
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let wanted = match body["request"]["vidStatus"].as_str() {
        Some("ACTIVE") => "ACTIVE",
        Some("DEACTIVATED") => "DEACTIVATED",
        Some("REVOKED") => "REVOKED",
        Some("INVALIDATED") => "INVALIDATED",
        _ => return envelope::error(ID, &at, "IDR-IDC-002", "Invalid Input Parameter - vidStatus"),
    };
    let restored = fresh(&mosip);
    let outcome = mosip.registry().set_vid(&vid, wanted, &restored);
    match outcome {
        None => envelope::error(ID, &at, "IDR-VID-001", "No Record(s) found for VID"),
        Some(false) => envelope::ok(ID, &at, &json!({"vidStatus": wanted})),
        Some(true) => {
            mosip.desk().violation("mosip: a VID was revoked, and another made in its place".to_owned());
            envelope::ok(
                ID,
                &at,
                &json!({"vidStatus": wanted, "restoredVid": {"VID": restored, "vidStatus": "ACTIVE"}}),
            )
        }
    }
}

/// `POST /idrepository/v1/vid/{VID}/regenerate`.
pub(crate) async fn regenerate(
    State(mosip): State<Arc<Mosip>>,
    Path(vid): Path<String>,
    headers: HeaderMap,
) -> Response {
    const ID: &str = "mosip.vid.regenerate";
    let at = mosip.pace.iso();
    if let Some(refused) = refused(&mosip, &headers, &["RESIDENT", "ID_REPOSITORY"]) {
        return refused;
    }
    let new = fresh(&mosip);
    let regenerated = mosip.registry().set_vid(&vid, "REVOKED", &new) == Some(true);
    if !regenerated {
        return envelope::error(ID, &at, "IDR-VID-002", "VID policy: not to be regenerated");
    }
    envelope::ok(ID, &at, &json!({"VID": new, "vidStatus": "ACTIVE"}))
}

/// `POST /idrepository/v1/vid/deactivate` and `/reactivate`: all VIDs of a UIN.
pub(crate) async fn switch(
    State(mosip): State<Arc<Mosip>>,
    Path(verb): Path<String>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let id = format!("mosip.vid.{verb}");
    let at = mosip.pace.iso();
    if let Some(refused) = refused(&mosip, &headers, &["ID_REPOSITORY", "RESIDENT"]) {
        return refused;
    }
    let (from, to) = match verb.as_str() {
        "deactivate" => ("ACTIVE", "DEACTIVATED"),
        "reactivate" => ("DEACTIVATED", "ACTIVE"),
        _ => return envelope::error(&id, &at, "IDR-IDC-002", "Invalid Input Parameter"),
    };
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let uin = body["request"]["UIN"].as_str().unwrap_or_default();
    if !mosip.registry().switch_vids(uin, from, to) {
        return envelope::error(&id, &at, "IDR-IDC-007", "No Record(s) found");
    }
    envelope::ok(&id, &at, &json!({"vidStatus": to}))
}
