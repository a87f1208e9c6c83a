//! A found case as YAML, put where it belongs and read back from there.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::because;
use crate::cases::Case;
use crate::decision::{Decision, Effect};
use crate::explain::Verdict;
use crate::files::rules::Mode;
use crate::layout::{Node, Shape};
use crate::mutate::{Edit, apply, line_start, next_line, plain};
use crate::pack::Pack;
use crate::truth::Truth;

/// The case as YAML, each line indented by `indent`.
pub(super) fn yaml(pack: &Pack, case: &Case, decision: &Decision, indent: &str) -> String {
    let mut text = format!("{indent}- name: {}\n{indent}  given:\n", line(&case.name));
    let mut given = |key: &str, value: String| {
        let _ = writeln!(text, "{indent}    {key}: {value}");
    };
    let nothing = Map::new();
    let base = match &case.record {
        Some((name, values)) => {
            given("record", plain_text(name));
            values
        }
        None => {
            given("event", plain_text(&case.event));
            &nothing
        }
    };
    given("action", case.action.clone());
    if let Some(custom) = &case.custom_action {
        given("custom_action", plain_text(custom));
    }
    given("at", case.at.to_string());
    if let Some(number) = &case.registration_number {
        given("registration_number", plain_text(number));
    }
    let laid: Map<String, Value> =
        case.before.iter().filter(|(field, value)| base.get(*field) != Some(*value)).map(own).collect();
    let gone: Vec<String> = base
        .keys()
        .filter(|field| !case.before.contains_key(*field))
        .map(|field| plain_text(field))
        .collect();
    let mut change: Map<String, Value> =
        case.after.iter().filter(|(field, value)| case.before.get(*field) != Some(*value)).map(own).collect();
    for field in case.before.keys().filter(|field| !case.after.contains_key(*field)) {
        change.insert(field.clone(), Value::Null);
    }
    if !gone.is_empty() {
        given("without", format!("[{}]", gone.join(", ")));
    }
    for (key, map) in [("with", laid), ("change", change)] {
        if !map.is_empty() {
            given(key, flow(&Value::Object(map)));
        }
    }
    text.push_str(&expect(pack, case, decision, indent));
    text
}

fn own((field, value): (&String, &Value)) -> (String, Value) {
    (field.clone(), value.clone())
}

fn expect(pack: &Pack, case: &Case, decision: &Decision, indent: &str) -> String {
    let mut parts = vec![format!("do: {}", decision.effect.as_str())];
    if let Some(rule) = &decision.rule {
        parts.push(format!("rule: {rule}"));
    }
    if let Effect::Hold { missing } = &decision.effect {
        parts.push(format!("missing: [{}]", missing.join(", ")));
    }
    if !decision.would_have.is_empty() {
        parts.push(format!("would_have: [{}]", decision.would_have.join(", ")));
    }
    let facts = case.facts();
    let inner = pack.inner();
    let scene = inner.scene(&facts);
    let mut why = Vec::new();
    for rule in inner.rules.rules.iter().filter(|rule| rule.is_for(&facts) && rule.mode == Mode::Enforce) {
        if decision.rule.is_some() {
            break;
        }
        if let Some(term) = &rule.term {
            let verdict = Verdict::of(term, &scene);
            let word = if verdict.outcome == Truth::Unknown { "unknown" } else { "failed" };
            let reasons = because::reasons(term, &verdict);
            why.push(format!("{indent}      {}: {{ {word}: [{}] }}\n", rule.id, because::listed(&reasons)));
        }
    }
    if why.is_empty() {
        return format!("{indent}  expect: {{ {} }}\n", parts.join(", "));
    }
    format!(
        "{indent}  expect:\n{indent}    {}\n{indent}    because:\n{}",
        parts.join(&format!("\n{indent}    ")),
        why.concat()
    )
}

/// A value on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => plain_text(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, inner)| format!("{}: {}", plain_text(key), flow(inner))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// A text without quotes where it needs none: names of fields and dates do not.
fn plain_text(text: &str) -> String {
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '#'));
    let is_date = crate::age::read_date(text).is_some();
    if is_date {
        text.to_owned()
    } else if is_name {
        inside_name(text)
    } else {
        plain(text)
    }
}

/// A text that stands alone on its line.
fn line(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_alphabetic()) && !text.contains(": ") && !text.contains(" #");
    if plain && !text.contains(['\n', '\t']) && !text.ends_with([' ', ':']) {
        text.to_owned()
    } else {
        plain_text(text)
    }
}

/// A name that YAML would read as something else is put in quotes.
fn inside_name(text: &str) -> String {
    if text.contains(['.', '#', '-']) { text.to_owned() } else { plain(text) }
}

/// The file with the case at the end of its list, and the indentation that it has there.
pub(super) fn indent_of(text: &str) -> Option<(usize, String)> {
    let root = Node::parse(text)?;
    let list = root.get("cases")?;
    let Shape::List { flow: false, items } = &list.shape else { return None };
    let last = items.last()?;
    let first_line = &text[line_start(text, last.range.start)..last.range.start];
    let indent = first_line.chars().take_while(|c| *c == ' ').collect();
    Some((next_line(text, last.range.end.max(1) - 1).max(last.range.end), indent))
}

/// The file's text with the case pasted in.
pub(super) fn pasted(text: &str, place: usize, case: &str) -> String {
    let gap = if text[..place].ends_with('\n') { "\n" } else { "\n\n" };
    apply(text, &[Edit::new(place..place, format!("{gap}{case}"))])
}

/// A name that no other case has.
pub(super) fn name(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = wanted.to_owned();
    let mut count = 2;
    while !taken.insert(name.clone()) {
        name = format!("{wanted} ({count})");
        count += 1;
    }
    name
}
