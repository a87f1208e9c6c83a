//! Importing the catalogue from OpenCRVS's own event configuration, and saying what changed since.

mod config;
mod edit;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value, json};

pub use config::LeftOut;
use config::{Field, Form};
use edit::Lines;

/// What a configuration makes of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The text of fields.yaml as it is after the import.
    pub text: String,
    /// Everything that changed, in the order of events and fields.
    pub changes: Vec<Change>,
    /// Fields that the catalogue cannot have.
    pub left_out: Vec<LeftOut>,
    /// Events of the configuration that were not asked for, with the number of their fields.
    pub other_events: Vec<(String, usize)>,
    /// Events of the catalogue that the configuration does not have; they stay as they are.
    pub missing_events: Vec<String>,
}

/// One change of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Event type.
    pub event: String,
    /// The field's id.
    pub field: String,
    /// What happened to it.
    pub what: What,
}

/// What happened to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The form has it now: its type.
    Added(String),
    /// The form no longer has it: the type that it had.
    Removed(String),
    /// Its type, before and after.
    Type(String, String),
    /// Values that it can have now, and values that it no longer has.
    Options(Vec<String>, Vec<String>),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(kind) | Self::Removed(kind) => f.write_str(kind),
            Self::Type(from, to) => write!(f, "{from} → {to}"),
            Self::Options(more, fewer) => {
                let signed = |sign: char, options: &[String]| {
                    options.iter().map(|option| format!("{sign}{option}")).collect::<Vec<_>>()
                };
                let all = [signed('+', more), signed('-', fewer)].concat();
                if all.is_empty() {
                    f.write_str("options in another order")
                } else {
                    write!(f, "options {}", all.join(" "))
                }
            }
        }
    }
}

/// Why nothing can be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The JSON has no event with a declaration form in it.
    #[error(
        "this is not OpenCRVS's event configuration: it is a list of events, each with an id and a declaration of pages with fields"
    )]
    NoConfiguration,
    /// An event was asked for that the configuration does not have.
    #[error("the configuration has no event `{wanted}`; it has {known}")]
    NoEvent {
        /// The event.
        wanted: String,
        /// Those that it has.
        known: String,
    },
    /// The catalogue is not YAML, or not a catalogue.
    #[error("fields.yaml cannot be read; `civitas country check` says why, or write it anew with --rewrite")]
    Unreadable,
    /// The lines of the catalogue cannot be told apart.
    #[error(
        "fields.yaml does not have `{0}` with each field on lines of its own, so that it cannot be changed in place; --rewrite writes it anew, without its comments"
    )]
    Layout(String),
}

/// What is imported.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions<'a> {
    /// Events to import; if empty, those of the catalogue, or all where there is none yet.
    pub events: &'a [String],
    /// Write the file anew instead of changing its lines: comments are lost, labels stay.
    pub rewrite: bool,
    /// The country's first language, for the labels of new events.
    pub language: Option<&'a str>,
}

