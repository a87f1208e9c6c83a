//! Building a packet: the values that go to MOSIP, checked against the ID schema before they go.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use minijinja::Environment;
use serde_json::{Map, Value as Json, json};

use crate::age::read_date;
use crate::country::Country;
use crate::decision::Facts;
use crate::files::packets::Given;
use crate::idschema::IdSchema;
use crate::locations::{FILE, Locations, NoPlace};
use crate::mapping::{DateFormat, DatePiece, Packets, Source, Value};
use crate::reference::{FieldRef, same};
use crate::template;

/// What a packet is built from.
#[derive(Clone, Copy, Debug)]
pub struct PacketContext<'a> {
    /// The civil event.
    pub facts: &'a Facts<'a>,
    /// The record's id in OpenCRVS.
    pub event_id: &'a str,
    /// The record's tracking id.
    pub tracking_id: &'a str,
    /// The registration number, once there is one.
    pub registration_number: Option<&'a str>,
}

/// The content of a MOSIP packet.
#[derive(Clone, PartialEq, Eq)]
pub struct Packet {
    /// MOSIP's process, for example `CRVS_NEW`.
    pub process: String,
    /// MOSIP's name for where packets come from, for example `CRVS1`.
    pub source: String,
    /// Version of the ID schema, a decimal number.
    pub schema_version: String,
    /// The ID schema as JSON text.
    pub schema_json: String,
    /// ID-schema field → its text; values by language are JSON text.
    pub fields: BTreeMap<String, String>,
    /// Label → text, beside the fields.
    pub meta_info: BTreeMap<String, String>,
    /// Whom MOSIP tells.
    pub notification: Notification,
    /// The id of the person that the operation is about, where there is one already.
    pub subject: Option<String>,
}

impl fmt::Debug for Packet {
    /// Names only: the values are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet")
            .field("process", &self.process)
            .field("source", &self.source)
            .field("schema_version", &self.schema_version)
            .field("fields", &self.fields.keys())
            .field("meta_info", &self.meta_info.keys())
            .finish_non_exhaustive()
    }
}

/// Whom MOSIP tells.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Notification {
    /// Full name.
    pub name: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

impl fmt::Debug for Notification {
    /// Says what is there, not what it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notification")
            .field("name", &self.name.is_some())
            .field("phone", &self.phone.is_some())
            .field("email", &self.email.is_some())
            .finish()
    }
}

/// Why a packet cannot be built from a record. Names fields and reasons, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// The pack has no packet of this name.
    #[error("the pack has no packet `{0}`")]
    Unknown(String),
    /// The record does not give what the packet must hold.
    #[error("the record does not make a `{packet}` packet: {}", listed(.problems))]
    Unfit {
        /// The packet.
        packet: String,
        /// Every problem, not only the first.
        problems: Vec<FieldProblem>,
    },
}

/// One value of a packet that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// Field of the ID schema, `metaInfo.<label>` or `notification.<part>`.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

fn listed(problems: &[FieldProblem]) -> String {
    let texts: Vec<String> =
        problems.iter().map(|problem| format!("{}: {}", problem.field, problem.reason)).collect();
    texts.join("; ")
}

/// Builds packets, and what is written into records.
pub(crate) struct Builder<'a> {
    pub(crate) templates: &'a Environment<'static>,
    pub(crate) country: &'a Country,
    pub(crate) locations: Option<&'a Locations>,
    pub(crate) context: &'a PacketContext<'a>,
}

