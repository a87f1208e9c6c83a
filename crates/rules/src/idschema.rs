//! The country's MOSIP ID schema: what a packet may hold, must hold, and how each value looks.
//!
//! MOSIP drops a field that the schema lacks without a word, and finds a value that breaks a
//! validator only hours later; both are found here, before anything is sent.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value, json};

use crate::codes::Code;
use crate::diagnostics::Diagnostic;
use crate::schemasteps::{endless, validator};
use crate::source::ordered::{self, Ordered};
use crate::source::{Document, Path, at};

/// The version of the schema; MOSIP adds it to the packet itself.
const SCHEMA_VERSION_FIELD: &str = "IDSchemaVersion";

/// Categories that MOSIP sorts fields into packet parts by.
const CATEGORIES: [&str; 5] = ["pvt", "kyc", "none", "evidence", "optional"];

/// How a value travels in the string that a packet field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As it is.
    Text,
    /// JSON text of an array of `{language, value}`.
    Languages,
    /// JSON text.
    Json,
}

#[derive(Debug)]
struct Property {
    shape: Shape,
    /// A plain value that is no text: it travels as one, and MOSIP reads it back.
    plain: Option<Plain>,
    /// Language that a pattern is for, if not for all, and its name in `patterns`.
    patterns: Vec<(Option<String>, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plain {
    Number,
    Integer,
    Boolean,
}

impl Plain {
    fn reads(self, text: &str) -> bool {
        match self {
            Self::Number => text.parse::<f64>().is_ok_and(f64::is_finite),
            Self::Integer => text.parse::<i64>().is_ok(),
            Self::Boolean => matches!(text, "true" | "false"),
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::Boolean => "`true` or `false`",
        }
    }
}

/// The compiled ID schema.
#[derive(Debug, Default)]
pub(crate) struct IdSchema {
    /// The schema's text as it is sent: keys in order, so that it is the same from the archive.
    pub(crate) text: String,
    properties: BTreeMap<String, Property>,
    required: BTreeSet<String>,
    /// Checks an object of one field against that field's own schema.
    fields: Option<Validator>,
    /// Checks an object of one text, under the name of a pattern, against that pattern.
    patterns: Option<Validator>,
}

impl IdSchema {
    pub(crate) fn compile(document: &Document, out: &mut Vec<Diagnostic>) -> Self {
        let root = &document.value;
        if let Err(error) = jsonschema::meta::validate(root) {
            out.push(no_schema(document, &error));
            return Self::default();
        }
        let Some(identity) = root.pointer("/properties/identity") else {
            out.push(no_identity(document));
            return Self::default();
        };
        let fields = identity.get("properties").and_then(Value::as_object);
        let Some(fields) = fields.filter(|fields| !fields.is_empty()) else {
            out.push(no_identity(document));
            return Self::default();
        };
        if let Some(reason) = endless(root, identity) {
            let path = at("properties").key("identity");
            out.push(document.at_key(Code::P037, &path, reason).help(
                "every packet is checked against this schema: references go one way, to a place in this file",
            ));
            return Self::default();
        }
        let mut schema = Self { text: ordered::text(&Ordered::of(root)), ..Self::default() };
        let mut patterns = Map::new();
        for (name, field) in fields {
            let path = at("properties").key("identity").key("properties").key(name);
            schema
                .properties
                .insert(name.clone(), property(document, name, field, &path, &mut patterns, out));
        }
        match validator(&fields_schema(root, fields)) {
            Ok(validator) => schema.fields = Some(validator),
            Err(error) => out.push(no_schema(document, &error)),
        }
        schema.patterns = validator(&json!({ "properties": patterns })).ok();
        if schema.patterns.is_none() {
            broken_patterns(document, fields, out);
        }
        let required = identity.get("required").and_then(Value::as_array);
        schema.required = required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|name| *name != SCHEMA_VERSION_FIELD)
            .map(str::to_owned)
            .collect();
        schema
    }

    /// Whether the file could be read at all.
    pub(crate) fn is_usable(&self) -> bool {
        !self.properties.is_empty()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.properties.keys().map(String::as_str)
    }

    pub(crate) fn shape(&self, name: &str) -> Option<Shape> {
        self.properties.get(name).map(|property| property.shape)
    }

    /// What must be in a packet of a process with these mandatory attributes: one field of each list.
    /// MOSIP writes alternatives as `dateOfBirth|age`.
    pub(crate) fn required_of<'a>(&'a self, mandatory: &'a [String]) -> impl Iterator<Item = Vec<&'a str>> {
        mandatory
            .iter()
            .map(|attribute| attribute.split('|').collect::<Vec<_>>())
            .filter(|names| names.iter().any(|name| self.required.contains(*name)))
    }

    /// Why `text` cannot be the value of `name`; the value is not in the reason.
    pub(crate) fn reject(&self, name: &str, text: &str) -> Option<String> {
        let Some(property) = self.properties.get(name) else {
            return Some("the ID schema does not have this field; MOSIP would drop it".to_owned());
        };
        if let Some(plain) = property.plain.filter(|plain| !plain.reads(text)) {
            return Some(format!("the ID schema wants {}", plain.noun()));
        }
        let value = match property.shape {
            Shape::Text => json!(text),
            Shape::Languages | Shape::Json => match serde_json::from_str::<Value>(text) {
                Ok(value) => value,
                Err(_) => return Some("not the JSON that the ID schema asks for".to_owned()),
            },
        };
        let alone =
            |name: &str, value: &Value| Value::Object(Map::from_iter([(name.to_owned(), value.clone())]));
        let instance = alone(name, &value);
        if let Some(error) = self.fields.as_ref().and_then(|fields| fields.validate(&instance).err()) {
            return Some(error.masked_with("the value").to_string());
        }
        let texts = match (&value, property.shape) {
            (Value::Array(items), Shape::Languages) => items
                .iter()
                .filter_map(|item| Some((item.get("language")?.as_str(), item.get("value")?)))
                .collect(),
            (value, _) => vec![(None, value)],
        };
        let broken = property.patterns.iter().any(|(language, pattern)| {
            texts.iter().any(|(written, text)| {
                (language.is_none() || language.as_deref() == *written)
                    && self
                        .patterns
                        .as_ref()
                        .is_some_and(|patterns| !patterns.is_valid(&alone(pattern, text)))
            })
        });
        broken.then(|| "the value does not fit the validator of the ID schema".to_owned())
    }
}

fn no_identity(document: &Document) -> Diagnostic {
    document
        .at_value(Code::I002, &Path::default(), "the ID schema has no properties.identity.properties")
        .help("MOSIP's ID schema describes one object `identity`; its properties are the fields of packets")
}

fn no_schema(document: &Document, error: &ValidationError<'_>) -> Diagnostic {
    document
        .at_value(Code::I001, &Path::default(), format!("not a JSON Schema: {}", error.masked()))
        .help("the file is the ID schema as MOSIP's master data serve it, `schemaJson` unpacked")
}

fn property(
    document: &Document,
    name: &str,
    field: &Value,
    path: &Path,
    compiled: &mut Map<String, Value>,
    out: &mut Vec<Diagnostic>,
) -> Property {
    let category = field.get("fieldCategory").and_then(Value::as_str);
    if category.is_none_or(|category| !CATEGORIES.contains(&category)) {
        out.push(
            document
                .at_key(Code::I004, path, "the field has no known `fieldCategory`")
                .help(format!("it decides the part of the packet: one of {}", CATEGORIES.join(", "))),
        );
    }
    let mut patterns = Vec::new();
    for (index, validator, pattern) in regexes(field) {
        let language = validator.get("langCode").and_then(Value::as_str).map(str::to_owned);
        let key = format!("{name}/{index}");
        compiled.insert(key.clone(), whole(pattern));
        patterns.push((language, key));
    }
    let plain = match field.get("type").and_then(Value::as_str) {
        Some("number") => Some(Plain::Number),
        Some("integer") => Some(Plain::Integer),
        Some("boolean") => Some(Plain::Boolean),
        _ => None,
    };
    Property { shape: shape_of(&document.value, field), plain, patterns }
}

/// The field's validators that are regular expressions, with their index.
fn regexes(field: &Value) -> impl Iterator<Item = (usize, &Value, &str)> {
    let validators = field.get("validators").and_then(Value::as_array);
    validators.into_iter().flatten().enumerate().filter_map(|(index, validator)| {
        let is_regex = validator.get("type").and_then(Value::as_str) == Some("regex");
        let pattern = validator.get("validator").and_then(Value::as_str).filter(|_| is_regex)?;
        Some((index, validator, pattern))
    })
}

/// MOSIP asks whether the whole text matches.
fn whole(pattern: &str) -> Value {
    json!({ "pattern": format!("^(?:{pattern})$") })
}

/// Finds the patterns because of which the whole does not compile.
fn broken_patterns(document: &Document, fields: &Map<String, Value>, out: &mut Vec<Diagnostic>) {
    for (name, field) in fields {
        let path = at("properties").key("identity").key("properties").key(name).key("validators");
        for (index, _, pattern) in regexes(field) {
            if validator(&whole(pattern)).is_err() {
                let path = path.item(index).key("validator");
                out.push(document.at_value(Code::I003, &path, "the pattern does not compile"));
            }
        }
    }
}

/// The fields' own schemas, with the root's definitions beside them so that references resolve.
fn fields_schema(root: &Value, fields: &Map<String, Value>) -> Value {
    let mut schema = Map::new();
    for key in ["$schema", "definitions", "$defs"] {
        if let Some(value) = root.get(key) {
            schema.insert(key.to_owned(), value.clone());
        }
    }
    let properties: Map<String, Value> = fields
        .iter()
        .map(|(name, field)| {
            // Numbers and booleans travel as texts; MOSIP converts them.
            let plain = shape_of(root, field) == Shape::Text;
            (name.clone(), if plain { texts(field) } else { field.clone() })
        })
        .collect();
    schema.insert("properties".to_owned(), Value::Object(properties));
    Value::Object(schema)
}

fn texts(field: &Value) -> Value {
    let mut field = field.clone();
    if let Some(map) = field.as_object_mut()
        && map.get("type").is_some_and(|kind| kind != "string")
    {
        map.remove("type");
    }
    field
}

fn shape_of(root: &Value, field: &Value) -> Shape {
    let target = field
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
        .unwrap_or(field);
    match target.get("type").and_then(Value::as_str) {
        Some("array") if target.pointer("/items/properties/language").is_some() => Shape::Languages,
        Some("array" | "object") => Shape::Json,
        _ => Shape::Text,
    }
}
