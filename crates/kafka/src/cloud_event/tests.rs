//! Messages as they may come, and what is made of them.

use rdkafka::message::{Header, OwnedHeaders, OwnedMessage, Timestamp as MessageTime};

use super::*;
use crate::config::{DecryptionKey, PayloadEncryption};
use crate::jwe::Encrypter;
use crate::jwe::tests::key_pair;

const EVENT: &str = "0b36bb44-6f6c-4ad9-a5c0-4d4b1ab0d8a1";
const ACTION: &str = "c8a1f5a0-0d6b-4a0e-9d3e-0f5b7c2f7a11";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn document() -> String {
    format!(r#"{{"id": "{EVENT}",  "type": "birth", "actions": []}}"#)
}

struct Draft {
    key: Option<Vec<u8>>,
    headers: Vec<(String, Vec<u8>)>,
    value: Option<Vec<u8>>,
}

impl Draft {
    fn binary() -> Self {
        let headers = [
            ("content-type", "application/json"),
            ("ce_specversion", "1.0"),
            ("ce_id", ACTION),
            ("ce_source", "/opencrvs"),
            ("ce_type", ACTION_REQUESTED),
            ("ce_time", "2026-01-02T03:04:05Z"),
            ("traceparent", TRACE),
        ];
        Self {
            key: Some(EVENT.into()),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            value: Some(document().into_bytes()),
        }
    }

    fn structured(value: impl Into<Vec<u8>>) -> Self {
        Self {
            key: Some(EVENT.into()),
            headers: vec![("content-type".into(), "application/cloudevents+json; charset=UTF-8".into())],
            value: Some(value.into()),
        }
    }

    /// A structured event with the given members beside (or instead of) the usual ones.
    fn members(changes: &[(&str, serde_json::Value)]) -> Self {
        let mut envelope = serde_json::json!({
            "specversion": "1.0", "id": ACTION, "source": "/opencrvs", "type": ACTION_REQUESTED,
            "datacontenttype": "application/json", "data": {"id": EVENT},
        });
        for (name, value) in changes {
            match value {
                serde_json::Value::Null => drop(envelope.as_object_mut().unwrap().shift_remove(*name)),
                value => envelope[*name] = value.clone(),
            }
        }
        Self::structured(envelope.to_string())
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self = self.unset(name);
        self.headers.push((name.into(), value.into()));
        self
    }

    fn unset(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    fn value(mut self, value: impl Into<Vec<u8>>) -> Self {
        self.value = Some(value.into());
        self
    }

    fn read(&self, opening: &Opening) -> Result<Incoming, EventError> {
        let headers = self.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        let message = OwnedMessage::new(
            self.value.clone(),
            self.key.clone(),
            "crvs.events".into(),
            MessageTime::NotAvailable,
            3,
            17,
            Some(headers),
        );
        read(&message, &Arc::from("crvs.events"), opening)
    }

    fn plain(&self) -> Result<Incoming, EventError> {
        self.read(&Opening::default())
    }
}

#[test]
fn binary_mode() {
    let incoming = Draft::binary().plain().unwrap();
    assert_eq!(incoming.event_id.to_string(), EVENT);
    assert_eq!(incoming.action_id.to_string(), ACTION);
    assert_eq!(&*incoming.document, document().as_bytes());
    assert_eq!(incoming.time.unwrap().to_string(), "2026-01-02T03:04:05Z");
    assert_eq!(incoming.traceparent.as_deref(), Some(TRACE));
    assert_eq!(incoming.origin, Origin { topic: "crvs.events".into(), partition: 3, offset: 17 });
}

#[test]
fn binary_mode_with_as_little_as_the_specification_demands() {
    let draft = Draft::binary().unset("content-type").unset("ce_time").unset("traceparent");
    let incoming = draft.plain().unwrap();
    assert_eq!((incoming.time, incoming.traceparent), (None, None));
}

#[test]
fn header_names_are_known_in_any_case_and_other_headers_do_not_matter() {
    let mut draft = Draft::binary().set("x-request-id", "1");
    draft.headers.push(("x-request-id".into(), vec![0xff]));
    for (name, _) in &mut draft.headers {
        *name = name.replace("ce_id", "ce_ID").replace("content-type", "Content-Type");
    }
    assert!(draft.plain().is_ok());
}

#[test]
fn structured_mode_keeps_the_bytes_of_the_document() {
    let value = format!(
        r#"{{"specversion":"1.0","id":"{ACTION}","source":"/o","type":"{ACTION_REQUESTED}","custom":[1],
            "time":"2026-01-02T03:04:05+02:00","traceparent":"{TRACE}","data":{}}}"#,
        document()
    );
    let incoming = Draft::structured(value).plain().unwrap();
    assert_eq!(&*incoming.document, document().as_bytes());
    assert_eq!(incoming.time.unwrap().to_string(), "2026-01-02T01:04:05Z");
    assert_eq!(incoming.traceparent.as_deref(), Some(TRACE));
}