/// Imports OpenCRVS's event configuration into the text of fields.yaml (none if there is none yet).
pub fn import_fields(
    current: Option<&str>,
    configuration: &Value,
    options: &ImportOptions<'_>,
) -> Result<Import, ImportError> {
    let forms = config::read(configuration)?;
    let old = match current {
        None => json!({}),
        Some(text) => match serde_saphyr::from_str::<Value>(text) {
            Ok(value @ Value::Object(_)) => value,
            _ if options.rewrite => json!({}),
            _ => return Err(ImportError::Unreadable),
        },
    };
    let known: BTreeSet<&String> = old["events"].as_object().into_iter().flat_map(Map::keys).collect();
    let names: Vec<&str> = forms.iter().map(|form| form.event.as_str()).collect();
    if let Some(wanted) = options.events.iter().find(|event| !names.contains(&event.as_str())) {
        return Err(ImportError::NoEvent { wanted: wanted.clone(), known: names.join(", ") });
    }
    let wanted = |event: &String| match (options.events.is_empty(), known.is_empty()) {
        (false, _) => options.events.contains(event),
        (true, false) => known.contains(event),
        (true, true) => true,
    };
    let (chosen, others): (Vec<&Form>, Vec<&Form>) = forms.iter().partition(|form| wanted(&form.event));

    let mut changes = Vec::new();
    let mut new = old.clone();
    for form in &chosen {
        let before = old["events"][&form.event]["fields"].as_object().cloned().unwrap_or_default();
        changes.extend(compare(form, &before));
        let entry = &mut new["events"][&form.event];
        if entry.is_null() {
            *entry = new_event(form, options.language);
        }
        entry["fields"] = Value::Object(merged(form, &before));
    }
    let rewrite = options.rewrite || current.is_none();
    let text = match current {
        Some(text) if changes.is_empty() && !options.rewrite => text.to_owned(),
        Some(text) if !rewrite => in_place(text, &chosen, &old, &new)?,
        _ => anew(&new, current.and_then(|text| text.lines().next())),
    };
    Ok(Import {
        text,
        changes,
        left_out: chosen.iter().flat_map(|form| form.left_out.clone()).collect(),
        other_events: others
            .iter()
            .filter(|_| options.events.is_empty())
            .map(|form| (form.event.clone(), form.fields.len()))
            .collect(),
        missing_events: known
            .into_iter()
            .filter(|event| options.events.is_empty() && !names.contains(&event.as_str()))
            .cloned()
            .collect(),
    })
}

fn new_event(form: &Form, language: Option<&str>) -> Value {
    let mut entry = Map::new();
    if let (Some(label), Some(language)) = (&form.label, language) {
        entry.insert("label".to_owned(), json!({ language: label }));
    }
    Value::Object(entry)
}

