//! Where in a YAML text each key, value, item and bracket stands, so that one of them can be
//! changed and everything else stays as its author wrote it.

use std::ops::Range;

use granit_parser::{Event, Parser, StructureStyle};

/// A node of the text.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// From the first character of the node to behind its last; brackets and quotes are inside.
    pub(crate) range: Range<usize>,
    pub(crate) shape: Shape,
}

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// A scalar with its text, escapes resolved.
    Scalar(String),
    List {
        flow: bool,
        items: Vec<Node>,
    },
    Map {
        flow: bool,
        entries: Vec<Entry>,
    },
    /// `*name`: what it says stands, and is changed, at its anchor.
    Alias,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_range: Range<usize>,
    pub(crate) value: Node,
}

impl Node {
    /// Reads a text; `None` if it is not YAML.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let options = granit_parser::options! { emit_comments: false };
        let mut events = Vec::new();
        for next in Parser::new_from_str_with_options(text, options) {
            let (event, span) = next.ok()?;
            events.push((event, span.byte_range()?));
        }
        let first = events.iter().position(|(event, _)| is_node(event))?;
        let mut rest = events.get(first..)?.iter();
        build(&mut rest)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The entries of a map; none of anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.shape {
            Shape::Map { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.shape {
            Shape::List { items, .. } => items,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.shape {
            Shape::Scalar(text) => Some(text),
            _ => None,
        }
    }
}

fn is_node(event: &Event<'_>) -> bool {
    matches!(event, Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(..))
}

type Events<'e, 'i> = std::slice::Iter<'e, (Event<'i>, Range<usize>)>;

fn build(events: &mut Events<'_, '_>) -> Option<Node> {
    let (event, range) = events.next()?;
    match event {
        Event::Scalar(text, ..) => {
            Some(Node { range: range.clone(), shape: Shape::Scalar(text.clone().into_owned()) })
        }
        Event::Alias(_) => Some(Node { range: range.clone(), shape: Shape::Alias }),
        Event::SequenceStart(style, ..) => {
            let flow = *style == StructureStyle::Flow;
            let mut items = Vec::new();
            loop {
                if let (Event::SequenceEnd, end) = events.as_slice().first()? {
                    events.next();
                    let last = items.last().map_or(range.end, |item: &Node| item.range.end);
                    let end = if flow { end.end } else { last };
                    return Some(Node { range: range.start..end, shape: Shape::List { flow, items } });
                }
                items.push(build(events)?);
            }
        }
        Event::MappingStart(style, ..) => {
            let flow = *style == StructureStyle::Flow;
            let mut entries = Vec::new();
            loop {
                let (next, at) = events.as_slice().first()?;
                match next {
                    Event::MappingEnd => {
                        let last = entries.last().map_or(range.end, |entry: &Entry| entry.value.range.end);
                        let end = if flow { at.end } else { last };
                        events.next();
                        return Some(Node { range: range.start..end, shape: Shape::Map { flow, entries } });
                    }
                    Event::Scalar(key, ..) => {
                        let (key, key_range) = (key.clone().into_owned(), at.clone());
                        events.next();
                        entries.push(Entry { key, key_range, value: build(events)? });
                    }
                    _ => return None,
                }
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# head
rules:
  - id: one # é
    if:
      all:
        - child.nid: absent
        - mother.verified: { in: [verified, \"a, b\"] }
    again: &x { k: v }
  - *x
last: 'it''s'
";

    #[test]
    fn every_node_knows_its_text() {
        let root = Node::parse(TEXT).expect("YAML");
        let slice = |node: &Node| &TEXT[node.range.clone()];
        let rule = &root.get("rules").expect("rules").items()[0];
        assert_eq!(slice(rule.get("id").expect("id")), "one");
        let all = rule.get("if").and_then(|c| c.get("all")).expect("all");
        assert_eq!(slice(&all.items()[0]), "child.nid: absent");
        assert_eq!(slice(&all.items()[1]), "mother.verified: { in: [verified, \"a, b\"] }");
        let tests = all.items()[1].get("mother.verified").expect("tests");
        assert_eq!(slice(tests), "{ in: [verified, \"a, b\"] }");
        let list = tests.get("in").expect("in");
        assert_eq!(slice(list), "[verified, \"a, b\"]");
        assert_eq!(slice(&list.items()[1]), "\"a, b\"");
        assert_eq!(list.items()[1].scalar(), Some("a, b"));
        assert_eq!(slice(rule.get("again").expect("again")), "{ k: v }");
        assert!(matches!(root.get("rules").expect("rules").items()[1].shape, Shape::Alias));
        assert_eq!(slice(root.get("last").expect("last")), "'it''s'");
        assert!(Node::parse("a: [").is_none());
    }
}