#[test]
fn structured_mode_with_base64() {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(document());
    let draft = Draft::members(&[("data", serde_json::Value::Null), ("data_base64", data.into())]);
    assert_eq!(&*draft.plain().unwrap().document, document().as_bytes());
}

#[test]
fn a_document_may_be_wrapped_as_the_trigger_receives_it() {
    let incoming = Draft::binary().value(format!(r#"{{"event": {}}}"#, document())).plain().unwrap();
    assert_eq!(incoming.event_id.to_string(), EVENT);
    // A document's own id wins, whatever it calls "event".
    let odd = format!(r#"{{"event": "birth", "id": "{EVENT}"}}"#);
    assert!(Draft::binary().value(odd).plain().is_ok());
}

#[test]
fn a_malformed_traceparent_is_dropped_and_a_header_wins_over_the_attribute() {
    let other = TRACE.replace("0af7", "1111");
    let incoming =
        Draft::binary().set("traceparent", "nonsense").set("ce_traceparent", &other).plain().unwrap();
    assert_eq!(incoming.traceparent.as_deref(), Some(other.as_str()));
    let incoming = Draft::binary().set("ce_traceparent", &other).plain().unwrap();
    assert_eq!(incoming.traceparent.as_deref(), Some(TRACE));
}

#[test]
fn encrypted_documents_are_opened() {
    let (private, public) = key_pair();
    let keys = vec![DecryptionKey { kid: "2026".into(), private_key: private.into() }];
    let encryption = PayloadEncryption { keys, required: true };
    let opening = Opening { decrypter: Some(Decrypter::new(&encryption).unwrap()), required: true };
    let jwe = Encrypter::new("2026", &public).unwrap().seal(document().as_bytes()).unwrap();

    let by_type = Draft::binary().set("content-type", "application/jose").value(jwe.clone());
    let by_extension = Draft::binary().set("ce_dataencryption", "jwe").value(jwe.clone());
    let structured =
        Draft::members(&[("datacontenttype", "application/jose".into()), ("data", jwe.clone().into())]);
    for draft in [&by_type, &by_extension, &structured] {
        assert_eq!(&*draft.read(&opening).unwrap().document, document().as_bytes());
        let error = draft.plain().unwrap_err();
        assert_eq!(error, EventError::Decryption(DecryptionError::NotConfigured));
    }

    let error = Draft::binary().read(&opening).unwrap_err();
    assert_eq!((error.code(), &error), ("not-encrypted", &EventError::NotEncrypted));
    let damaged = by_type.value(format!("{jwe}A")).read(&opening).unwrap_err();
    assert_eq!(damaged.code(), "cannot-decrypt");
    let stranger = Draft::binary().set("ce_dataencryption", "rot13").read(&opening).unwrap_err();
    assert_eq!(stranger.code(), "bad-cloud-event");
}

#[test]
fn what_is_wrong_is_named() {
    let unnamed = |draft: Draft| Draft { headers: Vec::new(), ..draft };
    let attribute = |attribute, expected| EventError::Attribute { attribute, expected };
    let id = attribute("id", "the action's id, a UUID");
    let mut twice = Draft::binary();
    twice.headers.push(("ce_id".into(), ACTION.into()));
    let mut binary_header = Draft::binary().unset("ce_source");
    binary_header.headers.push(("ce_source".into(), vec![0xff]));
    let null = serde_json::Value::Null;
    let cases = [
        (unnamed(Draft::binary()), EventError::NotACloudEvent),
        (Draft::binary().unset("ce_specversion"), EventError::NotACloudEvent),
        (Draft::binary().unset("ce_id"), EventError::Missing("id")),
        (Draft::binary().unset("ce_source"), EventError::Missing("source")),
        (Draft::binary().unset("ce_type"), EventError::Missing("type")),
        (twice, EventError::Duplicate("ce_id")),
        (binary_header, attribute("ce_source", "UTF-8 text")),
        (Draft::binary().set("ce_specversion", "0.3"), attribute("specversion", "1.0")),
        (Draft::binary().set("ce_id", ""), attribute("id", "not empty")),
        (Draft::binary().set("ce_id", "1"), id.clone()),
        (Draft::binary().set("ce_id", &ACTION.replace('-', "")), id),
        (Draft::binary().set("ce_time", "yesterday"), attribute("time", "an RFC 3339 instant")),
        (Draft::binary().set("ce_type", "org.opencrvs.other"), EventError::Type),
        (Draft::binary().set("content-type", "text/xml"), EventError::ContentType),
        (Draft::binary().value(""), EventError::NoData),
        (Draft { value: None, ..Draft::binary() }, EventError::NoData),
        (Draft::binary().value([0x7b, 0xff, 0x7d]), EventError::NotUtf8),
        (Draft::binary().value("{\n \"id\": }"), EventError::NotJson { line: 2, column: 8 }),
        (Draft::binary().value("{\"id\": 7}"), EventError::NotADocument),
        (Draft::binary().value("{\"id\": \"7\"}"), EventError::NotADocument),
        (Draft::binary().value("{}"), EventError::NotADocument),
        (Draft::binary().value(format!("[\"{EVENT}\", null]")), EventError::NotADocument),
        (Draft { key: None, ..Draft::binary() }, EventError::Key),
        (Draft { key: Some(ACTION.into()), ..Draft::binary() }, EventError::Key),
        (Draft { key: Some(vec![0xff]), ..Draft::binary() }, EventError::Key),
        (Draft::structured("{\n]"), EventError::Envelope { line: 2, column: 1 }),
        (Draft::structured("[\"1.0\"]"), EventError::Envelope { line: 1, column: 1 }),
        (Draft::structured("{}"), EventError::Missing("id")),
        (Draft { value: None, ..Draft::structured("") }, EventError::NoData),
        (Draft::members(&[("specversion", null.clone())]), EventError::Missing("specversion")),
        (Draft::members(&[("data", null.clone())]), EventError::NoData),
        (Draft::members(&[("data_base64", "e30=".into())]), EventError::Duplicate("data")),
        (
            Draft::members(&[("data", null.clone()), ("data_base64", "*".into())]),
            attribute("data_base64", "base64"),
        ),
        (Draft::members(&[("data", "text".into())]), EventError::NotADocument),
        (
            Draft::members(&[("datacontenttype", "application/jose".into())]),
            attribute("data", "a string that holds the JWE"),
        ),
    ];
    for (number, (draft, expected)) in cases.into_iter().enumerate() {
        assert_eq!(draft.plain().unwrap_err(), expected, "case {number}");
    }
}

#[test]
fn no_error_repeats_what_the_document_says() {
    let secret = "Amina Bintou";
    for value in [
        format!("{{\"id\": \"{secret}\"}}"),
        format!("{{\"id\": [\"{secret}\"]}}"),
        format!("{{\"{secret}\": }}"),
        format!("\"{secret}\""),
    ] {
        let error = Draft::binary().value(value).plain().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("Amina"));
    }
}

#[test]
fn what_is_printed_of_an_event_is_not_its_document() {
    let printed = format!("{:?}", Draft::binary().plain().unwrap());
    assert!(printed.contains("[79 bytes]") && !printed.contains("birth"), "{printed}");
}