fn word(field: &Field) -> String {
    serde_json::to_value(field.kind)
        .ok()
        .and_then(|word| word.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// The type and options that an entry of fields.yaml has.
fn entry_of(entry: &Value) -> (String, Vec<String>) {
    let options = entry["options"].as_array().into_iter().flatten().filter_map(Value::as_str);
    (entry["type"].as_str().unwrap_or("?").to_owned(), options.map(str::to_owned).collect())
}

fn compare(form: &Form, before: &Map<String, Value>) -> Vec<Change> {
    let change = |field: &str, what| Change { event: form.event.clone(), field: field.to_owned(), what };
    let mut changes = Vec::new();
    for (id, field) in &form.fields {
        let Some((kind, options)) = before.get(id).map(entry_of) else {
            changes.push(change(id, What::Added(word(field))));
            continue;
        };
        if field.is_open_choice && !options.is_empty() {
            continue;
        }
        if kind != word(field) {
            changes.push(change(id, What::Type(kind, word(field))));
        } else if options.iter().collect::<BTreeSet<_>>() != field.options.iter().collect() {
            let not_in = |some: &[String], others: &[String]| {
                some.iter().filter(|option| !others.contains(option)).cloned().collect::<Vec<_>>()
            };
            changes.push(change(
                id,
                What::Options(not_in(&field.options, &options), not_in(&options, &field.options)),
            ));
        }
    }
    // What cannot be imported is not gone: it stays as somebody wrote it.
    let stays = |id: &str| {
        form.fields.iter().any(|(known, _)| known == id) || form.left_out.iter().any(|left| left.field == id)
    };
    for (id, entry) in before.iter().filter(|(id, _)| !stays(id)) {
        changes.push(change(id, What::Removed(entry_of(entry).0)));
    }
    changes
}

/// The fields as they are after the import: those that stay in their order, with labels and whatever else they have.
fn merged(form: &Form, before: &Map<String, Value>) -> Map<String, Value> {
    let changes = compare(form, before);
    let touched = |id: &String| changes.iter().any(|change| change.field == *id);
    let imported: BTreeMap<&String, &Field> = form.fields.iter().map(|(id, field)| (id, field)).collect();
    let mut fields = Map::new();
    for (id, entry) in before {
        match imported.get(id) {
            Some(field) if touched(id) => {
                fields.insert(id.clone(), entry_for(field, entry.as_object()));
            }
            None if touched(id) => {}
            _ => {
                fields.insert(id.clone(), entry.clone());
            }
        }
    }
    for (id, field) in &form.fields {
        if !fields.contains_key(id) {
            fields.insert(id.clone(), entry_for(field, None));
        }
    }
    fields
}

fn entry_for(field: &Field, before: Option<&Map<String, Value>>) -> Value {
    let mut entry = Map::from_iter([("type".to_owned(), json!(word(field)))]);
    if !field.options.is_empty() {
        entry.insert("options".to_owned(), json!(field.options));
    }
    for (key, value) in before.into_iter().flatten() {
        if key != "type" && key != "options" {
            entry.insert(key.clone(), value.clone());
        }
    }
    Value::Object(entry)
}

/// Changes the lines of the fields that changed.
fn in_place(text: &str, chosen: &[&Form], old: &Value, new: &Value) -> Result<String, ImportError> {
    let mut text = text.to_owned();
    for form in chosen {
        let layout = || ImportError::Layout(form.event.clone());
        let after = new["events"][&form.event]["fields"].as_object().ok_or_else(layout)?;
        if old["events"][&form.event].is_null() {
            text = with_event(&text, &form.event, &new["events"][&form.event]);
            continue;
        }
        let before = old["events"][&form.event]["fields"].as_object().cloned().unwrap_or_default();
        let changes = compare(form, &before);
        if changes.is_empty() {
            continue;
        }
        let mut lines = Lines::of(&text, &form.event).ok_or_else(layout)?;
        for change in &changes {
            let value = after.get(&change.field).unwrap_or(&Value::Null);
            match change.what {
                What::Added(_) => lines.add(&change.field, value),
                What::Removed(_) => lines.remove(&change.field),
                What::Type(..) | What::Options(..) => lines.replace(&change.field, value),
            }
        }
        text = lines.text();
    }
    // Whatever the layout was taken for, the result must say what was meant.
    match serde_saphyr::from_str::<Value>(&text) {
        Ok(found) if found == *new => Ok(text),
        _ => Err(ImportError::Layout("events".to_owned())),
    }
}

/// The text with one more event at the end of the file.
fn with_event(text: &str, event: &str, entry: &Value) -> String {
    format!("{}\n\n{}", text.trim_end(), event_lines(event, entry).join("\n") + "\n")
}

fn event_lines(event: &str, entry: &Value) -> Vec<String> {
    let mut lines = vec![format!("  {event}:")];
    for (key, value) in entry.as_object().into_iter().flatten().filter(|(key, _)| *key != "fields") {
        lines.push(format!("    {key}: {}", edit::flow(value)));
    }
    lines.push("    fields:".to_owned());
    for (id, field) in entry["fields"].as_object().into_iter().flatten() {
        lines.extend(edit::written(id, field, 6));
    }
    lines
}

/// The whole file from its values; the first line stays where it names the schema.
fn anew(new: &Value, first: Option<&str>) -> String {
    let mut lines = Vec::new();
    lines.extend(first.filter(|line| line.contains("$schema=")).map(str::to_owned));
    lines.push("# The fields of the forms, imported from OpenCRVS's event configuration.".to_owned());
    lines.push("version: 1".to_owned());
    let sections = new["sections"].as_object().filter(|sections| !sections.is_empty());
    if let Some(sections) = sections {
        lines.extend([String::new(), "sections:".to_owned()]);
        lines.extend(sections.iter().map(|(id, label)| format!("  {id}: {}", edit::flow(label))));
    }
    lines.extend([String::new(), "events:".to_owned()]);
    for (index, (event, entry)) in new["events"].as_object().into_iter().flatten().enumerate() {
        if index > 0 {
            lines.push(String::new());
        }
        lines.extend(event_lines(event, entry));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests;
