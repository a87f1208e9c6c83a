//! `words.yaml`: the words of explanations in the country's languages.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::lenient::Table;
use crate::phrases::{Phrase, shipped};

/// words.yaml: the words of explanations in languages that are not shipped, or in place of shipped ones. A pack does without this file when English and French are enough.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct WordsFile {
    /// Version of this file's format: 1.
    pub(crate) version: u32,
    /// Language of the country (ISO 639-1) → its phrases. A phrase that is left out is the shipped one, or English.
    pub(crate) languages: Table<Wordings>,
}

/// Phrase → how a language says it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Wordings(pub(crate) BTreeMap<String, Wording>);

/// One text, or one for each kind of count.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Wording {
    /// The text with its places in braces.
    One(String),
    /// Count (`"1"`, `"2-4"`, `"1, 21"`, `other`) → the text.
    ByCount(BTreeMap<String, String>),
}

impl JsonSchema for Wordings {
    fn schema_name() -> Cow<'static, str> {
        "Wordings".into()
    }

    /// Each phrase with its English words, so that an editor shows what is to be translated.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let english: BTreeMap<String, Value> =
            shipped("en").and_then(|text| serde_saphyr::from_str(text).ok()).unwrap_or_default();
        let properties: Map<String, Value> = Phrase::ALL
            .iter()
            .map(|phrase| {
                let slots: Vec<String> = phrase.slots().iter().map(|slot| format!("{{{slot}}}")).collect();
                let places =
                    if slots.is_empty() { String::new() } else { format!(" Places: {}.", slots.join(", ")) };
                let mut schema = json!({
                    "description": format!("{}{places}", phrase.said()),
                    "examples": english.get(phrase.key()).into_iter().collect::<Vec<_>>(),
                });
                if phrase.counts() {
                    schema["anyOf"] = json!([
                        { "type": "string" },
                        { "type": "object", "additionalProperties": { "type": "string" } }
                    ]);
                } else {
                    schema["type"] = json!("string");
                }
                (phrase.key().to_owned(), schema)
            })
            .collect();
        json_schema!({
            "description": "Phrase → how the language says it.",
            "type": "object",
            "properties": properties,
            "additionalProperties": false
        })
    }
}
