//! Edits of a YAML text that leave everything else as its author wrote it.

use std::ops::Range;

use crate::layout::{Node, Shape};

/// A stretch of the text, and what stands there afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) range: Range<usize>,
    pub(crate) text: String,
}

impl Edit {
    pub(crate) fn new(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, text: text.into() }
    }
}

/// The text with all edits made; they do not overlap.
pub(crate) fn apply(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.range.start);
    let mut out = String::with_capacity(text.len() + 64);
    let mut from = 0;
    for edit in edits {
        out.push_str(text.get(from..edit.range.start).unwrap_or_default());
        out.push_str(&edit.text);
        from = edit.range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// The edits, and where they take an anchor out, each `*name` of it written out.
pub(crate) fn without_anchors(text: &str, root: &Node, edits: &[Edit]) -> Vec<Edit> {
    let mut all = edits.to_vec();
    for edit in edits {
        for anchor in anchors(text, &edit.range).filter(|anchor| !edit.text.contains(&text[anchor.clone()])) {
            let Some(node) = node_behind(root, anchor.end) else { continue };
            let alias = format!("*{}", &text[anchor.start + 1..anchor.end]);
            let mut aliases = Vec::new();
            uses(root, text, &alias, &mut aliases);
            aliases.retain(|range| !edits.iter().any(|edit| edit.range.contains(&range.start)));
            all.extend(aliases.into_iter().map(|range| Edit::new(range, inline(text, node))));
        }
    }
    all
}

/// The anchors in a stretch of the text, `&name` as they stand.
fn anchors<'t>(text: &'t str, within: &Range<usize>) -> impl Iterator<Item = Range<usize>> + 't {
    let (from, to) = (within.start, within.end);
    text[from..to].match_indices(" &").map(move |(at, _)| {
        let start = from + at + 1;
        let name = text[start + 1..].find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
        start..name.map_or(text.len(), |length| start + 1 + length)
    })
}

/// The outermost node that begins first behind a place.
fn node_behind(node: &Node, place: usize) -> Option<&Node> {
    if node.range.start >= place {
        return Some(node);
    }
    let inner: Vec<&Node> = match &node.shape {
        Shape::List { items, .. } => items.iter().collect(),
        Shape::Map { entries, .. } => entries.iter().map(|entry| &entry.value).collect(),
        Shape::Scalar(_) | Shape::Alias => Vec::new(),
    };
    inner.into_iter().filter_map(|node| node_behind(node, place)).min_by_key(|node| node.range.start)
}

/// Where an alias stands.
fn uses(node: &Node, text: &str, alias: &str, out: &mut Vec<Range<usize>>) {
    match &node.shape {
        Shape::Alias if text[node.range.clone()].trim_end() == alias => out.push(node.range.clone()),
        Shape::List { items, .. } => items.iter().for_each(|item| uses(item, text, alias, out)),
        Shape::Map { entries, .. } => entries.iter().for_each(|entry| uses(&entry.value, text, alias, out)),
        Shape::Scalar(_) | Shape::Alias => {}
    }
}

/// Where the line of a place begins.
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Where the line after that of a place begins.
pub(crate) fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

/// The lines of a node, from the start of the first to behind the last.
pub(crate) fn lines(text: &str, range: &Range<usize>) -> Range<usize> {
    line_start(text, range.start)..next_line(text, range.end)
}

/// Takes an item out of a list.
pub(crate) fn remove_item(text: &str, list: &Node, index: usize) -> Option<Edit> {
    let Shape::List { flow, items } = &list.shape else { return None };
    let ranges: Vec<&Range<usize>> = items.iter().map(|item| &item.range).collect();
    remove(text, *flow, &ranges, index)
}

/// Takes an entry out of a map.
pub(crate) fn remove_entry(text: &str, map: &Node, key: &str) -> Option<Edit> {
    let Shape::Map { flow, entries } = &map.shape else { return None };
    let index = entries.iter().position(|entry| entry.key == key)?;
    let whole: Vec<Range<usize>> =
        entries.iter().map(|entry| entry.key_range.start..entry.value.range.end).collect();
    remove(text, *flow, &whole.iter().collect::<Vec<_>>(), index)
}

fn remove(text: &str, flow: bool, parts: &[&Range<usize>], index: usize) -> Option<Edit> {
    let part = parts.get(index)?;
    if flow {
        let range = match (parts.get(index + 1), index.checked_sub(1)) {
            (Some(next), _) => part.start..next.start,
            (None, Some(before)) => parts[before].end..part.end,
            (None, None) => part.start..part.end,
        };
        return Some(Edit::new(range, ""));
    }
    let lead = &text[line_start(text, part.start)..part.start];
    let is_first_of_item = lead.trim_start().starts_with("- ") && parts.len() > 1 && index == 0;
    if is_first_of_item && lead.trim_start().trim_start_matches("- ").is_empty() {
        let next = parts[1].start;
        // In a list the first part of each item stands behind a dash of its own.
        let same_dash = text[part.end..next].trim_end_matches(' ').ends_with('\n');
        if same_dash {
            return Some(Edit::new(part.start..next, ""));
        }
    }
    let alone = lead.chars().all(|c| c == ' ' || c == '-');
    alone.then(|| Edit::new(lines(text, part), ""))
}

/// Puts an item behind the last one of a list.
pub(crate) fn append_item(text: &str, list: &Node, item: &str) -> Option<Edit> {
    let Shape::List { flow, items } = &list.shape else { return None };
    let range = &items.last()?.range;
    if *flow {
        return Some(Edit::new(range.end..range.end, format!(", {item}")));
    }
    let lead = &text[line_start(text, range.start)..range.start];
    let end = next_line(text, range.end);
    Some(Edit::new(end..end, format!("{lead}{item}\n")))
}

