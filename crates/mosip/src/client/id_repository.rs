//! The ID repository: who an id names, and whether that identity can be used.
//!
//! A VID becomes a UIN in memory only: UIN and VID travel in bodies, not in addresses, with the one exception that
//! MOSIP leaves no choice about ([`Mosip::vids`]). Nothing of them is in `Debug` or in an error.
//!
//! What is *not* called, since each makes a new VID behind our back: `POST /vid` (a second perpetual VID revokes the
//! first), `PATCH /vid/{VID}` to REVOKED, `POST /vid/{VID}/regenerate`. An identity is switched off and on by its own
//! status, which leaves its VIDs as they are.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Mosip, Role, envelope,
    transport::{Body, Call, Effect},
    wire_time,
};
use crate::{Aid, CallError, Service};

/// MOSIP's code for "no such record", and for a look-up by an id that is not active.
const NO_RECORD: [&str; 2] = ["IDR-IDC-007", "IDR-VID-001"];
const NOT_ACTIVE: &str = "IDR-VID-004";

/// What an identity is looked up by.
#[derive(Clone, Copy)]
pub enum IdentityKey<'a> {
    /// A VID. Only an active VID of an active identity is found.
    Vid(&'a str),
    /// The permanent number; found whatever the identity's status is.
    Uin(&'a str),
    /// A packet or change that was applied to it; found whatever the identity's status is. That it is found at all
    /// proves that it was applied.
    Aid(&'a Aid),
}

impl<'a> IdentityKey<'a> {
    fn kind(self) -> &'static str {
        match self {
            IdentityKey::Vid(_) => "VID",
            IdentityKey::Uin(_) => "UIN",
            IdentityKey::Aid(_) => "AID",
        }
    }

    fn id(self) -> &'a str {
        match self {
            IdentityKey::Vid(id) | IdentityKey::Uin(id) => id,
            IdentityKey::Aid(aid) => aid.as_str(),
        }
    }
}

impl fmt::Debug for IdentityKey<'_> {
    /// Says what kind of id it is, not which.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// What a look-up found.
#[derive(Debug)]
pub enum Found {
    /// The identity.
    Identity(Identity),
    /// The id was issued once, but it, or the identity behind it, is not active: MOSIP does not say whose it is.
    NotActive,
    /// MOSIP knows no such id.
    Nothing,
}

/// Whether an identity can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityStatus {
    /// In use.
    Activated,
    /// Switched off; can be switched on again.
    Deactivated,
    /// Taken out for good by MOSIP's own people.
    Blocked,
    /// A word that we do not know.
    Other,
}

impl IdentityStatus {
    /// Reads MOSIP's word.
    pub fn parse(word: &str) -> Self {
        match word.trim().to_ascii_uppercase().as_str() {
            "ACTIVATED" | "ACTIVE" => IdentityStatus::Activated,
            "DEACTIVATED" => IdentityStatus::Deactivated,
            "BLOCKED" => IdentityStatus::Blocked,
            _ => IdentityStatus::Other,
        }
    }

    /// MOSIP's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            IdentityStatus::Activated => "ACTIVATED",
            IdentityStatus::Deactivated => "DEACTIVATED",
            IdentityStatus::Blocked => "BLOCKED",
            IdentityStatus::Other => "OTHER",
        }
    }
}

/// An identity as it is in the repository, in memory only.
pub struct Identity {
    /// Whether it can be used.
    pub status: IdentityStatus,
    uin: SecretString,
    fields: Map<String, Value>,
}

impl Identity {
    /// The permanent number. Not to be stored or shown.
    pub fn uin(&self) -> &str {
        self.uin.expose_secret()
    }

