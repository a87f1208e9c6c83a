//! A found case as YAML, put where it belongs and read back from there.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::because;
use crate::cases::Case;
use crate::decision::{Decision, Effect};
use crate::explain::Verdict;
use crate::files::rules::Mode;
use crate::layout::{Node, Shape};
use crate::mutate::{Edit, apply, line_start, next_line, plain};
use crate::pack::Pack;
use crate::ruleset::Rule;
use crate::truth::Truth;

/// Where a line becomes too long to read.
const WIDTH: usize = 130;

/// The case as YAML, each line indented by `indent`.
pub(super) fn yaml(pack: &Pack, case: &Case, decision: &Decision, indent: &str) -> String {
    format!(
        "{indent}- name: {}\n{}{}",
        line(&case.name),
        map("given", &given(case), indent),
        map("expect", &expect(pack, case, decision), indent)
    )
}

/// A key of the case with its entries, on one line if they fit there.
fn map(key: &str, entries: &[(String, String)], indent: &str) -> String {
    let written: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    let short = format!("{indent}  {key}: {{ {} }}\n", written.join(", "));
    if short.chars().count() <= WIDTH {
        return short;
    }
    let gap = format!("\n{indent}    ");
    format!("{indent}  {key}:{gap}{}\n", written.join(&gap))
}

fn given(case: &Case) -> Vec<(String, String)> {
    let nothing = Map::new();
    let (start, base) = match &case.record {
        Some((name, values)) => (("record", plain_text(name)), &**values),
        None => (("event", plain_text(&case.event)), &nothing),
    };
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
    let values = |map: Map<String, Value>| (!map.is_empty()).then(|| flow(&Value::Object(map)));
    [
        (start.0, Some(start.1)),
        ("action", Some(case.action.clone())),
        ("custom_action", case.custom_action.as_deref().map(plain_text)),
        ("at", Some(case.at.to_string())),
        ("registration_number", case.registration_number.as_deref().map(plain_text)),
        ("without", (!gone.is_empty()).then(|| format!("[{}]", gone.join(", ")))),
        ("with", values(laid)),
        ("change", values(change)),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), value?)))
    .collect()
}

fn own((field, value): (&String, &Value)) -> (String, Value) {
    (field.clone(), value.clone())
}

fn expect(pack: &Pack, case: &Case, decision: &Decision) -> Vec<(String, String)> {
    let mut parts = vec![("do".to_owned(), decision.effect.as_str().to_owned())];
    let mut add = |key: &str, value: String| parts.push((key.to_owned(), value));
    if let Some(rule) = &decision.rule {
        add("rule", rule.clone());
    }
    if let Effect::Hold { missing } = &decision.effect {
        add("missing", format!("[{}]", missing.join(", ")));
    }
    if !decision.would_have.is_empty() {
        add("would_have", format!("[{}]", decision.would_have.join(", ")));
    }
    let facts = case.facts();
    let inner = pack.inner();
    let scene = inner.scene(&facts);
    let passed_by =
        |rule: &&Rule| rule.is_for(&facts) && rule.mode == Mode::Enforce && decision.rule.is_none();
    let why: Vec<String> = inner
        .rules
        .rules
        .iter()
        .filter(passed_by)
        .filter_map(|rule| {
            let term = rule.term.as_ref()?;
            let verdict = Verdict::of(term, &scene);
            let word = if verdict.outcome == Truth::Unknown { "unknown" } else { "failed" };
            let names = because::listed(&because::reasons(term, &verdict));
            let names = if names.contains(", ") { format!("[{names}]") } else { names };
            Some(format!("{}: {{ {word}: {names} }}", rule.id))
        })
        .collect();
    if !why.is_empty() {
        add("because", format!("{{ {} }}", why.join(", ")));
    }
    parts
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

/// Where the file's list of cases ends, and how its cases are indented.
pub(super) fn indent_of(text: &str) -> Option<(usize, String)> {
    let root = Node::parse(text)?;
    let list = root.get("cases")?;
    let Shape::List { flow: false, items } = &list.shape else { return None };
    let range = &items.last()?.range;
    let lead = &text[line_start(text, range.start)..range.start];
    let indent = lead.chars().take_while(|c| *c == ' ').collect();
    Some((next_line(text, range.end.max(1) - 1).max(range.end), indent))
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
