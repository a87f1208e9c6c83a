//! The JSON Schemas of the pack's files, generated from their types.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::files::cases::CasesFile;
use crate::files::country::CountryFile;
use crate::files::fields::FieldsFile;
use crate::files::identity::IdentityFile;
use crate::files::packets::PacketsFile;
use crate::files::rules::RulesFile;
use crate::files::words::WordsFile;

/// The schemas that editors use: file name in `schemas/` → its text, ending in a line feed.
pub fn schemas() -> Vec<(&'static str, String)> {
    [
        ("country.schema.json", schema_of::<CountryFile>()),
        ("fields.schema.json", schema_of::<FieldsFile>()),
        ("rules.schema.json", schema_of::<RulesFile>()),
        ("packets.schema.json", schema_of::<PacketsFile>()),
        ("identity.schema.json", schema_of::<IdentityFile>()),
        ("words.schema.json", schema_of::<WordsFile>()),
        ("cases.schema.json", schema_of::<CasesFile>()),
    ]
    .into_iter()
    .map(|(name, schema)| (name, format!("{:#}\n", Value::from(schema))))
    .collect()
}

/// The schema of one file, JSON Schema 2020-12.
pub(crate) fn schema_of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}
