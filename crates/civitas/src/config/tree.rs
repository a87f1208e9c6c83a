//! A configuration file as a tree that remembers where every key and value stands.
//!
//! Layers (embedded default, file, environment) are merged as trees, so that an error found later,
//! whatever its kind, can still point at the line that a person wrote.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::problem::{Origin, Problem};

/// Where a layer came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The default that is compiled in.
    Default(&'static str),
    /// A file: the name as the user gave it, its text, and the folder relative paths start from.
    File { name: String, text: String, folder: PathBuf },
    /// One environment variable.
    Variable(String),
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Text of an environment variable: its type is decided by the key it sets.
    Raw(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map with its own place.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Origin,
    pub(super) node: Node,
}

impl Value {
    /// What this is, in words for an error; never the value itself.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a decimal number",
            Self::Text(_) | Self::Raw(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a section",
        }
    }
}

/// The parser's words without its place, which is shown beside the line, and without its advice to programmers.
fn in_short(error: &str) -> &str {
    let line = error.lines().next().unwrap_or_default();
    let line = line.rfind(" at line ").map_or(line, |end| &line[..end]);
    line.find(", set DuplicateKeyPolicy").map_or(line, |end| &line[..end])
}

impl Node {
    /// Parses one YAML document.
    pub(super) fn parse(source: &Arc<Source>, text: &str) -> Result<Self, Problem> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self { value: Value::Map(Vec::new()), origin: Origin::whole(source) });
        }
        let parsed: Spanned<Plain> = serde_saphyr::from_str(text).map_err(|error| {
            let place = error.location().map_or((0, 0), |at| (at.line(), at.column()));
            let first = error.without_snippet().to_string();
            Problem::new(
                format!("this is not valid YAML: {}", in_short(&first)),
                Origin::at(source, place.0, place.1, 1),
            )
        })?;
        Ok(place(source, parsed))
    }

    /// Lays `over` upon this node: sections merge key by key, everything else is replaced.
    pub(super) fn merge(&mut self, over: Self) {
        match (&mut self.value, over.value) {
            (Value::Map(mine), Value::Map(theirs)) => {
                for entry in theirs {
                    match mine.iter_mut().find(|own| own.key == entry.key) {
                        Some(own) => {
                            own.at = entry.at;
                            own.node.merge(entry.node);
                        }
                        None => mine.push(entry),
                    }
                }
            }
            // `section:` with nothing below it leaves the section as it was.
            (Value::Map(_), Value::Null) => {}
            (mine, theirs) => {
                *mine = theirs;
                self.origin = over.origin;
            }
        }
    }

    /// The node at a path of keys.
    pub(super) fn get(&self, path: &[&str]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == *first)?.node.get(rest)
    }

    /// The same, to write to.
    pub(super) fn get_mut(&mut self, path: &[&str]) -> Option<&mut Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let Value::Map(entries) = &mut self.value else { return None };
        entries.iter_mut().find(|entry| entry.key == *first)?.node.get_mut(rest)
    }

    /// The same, with the keys of this path in front of their neighbours: what reads entries in order meets them first.
    #[must_use]
    pub(super) fn with_first(mut self, path: &[&str]) -> Self {
        let (Value::Map(entries), Some((first, rest))) = (&mut self.value, path.split_first()) else {
            return self;
        };
        if let Some(found) = entries.iter().position(|entry| entry.key == *first) {
            let mut entry = entries.remove(found);
            entry.node = entry.node.with_first(rest);
            entries.insert(0, entry);
        }
        self
    }

    /// Every path below this node in file order, leaves only.
    pub(super) fn leaves(&self) -> BTreeMap<String, &Self> {
        let mut found = BTreeMap::new();
        self.collect(String::new(), &mut found);
        found
    }

    fn collect<'a>(&'a self, path: String, found: &mut BTreeMap<String, &'a Self>) {
        match &self.value {
            Value::Map(entries) if !entries.is_empty() => {
                for entry in entries {
                    let below =
                        if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                    entry.node.collect(below, found);
                }
            }
            _ => {
                found.insert(path, self);
            }
        }
    }
}

/// The YAML value as the parser hands it over.
enum Plain {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Plain>>),
    Map(Vec<(Spanned<String>, Spanned<Plain>)>),
}

fn place(source: &Arc<Source>, parsed: Spanned<Plain>) -> Node {
    let at = |location: serde_saphyr::Location, width: usize| {
        Origin::at(source, location.line(), location.column(), width)
    };
    let origin = at(parsed.referenced, 1);
    let value = match parsed.value {
        Plain::Null => Value::Null,
        Plain::Bool(value) => Value::Bool(value),
        Plain::Int(value) => Value::Int(value),
        Plain::Float(value) => Value::Float(value),
        Plain::Text(value) => Value::Text(value),
        Plain::List(items) => Value::List(items.into_iter().map(|item| place(source, item)).collect()),
        Plain::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    at: at(key.referenced, key.value.chars().count()),
                    key: key.value,
                    node: place(source, value),
                })
                .collect(),
        ),
    };
    Node { value, origin }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Plain, E> {
        Ok(Plain::Null)
    }

    fn visit_none<E>(self) -> Result<Plain, E> {
        Ok(Plain::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Plain, D::Error> {
        Plain::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Plain, E> {
        Ok(Plain::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Plain, E> {
        Ok(Plain::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Plain, E> {
        Ok(i64::try_from(value).map_or_else(|_| Plain::Text(value.to_string()), Plain::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Plain, E> {
        Ok(Plain::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Plain, E> {
        Ok(Plain::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Plain, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Plain::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Plain, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Plain::Map(map))
    }
}
