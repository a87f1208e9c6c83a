//! Where in the text of a file each of its values stands.
//!
//! Places cost more than the values themselves, and only problems have one: a file is read for its
//! places when the first problem with it is told.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error as YamlError, Location, Spanned};

use super::Mark;
use super::parse::options;
use crate::limits::{KEY_BYTES, TEXT_BYTES};

/// The places of a value, of the key that leads to it, and of what is inside it.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    pub(super) value: Mark,
    pub(super) key: Option<Mark>,
    pub(super) entries: BTreeMap<String, Marks>,
    pub(super) items: Vec<Marks>,
}

/// Something odd about a value, apart from what it is for.
pub(super) enum Odd {
    /// A key that the same map has further up.
    Repeated(String),
    /// A text or key of more bytes than are read.
    TooLong { bytes: usize, most: usize },
}

/// The places of a file, and what is odd where.
#[derive(Default)]
pub(super) struct Places {
    pub(super) marks: Marks,
    pub(super) odd: Vec<(Mark, Odd)>,
}

/// Finds the places of a YAML text, and so of a JSON one.
pub(super) fn of(text: &str) -> Result<Places, YamlError> {
    let root = serde_saphyr::from_str_with_options::<Spanned<Node>>(text, options())?;
    let mut odd = Vec::new();
    let marks = unfold(root, &mut odd);
    Ok(Places { marks, odd })
}

pub(super) fn mark_of(location: Location) -> Mark {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Mark {
        line: number(location.line()),
        column: number(location.column()),
        width: number(location.span().len()),
    }
}

fn unfold(node: Spanned<Node>, odd: &mut Vec<(Mark, Odd)>) -> Marks {
    let mut marks = Marks { value: mark_of(node.referenced), ..Marks::default() };
    match node.value {
        Node::Plain => {}
        Node::Long(bytes) => odd.push((marks.value, Odd::TooLong { bytes, most: TEXT_BYTES })),
        Node::List(items) => marks.items.extend(items.into_iter().map(|item| unfold(item, odd))),
        Node::Map(entries) => {
            for (key, entry) in entries {
                let mut inner = unfold(entry, odd);
                let mark = mark_of(key.referenced);
                inner.key = Some(mark);
                if key.value.len() > KEY_BYTES {
                    odd.push((mark, Odd::TooLong { bytes: key.value.len(), most: KEY_BYTES }));
                    continue;
                }
                match marks.entries.entry(key.value) {
                    Entry::Vacant(free) => _ = free.insert(inner),
                    Entry::Occupied(first) => odd.push((mark, Odd::Repeated(first.key().clone()))),
                }
            }
        }
    }
    marks
}

/// Any YAML value without what it says, every key and item with its place.
enum Node {
    Plain,
    /// A text of more bytes than are read.
    Long(usize),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(if text.len() > TEXT_BYTES { Node::Long(text.len()) } else { Node::Plain })
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}
