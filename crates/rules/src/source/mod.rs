//! A file of the pack: its text, its values, and where in the text each value stands.
//!
//! Values are kept as plain JSON; a tree of marks of the same shape, made when it is needed, gives
//! line and column for any path, so that every later check can point at what it is about.

mod excerpt;
pub(crate) mod ordered;
mod parse;
mod places;
mod reading;

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use self::excerpt::Excerpt;
use self::places::Marks;
use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Severity};

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

/// One parsed file.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    text: Arc<Text>,
    pub(crate) value: Value,
    /// How many values and keys there are, inner ones included.
    pub(crate) values: usize,
}

/// The text of a file, and what is found out about it at the first problem.
#[derive(Debug, Default)]
struct Text {
    written: String,
    /// Where what stands.
    marks: OnceLock<Marks>,
    /// Where each line begins.
    lines: OnceLock<Vec<usize>>,
}

/// A value of a file, whose line is looked up when somebody asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    text: Arc<Text>,
    path: Path,
}

impl Place {
    /// The 1-based line.
    pub(crate) fn line(&self) -> usize {
        self.text.walk(&self.path).value.line
    }
}

impl Document {
    /// A document without text, as it comes out of an archived canonical form.
    pub(crate) fn bare(name: &str, text: &str, value: Value) -> Self {
        Self {
            name: name.to_owned(),
            text: Arc::new(Text { written: text.to_owned(), ..Text::default() }),
            value,
            values: 0,
        }
    }

    fn text(&self) -> &str {
        &self.text.written
    }

    /// The value at `path`.
    pub(crate) fn get(&self, path: &Path) -> Option<&Value> {
        path.0.iter().try_fold(&self.value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Item(index) => value.get(index),
        })
    }

    /// The place of the value at `path`.
    pub(crate) fn place(&self, path: Path) -> Place {
        Place { text: Arc::clone(&self.text), path }
    }

    /// A problem with the value at `path`.
    pub(crate) fn at_value(&self, code: Code, path: &Path, message: impl Into<String>) -> Diagnostic {
        self.point(code, self.text.walk(path).value, message)
    }

    /// A problem with the key that leads to the value at `path`.
    pub(crate) fn at_key(&self, code: Code, path: &Path, message: impl Into<String>) -> Diagnostic {
        let marks = self.text.walk(path);
        self.point(code, marks.key.unwrap_or(marks.value), message)
    }

    fn point(&self, code: Code, mark: Mark, message: impl Into<String>) -> Diagnostic {
        let excerpt = self.text.line(mark.line).map(|line| Excerpt::of(line, mark.column));
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
}

impl Text {
    fn walk(&self, path: &Path) -> &Marks {
        let mut marks =
            self.marks.get_or_init(|| places::of(&self.written).map(|found| found.marks).unwrap_or_default());
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

    /// The line of that number, from 1.
    fn line(&self, number: usize) -> Option<&str> {
        let starts = self.lines.get_or_init(|| {
            let breaks = self.written.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
        });
        let from = *starts.get(number.checked_sub(1)?)?;
        // What follows the last line break is no line if it is empty.
        let rest = self.written.get(from..).filter(|rest| !rest.is_empty())?;
        let to = starts.get(number).map_or(rest.len(), |next| next - from);
        let line = rest.get(..to)?;
        let line = line.strip_suffix('\n').unwrap_or(line);
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}
