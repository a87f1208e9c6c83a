//! A file of the pack: its text, its values, and where in the text each value stands.
//!
//! Values are kept as plain JSON; a tree of marks of the same shape beside it gives line and
//! column for any path, so that every later check can point at what it is about.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Error as YamlError, Location, Spanned};

use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Severity};
use crate::limits::{self, DEPTH, FILE_BYTES, FILE_VALUES, KEY_BYTES, REPEATED_VALUES, TEXT_BYTES};

/// A stretch of one line: 1-based line and column, width in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) width: usize,
}

/// One step from a value to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Item(usize),
}

/// The way from the top of a file to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(pub(crate) Vec<Step>);

impl Path {
    pub(crate) fn key(&self, key: &str) -> Self {
        let mut path = self.clone();
        path.0.push(Step::Key(key.to_owned()));
        path
    }

    pub(crate) fn item(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Step::Item(index));
        path
    }
}

/// The path of a top-level key.
pub(crate) fn at(key: &str) -> Path {
    Path::default().key(key)
}

#[derive(Clone, Debug, Default)]
struct Marks {
    value: Mark,
    key: Option<Mark>,
    entries: BTreeMap<String, Marks>,
    items: Vec<Marks>,
}

/// One parsed file.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    text: String,
    pub(crate) value: Value,
    /// How many values and keys there are, inner ones included.
    pub(crate) values: usize,
    marks: Marks,
    /// Where each line of the text begins; found out at the first problem.
    lines: OnceLock<Vec<usize>>,
}

