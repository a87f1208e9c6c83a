//! The body of a request: what is read of it, whichever release of mosip-api it was written for.

use std::collections::BTreeMap;

use civitas_rules::{Mapped, Notification, Operation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::RequestError;

/// What stands in examples where a value should be.
const PLACEHOLDER: &str = "@TODO";

/// Meta information that is made here: it must fit the AID and the officer.
const OURS: [&str; 5] =
    ["metaData", "operationsData", "capturedRegisteredDevices", "creationDate", "registrationId"];

/// By which address a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// `/events/registration`
    Registration,
    /// `/events/update-biographics`
    UpdateBiographics,
}

impl Route {
    /// The address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "/events/registration",
            Self::UpdateBiographics => "/events/update-biographics",
        }
    }
}

/// What is read of a body. The packet's audit entry and its ID schema are made here, and not read.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Body {
    #[serde(default)]
    pub(super) tracking_id: Option<String>,
    #[serde(default)]
    pub(super) request_fields: Map<String, Value>,
    #[serde(default)]
    notification: Value,
    #[serde(default)]
    meta_info: Value,
}

impl Body {
    /// Reads a body strictly enough to know what is asked for.
    pub(super) fn parse(bytes: &[u8], route: Route) -> Result<Self, RequestError> {
        // serde's own words may quote a value: only the place is told.
        let place = |error: &serde_json::Error| format!("line {}, column {}", error.line(), error.column());
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| RequestError::Unreadable(format!("not JSON at {}", place(&error))))?;
        if !value.get("requestFields").is_some_and(Value::is_object) {
            return Err(RequestError::Unreadable("requestFields is not an object".to_owned()));
        }
        let body: Self = serde_json::from_value(value)
            .map_err(|_| RequestError::Unreadable("trackingId is not a text".to_owned()))?;
        match route {
            Route::Registration => {
                match (body.field("birthCertificateNumber"), body.field("deathCertificateNumber")) {
                    (None, None) => return Err(RequestError::NothingAsked),
                    (Some(_), Some(_)) => return Err(RequestError::TwoAsked),
                    _ => {}
                }
            }
            Route::UpdateBiographics => {
                if body.field("VID").is_none() {
                    return Err(RequestError::Nobody);
                }
                let changes =
                    |name: &&String| !matches!(name.as_str(), "VID" | "UIN" | "introducerInfoToken");
                if !body.request_fields.keys().any(|name| changes(&name) && body.field(name).is_some()) {
                    return Err(RequestError::NothingChanged);
                }
            }
        }
        Ok(body)
    }

    /// A field's text; none where there is nothing in it.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        text(self.request_fields.get(name)?)
    }

    /// The operation that is asked for, and the event that it is about.
    pub(super) fn operation(&self, route: Route) -> (Operation, &'static str) {
        match route {
            Route::UpdateBiographics => (Operation::UpdateBiographics, "birth"),
            Route::Registration if self.field("deathCertificateNumber").is_some() => {
                (Operation::FlagDeceased, "death")
            }
            Route::Registration => (Operation::CreateUin, "birth"),
        }
    }

    /// The certificate number; an update has none.
    pub(crate) fn number(&self, route: Route) -> Option<&str> {
        let plain =
            |name: &str| self.request_fields.get(name)?.as_str().filter(|text| !text.trim().is_empty());
        match route {
            Route::Registration => {
                plain("birthCertificateNumber").or_else(|| plain("deathCertificateNumber"))
            }
            Route::UpdateBiographics => None,
        }
    }

    /// What goes into the packet.
    pub(super) fn mapped(&self, operation: Operation) -> Mapped {
        let fields = self.request_fields.keys().filter(|name| *name != "deathCertificateNumber");
        let fields = fields.filter_map(|name| Some((name.clone(), self.field(name)?))).collect();
        let subject = match operation {
            Operation::CreateUin => None,
            _ => ["UIN", "VID", "nationalIdNumber"].into_iter().find_map(|name| self.field(name)),
        };
        let part = |name: &str| self.notification.get(name).and_then(text).filter(|text| text != PLACEHOLDER);
        Mapped {
            fields,
            meta_info: self.meta_info(),
            notification: Notification {
                name: part("recipientFullName"),
                phone: part("recipientPhone"),
                email: part("recipientEmail"),
            },
            subject,
        }
    }

    fn meta_info(&self) -> BTreeMap<String, String> {
        let labels = self.meta_info.as_object().into_iter().flatten();
        labels
            .filter(|(label, _)| !OURS.contains(&label.as_str()))
            .filter_map(|(label, value)| Some((label.clone(), text(value)?)))
            .collect()
    }
}

/// A value as it travels in a packet: texts as they are, all else as JSON text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: &Value, route: Route) -> Result<Body, &'static str> {
        Body::parse(body.to_string().as_bytes(), route).map_err(|error| error.code())
    }

    #[test]
    fn what_asks_for_nothing_or_for_two_things_is_refused() {
        let of = |fields: Value| parse(&json!({ "requestFields": fields }), Route::Registration).err();
        assert_eq!(of(json!({})), Some("certificate_number_missing"));
        assert_eq!(of(json!({ "birthCertificateNumber": "" })), Some("certificate_number_missing"));
        assert_eq!(of(json!({ "VID": "1" })), Some("certificate_number_missing"));
        let both = json!({ "birthCertificateNumber": "1", "deathCertificateNumber": "2" });
        assert_eq!(of(both), Some("certificate_number_ambiguous"));
        assert_eq!(parse(&json!([]), Route::Registration).err(), Some("request_unreadable"));
        let of = |fields: Value| parse(&json!({ "requestFields": fields }), Route::UpdateBiographics).err();
        assert_eq!(of(json!({ "fullName": "a" })), Some("vid_missing"));
        assert_eq!(of(json!({ "VID": "1" })), Some("nothing_to_update"));
        assert_eq!(of(json!({ "VID": "1", "gender": "male" })), None);
    }

    #[test]
    fn fields_travel_as_texts_and_placeholders_do_not() {
        let body = json!({
            "requestFields": { "deathCertificateNumber": "D1", "nationalIdNumber": 42, "note": null },
            "notification": { "recipientFullName": "@TODO", "recipientEmail": "a@example.org" },
            "metaInfo": { "informantPsut": "p", "metaData": "[]" },
        });
        let body = parse(&body, Route::Registration).unwrap();
        let mapped = body.mapped(Operation::FlagDeceased);
        assert_eq!(
            mapped.fields.iter().collect::<Vec<_>>(),
            [(&"nationalIdNumber".to_owned(), &"42".to_owned())]
        );
        assert_eq!(mapped.subject.as_deref(), Some("42"));
        assert_eq!(
            (mapped.notification.name, mapped.notification.email.as_deref()),
            (None, Some("a@example.org"))
        );
        assert_eq!(mapped.meta_info.keys().collect::<Vec<_>>(), ["informantPsut"]);
    }

    #[test]
    fn an_unreadable_body_is_not_quoted() {
        let Err(error) = Body::parse(b"{\"requestFields\": Portgas}", Route::Registration) else { panic!() };
        assert!(error.to_string().contains("line 1") && !error.to_string().contains("Portgas"), "{error}");
    }
}