    /// The fields of `sent` whose value here is another one, or is missing. Names only. The ids by which MOSIP found
    /// the identity, and tokens that it does not keep, are not compared.
    pub fn differing(&self, sent: &BTreeMap<String, String>) -> Vec<String> {
        const NOT_KEPT: [&str; 5] =
            ["UIN", "VID", "IDSchemaVersion", "introducerInfoToken", "deceasedInformer"];
        let differs = |name: &str, text: &str| self.fields.get(name).is_none_or(|kept| !same(kept, text));
        sent.iter()
            .filter(|(name, text)| !NOT_KEPT.contains(&name.as_str()) && differs(name, text))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Packets carry values as text, the repository gives lists by language back as JSON: the values are what counts.
fn same(kept: &Value, sent: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok().filter(|value| !value.is_number());
    match kept {
        Value::String(text) if text == sent => true,
        Value::String(text) => parsed(text).is_some_and(|kept| same_json(&kept, parsed(sent))),
        // Numbers and truth values travel as their text.
        Value::Number(number) => number.to_string() == sent,
        Value::Bool(truth) => sent == if *truth { "true" } else { "false" },
        kept => same_json(kept, parsed(sent)),
    }
}

/// Equal but for languages that were not sent: an identity may have its name in more of them.
fn same_json(kept: &Value, sent: Option<Value>) -> bool {
    match (kept, sent) {
        (Value::Array(kept), Some(Value::Array(sent))) => sent.iter().all(|entry| kept.contains(entry)),
        (kept, Some(sent)) => *kept == sent,
        (_, None) => false,
    }
}

/// A change of an identity's status.
pub struct StatusChange<'a> {
    /// The change's own id: MOSIP takes each once.
    pub aid: &'a Aid,
    /// Whose.
    pub identity: &'a Identity,
    /// The new status: [`IdentityStatus::Activated`] or [`IdentityStatus::Deactivated`].
    pub to: IdentityStatus,
    /// Version of the ID schema, a decimal number.
    pub schema_version: &'a str,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// MOSIP took it.
    Applied,
    /// MOSIP took it before, under this id: ask for the status.
    Before,
}

/// A virtual id of somebody.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vid {
    vid: String,
    #[serde(default)]
    vid_type: String,
}

impl Vid {
    /// The id itself.
    pub fn id(&self) -> &str {
        &self.vid
    }

    /// Whether it is the lasting one.
    pub fn is_perpetual(&self) -> bool {
        self.vid_type.eq_ignore_ascii_case("perpetual")
    }
}

impl fmt::Debug for Vid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vid").field("vid_type", &self.vid_type).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Read {
    status: String,
    identity: Map<String, Value>,
}

impl Mosip {
    /// The identity that an id names. Needs one of the roles REGISTRATION_PROCESSOR and ID_REPOSITORY, and our
    /// client's id in the repository's allowed audiences. May be repeated.
    pub async fn identity(&self, key: IdentityKey<'_>, now: Timestamp) -> Result<Found, CallError> {
        let body = json!({
            "id": "mosip.id.read", "version": "v1", "requesttime": wire_time(now), "metadata": {},
            "request": { "id": key.id(), "type": "demo", "idType": key.kind() },
        });
        let call = Call {
            service: Service::IdRepository,
            role: Role::Identity,
            effect: Effect::Harmless,
            what: "identity/idvid",
            method: Method::POST,
            url: format!("{}/identity/idvid/", self.shared.endpoints.id_repository),
            body: Body::Json(body.to_string()),
        };
        let reply = self.exchange(&call, now).await?;
        let envelope = envelope::open(&call, &reply)?;
        if envelope.codes().any(|code| code == NOT_ACTIVE) {
            return Ok(Found::NotActive);
        }
        if envelope.codes().any(|code| NO_RECORD.contains(&code)) {
            return Ok(Found::Nothing);
        }
        if let Some(error) = envelope::failure(&call, &envelope) {
            return Err(error);
        }
        let read: Read = serde_json::from_value(envelope.response).map_err(|_| unreadable(&call))?;
        let uin = match read.identity.get("UIN") {
            Some(Value::String(uin)) => uin.clone(),
            Some(Value::Number(uin)) => uin.to_string(),
            _ => return Err(unreadable(&call)),
        };
        Ok(Found::Identity(Identity {
            status: IdentityStatus::parse(&read.status),
            uin: uin.into(),
            fields: read.identity,
        }))
    }