impl Document {
    /// Reads YAML. Duplicate keys are reported, one diagnostic each; broken syntax ends the file.
    pub(crate) fn yaml(name: &str, text: &str, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut document = Self::of_size(name, text, out)?;
        let text = &document.text;
        match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options()) {
            Ok(root) => {
                let mut unfolding = Unfolding::default();
                let (value, marks) = root.unfold(&mut unfolding);
                document.value = value;
                document.marks = marks;
                document.values = unfolding.values;
                document.report(unfolding.problems, out).then_some(document)
            }
            Err(error) => {
                let mark = error.location().map(mark_of).unwrap_or_default();
                out.push(if let Some((code, message)) = too_much(&error) {
                    document.point(code, mark, message).help(TOO_MUCH)
                } else {
                    let message = error.without_snippet().to_string();
                    let message = message.lines().next().unwrap_or("not YAML");
                    let message = message.split(" at line ").next().unwrap_or("not YAML").to_owned();
                    document.point(Code::P002, mark, message)
                });
                None
            }
        }
    }

    /// Reads JSON; marks come from reading the same text as YAML, which JSON is a part of.
    pub(crate) fn json(name: &str, text: &str, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut document = Self::of_size(name, text, out)?;
        match serde_json::from_str::<Value>(&document.text) {
            Ok(value) => {
                let root = serde_saphyr::from_str_with_options::<Spanned<Raw>>(&document.text, options());
                document.value = value;
                match root {
                    Ok(root) => {
                        let mut unfolding = Unfolding::default();
                        document.marks = root.unfold(&mut unfolding).1;
                        document.values = unfolding.values;
                        document.report(unfolding.problems, out).then_some(document)
                    }
                    Err(error) => match too_much(&error) {
                        Some((code, message)) => {
                            let mark = error.location().map(mark_of).unwrap_or_default();
                            out.push(document.point(code, mark, message).help(TOO_MUCH));
                            None
                        }
                        // JSON that the YAML reader takes for something else is JSON all the same, without places.
                        None => document.measure(out).then_some(document),
                    },
                }
            }
            Err(error) => {
                let mark = Mark { line: error.line(), column: error.column(), width: 1 };
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or("not JSON").to_owned();
                out.push(if message.starts_with("recursion limit") {
                    document.point(Code::P031, mark, too_deep()).help(TOO_MUCH)
                } else {
                    document.point(Code::P003, mark, message)
                });
                None
            }
        }
    }

    /// A document that is not read yet, if it is no larger than a file of a pack may be.
    fn of_size(name: &str, text: &str, out: &mut Vec<Diagnostic>) -> Option<Self> {
        if text.len() > FILE_BYTES {
            let message = format!("{} bytes; a file of a pack has at most {FILE_BYTES}", text.len());
            out.push(Diagnostic::of_file(Code::P030, name, message).help(TOO_MUCH));
            return None;
        }
        // Some editors begin a file with a byte-order mark; it is no part of the text.
        Some(Self::bare(name, text.strip_prefix('\u{feff}').unwrap_or(text), Value::Null))
    }

    /// Whether the values, read otherwise than as YAML, keep within the limits.
    fn measure(&mut self, out: &mut Vec<Diagnostic>) -> bool {
        fn count(value: &Value, long: &mut Option<Odd>) -> usize {
            let mut check = |text: &String, most| {
                if text.len() > most {
                    *long = Some(Odd::TooLong { bytes: text.len(), most });
                }
            };
            1 + match value {
                Value::String(text) => {
                    check(text, TEXT_BYTES);
                    0
                }
                Value::Array(items) => items.iter().map(|item| count(item, long)).sum(),
                Value::Object(map) => {
                    map.keys().for_each(|key| check(key, KEY_BYTES));
                    map.values().map(|inner| 1 + count(inner, long)).sum()
                }
                _ => 0,
            }
        }
        let mut long = None;
        self.values = count(&self.value, &mut long);
        if self.values > FILE_VALUES {
            out.push(self.point(Code::P032, Mark::default(), too_many()).help(TOO_MUCH));
            return false;
        }
        self.report(long.map(|odd| (Mark::default(), odd)).into_iter().collect(), out)
    }

    /// Reports what was found while the file was taken apart; whether the file can be used.
    fn report(&self, problems: Vec<(Mark, Odd)>, out: &mut Vec<Diagnostic>) -> bool {
        let mut usable = true;
        for (mark, odd) in problems {
            if limits::enough(out) {
                return false;
            }
            out.push(match odd {
                Odd::Repeated(key) => self
                    .point(Code::P004, mark, format!("`{key}` is given twice"))
                    .help("keep one of the two; the other would be lost"),
                Odd::TooLong { bytes, most } => {
                    usable = false;
                    let what = if most == KEY_BYTES { "a key" } else { "a text" };
                    self.point(Code::P033, mark, format!("{what} of {bytes} bytes; at most {most} are read"))
                        .help(TOO_MUCH)
                }
            });
        }
        usable
    }

    /// A document without text, as it comes out of an archived canonical form.
    pub(crate) fn bare(name: &str, text: &str, value: Value) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_owned(),
            value,
            values: 0,
            marks: Marks::default(),
            lines: OnceLock::new(),
        }
    }

    /// A problem with the value at `path`.
    pub(crate) fn at_value(&self, code: Code, path: &Path, message: impl Into<String>) -> Diagnostic {
        self.point(code, self.walk(path).value, message)
    }

    /// A problem with the key that leads to the value at `path`.
    pub(crate) fn at_key(&self, code: Code, path: &Path, message: impl Into<String>) -> Diagnostic {
        let marks = self.walk(path);
        self.point(code, marks.key.unwrap_or(marks.value), message)
    }

    fn walk(&self, path: &Path) -> &Marks {
        let mut marks = &self.marks;
        for step in &path.0 {
            let next = match step {
                Step::Key(key) => marks.entries.get(key),
                Step::Item(index) => marks.items.get(*index),
            };
            match next {
                Some(inner) => marks = inner,
                None => break,
            }
        }
        marks
    }

    fn point(&self, code: Code, mark: Mark, message: impl Into<String>) -> Diagnostic {
        let excerpt = self.line(mark.line).map(|line| Excerpt::of(line, mark.column));
        let room = excerpt.as_ref().map_or(1, |excerpt| {
            let before = mark.column.saturating_sub(excerpt.column);
            excerpt.text.chars().count().saturating_sub(before)
        });
        Diagnostic {
            code,
            severity: Severity::of(code),
            file: self.name.clone(),
            line: mark.line,
            column: mark.column,
            width: mark.width.clamp(1, room.max(1)),
            message: message.into(),
            source_column: excerpt.as_ref().map_or(1, |excerpt| excerpt.column),
            source: excerpt.map(|excerpt| excerpt.text),
            suggestion: None,
            help: None,
        }
    }

    /// The line of that number, from 1.
    fn line(&self, number: usize) -> Option<&str> {
        let starts = self.lines.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
        });
        let from = *starts.get(number.checked_sub(1)?)?;
        // What follows the last line break is no line if it is empty.
        let rest = self.text.get(from..).filter(|rest| !rest.is_empty())?;
        let to = starts.get(number).map_or(rest.len(), |next| next - from);
        let line = rest.get(..to)?;
        let line = line.strip_suffix('\n').unwrap_or(line);
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

/// A line, or what is around a place in a long one.
struct Excerpt {
    text: String,
    /// 1-based column at which the excerpt begins.
    column: usize,
}

impl Excerpt {
    /// Characters of a line that is shown whole, bytes of one that need not be counted.
    const WHOLE: usize = 200;
    /// Characters before the place, and in all, of the piece of a longer line.
    const BEFORE: usize = 60;
    const AROUND: usize = 120;

    fn of(line: &str, column: usize) -> Self {
        if line.len() <= Self::WHOLE || line.chars().nth(Self::WHOLE).is_none() {
            return Self { text: line.to_owned(), column: 1 };
        }
        let skipped = column.saturating_sub(1 + Self::BEFORE);
        let mut rest = line.chars().skip(skipped);
        let mut text: String = rest.by_ref().take(Self::AROUND).collect();
        // An ellipsis takes the place of one character, so that columns stay where they are.
        if skipped > 0 {
            let first = text.chars().next().map_or(0, char::len_utf8);
            text.replace_range(..first, "…");
        }
        if rest.next().is_some() {
            text.pop();
            text.push('…');
        }
        Self { text, column: skipped + 1 }
    }
}

