//! The canonical form of a pack: the text that its digest is of, and that is archived.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::texts::{FILES, OPTIONAL};
use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::locations::{self, Locations};
use crate::source::{Document, sorted};

/// Where a document lies in the canonical form, and the form's own version.
const FORMAT: (&str, u32) = ("civitas_rule_set", 1);

/// The documents and the table of places that a canonical form holds.
pub(super) fn read(text: &str) -> Result<(BTreeMap<&'static str, Document>, Option<String>), Diagnostics> {
    let refuse =
        |reason: &str| Diagnostics::new(vec![Diagnostic::of_file(Code::P009, "canonical form", reason)]);
    let Ok(Value::Object(mut root)) = serde_json::from_str::<Value>(text) else {
        return Err(refuse("the archived rule set is not a JSON object"));
    };
    if root.remove(FORMAT.0) != Some(json!(FORMAT.1)) {
        return Err(refuse("the archived rule set is of a format that this build does not read"));
    }
    let documents = FILES
        .iter()
        .chain(&OPTIONAL)
        .filter_map(|name| Some((*name, Document::bare(name, "", root.remove(*name)?))))
        .collect::<BTreeMap<_, _>>();
    let places = match root.remove(locations::FILE) {
        None => None,
        Some(Value::String(table)) => Some(table),
        Some(_) => return Err(refuse("the archived rule set does not hold its places as a table")),
    };
    if !FILES.iter().all(|name| documents.contains_key(name)) || !root.is_empty() {
        return Err(refuse("the archived rule set does not hold the files of a pack"));
    }
    Ok((documents, places))
}

/// The values of a map; none of anything else.
fn each(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    value.and_then(Value::as_object_mut).into_iter().flat_map(|map| map.values_mut())
}

/// Sorts the lists in which order says nothing.
fn sort_sets(file: &str, value: &mut Value) {
    let sort = |list: &mut Value| {
        if let Some(items) = list.as_array_mut() {
            items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        }
    };
    match file {
        "rules.yaml" => {
            each(value.get_mut("groups")).for_each(sort);
            let rules = value.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten();
            rules.filter_map(|rule| rule.get_mut("despite")).for_each(sort);
        }
        "fields.yaml" => each(value.get_mut("events"))
            .flat_map(|event| each(event.get_mut("fields")))
            .filter_map(|field| field.get_mut("options"))
            .for_each(sort),
        _ => {}
    }
}

/// The documents as one JSON text, keys in order. The places are in it as they are, in a table of
/// sorted rows: a rule set is archived whole, under one name, and can be brought back from that alone.
pub(super) fn of(documents: &BTreeMap<&'static str, Document>, locations: Option<&Locations>) -> String {
    let mut root = Map::new();
    root.insert(FORMAT.0.to_owned(), json!(FORMAT.1));
    for (name, document) in documents {
        let mut value = document.value.clone();
        sort_sets(name, &mut value);
        root.insert((*name).to_owned(), value);
    }
    if let Some(locations) = locations {
        root.insert(locations::FILE.to_owned(), json!(locations.canonical));
    }
    sorted(Value::Object(root)).to_string()
}
