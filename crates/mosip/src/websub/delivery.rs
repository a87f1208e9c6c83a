//! The bodies of deliveries: an envelope with publisher, topic and event, or, from the registration processor, a bare
//! object. Told apart by what they hold; unknown keys are left alone.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::Status;

/// One delivery.
#[derive(Debug)]
pub enum Delivery {
    /// A credential was issued to us.
    Credential(CredentialIssued),
    /// A workflow ended, anybody's.
    Completed(WorkflowCompleted),
    /// A workflow waits for additional information, anybody's.
    Paused(WorkflowPaused),
    /// Something else, of the topic that it names.
    Other {
        /// The topic, if it is named.
        topic: Option<String>,
    },
}

/// A credential, still encrypted.
pub struct CredentialIssued {
    /// Unique per issuance: a credential issued again has another.
    pub event_id: String,
    /// The topic, `<partner>/CREDENTIAL_ISSUED`.
    pub topic: Option<String>,
    /// The event's own time, where it says one.
    pub at: Option<Timestamp>,
    /// The credential request: the AID and the partner's suffix, or random.
    pub transaction_id: Option<String>,
    /// The AID, as the request names it. It is proven only by the credential itself.
    pub registration_id: Option<String>,
    /// `vercred`, `euin`, …: not to be relied on, the content decides.
    pub credential_type: Option<String>,
    /// The encrypted credential. Exactly one of this and `data_share_uri` is there.
    pub credential: Option<String>,
    /// Where to fetch it, once.
    pub data_share_uri: Option<String>,
    /// Detached JWS over the decrypted credential.
    pub proof: Option<String>,
    /// The pin of protected attributes.
    pub protection_key: Option<SecretString>,
    /// Other texts of the event: what the partner's entry copies from the packet's meta information.
    pub additional: BTreeMap<String, String>,
}

impl fmt::Debug for CredentialIssued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialIssued")
            .field("event_id", &self.event_id)
            .field("registration_id", &self.registration_id)
            .field("credential_type", &self.credential_type)
            .finish_non_exhaustive()
    }
}

/// A workflow that ended. The reason is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowCompleted {
    /// The packet, as MOSIP writes it.
    pub aid: String,
    /// Processed, rejected or failed.
    pub result: Status,
    /// The process.
    pub workflow_type: Option<String>,
    /// `PACKET_REJECTED`, `PACKET_FAILED`.
    pub error_code: Option<String>,
}

impl WorkflowCompleted {
    /// These events have no id: packet and result stand for it.
    pub fn key(&self) -> String {
        format!("{}/{}", self.aid, self.result)
    }
}

/// A workflow that waits for additional information.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowPaused {
    /// The packet, as MOSIP writes it.
    pub aid: String,
    /// The process.
    pub workflow_type: Option<String>,
    /// The process in which the information is to be sent.
    pub additional_info_process: Option<String>,
    /// `<rid>-<process>-<n>`.
    pub additional_info_request_id: Option<String>,
}

/// Why a body is no delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// Not JSON.
    #[error("the delivery is not json, line {line} column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Not an object.
    #[error("the delivery is json but not an object")]
    NotAnObject,
    /// A credential event without the id by which repetitions are told.
    #[error("the credential event has no event.id")]
    NoEventId,
}

impl Delivery {
    /// Reads the body of a delivery whose signature was verified.
    pub fn parse(raw: &[u8]) -> Result<Delivery, DeliveryError> {
        let value: Value = serde_json::from_slice(raw)
            .map_err(|error| DeliveryError::NotJson { line: error.line(), column: error.column() })?;
        let Value::Object(mut body) = value else { return Err(DeliveryError::NotAnObject) };
        let topic = take(&mut body, "topic");
        let published = take(&mut body, "publishedOn");
        let mut event = match body.remove("event") {
            Some(Value::Object(event)) => event,
            _ => Map::new(),
        };
        let mut data = match event.remove("data") {
            Some(Value::Object(data)) => data,
            _ => Map::new(),
        };
        if let Some(delivery) = workflow(&mut body).or_else(|| workflow(&mut data)) {
            return Ok(delivery);
        }
        let is_credential = data.contains_key("credential")
            || event.get("dataShareUri").is_some_and(Value::is_string)
            || topic.as_deref().is_some_and(|topic| topic.ends_with("/CREDENTIAL_ISSUED"));
        if is_credential {
            return credential(topic, published, event, data).map(Delivery::Credential);
        }
        Ok(Delivery::Other { topic })
    }
}

fn credential(
    topic: Option<String>,
    published: Option<String>,
    mut event: Map<String, Value>,
    mut data: Map<String, Value>,
) -> Result<CredentialIssued, DeliveryError> {
    let event_id = take(&mut event, "id").ok_or(DeliveryError::NoEventId)?;
    let proof = match data.remove("proof") {
        Some(Value::Object(mut proof)) => take(&mut proof, "signature"),
        Some(Value::String(proof)) => Some(proof),
        _ => None,
    };
    let at = take(&mut event, "timestamp").or(published);
    Ok(CredentialIssued {
        event_id,
        topic,
        at: at.and_then(|at| at.parse().ok()),
        transaction_id: take(&mut event, "transactionId"),
        registration_id: take(&mut data, "registrationId"),
        credential_type: take(&mut data, "credentialType"),
        credential: take(&mut data, "credential"),
        data_share_uri: take(&mut event, "dataShareUri"),
        proof,
        protection_key: take(&mut data, "protectionKey").map(SecretString::from),
        additional: data.into_iter().filter_map(|(key, value)| Some((key, text(value)?))).collect(),
    })
}

