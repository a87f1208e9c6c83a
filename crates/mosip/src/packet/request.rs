//! The packet that carries an operation, and the body of the call that creates it.
//!
//! The body is a function of the packet alone: the packet manager answers a failure inside it like a lost reply, and
//! the documented remedy is to send the identical body again before the workflow is started.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};
use uuid::Uuid;

use super::IdSchema;
use crate::{Aid, client::wire_time};

/// One packet to be created.
#[derive(Clone, PartialEq, Eq)]
pub struct CreatePacket {
    /// Its id.
    pub aid: Aid,
    /// `<centre>_<machine>`; see [`Aid::ref_id`].
    pub ref_id: String,
    /// `CRVS_NEW`, `CRVS_DEATH`, or `CRVS_UPDATE` where the country has it.
    pub process: String,
    /// `CRVS1`. MOSIP matches by substring on writing but not on reading: nothing else is safe.
    pub source: String,
    /// Version of the ID schema, a decimal number.
    pub schema_version: String,
    /// The ID schema itself: MOSIP takes it from the caller and drops, in silence, fields that it lacks.
    pub schema: Arc<IdSchema>,
    /// Fields of the identity; values that are not plain strings are JSON in a string.
    pub fields: BTreeMap<String, String>,
    /// Entries of the meta information; each replaces the default of the same name, except `registrationId`.
    pub meta_info: BTreeMap<String, String>,
    /// Instant of the civil event, never the time of sending: a repetition is identical to the byte.
    pub at: Timestamp,
    /// User id of the MOSIP officer in whose name packets are made: active, and mapped to the centre.
    pub officer: String,
}

impl CreatePacket {
    /// The request as the packet manager's `createPacket` takes it. The same packet always yields the same bytes.
    pub fn body(&self) -> String {
        let time = wire_time(self.at);
        let envelope = Envelope {
            id: "string",
            version: "string",
            requesttime: &time,
            metadata: Map::new(),
            request: Request {
                id: &self.aid,
                additional_info_req_id: None,
                ref_id: &self.ref_id,
                offline_mode: false,
                process: &self.process,
                source: &self.source,
                schema_version: &self.schema_version,
                schema_json: self.schema.encoded(),
                fields: &self.fields,
                meta_info: self.meta_info(),
                audits: [self.audit(&time)],
                documents: None,
                biometrics: None,
            },
        };
        // Strings and maps of strings always serialise.
        serde_json::to_string(&envelope).unwrap_or_default()
    }

    /// What MOSIP's validators want to find, overlaid with what the pack says.
    pub(super) fn meta_info(&self) -> BTreeMap<String, String> {
        let creation = self.at.to_zoned(TimeZone::UTC).strftime("%Y%m%d%H%M%S").to_string();
        let meta_data = labels(&[
            ("registrationType", Some(&self.process)),
            ("centerId", Some(self.aid.center())),
            ("machineId", Some(self.aid.machine())),
        ]);
        let operations = labels(&[
            ("officerId", Some(&self.officer)),
            // The operator stage wants one of password, OTP or biometrics to be there: the officer is a service here.
            ("officerPassword", Some("true")),
            ("officerPIN", None),
            ("officerBiometricFileName", None),
            ("officerOTPAuthentication", Some("false")),
            ("supervisorId", None),
            ("supervisorPassword", Some("false")),
            ("supervisorPIN", None),
            ("supervisorBiometricFileName", None),
            ("supervisorOTPAuthentication", Some("false")),
        ]);
        let mut meta_info = BTreeMap::from([
            ("metaData".to_owned(), meta_data),
            ("operationsData".to_owned(), operations),
            ("capturedRegisteredDevices".to_owned(), "[]".to_owned()),
            ("creationDate".to_owned(), creation),
        ]);
        meta_info.extend(self.meta_info.clone());
        meta_info.insert("registrationId".to_owned(), self.aid.to_string());
        meta_info
    }