impl Builder<'_> {
    pub(crate) fn build(
        &self,
        name: &str,
        packets: &Packets,
        schema: &IdSchema,
    ) -> Result<Packet, PacketError> {
        let plan = packets.plans.get(name).ok_or_else(|| PacketError::Unknown(name.to_owned()))?;
        let mut problems = Vec::new();
        let mut problem = |field: String, reason: String| problems.push(FieldProblem { field, reason });

        let mut fields = BTreeMap::new();
        let mut refused = BTreeSet::new();
        for (field, value) in &plan.fields {
            let text = match self.value(value) {
                Ok(Some(text)) => text,
                Ok(None) => continue,
                Err(reason) => {
                    refused.insert(field.as_str());
                    problem(field.clone(), reason);
                    continue;
                }
            };
            if let Some(reason) = schema.reject(field, &text) {
                refused.insert(field.as_str());
                problem(field.clone(), reason);
            }
            fields.insert(field.clone(), text);
        }
        for alternatives in schema.required_of(&plan.mandatory) {
            if !alternatives.iter().any(|field| fields.contains_key(*field) || refused.contains(field)) {
                problem(alternatives.join("|"), "mandatory, and the record has nothing for it".to_owned());
            }
        }
        let mut meta_info = BTreeMap::new();
        for (label, value) in &plan.meta_info {
            match self.value(value) {
                Ok(Some(text)) => {
                    meta_info.insert(label.clone(), text);
                }
                Ok(None) => {}
                Err(reason) => problem(format!("metaInfo.{label}"), reason),
            }
        }
        let mut notify =
            |part: &str, value: &Option<Value>| match value.as_ref().map(|value| self.value(value)) {
                Some(Ok(text)) => text,
                Some(Err(reason)) => {
                    problem(format!("notification.{part}"), reason);
                    None
                }
                None => None,
            };
        let notification = Notification {
            name: notify("name", &plan.name),
            phone: notify("phone", &plan.phone),
            email: notify("email", &plan.email),
        };
        if !problems.is_empty() {
            return Err(PacketError::Unfit { packet: name.to_owned(), problems });
        }
        Ok(Packet {
            process: plan.process.clone(),
            source: plan.source.as_ref().unwrap_or(&packets.source).clone(),
            schema_version: packets.schema_version.clone(),
            schema_json: schema.text.clone(),
            fields,
            meta_info,
            notification,
            subject: plan.subject.as_ref().and_then(|field| plain(field.get(self.context.facts.after)?)),
        })
    }

    /// The finished text; `None` if there is nothing to send and that is allowed.
    pub(crate) fn value(&self, value: &Value) -> Result<Option<String>, String> {
        if value.only_if_changed && !self.has_changed(&value.source) {
            return Ok(None);
        }
        if let Source::Languages(languages) = &value.source {
            let mut texts = Vec::new();
            for (language, inner) in languages {
                if let Some(text) = self.value(inner)? {
                    texts.push(json!({ "language": language, "value": text }));
                }
            }
            return match texts.is_empty() {
                false => Ok(Some(Json::Array(texts).to_string())),
                true if value.optional => Ok(None),
                true => Err("no language has a value".to_owned()),
            };
        }
        if let Source::List(items) = &value.source {
            let mut texts = Vec::new();
            for item in items {
                texts.extend(self.value(item)?);
            }
            return match texts.is_empty() {
                false => Ok(Some(json!(texts).to_string())),
                true if value.optional => Ok(None),
                true => Err("no item of the list has a value".to_owned()),
            };
        }
        let text = self.text(&value.source)?.filter(|text| !text.trim().is_empty());
        match (text, &value.language) {
            (Some(text), Some(language)) => {
                Ok(Some(json!([{ "language": language, "value": text }]).to_string()))
            }
            (Some(text), None) => Ok(Some(text)),
            (None, _) if value.optional => Ok(None),
            (None, _) => Err(format!("nothing in {}", self.origin(&value.source))),
        }
    }

    fn text(&self, source: &Source) -> Result<Option<String>, String> {
        let facts = self.context.facts;
        match source {
            Source::From(fields) => self.plain(fields),
            Source::Choose { by, cases, otherwise } => {
                let word = by.get(facts.after).and_then(Json::as_str);
                self.plain(word.and_then(|word| cases.get(word)).unwrap_or(otherwise))
            }
            Source::Date { fields, format } => {
                let Some((field, value)) = first(fields, facts.after) else { return Ok(None) };
                let date = value.as_str().and_then(|text| self.day(text));
                date.map(|date| Some(written(date, format))).ok_or_else(|| format!("{field} is not a date"))
            }
            Source::Code { fields, map, default } => {
                let Some((field, value)) = first(fields, facts.after) else { return Ok(None) };
                let code = plain(value).and_then(|word| map.get(&word)).or(default.as_ref());
                code.map(|code| Some(code.clone()))
                    .ok_or_else(|| format!("{field} has a value without a code"))
            }
            Source::Location { fields, level, wanted, default } => {
                let Some((field, value)) = first(fields, facts.after) else { return Ok(None) };
                let id = value.as_str().ok_or_else(|| format!("{field} is not the id of a place"))?;
                match self.locations.map(|list| list.find(id, *level, *wanted)) {
                    Some(Ok(text)) => Ok(Some(text.to_owned())),
                    Some(Err(NoPlace::NoSuchLevel)) => Ok(None),
                    Some(Err(NoPlace::NoCode)) => Err(format!("the place of {field} has no code in {FILE}")),
                    Some(Err(NoPlace::Unknown)) | None => default
                        .clone()
                        .map(Some)
                        .ok_or_else(|| format!("{field} is a place that {FILE} does not have")),
                }
            }
            Source::ActionDate(format) => {
                Ok(Some(written(self.country.time_zone.to_datetime(facts.at).date(), format)))
            }
            Source::Text { template: name, with } => {
                let mut values = Map::new();
                let mut any = with.is_empty();
                for (alias, field, kind) in with {
                    let value = field.get(facts.after);
                    any |= value.is_some();
                    values.insert(alias.clone(), template::filled(kind, value));
                }
                if !any {
                    return Ok(None);
                }
                template::render(self.templates, name, &values).map(Some).map_err(str::to_owned)
            }
            Source::Given(Given::EventId) => Ok(Some(self.context.event_id.to_owned())),
            Source::Given(Given::TrackingId) => Ok(Some(self.context.tracking_id.to_owned())),
            Source::Given(Given::RegistrationNumber) => {
                Ok(self.context.registration_number.map(str::to_owned))
            }
            Source::Constant(text) => Ok(Some(text.clone())),
            Source::Languages(_) | Source::List(_) | Source::Given(Given::ActionDate) => Ok(None),
        }
    }

    /// A date as it is, an instant as its day where the country is.
    fn day(&self, text: &str) -> Option<jiff::civil::Date> {
        read_date(text).or_else(|| {
            let instant: jiff::Timestamp = text.parse().ok()?;
            Some(self.country.time_zone.to_datetime(instant).date())
        })
    }

    fn plain(&self, fields: &[FieldRef]) -> Result<Option<String>, String> {
        match first(fields, self.context.facts.after) {
            None => Ok(None),
            Some((field, value)) => {
                plain(value).map(Some).ok_or_else(|| format!("{field} is not a plain value"))
            }
        }
    }

    fn has_changed(&self, source: &Source) -> bool {
        let facts = self.context.facts;
        let changed = |field: &FieldRef| !same(field.get(facts.before), field.get(facts.after));
        match source {
            Source::From(fields)
            | Source::Date { fields, .. }
            | Source::Code { fields, .. }
            | Source::Location { fields, .. } => fields.iter().any(changed),
            Source::Text { with, .. } => with.iter().any(|(_, field, _)| changed(field)),
            Source::Languages(languages) => languages.values().any(|value| self.has_changed(&value.source)),
            Source::List(items) => items.iter().any(|item| self.has_changed(&item.source)),
            Source::Choose { .. } | Source::Given(_) | Source::ActionDate(_) | Source::Constant(_) => true,
        }
    }

    /// The fields that a source reads, for messages.
    fn origin(&self, source: &Source) -> String {
        let list = |fields: &mut dyn Iterator<Item = &FieldRef>| {
            let names: BTreeSet<String> = fields.map(ToString::to_string).collect();
            names.into_iter().collect::<Vec<_>>().join(", ")
        };
        match source {
            Source::From(fields)
            | Source::Date { fields, .. }
            | Source::Code { fields, .. }
            | Source::Location { fields, .. } => list(&mut fields.iter()),
            Source::Choose { by, cases, otherwise } => {
                let word = by.get(self.context.facts.after).and_then(Json::as_str);
                list(&mut word.and_then(|word| cases.get(word)).unwrap_or(otherwise).iter())
            }
            Source::Text { with, .. } => list(&mut with.iter().map(|(_, field, _)| field)),
            Source::Given(Given::RegistrationNumber) => "the registration number".to_owned(),
            Source::Given(_)
            | Source::ActionDate(_)
            | Source::Constant(_)
            | Source::List(_)
            | Source::Languages(_) => "its source".to_owned(),
        }
    }
}

/// The first field that is present.
fn first<'f, 'v>(fields: &'f [FieldRef], facts: &'v Map<String, Json>) -> Option<(&'f FieldRef, &'v Json)> {
    fields.iter().find_map(|field| Some((field, field.get(facts)?)))
}

fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn written(date: jiff::civil::Date, format: &DateFormat) -> String {
    format.0.iter().fold(String::new(), |text, piece| match piece {
        DatePiece::Year => format!("{text}{:04}", date.year()),
        DatePiece::Month => format!("{text}{:02}", date.month()),
        DatePiece::Day => format!("{text}{:02}", date.day()),
        DatePiece::Fixed(c) => format!("{text}{c}"),
    })
}