    /// Switches an identity off or on. Ask for its status first: MOSIP takes each id of a change once, and without an
    /// answer the change may have been made.
    pub async fn set_identity_status(
        &self,
        change: &StatusChange<'_>,
        now: Timestamp,
    ) -> Result<Changed, CallError> {
        // MOSIP wants a number here, a text elsewhere; arbitrary text would not be JSON.
        let version: Value = serde_json::from_str(change.schema_version).unwrap_or_else(|_| json!(0.1));
        let body = json!({
            "id": "mosip.id.update", "version": "v1", "requesttime": wire_time(now), "metadata": {},
            "request": {
                "registrationId": change.aid,
                "status": change.to.as_str(),
                "identity": { "IDSchemaVersion": version, "UIN": change.identity.uin() },
                "documents": [],
            },
        });
        let call = Call {
            service: Service::IdRepository,
            role: Role::Identity,
            effect: Effect::Change,
            what: "identity update",
            method: Method::PATCH,
            url: format!("{}/identity/", self.shared.endpoints.id_repository),
            body: Body::Json(body.to_string()),
        };
        let reply = self.exchange(&call, now).await?;
        let envelope = envelope::open(&call, &reply)?;
        // The id of a change is unique there; the code of that differs, the text names it.
        let taken = |message: &str| {
            let message = message.to_ascii_lowercase();
            message.contains("duplicate key") || message.contains("already exist")
        };
        if envelope.errors.iter().any(|error| taken(&error.message)) {
            return Ok(Changed::Before);
        }
        if let Some(error) = envelope::failure(&call, &envelope) {
            return Err(error);
        }
        if envelope.response.is_null() {
            let summary = "identity update was answered with neither a response nor an error";
            return Err(CallError::classed(
                Service::IdRepository,
                crate::Class::Unknown,
                "null-response",
                summary,
            ));
        }
        Ok(Changed::Applied)
    }

    /// The active VIDs of an identity. MOSIP takes the number in the address of this call and knows no other way.
    pub async fn vids(&self, identity: &Identity, now: Timestamp) -> Result<Vec<Vid>, CallError> {
        let what = "vid/uin";
        if identity.uin().is_empty() || !identity.uin().bytes().all(|byte| byte.is_ascii_digit()) {
            let summary = format!("{what} was not sent, the number holds more than digits");
            return Err(CallError::known(Service::IdRepository, "address-invalid", summary));
        }
        let call = Call {
            service: Service::IdRepository,
            role: Role::Identity,
            effect: Effect::Harmless,
            what,
            method: Method::GET,
            url: format!("{}/vid/uin/{}", self.shared.endpoints.id_repository, identity.uin()),
            body: Body::Nothing,
        };
        let reply = self.exchange(&call, now).await?;
        let envelope = envelope::open(&call, &reply)?;
        if envelope.codes().any(|code| NO_RECORD.contains(&code)) {
            return Ok(Vec::new());
        }
        if let Some(error) = envelope::failure(&call, &envelope) {
            return Err(error);
        }
        serde_json::from_value(envelope.response).map_err(|_| unreadable(&call))
    }

    /// Whether we may read in the repository: asks for a packet that nobody sent.
    pub async fn check_identity(&self, now: Timestamp) -> Result<(), CallError> {
        let nobody: Aid = match "00000000000000020260101000000".parse() {
            Ok(aid) => aid,
            Err(_) => return Ok(()),
        };
        self.identity(IdentityKey::Aid(&nobody), now).await.map(|_| ())
    }
}

fn unreadable(call: &Call<'_>) -> CallError {
    let summary = format!("{} was answered with something else than was asked for", call.what);
    CallError::known(Service::IdRepository, "answer-unreadable", summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(fields: Value) -> Identity {
        let Value::Object(fields) = fields else { panic!("a map") };
        Identity { status: IdentityStatus::Activated, uin: "1".to_owned().into(), fields }
    }

    fn sent(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn values_are_compared_in_either_form() {
        let name = r#"[{"language":"eng","value":"Asha Rao"}]"#;
        let kept = identity(json!({
            "fullName": [{ "language": "fra", "value": "Asha" }, { "value": "Asha Rao", "language": "eng" }],
            "gender": name, "dateOfBirth": "2026/01/01", "age": 3,
        }));
        let same = sent(&[("fullName", name), ("gender", name), ("dateOfBirth", "2026/01/01"), ("age", "3")]);
        assert_eq!(kept.differing(&same), Vec::<String>::new());
        let other = r#"[{"language":"eng","value":"Asha Roy"}]"#;
        let differ =
            sent(&[("fullName", other), ("gender", name), ("dateOfBirth", "2026/01/02"), ("city", "X")]);
        assert_eq!(kept.differing(&differ), ["city", "dateOfBirth", "fullName"]);
    }

    #[test]
    fn ids_and_tokens_are_not_compared() {
        let ids = sent(&[("UIN", "8031687218"), ("VID", "8031687218"), ("introducerInfoToken", "t")]);
        assert_eq!(identity(json!({})).differing(&ids), Vec::<String>::new());
    }

    #[test]
    fn nothing_private_is_shown() {
        let shown =
            format!("{:?} {:?}", identity(json!({ "fullName": "Asha" })), IdentityKey::Vid("8031687218"));
        assert!(!shown.contains("Asha") && !shown.contains("8031"), "{shown}");
    }
}
