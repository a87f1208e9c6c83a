//! A file of the pack: its text, its values, and where in the text each value stands.
//!
//! Values are kept as plain JSON; a tree of marks of the same shape beside it gives line and
//! column for any path, so that every later check can point at what it is about.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Location, Spanned};

use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Severity};
use crate::syntax::{self, Slip};

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
    marks: Marks,
}

impl Document {
    /// Reads YAML. Duplicate keys are reported, one diagnostic each; broken syntax ends the file.
    pub(crate) fn yaml(name: &str, text: &str, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let text = without_mark(text);
        let mut document = Self::bare(name, text, Value::Null);
        let unreadable = syntax::unreadable(text);
        if !unreadable.is_empty() {
            out.extend(unreadable.into_iter().map(|slip| document.slip(Code::P011, slip)));
            return None;
        }
        match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options()) {
            Ok(root) => {
                let mut repeated = Vec::new();
                let (value, marks) = root.unfold(&mut repeated);
                document.value = value;
                document.marks = marks;
                for (mark, key) in repeated {
                    out.push(
                        document
                            .point(Code::P004, mark, format!("`{key}` is given twice"))
                            .help("keep one of the two; the other would be lost"),
                    );
                }
                Some(document)
            }
            Err(error) => {
                let mark = error.location().map(mark_of).unwrap_or_default();
                let message = error.without_snippet().to_string();
                let message = message.lines().next().unwrap_or("not YAML");
                let message = message.split(" at line ").next().unwrap_or("not YAML").to_owned();
                document.not_yaml(text, mark, message, out);
                None
            }
        }
    }

    /// Says what is probably wrong with a text that is not YAML, or else what the parser said.
    fn not_yaml(&self, text: &str, mark: Mark, message: String, out: &mut Vec<Diagnostic>) {
        let (tabs, lookalikes) = (syntax::tabs(text), syntax::lookalikes(text));
        if !tabs.is_empty() || !lookalikes.is_empty() {
            out.extend(tabs.into_iter().map(|slip| self.slip(Code::P010, slip)));
            out.extend(lookalikes.into_iter().map(|slip| self.slip(Code::P012, slip)));
            return;
        }
        out.push(match syntax::explain(text, &message, mark.line, mark.column) {
            Some(slip) => self.slip(Code::P002, slip),
            None => self.point(Code::P002, mark, message),
        });
    }

    fn slip(&self, code: Code, slip: Slip) -> Diagnostic {
        let mark = Mark { line: slip.line, column: slip.column, width: slip.width };
        self.point(code, mark, slip.message).help(slip.help)
    }

    /// Reads JSON; marks come from reading the same text as YAML, which JSON is a part of.
    pub(crate) fn json(name: &str, text: &str, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let text = without_mark(text);
        let mut document = Self::bare(name, text, Value::Null);
        match serde_json::from_str::<Value>(text) {
            Ok(value) => {
                if let Ok(root) = serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options()) {
                    document.marks = root.unfold(&mut Vec::new()).1;
                }
                document.value = value;
                Some(document)
            }
            Err(error) => {
                let mark = Mark { line: error.line(), column: error.column(), width: 1 };
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or("not JSON").to_owned();
                out.push(document.point(Code::P003, mark, message));
                None
            }
        }
    }

    /// A document without text, as it comes out of an archived canonical form.
    pub(crate) fn bare(name: &str, text: &str, value: Value) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), value, marks: Marks::default() }
    }

    /// The value at `path`.
    pub(crate) fn get(&self, path: &Path) -> Option<&Value> {
        path.0.iter().try_fold(&self.value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Item(index) => value.get(index),
        })
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
        let source = mark.line.checked_sub(1).and_then(|line| self.text.lines().nth(line));
        let room =
            source.map_or(1, |line| line.chars().count().saturating_sub(mark.column.saturating_sub(1)));
        Diagnostic {
            code,
            severity: Severity::of(code),
            file: self.name.clone(),
            line: mark.line,
            column: mark.column,
            width: mark.width.clamp(1, room.max(1)),
            message: message.into(),
            source: source.map(str::to_owned),
            suggestion: None,
            help: None,
        }
    }
}

/// The text without the byte order mark that some editors put before it.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
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
        with_snippet: false
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
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

trait Unfold {
    fn unfold(self, repeated: &mut Vec<(Mark, String)>) -> (Value, Marks);
}

impl Unfold for Spanned<Raw> {
    fn unfold(self, repeated: &mut Vec<(Mark, String)>) -> (Value, Marks) {
        let mut marks = Marks { value: mark_of(self.referenced), ..Marks::default() };
        let value = match self.value {
            Raw::Scalar(value) => value,
            Raw::List(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    let (value, inner) = item.unfold(repeated);
                    values.push(value);
                    marks.items.push(inner);
                }
                Value::Array(values)
            }
            Raw::Map(entries) => {
                let mut map = Map::new();
                for (key, entry) in entries {
                    let (value, mut inner) = entry.unfold(repeated);
                    let mark = mark_of(key.referenced);
                    inner.key = Some(mark);
                    if map.contains_key(&key.value) {
                        repeated.push((mark, key.value));
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
