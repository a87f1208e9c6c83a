//! Packets whose fields somebody else has mapped already: a country configuration written for another mediator sends
//! fields of the ID schema in place of a record.
//!
//! They are forwarded as they are where the ID schema takes them so. A plain text where the schema wants values by
//! language, a date with other separators, and a word in small letters are brought into the schema's form when, and
//! only when, that makes them fit. What the schema lacks MOSIP would drop without a word; here it is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::json;

use crate::country::Country;
use crate::decision::{Effect, Operation};
use crate::idschema::{IdSchema, Shape};
use crate::pack::Pack;
use crate::packet::{FieldProblem, Notification, Packet, PacketError};

/// Fields that say which person a packet is about; the first one that MOSIP finds an identity by.
const WHO: [&str; 2] = ["UIN", "VID"];

/// What was sent in place of a record.
#[derive(Clone, Default)]
pub struct Mapped {
    /// Field of the ID schema → its text; values by language are JSON text.
    pub fields: BTreeMap<String, String>,
    /// Label → text, beside the fields.
    pub meta_info: BTreeMap<String, String>,
    /// Whom MOSIP tells.
    pub notification: Notification,
    /// The id of the person that the operation is about, where there is one already.
    pub subject: Option<String>,
}

impl fmt::Debug for Mapped {
    /// Names only: the values are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapped")
            .field("fields", &self.fields.keys())
            .field("meta_info", &self.meta_info.keys())
            .finish_non_exhaustive()
    }
}

/// A packet made of mapped fields, and what was done to them.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The packet.
    pub packet: Packet,
    /// Fields that were brought into the ID schema's form.
    pub adapted: Vec<String>,
    /// Fields that the ID schema lacks, and that were left out.
    pub dropped: Vec<String>,
}

impl Pack {
    /// Makes the packet for an operation on an event out of mapped fields. Process, source, schema and mandatory
    /// attributes are those of the packet that the pack's own rules send for it.
    ///
    /// # Errors
    /// [`PacketError::Unknown`] where no rule of the pack sends a packet for the operation; else every field that does
    /// not fit.
    pub fn packet_of_mapped(
        &self,
        operation: Operation,
        event: &str,
        mapped: &Mapped,
    ) -> Result<Fitted, PacketError> {
        let inner = self.inner();
        let name =
            inner.rules.rules.iter().filter(|rule| rule.event == event).find_map(|rule| match &rule.effect {
                Effect::Operate { operation: asked, send, .. } if *asked == operation => Some(send),
                _ => None,
            });
        let unknown = || PacketError::Unknown(format!("{operation} of a {event}"));
        let (name, plan) =
            name.and_then(|name| Some((name, inner.packets.plans.get(name)?))).ok_or_else(unknown)?;
        let mut fitted = Fitting::of(&inner.schema, &inner.country);
        for (field, text) in &mapped.fields {
            fitted.take(field, text);
        }
        if let Some(subject) = &mapped.subject {
            for field in WHO.into_iter().filter(|field| plan.fields.contains_key(*field)) {
                if !mapped.fields.contains_key(field) {
                    fitted.take(field, subject);
                }
            }
        }
        let Fitting { mut problems, fields, adapted, dropped, refused, .. } = fitted;
        for alternatives in inner.schema.required_of(&plan.mandatory) {
            if !alternatives.iter().any(|field| fields.contains_key(*field) || refused.contains(*field)) {
                let reason = "mandatory, and the request does not have it".to_owned();
                problems.push(FieldProblem { field: alternatives.join("|"), reason });
            }
        }
        if !problems.is_empty() {
            return Err(PacketError::Unfit { packet: name.clone(), problems });
        }
        let packet = Packet {
            process: plan.process.clone(),
            source: plan.source.as_ref().unwrap_or(&inner.packets.source).clone(),
            schema_version: inner.packets.schema_version.clone(),
            schema_json: inner.schema.text.clone(),
            fields,
            meta_info: mapped.meta_info.clone(),
            notification: mapped.notification.clone(),
            subject: mapped.subject.clone(),
        };
        Ok(Fitted { packet, adapted, dropped })
    }
}

struct Fitting<'a> {
    schema: &'a IdSchema,
    country: &'a Country,
    fields: BTreeMap<String, String>,
    problems: Vec<FieldProblem>,
    refused: BTreeSet<String>,
    adapted: Vec<String>,
    dropped: Vec<String>,
}

impl<'a> Fitting<'a> {
    fn of(schema: &'a IdSchema, country: &'a Country) -> Self {
        Self {
            schema,
            country,
            fields: BTreeMap::new(),
            problems: Vec::new(),
            refused: BTreeSet::new(),
            adapted: Vec::new(),
            dropped: Vec::new(),
        }
    }

    fn take(&mut self, field: &str, text: &str) {
        if self.schema.shape(field).is_none() {
            self.dropped.push(field.to_owned());
            return;
        }
        let Some(reason) = self.schema.reject(field, text) else {
            self.fields.insert(field.to_owned(), text.to_owned());
            return;
        };
        let forms = self.forms(field, text);
        if let Some(form) = forms.into_iter().find(|form| self.schema.reject(field, form).is_none()) {
            self.adapted.push(field.to_owned());
            self.fields.insert(field.to_owned(), form);
        } else {
            self.refused.insert(field.to_owned());
            self.problems.push(FieldProblem { field: field.to_owned(), reason });
        }
    }

    /// The same value in other forms, the least changed first.
    fn forms(&self, field: &str, text: &str) -> Vec<String> {
        let words = [text.to_owned(), text.replace('-', "/"), capitalised(text)];
        if self.schema.shape(field) != Some(Shape::Languages) {
            return words[1..].to_vec();
        }
        let language = self.country.languages.first().map_or("eng", |language| language.mosip.as_str());
        words.iter().map(|word| json!([{ "language": language, "value": word }]).to_string()).collect()
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
