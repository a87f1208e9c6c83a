//! The canonical form of a pack: the text that its digest is of, and that is archived.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::texts::{FILES, OPTIONAL};
use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::locations::{self, Locations};
use crate::source::Document;
use crate::source::ordered::{self, Ordered, Way};

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

/// Lists in which order says nothing, by the way to them; `*` is every key and every item.
const SETS: [(&str, &[Way]); 2] = [
    ("rules.yaml", &[&["groups", "*"], &["rules", "*", "despite"]]),
    ("fields.yaml", &[&["events", "*", "fields", "*", "options"]]),
];

/// The documents as one JSON text, keys in order. The places are in it as they are, in a table of
/// sorted rows: a rule set is archived whole, under one name, and can be brought back from that alone.
pub(super) fn of(documents: &BTreeMap<&'static str, Document>, locations: Option<&Locations>) -> String {
    let format = json!(FORMAT.1);
    let places = locations.map(|locations| json!(locations.canonical));
    let mut root = BTreeMap::from([(FORMAT.0, Ordered::of(&format))]);
    root.extend(places.as_ref().map(|table| (locations::FILE, Ordered::of(table))));
    root.extend(documents.iter().map(|(name, document)| {
        let sets = SETS.iter().find(|(file, _)| file == name).map_or(&[][..], |(_, ways)| *ways);
        (*name, Ordered::of(&document.value).with_sets(sets))
    }));
    ordered::text(&root)
}
