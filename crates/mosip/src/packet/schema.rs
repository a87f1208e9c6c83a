//! What a packet needs to know of the ID schema: which sub-packet a field goes into, and how its value is written.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

use super::BuildError;

/// An ID schema, read and encoded once for all packets that carry it: it is most of their bytes.
#[derive(Debug)]
pub struct IdSchema {
    text: String,
    /// The text as a JSON string: MOSIP wants a string that holds JSON.
    encoded: Box<RawValue>,
    sub_packets: Option<BTreeSet<&'static str>>,
}

impl IdSchema {
    /// Takes a schema, JSON. One that cannot be read is refused when a packet is to carry it.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        // A string always serialises.
        let encoded = to_raw_value(&text).unwrap_or_default();
        IdSchema { sub_packets: sub_packets(&text), encoded, text }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn encoded(&self) -> &RawValue {
        &self.encoded
    }

    pub(super) fn sub_packets(&self) -> Option<&BTreeSet<&'static str>> {
        self.sub_packets.as_ref()
    }
}

impl PartialEq for IdSchema {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for IdSchema {}

/// A field of the ID schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) category: Category,
    pub(super) kind: Kind,
}

/// Which sub-packets hold a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Id,
    Evidence,
    Optional,
    All,
}

impl Category {
    pub(super) fn is_in(self, sub_packet: &str) -> bool {
        match self {
            Category::Id => sub_packet == "id",
            Category::Evidence => sub_packet == "evidence",
            Category::Optional => sub_packet == "optional",
            Category::All => true,
        }
    }
}

/// How a field's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file, described by `documentType`.
    Document,
    /// A CBEFF file, described by `biometricsType`.
    Biometrics,
    /// As it is.
    Text,
    /// JSON: values by language, lists, numbers, booleans.
    Json,
}

#[derive(Deserialize)]
struct Schema {
    properties: Root,
}

#[derive(Deserialize)]
struct Root {
    identity: Identity,
}

#[derive(Deserialize)]
struct Identity {
    properties: Properties,
}

/// In the schema's own order.
struct Properties(Vec<(String, Property)>);

/// The rest of a property, most of a schema's text, is stepped over: the schema is read for every packet.
#[derive(Deserialize)]
struct Property {
    #[serde(rename = "fieldCategory", default)]
    category: Value,
    #[serde(rename = "$ref", default)]
    reference: Value,
    #[serde(rename = "type", default)]
    kind: Value,
}

impl Property {
    /// A missing category counts as `none`.
    fn category(&self) -> &str {
        self.category.as_str().unwrap_or("none")
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Named;

        impl<'de> Visitor<'de> for Named {
            type Value = Properties;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of properties")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties, A::Error> {
                let mut properties = Vec::with_capacity(32);
                while let Some(property) = map.next_entry()? {
                    properties.push(property);
                }
                Ok(Properties(properties))
            }
        }
        deserializer.deserialize_map(Named)
    }
}

fn properties(schema_json: &str) -> Option<Vec<(String, Property)>> {
    let schema: Schema = serde_json::from_str(schema_json).ok()?;
    Some(schema.properties.identity.properties.0)
}

/// The fields, in the schema's own order.
pub(super) fn fields(schema_json: &str) -> Result<Vec<Field>, BuildError> {
    let properties = properties(schema_json).ok_or(BuildError::Schema)?;
    let mut fields = Vec::with_capacity(properties.len());
    for (name, field) in properties {
        let word = field.category();
        let category = match word.to_ascii_lowercase().as_str() {
            "pvt" | "kyc" => Category::Id,
            "evidence" => Category::Evidence,
            "optional" => Category::Optional,
            "none" => Category::All,
            _ => return Err(BuildError::Category { field: name, category: word.to_owned() }),
        };
        let kind = match (field.reference.as_str(), field.kind.as_str()) {
            (Some("#/definitions/documentType"), _) => Kind::Document,
            (Some("#/definitions/biometricsType"), _) => Kind::Biometrics,
            (None, Some("string")) => Kind::Text,
            (Some(_), _) | (None, Some(_)) => Kind::Json,
            (None, None) => return Err(BuildError::FieldType(name)),
        };
        fields.push(Field { name, category, kind });
    }
    Ok(fields)
}

/// The sub-packets that the packet manager makes of a schema. A missing category counts as `none`, which is all three.
/// `None` if the schema cannot be read.
fn sub_packets(schema_json: &str) -> Option<BTreeSet<&'static str>> {
    let mut names = BTreeSet::new();
    for (_, field) in properties(schema_json)? {
        match field.category().to_ascii_lowercase().as_str() {
            "pvt" | "kyc" => names.extend(["id"]),
            "evidence" => names.extend(["evidence"]),
            "optional" => names.extend(["optional"]),
            _ => names.extend(["id", "evidence", "optional"]),
        }
    }
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(fields: &str) -> String {
        format!(r#"{{"properties":{{"identity":{{"properties":{fields}}}}}}}"#)
    }

    #[test]
    fn the_schema_decides_which_sub_packets_there_are() {
        let of = |fields: &str| sub_packets(&schema(fields));
        assert_eq!(
            of(r#"{"a":{"fieldCategory":"pvt"},"b":{"fieldCategory":"KYC"}}"#),
            Some(BTreeSet::from(["id"]))
        );
        let all = Some(BTreeSet::from(["id", "evidence", "optional"]));
        assert_eq!(of(r#"{"a":{"fieldCategory":"none"}}"#), all);
        assert_eq!(of(r#"{"a":{"type":"string"}}"#), all);
        assert_eq!(of("{}"), None);
        assert_eq!(sub_packets("{}"), None);
    }

    #[test]
    fn it_travels_as_a_string() {
        let schema = IdSchema::new("{\"a\": \"\u{e9}\"}");
        assert_eq!(schema.encoded().get(), "\"{\\\"a\\\": \\\"\u{e9}\\\"}\"");
    }

    #[test]
    fn what_makes_mosips_writer_fail_is_refused_by_name() {
        assert_eq!(fields("{}"), Err(BuildError::Schema));
        let odd = fields(&schema(r#"{"a":{"type":"string","fieldCategory":"secret"}}"#));
        assert_eq!(odd, Err(BuildError::Category { field: "a".into(), category: "secret".into() }));
        assert_eq!(fields(&schema(r#"{"a":{}}"#)), Err(BuildError::FieldType("a".into())));
    }

    #[test]
    fn a_field_is_text_json_a_document_or_biometrics() {
        let read = fields(&schema(
            r##"{"a":{"type":"string"},"b":{"$ref":"#/definitions/simpleType"},"c":{"type":"number"},
                "d":{"$ref":"#/definitions/documentType","fieldCategory":"EVIDENCE"},
                "e":{"$ref":"#/definitions/biometricsType","fieldCategory":"pvt"}}"##,
        ))
        .unwrap();
        let kinds: Vec<Kind> = read.iter().map(|field| field.kind).collect();
        assert_eq!(kinds, [Kind::Text, Kind::Json, Kind::Json, Kind::Document, Kind::Biometrics]);
        assert!(read[3].category.is_in("evidence") && !read[3].category.is_in("id"));
        assert!(read[0].category.is_in("optional") && read[4].category.is_in("id"));
    }
}