/// What to do about a file that is too much.
const TOO_MUCH: &str = "no pack comes near this limit: is this the right file, and was it written by hand?";

fn too_many() -> String {
    format!("more than {FILE_VALUES} values in one file")
}

fn too_deep() -> String {
    format!("more than {DEPTH} values inside each other")
}

/// Whether the reader stopped because the file is too much, not because it is wrong.
fn too_much(error: &YamlError) -> Option<(Code, String)> {
    let depth = || (Code::P031, too_deep());
    let values = || (Code::P032, too_many());
    let repeated = || (Code::P032, format!("aliases repeat more than {REPEATED_VALUES} values"));
    match error {
        YamlError::WithSnippet { error, .. } | YamlError::AliasError { error, .. } => too_much(error),
        YamlError::AliasReplayLimitExceeded { .. }
        | YamlError::AliasExpansionLimitExceeded { .. }
        | YamlError::AliasReplayStackDepthExceeded { .. }
        | YamlError::AliasReplayCounterOverflow { .. } => Some(repeated()),
        YamlError::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => Some(depth()),
            BudgetBreach::Events { .. } | BudgetBreach::Nodes { .. } | BudgetBreach::ScalarBytes { .. } => {
                Some(values())
            }
            BudgetBreach::Aliases { .. }
            | BudgetBreach::Anchors { .. }
            | BudgetBreach::MergeKeys { .. }
            | BudgetBreach::AliasAnchorRatio { .. }
            | BudgetBreach::RecordedAnchorEvents { .. }
            | BudgetBreach::RecordedAnchorBytes { .. } => Some(repeated()),
            _ => None,
        },
        // The parser has a limit of its own on what is open at the same time, and no type for it.
        YamlError::Message { msg, .. } | YamlError::ExternalMessage { msg, .. }
            if msg.starts_with("recursion limit") =>
        {
            Some(depth())
        }
        _ => None,
    }
}

/// The value with the keys of every map in order.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries: BTreeMap<String, Value> =
                map.into_iter().map(|(key, inner)| (key, sorted(inner))).collect();
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        plain => plain,
    }
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: REPEATED_VALUES,
            max_replay_stack_depth: DEPTH,
            max_alias_expansions_per_anchor: REPEATED_VALUES,
        },
        budget: serde_saphyr::budget! {
            max_depth: DEPTH,
            max_nodes: FILE_VALUES,
            max_events: 3 * FILE_VALUES,
            max_aliases: REPEATED_VALUES,
            max_anchors: REPEATED_VALUES,
            max_merge_keys: REPEATED_VALUES,
            max_recorded_anchor_events: FILE_VALUES,
            max_recorded_anchor_bytes: FILE_BYTES,
            max_documents: 2,
        },
    }
}

fn mark_of(location: Location) -> Mark {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Mark {
        line: number(location.line()),
        column: number(location.column()),
        width: number(location.span().len()),
    }
}

/// Any YAML value, every key and item with its place.
enum Raw {
    Scalar(Value),
    /// A text of more bytes than are read.
    Long(usize),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

/// Something odd about a value, apart from what it is for.
enum Odd {
    Repeated(String),
    TooLong { bytes: usize, most: usize },
}

/// What is noticed while values and places are taken apart.
#[derive(Default)]
struct Unfolding {
    values: usize,
    problems: Vec<(Mark, Odd)>,
}

trait Unfold {
    fn unfold(self, unfolding: &mut Unfolding) -> (Value, Marks);
}

impl Unfold for Spanned<Raw> {
    fn unfold(self, unfolding: &mut Unfolding) -> (Value, Marks) {
        unfolding.values += 1;
        let mut marks = Marks { value: mark_of(self.referenced), ..Marks::default() };
        let value = match self.value {
            Raw::Scalar(value) => value,
            Raw::Long(bytes) => {
                unfolding.problems.push((marks.value, Odd::TooLong { bytes, most: TEXT_BYTES }));
                Value::Null
            }
            Raw::List(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    let (value, inner) = item.unfold(unfolding);
                    values.push(value);
                    marks.items.push(inner);
                }
                Value::Array(values)
            }
            Raw::Map(entries) => {
                let mut map = Map::new();
                for (key, entry) in entries {
                    unfolding.values += 1;
                    let (value, mut inner) = entry.unfold(unfolding);
                    let mark = mark_of(key.referenced);
                    inner.key = Some(mark);
                    if key.value.len() > KEY_BYTES {
                        let long = Odd::TooLong { bytes: key.value.len(), most: KEY_BYTES };
                        unfolding.problems.push((mark, long));
                        continue;
                    }
                    if map.contains_key(&key.value) {
                        unfolding.problems.push((mark, Odd::Repeated(key.value)));
                        continue;
                    }
                    marks.entries.insert(key.value.clone(), inner);
                    map.insert(key.value, value);
                }
                Value::Object(map)
            }
        };
        (value, marks)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        if value.len() > TEXT_BYTES {
            return Ok(Raw::Long(value.len()));
        }
        Ok(Raw::Scalar(Value::String(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
