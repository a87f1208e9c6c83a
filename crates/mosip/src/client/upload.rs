//! `POST /packetreceiver/registrationpackets`: uploads a packet of our own, after it was announced.
//!
//! Accepted is not stored: MOSIP answers before its virus scan and its landing zone. A packet that it has already is
//! answered `RPR-PKR-005`, which after a lost answer is the good news. The bytes are always those that were announced.

use std::fmt;

use jiff::Timestamp;
use openssl::sha::sha256;
use reqwest::Method;
use serde_json::Value;

use super::{
    Mosip, Role, envelope,
    transport::{Body, Call, Effect, Raw},
};
use crate::{CallError, Class, Service};

/// A packet's file.
#[derive(Clone, Copy)]
pub struct Upload<'a> {
    /// The packet's id; the file is `<packetId>.zip`.
    pub packet_id: &'a str,
    /// The file.
    pub bytes: &'a [u8],
}

impl fmt::Debug for Upload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload({}, {} bytes)", self.packet_id, self.bytes.len())
    }
}

/// An upload that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uploaded {
    /// MOSIP had it before (`RPR-PKR-005`): an earlier upload had been heard.
    pub already_there: bool,
}

impl Mosip {
    /// Uploads a packet. After [`Class::Unknown`], ask before calling again.
    pub async fn upload(&self, upload: &Upload<'_>, now: Timestamp) -> Result<Uploaded, CallError> {
        let (content_type, bytes) = multipart(upload);
        let call = Call {
            service: Service::PacketReceiver,
            role: Role::Packet,
            effect: Effect::Change,
            what: "registrationpackets",
            method: Method::POST,
            url: format!("{}/registrationpackets", self.shared.endpoints.packet_receiver),
            body: Body::Raw(Raw { content_type, headers: Vec::new(), bytes }),
        };
        let reply = self.exchange(&call, now).await?;
        let envelope = envelope::open(&call, &reply)?;
        if envelope.codes().any(|code| code == "RPR-PKR-005") {
            return Ok(Uploaded { already_there: true });
        }
        if let Some(error) = envelope::failure(&call, &envelope) {
            return Err(error);
        }
        if envelope.response.get("status").and_then(Value::as_str).is_none() {
            let summary = format!("the upload of {} was answered without a status", upload.packet_id);
            return Err(CallError::classed(call.service, Class::Unknown, "answer-unreadable", summary));
        }
        Ok(Uploaded { already_there: false })
    }
}

/// One part named `file`. The boundary is made of the content's hash, so that it is not in the content and the same
/// packet is the same request.
fn multipart(upload: &Upload<'_>) -> (String, Vec<u8>) {
    let boundary = format!("civitas-{}", hex::encode(&sha256(upload.bytes)[..16]));
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}.zip\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n",
        upload.packet_id
    );
    let mut body = head.into_bytes();
    body.extend_from_slice(upload.bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_one_part_with_the_files_own_bytes() {
        let upload = Upload { packet_id: "10001", bytes: b"\r\n--PK\0" };
        let (content_type, body) = multipart(&upload);
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let text = String::from_utf8_lossy(&body);
        assert!(
            text.starts_with(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; "))
        );
        assert!(text.contains("filename=\"10001.zip\"\r\n"));
        assert!(text.ends_with(&format!("\r\n\r\n\r\n--PK\0\r\n--{boundary}--\r\n")));
        assert_eq!(multipart(&upload).1, body, "the same packet is the same request");
    }
}
