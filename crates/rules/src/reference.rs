//! A reference to a field, or to a part of its value: `child.name`, `child.name#surname`.
//!
//! Field ids contain dots and a dot is never nesting; each `#` is one step into a composite value.

use std::fmt;

use serde_json::{Map, Value};

use crate::catalogue::{Form, Kind};
use crate::codes::Code;
use crate::diagnostics::Diagnostic;
use crate::source::{Document, Path};
use crate::suggest::nearest;

/// A resolved reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldRef {
    pub(crate) field: String,
    pub(crate) parts: Vec<String>,
    /// Where its value is kept while one event is decided, if it is among the first fields that rules ask about.
    pub(crate) slot: Option<u8>,
}

/// Where a reference stands, for messages.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub(crate) document: &'a Document,
    pub(crate) path: &'a Path,
    /// Whether the reference is the key that leads to the path, not the value there.
    pub(crate) is_key: bool,
}

impl Spot<'_> {
    pub(crate) fn problem(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        if self.is_key {
            self.document.at_key(code, self.path, message)
        } else {
            self.document.at_value(code, self.path, message)
        }
    }
}

impl FieldRef {
    /// Resolves `text` against the form of `event`.
    pub(crate) fn resolve(
        text: &str,
        event: &str,
        form: &Form,
        spot: Spot<'_>,
        out: &mut Vec<Diagnostic>,
    ) -> Option<(Self, Kind)> {
        let mut steps = text.split('#');
        let field = steps.next().unwrap_or_default();
        let Some(kind) = form.fields.get(field) else {
            out.push(
                spot.problem(Code::R006, format!("`{field}` is not a field of {event}"))
                    .suggest(nearest(field, form.fields.keys().map(String::as_str)))
                    .help("fields.yaml lists the fields of each event"),
            );
            return None;
        };
        let mut kind = kind.clone();
        let mut parts = Vec::new();
        for part in steps {
            let Some(inner) = kind.part(part) else {
                let known: Vec<&str> = match &kind {
                    Kind::Composite(known) => known.iter().map(|(name, _)| *name).collect(),
                    _ => Vec::new(),
                };
                let problem = spot
                    .problem(Code::R007, format!("{} has no part `{part}`", kind.noun()))
                    .suggest(nearest(part, known.iter().copied()));
                out.push(if known.is_empty() {
                    problem
                } else {
                    problem.help(format!("the parts of `{field}` are {}", known.join(", ")))
                });
                return None;
            };
            kind = inner;
            parts.push(part.to_owned());
        }
        Some((Self { field: field.to_owned(), parts, slot: None }, kind))
    }

    /// The value in `facts`; missing, null, the empty text, and lists and parts of nothing but these are all `None`.
    pub(crate) fn get<'v>(&self, facts: &'v Map<String, Value>) -> Option<&'v Value> {
        let mut value = facts.get(&self.field)?;
        for part in &self.parts {
            value = value.as_object()?.get(part)?;
        }
        if is_absent(value) { None } else { Some(value) }
    }

    /// The section of the form that the field belongs to.
    pub(crate) fn section(&self) -> &str {
        self.field.split('.').next().unwrap_or(&self.field)
    }
}

impl fmt::Display for FieldRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.field)?;
        for part in &self.parts {
            write!(f, "#{part}")?;
        }
        Ok(())
    }
}

/// OpenCRVS erases with null, and forms leave empty texts, lists and parts behind.
pub(crate) fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_absent),
        Value::Object(parts) => parts.values().all(is_absent),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether two values say the same, absent ones included at every depth.
pub(crate) fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    let (a, b) = (a.filter(|v| !is_absent(v)), b.filter(|v| !is_absent(v)));
    match (a, b) {
        (None, None) => true,
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            a.keys().chain(b.keys()).all(|key| same(a.get(key), b.get(key)))
        }
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::same;

    #[test]
    fn absent_parts_are_no_change() {
        let long = json!({"firstname": "Ace", "middlename": ""});
        let short = json!({"firstname": "Ace"});
        assert!(same(Some(&long), Some(&short)));
        assert!(same(Some(&json!(null)), None));
        assert!(same(Some(&json!({"a": {"b": ""}})), None));
        assert!(same(Some(&json!([])), None));
        assert!(!same(Some(&json!({"firstname": "Acer"})), Some(&short)));
        assert!(!same(Some(&json!(0)), None));
    }
}