    /// The one audit entry without which the packet writer fails (`KER-KPM-008`).
    pub(super) fn audit(&self, time: &str) -> Value {
        let id =
            Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("civitas:packet-created:{}", self.aid).as_bytes());
        json!({
            "uuid": id,
            "createdAt": time,
            "eventId": "REG-EVT-066",
            "eventName": "PACKET_CREATION_SUCCESS",
            "eventType": "USER",
            "hostName": "civitas",
            "hostIp": "127.0.0.1",
            "applicationId": "REG",
            "applicationName": "REGISTRATION",
            "sessionUserId": self.officer,
            "sessionUserName": self.officer,
            "id": self.aid,
            "idType": "REGISTRATION_ID",
            "createdBy": self.officer,
            "moduleName": "Packet Handler",
            "moduleId": "REG-MOD-117",
            "description": "Packet Successfully Created",
            "actionTimeStamp": time,
        })
    }

    /// The sub-packets that a packet of this schema consists of: `id`, `evidence`, `optional`. `None` if the schema
    /// cannot be read.
    pub(crate) fn sub_packets(&self) -> Option<&BTreeSet<&'static str>> {
        self.schema.sub_packets()
    }
}

impl fmt::Debug for CreatePacket {
    /// Names of fields, never their values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatePacket")
            .field("aid", &self.aid.as_str())
            .field("process", &self.process)
            .field("source", &self.source)
            .field("schema_version", &self.schema_version)
            .field("fields", &self.fields.keys())
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    id: &'static str,
    version: &'static str,
    requesttime: &'a str,
    metadata: Map<String, Value>,
    request: Request<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    id: &'a Aid,
    additional_info_req_id: Option<&'static str>,
    ref_id: &'a str,
    offline_mode: bool,
    process: &'a str,
    source: &'a str,
    schema_version: &'a str,
    schema_json: &'a RawValue,
    fields: &'a BTreeMap<String, String>,
    meta_info: BTreeMap<String, String>,
    audits: [Value; 1],
    documents: Option<&'static str>,
    biometrics: Option<&'static str>,
}

/// MOSIP's list of labelled values, as JSON in a string.
fn labels(pairs: &[(&str, Option<&str>)]) -> String {
    let list: Vec<Value> =
        pairs.iter().map(|(label, value)| json!({ "label": label, "value": value })).collect();
    Value::from(list).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet() -> CreatePacket {
        CreatePacket {
            aid: "10001200420000120260102030405".parse().unwrap(),
            ref_id: "10001_20042".to_owned(),
            process: "CRVS_NEW".to_owned(),
            source: "CRVS1".to_owned(),
            schema_version: "0.5".to_owned(),
            schema: Arc::new(IdSchema::new(
                r#"{"properties":{"identity":{"properties":{"UIN":{"type":"string"}}}}}"#,
            )),
            fields: BTreeMap::from([("dateOfBirth".to_owned(), "2026/01/01".to_owned())]),
            meta_info: BTreeMap::from([
                ("crvsEventId".to_owned(), "e1".to_owned()),
                ("registrationId".to_owned(), "another".to_owned()),
            ]),
            at: "2026-01-02T03:04:05.678Z".parse().unwrap(),
            officer: "crvs".to_owned(),
        }
    }

    #[test]
    fn the_body_is_what_the_packet_manager_takes() {
        let body: Value = serde_json::from_str(&packet().body()).unwrap();
        assert_eq!(body["requesttime"], "2026-01-02T03:04:05.678Z");
        let request = &body["request"];
        assert_eq!(request["id"], "10001200420000120260102030405");
        assert_eq!(request["refId"], "10001_20042");
        assert_eq!(request["offlineMode"], false);
        assert_eq!(request["audits"][0]["id"], request["id"], "audits are mandatory");
        let meta = &request["metaInfo"];
        assert_eq!(meta["registrationId"], request["id"], "the pack cannot rename the packet");
        assert_eq!(meta["crvsEventId"], "e1");
        assert_eq!(meta["creationDate"], "20260102030405");
        let operations: Value = serde_json::from_str(meta["operationsData"].as_str().unwrap()).unwrap();
        assert_eq!(operations[0], json!({ "label": "officerId", "value": "crvs" }));
        let data: Value = serde_json::from_str(meta["metaData"].as_str().unwrap()).unwrap();
        assert_eq!(data[0], json!({ "label": "registrationType", "value": "CRVS_NEW" }));
        let maps = [&request["fields"], meta];
        assert!(
            maps.iter().all(|map| map.as_object().unwrap().values().all(Value::is_string)),
            "string to string"
        );
    }

    #[test]
    fn the_same_packet_is_the_same_bytes() {
        assert_eq!(packet().body(), packet().body());
    }

    #[test]
    fn debug_names_fields_and_shows_no_values() {
        let text = format!("{:?}", packet());
        assert!(text.contains("dateOfBirth") && !text.contains("2026/01/01"), "{text}");
    }
}
