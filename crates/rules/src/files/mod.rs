//! The shapes of the pack's files, as their authors write them.
//!
//! One module per file. The types carry the JSON Schemas that editors use and that the first
//! check of every load runs on; what a schema cannot say is checked when the pack is compiled.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, schema_for};
use serde_json::{Map, Value};

pub(crate) mod cases;
pub(crate) mod country;
pub(crate) mod fields;
pub(crate) mod identity;
pub(crate) mod lenient;
pub(crate) mod packets;
pub(crate) mod rules;
pub(crate) mod words;

/// A text by language: ISO 639-1 code → text.
pub type Localised = BTreeMap<String, String>;

/// The version of the file formats that this build reads.
pub(crate) const VERSION: u32 = 1;

/// A file that says which version of its format it is written in.
pub(crate) trait Versioned {
    /// The version it says.
    fn version(&self) -> u32;
}

macro_rules! versioned {
    ($($file:ty),*) => {
        $(impl Versioned for $file {
            fn version(&self) -> u32 {
                self.version
            }
        })*
    };
}

/// In the schema of a map: its keys are the words of `K`, each with its description, and no others.
fn keys_of<K: JsonSchema>(schema: &mut Schema) {
    let words = Value::from(schema_for!(K));
    let values = schema.get("additionalProperties").cloned().unwrap_or_default();
    let properties: Map<String, Value> = words["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|word| {
            let mut value = values.as_object()?.clone();
            value.insert("description".to_owned(), word["description"].clone());
            Some((word["const"].as_str()?.to_owned(), Value::Object(value)))
        })
        .collect();
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), Value::Bool(false));
}

versioned!(
    cases::CasesFile,
    country::CountryFile,
    fields::FieldsFile,
    identity::IdentityFile,
    packets::PacketsFile,
    rules::RulesFile,
    words::WordsFile
);