/// Puts an entry behind the last one of a map.
pub(crate) fn append_entry(text: &str, map: &Node, entry: &str) -> Option<Edit> {
    let Shape::Map { flow, entries } = &map.shape else { return None };
    let last = entries.last()?;
    if *flow {
        let end = last.value.range.end;
        return Some(Edit::new(end..end, format!(", {entry}")));
    }
    let column = last.key_range.start - line_start(text, last.key_range.start);
    let end = next_line(text, last.value.range.end);
    let gap = if text[..end].ends_with('\n') { "" } else { "\n" };
    Some(Edit::new(end..end, format!("{gap}{:column$}{entry}\n", "")))
}

/// Exchanges two nodes of a text.
pub(crate) fn swap(text: &str, a: &Range<usize>, b: &Range<usize>) -> Vec<Edit> {
    vec![Edit::new(a.clone(), &text[b.clone()]), Edit::new(b.clone(), &text[a.clone()])]
}

/// A node on one line, in brackets and braces; scalars as they are written.
pub(crate) fn inline(text: &str, node: &Node) -> String {
    let source = &text[node.range.clone()];
    match &node.shape {
        Shape::Scalar(value) => {
            let plain = !source.starts_with(['"', '\'', '|', '>']);
            let unsafe_inside = source.contains('\n')
                || (plain && (source.contains([',', '[', ']', '{', '}', '#']) || source.contains(": ")));
            if unsafe_inside { quoted(value) } else { source.to_owned() }
        }
        Shape::Alias => source.to_owned(),
        Shape::List { items, .. } => {
            let items: Vec<String> = items.iter().map(|item| inline(text, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Shape::Map { entries, .. } => {
            let entries: Vec<String> = entries
                .iter()
                .map(|entry| format!("{}: {}", &text[entry.key_range.clone()], inline(text, &entry.value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A text in double quotes, which JSON's are in YAML.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Another text for a scalar, in the quotes that it has.
pub(crate) fn rewrite(text: &str, node: &Node, value: &str) -> Edit {
    let source = &text[node.range.clone()];
    let written = match source.chars().next() {
        Some('\'') if !value.contains('\'') => format!("'{value}'"),
        Some('"' | '\'') => quoted(value),
        _ => value.to_owned(),
    };
    Edit::new(node.range.clone(), written)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
all:
  - a: { x: 1, y: 2 } # why
  - [p, q, r]
  - k: v
    l: w
";

    fn root() -> Node {
        Node::parse(TEXT).expect("YAML")
    }

    fn after(edit: Option<Edit>) -> String {
        let text = apply(TEXT, &[edit.expect("an edit")]);
        assert!(Node::parse(&text).is_some(), "{text}");
        text
    }

    #[test]
    fn parts_go_with_their_commas_lines_and_dashes() {
        let root = root();
        let all = root.get("all").expect("all");
        assert!(!after(remove_item(TEXT, all, 0)).contains("why"));
        assert!(after(remove_item(TEXT, all, 2)).ends_with("r]\n"));
        let flow = &all.items()[1];
        assert!(after(remove_item(TEXT, flow, 0)).contains("[q, r]"));
        assert!(after(remove_item(TEXT, flow, 2)).contains("[p, q]"));
        let map = all.items()[0].get("a").expect("a");
        assert!(after(remove_entry(TEXT, map, "x")).contains("{ y: 2 } # why"));
        assert!(after(remove_entry(TEXT, map, "y")).contains("{ x: 1 } # why"));
        let block = &all.items()[2];
        assert!(after(remove_entry(TEXT, block, "k")).ends_with("r]\n  - l: w\n"));
        assert!(after(remove_entry(TEXT, block, "l")).ends_with("  - k: v\n"));
    }

    #[test]
    fn parts_are_added_as_the_others_stand() {
        let root = root();
        let all = root.get("all").expect("all");
        assert!(after(append_item(TEXT, all, "new")).ends_with("    l: w\n  - new\n"));
        assert!(after(append_item(TEXT, &all.items()[1], "s")).contains("[p, q, r, s]"));
        assert!(after(append_entry(TEXT, &all.items()[2], "m: x")).ends_with("    l: w\n    m: x\n"));
    }

    #[test]
    fn what_goes_by_a_name_stays_where_its_anchor_goes() {
        let text = "a:\n  one: &x { k: v }\n  two: *x\n  three: &y\n    k: [1, 2]\nb: [*x, *y]\n";
        let root = Node::parse(text).expect("YAML");
        let after = |key: &str| {
            let edit = remove_entry(text, root.get("a").expect("a"), key).expect("an edit");
            apply(text, &without_anchors(text, &root, &[edit]))
        };
        assert_eq!(after("one"), "a:\n  two: { k: v }\n  three: &y\n    k: [1, 2]\nb: [{ k: v }, *y]\n");
        assert_eq!(after("two"), "a:\n  one: &x { k: v }\n  three: &y\n    k: [1, 2]\nb: [*x, *y]\n");
        assert_eq!(after("three"), "a:\n  one: &x { k: v }\n  two: *x\nb: [*x, { k: [1, 2] }]\n");
    }

    #[test]
    fn a_block_fits_on_one_line() {
        assert_eq!(inline(TEXT, &root()), "{ all: [{ a: { x: 1, y: 2 } }, [p, q, r], { k: v, l: w }] }");
        let odd = "- it, is\n- 'so'\n- |\n  a\n  b\n";
        assert_eq!(inline(odd, &Node::parse(odd).expect("YAML")), "[\"it, is\", 'so', \"a\\nb\\n\"]");
    }
}
