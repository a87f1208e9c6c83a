//! Public keys and contexts, as the file server and keymanager publish them.

use super::envelope;
use super::state::Mosip;
use super::vc_proof::TERMS;
use crate::entropy::lock;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// `/.well-known/public-key.json`; note the `\r\n` of the original.
pub(crate) async fn public_key(State(mosip): State<Arc<Mosip>>) -> Json<Value> {
    let host = &mosip.options.host;
    // As it was when the file server started: stale after a rotation.
    let pem = lock(&mosip.published).clone();
    Json(json!({
        "@context": "https://w3id.org/security/v2", "type": "RsaVerificationKey2018",
        "id": format!("https://{host}/.well-known/public-key.json"),
        "controller": format!("https://{host}/.well-known/controller.json"),
        "publicKeyPem": String::from_utf8_lossy(&pem).replace('\n', "\r\n"),
    }))
}

/// `/.well-known/controller.json`.
pub(crate) async fn controller(State(mosip): State<Arc<Mosip>>) -> Json<Value> {
    let host = &mosip.options.host;
    Json(json!({
        "@context": "https://w3id.org/security/v2", "id": format!("https://{host}/.well-known/controller.json"),
        "assertionMethod": [format!("https://{host}/.well-known/public-key.json")],
    }))
}

/// `/.well-known/mosip-context.json`: the terms that the sandbox's proofs cover.
pub(crate) async fn context(State(mosip): State<Arc<Mosip>>) -> Json<Value> {
    let host = &mosip.options.host;
    let term = |name: &&str| ((*name).to_owned(), json!({"@id": format!("https://{host}/mosip#{name}")}));
    let terms: Map<String, Value> = TERMS.iter().map(term).collect();
    Json(json!({"@context": [terms]}))
}

/// Whose certificate is asked for.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    #[serde(default)]
    application_id: String,
}

/// `GET /v1/keymanager/getCertificate?applicationId=KERNEL&referenceId=SIGN`, and
/// `applicationId=REGISTRATION` for the certificate that packets are encrypted to.
pub(crate) async fn certificate(State(mosip): State<Arc<Mosip>>, Query(wanted): Query<Wanted>) -> Response {
    let at = mosip.pace.iso();
    let pem = match wanted.application_id.as_str() {
        "REGISTRATION" => mosip.keys().registration_certificate_pem(),
        _ => mosip.keys().kernel_certificate_pem(),
    };
    let pem = pem.unwrap_or_default();
    let certificate = String::from_utf8_lossy(&pem).into_owned();
    envelope::ok("mosip.keymanager", &at, &json!({"certificate": certificate, "certSignRequest": null}))
}