fn workflow(fields: &mut Map<String, Value>) -> Option<Delivery> {
    let is_result = fields.get("resultCode").is_some_and(Value::is_string);
    if !is_result
        && !fields.contains_key("additionalInfoRequestId")
        && !fields.contains_key("additionalInfoProcess")
    {
        return None;
    }
    let aid = take(fields, "instanceId")?;
    let workflow_type = take(fields, "workflowType");
    Some(match take(fields, "resultCode") {
        Some(result) => Delivery::Completed(WorkflowCompleted {
            aid,
            result: Status::parse(&result),
            workflow_type,
            error_code: take(fields, "errorCode"),
        }),
        None => Delivery::Paused(WorkflowPaused {
            aid,
            workflow_type,
            additional_info_process: take(fields, "additionalInfoProcess"),
            additional_info_request_id: take(fields, "additionalInfoRequestId"),
        }),
    })
}

/// A text, or a number as text; nothing else, and nothing empty.
fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn take(map: &mut Map<String, Value>, key: &str) -> Option<String> {
    map.remove(key).and_then(text)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Delivery {
        Delivery::parse(value.to_string().as_bytes()).unwrap()
    }

    fn issued() -> Value {
        json!({
            "publisher": "CREDENTIAL_SERVICE", "topic": "crvs_partner/CREDENTIAL_ISSUED", "publishedOn": "2026-01-02T03:10:00.000Z",
            "event": {
                "id": "e-1", "transactionId": "10001200420000120260102030405-CRVS",
                "type": { "namespace": "mosip", "name": "mosip" }, "timestamp": "2026-01-02T03:10:00.000Z", "dataShareUri": null,
                "data": {
                    "registrationId": "10001200420000120260102030405", "templateTypeCode": "RPR_UIN_CARD_TEMPLATE",
                    "crvsEventId": "c-1", "credential": "VkVSX1Iy", "credentialType": "vercred", "protectionKey": "275700",
                    "ExpiryTimestamp": "x", "TransactionLimit": null, "proof": { "signature": "a..b" },
                },
            },
        })
    }

    #[test]
    fn a_credential_event_is_read() {
        let Delivery::Credential(issued) = parse(&issued()) else { panic!("a credential") };
        assert_eq!(issued.event_id, "e-1");
        assert_eq!(issued.transaction_id.as_deref(), Some("10001200420000120260102030405-CRVS"));
        assert_eq!(issued.registration_id.as_deref(), Some("10001200420000120260102030405"));
        assert_eq!(
            (issued.credential.as_deref(), issued.data_share_uri.as_deref()),
            (Some("VkVSX1Iy"), None)
        );
        assert_eq!(issued.proof.as_deref(), Some("a..b"));
        assert_eq!(issued.protection_key.as_ref().unwrap().expose_secret(), "275700");
        assert_eq!(issued.additional["crvsEventId"], "c-1");
        let shown = format!("{issued:?}");
        assert!(!shown.contains("275700") && !shown.contains("VkVSX1Iy"), "{shown}");
    }

    #[test]
    fn a_credential_by_data_share_is_read() {
        let mut body = issued();
        body["event"]["dataShareUri"] = json!("https://share/v1/datashare/get/p/s/k");
        body["event"]["data"].as_object_mut().unwrap().remove("credential");
        let Delivery::Credential(issued) = parse(&body) else { panic!("a credential") };
        assert_eq!(issued.credential, None);
        assert!(issued.data_share_uri.is_some());
    }

    #[test]
    fn a_completed_workflow_is_read_bare_and_in_an_envelope() {
        let bare = json!({
            "instanceId": "10001200420000120260102030405", "resultCode": "REJECTED", "workflowType": "CRVS_NEW",
            "errorCode": "PACKET_REJECTED", "new": { "in": "1.4" },
        });
        for body in [
            bare.clone(),
            json!({ "publisher": "REGISTRATION", "topic": "T", "event": { "id": "x", "data": bare } }),
        ] {
            let Delivery::Completed(completed) = parse(&body) else { panic!("completed: {body}") };
            assert_eq!(completed.result, Status::Rejected);
            assert_eq!(completed.error_code.as_deref(), Some("PACKET_REJECTED"));
            assert_eq!(completed.key(), "10001200420000120260102030405/REJECTED");
        }
    }

    #[test]
    fn a_paused_workflow_is_read() {
        let body = json!({
            "instanceId": "1", "workflowType": "CRVS_NEW", "additionalInfoProcess": "BIOMETRIC_CORRECTION",
            "additionalInfoRequestId": "1-BIOMETRIC_CORRECTION-1",
        });
        assert!(matches!(parse(&body), Delivery::Paused(paused) if paused.aid == "1"));
    }

    #[test]
    fn anything_else_is_other_and_names_its_topic() {
        let identity =
            json!({ "topic": "IDENTITY_CREATED", "event": { "id": "1", "data": { "id_hash": "h" } } });
        assert!(
            matches!(parse(&identity), Delivery::Other { topic: Some(topic) } if topic == "IDENTITY_CREATED")
        );
        assert!(matches!(parse(&json!({})), Delivery::Other { topic: None }));
        assert!(matches!(parse(&json!({ "topic": 1, "event": [] })), Delivery::Other { .. }));
        assert!(
            matches!(parse(&json!({ "resultCode": "PROCESSED" })), Delivery::Other { .. }),
            "of no packet"
        );
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        assert_eq!(Delivery::parse(b"{\n  oops").unwrap_err(), DeliveryError::NotJson { line: 2, column: 3 });
        assert_eq!(Delivery::parse(b"[]").unwrap_err(), DeliveryError::NotAnObject);
        let mut body = issued();
        body["event"].as_object_mut().unwrap().remove("id");
        assert_eq!(Delivery::parse(body.to_string().as_bytes()).unwrap_err(), DeliveryError::NoEventId);
    }
}
