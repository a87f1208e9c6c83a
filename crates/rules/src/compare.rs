//! What changed from one pack to another, entry by entry: rules by id, packets by name, fields by event and id.
//!
//! Both sides are taken in canonical form, so that comments, order of keys and layout are no change. The order of
//! rules is one: the first that matches decides.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::lines::{Line, difference};
use crate::outline::outline;
use crate::pack::Pack;

/// How an entry of a pack changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Only the new pack has it.
    Added,
    /// Only the old pack has it.
    Removed,
    /// Both have it, and it says something else.
    Changed,
    /// A rule that says the same, in another place among the others.
    Moved,
}

/// One entry of a pack that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// `rules.yaml`, …
    pub file: &'static str,
    /// `rule`, `condition`, `group`, `label`, `packet`, `field`, `setting`, `attribute`.
    pub kind: &'static str,
    /// Its id, name or key.
    pub name: String,
    /// How it changed.
    pub change: Change,
    /// The entry, line by line, in the canonical order of keys.
    pub lines: Vec<Line>,
}

/// What changed from one pack to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Digest of the old rule set.
    pub old: String,
    /// Digest of the new one; the same if nothing that decides has changed.
    pub new: String,
    /// What changed: rules first, then what they use.
    pub entries: Vec<Entry>,
}

impl Comparison {
    /// What changed from `old` to `new`.
    pub fn of(old: &Pack, new: &Pack) -> Self {
        let (before, after) = (files_of(old), files_of(new));
        let mut entries = Vec::new();
        for (file, parts) in FILES {
            let side = |files: &Map<String, Value>| parts(files.get(file).unwrap_or(&Value::Null));
            compare(file, &side(&before), &side(&after), &mut entries);
        }
        Self { old: old.digest().to_owned(), new: new.digest().to_owned(), entries }
    }

    /// Whether both are one rule set.
    pub fn is_same(&self) -> bool {
        self.old == self.new
    }
}

/// The canonical form of a pack: its files. It is JSON that this crate wrote.
fn files_of(pack: &Pack) -> Map<String, Value> {
    serde_json::from_str(pack.canonical()).unwrap_or_default()
}

/// An entry's kind and name; the order of entries on a side is the order of the list.
type Key = (&'static str, String);
type Parts = fn(&Value) -> Vec<(Key, Value)>;

const FILES: [(&str, Parts); 6] = [
    ("rules.yaml", rules),
    ("packets.yaml", |file| named(file, &[("packets", "packet")])),
    ("fields.yaml", fields),
    ("country.yaml", |file| named(file, &[])),
    ("identity.yaml", |file| named(file, &[])),
    ("id-schema.json", |file| {
        let mut parts = named(file, &[]);
        let attributes = "/properties/identity/properties";
        if let Some(Value::Object(known)) = file.pointer(attributes) {
            // The attributes one by one, and what is left of the schema as one setting.
            for ((_, name), part) in &mut parts {
                if name == "properties"
                    && let Some(inner) = part.pointer_mut("/identity/properties")
                {
                    *inner = Value::Object(Map::new());
                }
            }
            parts.extend(known.iter().map(|(name, part)| (("attribute", name.clone()), part.clone())));
        }
        parts
    }),
];

/// Each key of a file as a setting, but for sections whose members are entries of their own.
fn named(file: &Value, sections: &[(&str, &'static str)]) -> Vec<(Key, Value)> {
    let mut parts = Vec::new();
    for (key, value) in file.as_object().into_iter().flatten() {
        match (sections.iter().find(|(section, _)| section == key), value) {
            (Some((_, kind)), Value::Object(members)) => {
                parts.extend(members.iter().map(|(name, part)| ((*kind, name.clone()), part.clone())));
            }
            _ => parts.push((("setting", key.clone()), value.clone())),
        }
    }
    parts
}

fn rules(file: &Value) -> Vec<(Key, Value)> {
    let list = file["rules"].as_array().into_iter().flatten();
    let mut parts: Vec<(Key, Value)> = list
        .map(|rule| (("rule", rule["id"].as_str().unwrap_or_default().to_owned()), rule.clone()))
        .collect();
    let sections = [("conditions", "condition"), ("groups", "group"), ("labels", "label")];
    parts.extend(named(file, &sections).into_iter().filter(|((_, name), _)| name != "rules"));
    parts
}

fn fields(file: &Value) -> Vec<(Key, Value)> {
    let mut parts = named(file, &[]);
    for ((_, name), part) in &mut parts {
        if name == "events" {
            for form in part.as_object_mut().into_iter().flat_map(Map::values_mut) {
                _ = form.as_object_mut().and_then(|form| form.remove("fields"));
            }
        }
    }
    for (event, form) in file["events"].as_object().into_iter().flatten() {
        let fields = form["fields"].as_object().into_iter().flatten();
        parts.extend(fields.map(|(id, field)| (("field", format!("{event} {id}")), field.clone())));
    }
    parts
}

fn compare(file: &'static str, old: &[(Key, Value)], new: &[(Key, Value)], entries: &mut Vec<Entry>) {
    let before: BTreeMap<&Key, &Value> = old.iter().map(|(key, value)| (key, value)).collect();
    let after: BTreeMap<&Key, &Value> = new.iter().map(|(key, value)| (key, value)).collect();
    let moved = moved(old, new, &before, &after);
    let gone = old.iter().filter(|(key, _)| !after.contains_key(key));
    let removed = gone.map(|(key, value)| (key, Some(value), None, Change::Removed));
    let rest = new.iter().filter_map(|(key, value)| match before.get(key) {
        None => Some((key, None, Some(value), Change::Added)),
        Some(former) if *former != value => Some((key, Some(*former), Some(value), Change::Changed)),
        Some(former) => moved.contains(&key).then_some((key, Some(*former), Some(value), Change::Moved)),
    });
    for (key, old, new, change) in removed.chain(rest) {
        let text = |side: Option<&Value>| side.map(outline).unwrap_or_default();
        entries.push(Entry {
            file,
            kind: key.0,
            name: key.1.clone(),
            change,
            lines: difference(&text(old), &text(new)),
        });
    }
}

/// Rules whose place among the rules that both packs have is another one: all but a longest run that kept its order.
fn moved<'k>(
    old: &'k [(Key, Value)],
    new: &'k [(Key, Value)],
    before: &BTreeMap<&Key, &Value>,
    after: &BTreeMap<&Key, &Value>,
) -> Vec<&'k Key> {
    let ids = |side: &'k [(Key, Value)], other: &BTreeMap<&Key, &Value>| -> Vec<&'k Key> {
        side.iter().map(|(key, _)| key).filter(|key| key.0 == "rule" && other.contains_key(key)).collect()
    };
    let (old, new) = (ids(old, after), ids(new, before));
    let names = |keys: &[&Key]| -> Vec<String> { keys.iter().map(|key| key.1.clone()).collect() };
    let kept: Vec<String> = difference(&names(&old), &names(&new))
        .into_iter()
        .filter_map(|line| match line {
            Line::Same(name) => Some(name),
            Line::Old(_) | Line::New(_) => None,
        })
        .collect();
    new.into_iter().filter(|key| !kept.contains(&key.1)).collect()
}
