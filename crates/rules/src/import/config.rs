//! OpenCRVS's event configuration (`GET /config/events`), read for its fields.
//!
//! Only what a catalogue needs is read, and leniently: the configuration has labels, conditions and
//! pages that differ between versions. The declaration form stands at the event, or (since 2.1) at
//! its DECLARE action; a page has fields, and a field has an id, a type and perhaps options.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ImportError;
use crate::files::fields::FieldType;

/// The form of one event, in the order of its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) event: String,
    /// OpenCRVS's own text, in whatever language the configuration is written in.
    pub(super) label: Option<String>,
    pub(super) fields: Vec<(String, Field)>,
    /// Fields that the catalogue cannot have, and why.
    pub(super) left_out: Vec<LeftOut>,
}

/// One field as the catalogue has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) kind: FieldType,
    pub(super) options: Vec<String>,
    /// A choice whose values the configuration does not list: a text, unless the catalogue has them.
    pub(super) is_open_choice: bool,
}

/// A field that cannot be in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Event type.
    pub event: String,
    /// The field's id.
    pub field: String,
    /// Its type, in OpenCRVS's own word.
    pub kind: String,
    /// Why it is left out.
    pub reason: &'static str,
}

/// What a type of OpenCRVS means for the catalogue.
enum Meaning {
    Is(FieldType),
    /// Text, lines, pictures and buttons: no value.
    Layout,
    Unknown,
}

fn meaning(word: &str) -> Meaning {
    match word {
        "DIVIDER" | "PARAGRAPH" | "HEADING" | "PAGE_HEADER" | "BULLET_LIST" | "IMAGE_VIEW" | "BUTTON"
        | "ALPHA_PRINT_BUTTON"
        // For the search form only.
        | "DATE_RANGE" | "SELECT_DATE_RANGE" => Meaning::Layout,
        // Their values are texts.
        "ALPHA_HIDDEN" | "HIDDEN" | "USER_ROLE" => Meaning::Is(FieldType::Text),
        // Its value has the shape of an answer over HTTP.
        "SEARCH" => Meaning::Is(FieldType::Http),
        word => serde_json::from_value(Value::from(word)).map_or(Meaning::Unknown, Meaning::Is),
    }
}

/// Reads a list of event configurations, or a single one.
pub(super) fn read(config: &Value) -> Result<Vec<Form>, ImportError> {
    let events = match config {
        Value::Array(events) => events.iter().collect(),
        Value::Object(_) => vec![config],
        _ => Vec::new(),
    };
    let forms: Vec<Form> = events.into_iter().filter_map(form).collect();
    if forms.is_empty() { Err(ImportError::NoConfiguration) } else { Ok(forms) }
}

fn form(config: &Value) -> Option<Form> {
    let event = config["id"].as_str()?.to_owned();
    let declare = config["actions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|action| action["type"] == "DECLARE")
        .map(|action| &action["declaration"]["pages"]);
    let pages = config["declaration"]["pages"].as_array().or_else(|| declare?.as_array())?;
    let label = config["label"]["defaultMessage"].as_str().map(str::to_owned);
    let mut form = Form { event, label, fields: Vec::new(), left_out: Vec::new() };
    // A form may have one id several times, each under its own condition.
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for field in pages.iter().filter_map(|page| page["fields"].as_array()).flatten() {
        let (Some(id), Some(word)) = (field["id"].as_str(), field["type"].as_str()) else { continue };
        let mut kind = match meaning(word) {
            Meaning::Is(kind) => kind,
            Meaning::Layout => continue,
            Meaning::Unknown => {
                form.leave_out(id, word, "a type that Civitas does not know");
                continue;
            }
        };
        let mut options = Vec::new();
        let mut is_open_choice = false;
        if matches!(kind, FieldType::Select | FieldType::RadioGroup) {
            options = options_of(&field["options"]);
            is_open_choice = options.is_empty();
            if is_open_choice {
                kind = FieldType::Text;
            }
        }
        match known.get(id).map(|index| &mut form.fields[*index].1) {
            None => {
                known.insert(id.to_owned(), form.fields.len());
                form.fields.push((id.to_owned(), Field { kind, options, is_open_choice }));
            }
            Some(first) if first.kind == kind => {
                let more: Vec<String> =
                    options.into_iter().filter(|option| !first.options.contains(option)).collect();
                first.options.extend(more);
            }
            Some(_) => form.leave_out(id, word, "the form has this id with another type before"),
        }
    }
    // A form that asks for nothing is a configuration that was not understood.
    if form.fields.is_empty() { None } else { Some(form) }
}

impl Form {
    fn leave_out(&mut self, id: &str, word: &str, reason: &'static str) {
        let left = LeftOut { event: self.event.clone(), field: id.to_owned(), kind: word.to_owned(), reason };
        if !self.left_out.contains(&left) {
            self.left_out.push(left);
        }
    }
}

fn options_of(options: &Value) -> Vec<String> {
    let mut values = Vec::new();
    for option in options.as_array().into_iter().flatten() {
        let value = option.as_str().or_else(|| option["value"].as_str());
        if let Some(value) =
            value.filter(|value| !value.is_empty() && !values.iter().any(|known| known == value))
        {
            values.push(value.to_owned());
        }
    }
    values
}
