//! `POST /relay/opencrvs-mosip-mock`: where the MOSIP mock of opencrvs/mosip delivers, with the private key of our
//! partner as its one key, so that Civitas can work with that mock and believe no less than it does of MOSIP.
//!
//! The mock answers `createPacket` with a callback at once. It does not sign what it delivers, names no certificate (its
//! thumbprint is zeros), proves no event, and its credential's proof is over other bytes than MOSIP's. What it says of a
//! person is taken from it, and issued and published as MOSIP and its hub do. The person is enrolled, so that an update
//! or a death later finds them.

use super::credential::{self, Draft};
use super::state::Mosip;
use super::{issuance, ver_r2};
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value};
use std::sync::Arc;

pub(crate) async fn deliver(State(mosip): State<Arc<Mosip>>, body: Bytes) -> Response {
    match take(&mosip, &body).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(why) => (StatusCode::BAD_REQUEST, why).into_response(),
    }
}

async fn take(mosip: &Arc<Mosip>, body: &[u8]) -> Result<(), &'static str> {
    let event: Value = serde_json::from_slice(body).map_err(|_| "the delivery is not JSON")?;
    let data = &event["event"]["data"];
    let aid = data["registrationId"].as_str().ok_or("it names no registrationId")?;
    let sealed = data["credential"].as_str().ok_or("it holds no credential")?;
    let plain = ver_r2::open(&mosip.keys().partner, sealed)
        .ok_or("its credential does not open: is PRIVATE_KEY_PATH of the mock our partner's key?")?;
    let mut document: Value = serde_json::from_slice(&plain).map_err(|_| "its credential is not JSON")?;
    let mut claims: Map<String, Value> =
        serde_json::from_value(document["credentialSubject"].take()).map_err(|_| "it has no subject")?;
    // Of the form, not of the person.
    claims.remove("id");
    claims.remove("vcVer");
    if let Some(vid) = claims.get("VID").and_then(Value::as_str) {
        let mut registry = mosip.registry();
        if !registry.knows_vid(vid) {
            registry.insert(aid, mosip.dice.digits(10), vid.to_owned(), Map::new());
        }
    }
    let draft = Draft::new(mosip, aid, claims, Map::new());
    let issued = issuance::build(mosip, draft).await.ok_or("the credential cannot be issued")?;
    mosip.hub.publish(&credential::topic(&mosip.options), aid, issued);
    Ok(())
}
