//! `POST /registrationstatus/packetexternalstatus`: what became of an uploaded packet, before its workflow is there.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;

use super::{
    Mosip, Role, envelope,
    transport::{Body, Call, Effect},
    wire_time,
};
use crate::{CallError, Service};

/// What the status service says of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadStatus {
    /// It was never announced, or the announcement is not known any more (`RPR-RGS-037`).
    Unknown,
    /// Announced, and not received: it never came, or it was lost after it was accepted.
    Pending,
    /// MOSIP wants it once more.
    Resend,
    /// Received; MOSIP's word for what is done with it.
    Received(String),
}

impl UploadStatus {
    /// Whether the packet has to be sent, again or for the first time.
    pub fn is_wanted(&self) -> bool {
        !matches!(self, UploadStatus::Received(_))
    }
}

impl Mosip {
    /// Asks about one packet by its id.
    pub async fn upload_status(&self, packet_id: &str, now: Timestamp) -> Result<UploadStatus, CallError> {
        let body = json!({
            "id": "mosip.registration.packet.external.status",
            "version": "1.0",
            "requesttime": wire_time(now),
            "request": [{ "packetId": packet_id }],
        });
        let call = Call {
            service: Service::RegistrationStatus,
            role: Role::Packet,
            effect: Effect::Harmless,
            what: "packetexternalstatus",
            method: Method::POST,
            url: format!("{}/packetexternalstatus", self.shared.endpoints.registration_status),
            body: Body::Json(body.to_string()),
        };
        let reply = self.exchange(&call, now).await?;
        let envelope = envelope::open(&call, &reply)?;
        if envelope.codes().any(|code| code == "RPR-RGS-037") {
            return Ok(UploadStatus::Unknown);
        }
        if let Some(error) = envelope::failure(&call, &envelope) {
            return Err(error);
        }
        let rows = envelope.response.as_array().map(Vec::as_slice).unwrap_or_default();
        let word =
            rows.iter().find(|row| row["packetId"] == packet_id).and_then(|row| row["statusCode"].as_str());
        match word {
            Some("UPLOAD_PENDING") => Ok(UploadStatus::Pending),
            Some("RESEND") => Ok(UploadStatus::Resend),
            Some(word) => Ok(UploadStatus::Received(word.to_owned())),
            None => {
                let summary = format!("packetexternalstatus was answered without {packet_id}");
                Err(CallError::known(call.service, "answer-unreadable", summary))
            }
        }
    }
}
