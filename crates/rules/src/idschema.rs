//! The country's MOSIP ID schema: what a packet may hold, must hold, and how each value looks.
//!
//! MOSIP drops a field that the schema lacks without a word, and finds a value that breaks a
//! validator only hours later; both are found here, before anything is sent.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::codes::Code;
use crate::diagnostics::Diagnostic;
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
    validator: Option<Validator>,
    patterns: Vec<(Option<String>, Validator)>,
}

/// The compiled ID schema.
#[derive(Debug, Default)]
pub(crate) struct IdSchema {
    /// The schema's text as it is sent.
    pub(crate) text: String,
    properties: BTreeMap<String, Property>,
    required: BTreeSet<String>,
}

impl IdSchema {
    pub(crate) fn compile(document: &Document, out: &mut Vec<Diagnostic>) -> Self {
        let root = &document.value;
        if let Err(error) = jsonschema::meta::validate(root) {
            out.push(
                document
                    .at_value(Code::I001, &Path::default(), format!("not a JSON Schema: {}", error.masked()))
                    .help("the file is the ID schema as MOSIP's master data serve it, `schemaJson` unpacked"),
            );
            return Self::default();
        }
        let Some(identity) = root.pointer("/properties/identity") else {
            out.push(no_identity(document));
            return Self::default();
        };
        let Some(fields) = identity.get("properties").and_then(Value::as_object) else {
            out.push(no_identity(document));
            return Self::default();
        };
        let mut schema = Self { text: root.to_string(), ..Self::default() };
        for (name, field) in fields {
            let path = at("properties").key("identity").key("properties").key(name);
            schema.properties.insert(name.clone(), property(document, field, &path, out));
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

    /// What must be in a packet of a process with these mandatory attributes.
    pub(crate) fn required_of<'a>(&'a self, mandatory: &'a [String]) -> impl Iterator<Item = &'a str> {
        mandatory.iter().map(String::as_str).filter(|name| self.required.contains(*name))
    }

    /// Why `text` cannot be the value of `name`; the value is not in the reason.
    pub(crate) fn reject(&self, name: &str, text: &str) -> Option<String> {
        let Some(property) = self.properties.get(name) else {
            return Some("the ID schema does not have this field; MOSIP would drop it".to_owned());
        };
        let value = match property.shape {
            Shape::Text => json!(text),
            Shape::Languages | Shape::Json => match serde_json::from_str::<Value>(text) {
                Ok(value) => value,
                Err(_) => return Some("not the JSON that the ID schema asks for".to_owned()),
            },
        };
        if let Some(error) =
            property.validator.as_ref().and_then(|validator| validator.validate(&value).err())
        {
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
                (language.is_none() || language.as_deref() == *written) && !pattern.is_valid(text)
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

fn property(document: &Document, field: &Value, path: &Path, out: &mut Vec<Diagnostic>) -> Property {
    let root = &document.value;
    let category = field.get("fieldCategory").and_then(Value::as_str);
    if category.is_none_or(|category| !CATEGORIES.contains(&category)) {
        out.push(
            document
                .at_key(Code::I004, path, "the field has no known `fieldCategory`")
                .help(format!("it decides the part of the packet: one of {}", CATEGORIES.join(", "))),
        );
    }
    let mut patterns = Vec::new();
    let validators = field.get("validators").and_then(Value::as_array);
    for (index, validator) in validators.into_iter().flatten().enumerate() {
        let is_regex = validator.get("type").and_then(Value::as_str) == Some("regex");
        let Some(pattern) = validator.get("validator").and_then(Value::as_str).filter(|_| is_regex) else {
            continue;
        };
        let language = validator.get("langCode").and_then(Value::as_str).map(str::to_owned);
        // MOSIP asks whether the whole text matches.
        match jsonschema::validator_for(&json!({ "pattern": format!("^(?:{pattern})$") })) {
            Ok(compiled) => patterns.push((language, compiled)),
            Err(_) => out.push(document.at_value(
                Code::I003,
                &path.key("validators").item(index).key("validator"),
                "the pattern does not compile",
            )),
        }
    }
    Property { shape: shape_of(root, field), validator: validator_of(root, field), patterns }
}

/// The field's own schema, with the root's definitions beside it so that references resolve.
fn validator_of(root: &Value, field: &Value) -> Option<Validator> {
    let mut schema = Map::new();
    for key in ["$schema", "definitions", "$defs"] {
        if let Some(value) = root.get(key) {
            schema.insert(key.to_owned(), value.clone());
        }
    }
    // Numbers and booleans travel as texts; MOSIP converts them.
    let plain = shape_of(root, field) == Shape::Text;
    schema.insert("allOf".to_owned(), if plain { json!([texts(field)]) } else { json!([field]) });
    jsonschema::validator_for(&Value::Object(schema)).ok()
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
