//! `POST /registrationstatus/syncV2`: announces a packet of our own, before it is uploaded.
//!
//! The body is encrypted like a packet. Under one packet id it may be repeated: it updates what is there. One packet
//! per call: of several, MOSIP overwrites the packet ids. An invalid one is answered with neither a response nor an
//! error.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Mosip, Notification, Role, envelope,
    transport::{Body, Call, Effect, Raw},
    wire_time,
};
use crate::{
    Aid, CallError, Class, Service,
    encoding::to_base64url,
    packet::{EncryptionCertificate, EnvelopeEntropy, seal_envelope},
};

const ID: &str = "mosip.registration.sync";

/// The announcement of a packet.
#[derive(Debug, Clone)]
pub struct Announcement {
    /// Its registration.
    pub aid: Aid,
    /// Its own id, which is the name of its file.
    pub packet_id: String,
    /// `<centre>_<machine>`.
    pub ref_id: String,
    /// Its process: one of MOSIP's main processes.
    pub process: String,
    /// `packetHashValue`: SHA-256 of the file in capital hexadecimal digits.
    pub hash: String,
    /// Bytes of the file.
    pub size: usize,
    /// Whom MOSIP tells.
    pub notification: Notification,
}

impl Announcement {
    fn body(&self, now: Timestamp) -> Value {
        let Notification { name, phone, email } = &self.notification;
        json!({
            "id": ID,
            "version": "1.0",
            "requesttime": wire_time(now),
            "request": [{
                "registrationId": self.aid,
                "packetId": self.packet_id,
                "additionalInfoReqId": null,
                "name": name,
                "email": email,
                "phone": phone,
                "registrationType": self.process,
                "packetHashValue": self.hash,
                "packetSize": self.size,
                "supervisorStatus": "APPROVED",
                "supervisorComment": "ok",
                "optionalValues": null,
                "langCode": "eng",
            }],
        })
    }
}

impl Mosip {
    /// Announces a packet. It may be repeated at any time, so that no failure leaves anything open.
    pub async fn announce(
        &self,
        announcement: &Announcement,
        certificate: &EncryptionCertificate,
        entropy: &EnvelopeEntropy,
        now: Timestamp,
    ) -> Result<(), CallError> {
        let plain = announcement.body(now).to_string();
        let sealed = seal_envelope(certificate, plain.as_bytes(), entropy).map_err(|_| {
            let summary = format!("the announcement of {} could not be encrypted", announcement.aid);
            CallError::known(Service::RegistrationStatus, "certificate-unusable", summary)
        })?;
        let call = Call {
            service: Service::RegistrationStatus,
            role: Role::Packet,
            effect: Effect::Harmless,
            what: "syncV2",
            method: Method::POST,
            url: format!("{}/syncV2", self.shared.endpoints.registration_status),
            body: Body::Raw(Raw {
                content_type: "application/json".to_owned(),
                headers: vec![
                    ("Center-Machine-RefId", announcement.ref_id.clone()),
                    ("timestamp", wire_time(now)),
                ],
                bytes: Value::from(to_base64url(&sealed)).to_string().into_bytes(),
            }),
        };
        let reply = self.exchange(&call, now).await?;
        let response = envelope::response(&call, &reply)?;
        let failed = |code: &str, what: &str| {
            CallError::known(call.service, code, format!("syncV2 of {} {what}", announcement.aid))
        };
        let answers = match &response {
            Value::Null => {
                return Err(failed(
                    "sync-null-response",
                    "was answered with neither a response nor an error",
                ));
            }
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        let ours = answers.iter().find(|answer| answer["registrationId"] == announcement.aid.as_str());
        match ours {
            Some(answer) if answer["status"] == "SUCCESS" => Ok(()),
            Some(answer) => Err(match answer["errorCode"].as_str() {
                Some(code) => failed(code, &format!("was refused with {code}")),
                None => failed("sync-refused", "was refused without a code"),
            }),
            None => {
                let summary = format!("syncV2 of {} was answered without it", announcement.aid);
                Err(CallError::classed(call.service, Class::Transient, "answer-unreadable", summary))
            }
        }
    }
}
