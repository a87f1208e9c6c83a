//! The first check of a file: its shape against the schema of its type, all deviations at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use jsonschema::{ValidationError, Validator};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Severity};
use crate::files::{VERSION, Versioned, lenient};
use crate::limits::enough;
use crate::schemas::schema_of;
use crate::source::{Document, Path, Step, at};
use crate::suggest::{listed, nearest};

/// Checks the file's shape and version, and decodes what can be decoded.
pub(crate) fn decode<T: JsonSchema + DeserializeOwned + Versioned>(
    document: &Document,
    out: &mut Vec<Diagnostic>,
) -> Option<T> {
    let file: T = shaped(document, out)?;
    if file.version() != VERSION {
        let message = format!("this build does not read version {}", file.version());
        out.push(
            document.at_value(Code::P007, &at("version"), message).help(format!("the version is {VERSION}")),
        );
    }
    Some(file)
}

fn shaped<T: JsonSchema + DeserializeOwned>(document: &Document, out: &mut Vec<Diagnostic>) -> Option<T> {
    let before = out.len();
    let shape = Shape::of::<T>();
    let checker = Checker { document, schema: &shape.schema };
    match &shape.validator {
        Ok(validator) => {
            for error in validator.iter_errors(&document.value) {
                if enough(out) {
                    break;
                }
                checker.report(&error, out);
            }
        }
        Err(reason) => out.push(document.at_value(Code::S005, &Path::default(), reason)),
    }
    no_environment(document, &document.value, &mut Vec::new(), out);
    let reported = out[before..].iter().any(|problem| problem.severity == Severity::Error);
    match lenient::decode(&document.value, reported) {
        Ok(file) => Some(file),
        Err(error) => {
            // What fits the schema and no type of ours, such as a number beyond all integers.
            if !reported {
                out.push(document.at_value(
                    Code::S005,
                    &Path::default(),
                    format!("this cannot be read: {error}"),
                ));
            }
            None
        }
    }
}

/// The schema of a type of file, ready to be used.
struct Shape {
    schema: Value,
    validator: Result<Validator, String>,
}

impl Shape {
    /// Made once for each type: it is the same for every pack, and takes longer than reading one.
    fn of<T: JsonSchema>() -> Arc<Self> {
        static SHAPES: Mutex<BTreeMap<&'static str, Arc<Shape>>> = Mutex::new(BTreeMap::new());
        let mut shapes = SHAPES.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shapes.entry(std::any::type_name::<T>()).or_insert_with(|| {
            let mut schema = Value::from(schema_of::<T>());
            // Conditions get better messages from the compiler of conditions.
            if let Some(condition) = schema.pointer_mut("/$defs/Condition") {
                *condition = json!(true);
            }
            let validator = jsonschema::validator_for(&schema).map_err(|error| error.masked().to_string());
            Arc::new(Self { schema, validator })
        }))
    }
}

struct Checker<'a> {
    document: &'a Document,
    schema: &'a Value,
}

impl Checker<'_> {
    fn report(&self, error: &ValidationError<'_>, out: &mut Vec<Diagnostic>) {
        let path = path_of(error);
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known = self.known_keys(error);
                for key in unexpected {
                    if enough(out) {
                        break;
                    }
                    let mut problem = self
                        .document
                        .at_key(Code::S002, &path.key(key), format!("`{key}` is not a key here"))
                        .suggest(nearest(key, known.iter().map(String::as_str)));
                    if problem.suggestion.is_none() && !known.is_empty() {
                        problem = problem.help(format!("the keys here are {}", listed(&known)));
                    }
                    out.push(problem);
                }
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                // A key that is misspelt is said to be so, and not to be missing as well.
                let known = self.known_keys(error);
                if error.instance().as_object().is_some_and(|map| is_misspelt(key, map, &known)) {
                    return;
                }
                out.push(self.document.at_key(Code::S001, &path, format!("`{key}` is missing here")));
            }
            ValidationErrorKind::Type { kind } => {
                let wanted = match kind {
                    TypeKind::Single(one) => one.to_string(),
                    TypeKind::Multiple(many) => {
                        let names = many.iter().map(|one| one.to_string()).filter(|name| name != "null");
                        names.collect::<Vec<_>>().join(" or ")
                    }
                };
                out.push(self.wrong_type(&path, error, &wanted));
            }
            ValidationErrorKind::Enum { options } => self.not_one_of(&path, error, &options_of(options), out),
            ValidationErrorKind::Constant { expected_value } => {
                self.not_one_of(&path, error, &options_of(expected_value), out);
            }
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                self.branches(&path, error, context, out);
            }
            _ => out.push(self.document.at_value(
                Code::S005,
                &path,
                error.masked_with("this value").to_string(),
            )),
        }
    }

    /// Several alternatives, none of which fits: report the one that was probably meant.
    fn branches(
        &self,
        path: &Path,
        error: &ValidationError<'_>,
        context: &[Vec<ValidationError<'static>>],
        out: &mut Vec<Diagnostic>,
    ) {
        let mut options = Vec::new();
        let mut only_words = true;
        for inner in context.iter().flatten() {
            match inner.kind() {
                ValidationErrorKind::Enum { options: more } => options.extend(options_of(more)),
                ValidationErrorKind::Constant { expected_value } => {
                    options.extend(options_of(expected_value));
                }
                ValidationErrorKind::Type { .. } if path_of(inner) == *path => {}
                ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }
                    if path_of(inner) == *path =>
                {
                    for word in context.iter().flatten() {
                        match word.kind() {
                            ValidationErrorKind::Enum { options: more } => options.extend(options_of(more)),
                            ValidationErrorKind::Constant { expected_value } => {
                                options.extend(options_of(expected_value));
                            }
                            _ => only_words = false,
                        }
                    }
                }
                _ => only_words = false,
            }
        }
        if only_words && !options.is_empty() {
            self.not_one_of(path, error, &options, out);
            return;
        }
        let inside = context.iter().find(|branch| {
            branch.iter().all(|inner| {
                !(matches!(inner.kind(), ValidationErrorKind::Type { .. }) && path_of(inner) == *path)
            })
        });
        match inside {
            Some(branch) => {
                for inner in branch {
                    self.report(inner, out);
                }
            }
            None => out.push(self.document.at_value(
                Code::S003,
                path,
                format!("{} does not fit here", type_name(error.instance())),
            )),
        }
    }

    /// Says what belongs there in the words of the file, and what the slip usually is.
    fn wrong_type(&self, path: &Path, error: &ValidationError<'_>, wanted: &str) -> Diagnostic {
        let found = error.instance();
        let nouns: Vec<&str> = wanted.split(" or ").map(noun_of).collect();
        let problem = self.document.at_value(
            Code::S003,
            path,
            format!("{} belongs here, this is {}", nouns.join(" or "), type_name(found)),
        );
        if path.0.is_empty() && found.is_null() {
            return Diagnostic { message: "the file is empty".to_owned(), ..problem }
                .help("it starts with `version: 1`");
        }
        let texts = error.schema_path().as_str().rsplit_once('/').is_some_and(|(parent, _)| {
            self.schema.pointer(parent).is_some_and(|schema| {
                schema.pointer("/additionalProperties/type").and_then(Value::as_str) == Some("string")
            })
        });
        match (wanted, found.as_ref()) {
            ("string", Value::Number(number)) if path.0.last() == Some(&Step::Key("deadline".to_owned())) => {
                problem.help(format!("add the unit: `{number} days`"))
            }
            ("string", Value::Number(_) | Value::Bool(_)) => {
                let written = problem.written();
                problem.help(format!("put it in quotes: \"{written}\""))
            }
            ("object", Value::String(text)) if texts => {
                problem.help(format!("one text for each language: {{ en: {text}, … }}"))
            }
            ("object", Value::Array(_)) => problem.help("keys stand without a hyphen before them"),
            ("array", Value::Object(_) | Value::String(_)) => {
                problem.help("each item of a list starts with a hyphen and a space: `- `")
            }
            (_, Value::Null) => problem.help("is what belongs to it indented further than it?"),
            _ => problem,
        }
    }

    fn not_one_of(
        &self,
        path: &Path,
        error: &ValidationError<'_>,
        options: &[String],
        out: &mut Vec<Diagnostic>,
    ) {
        let written = match error.instance().as_ref() {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let problem = self.document.at_value(Code::S004, path, format!("`{written}` is not allowed here"));
        out.push(if options.contains(&written) {
            let message = format!(
                "{written} without quotes is {}, and a text belongs here",
                type_name(error.instance())
            );
            let help = format!("put it in quotes: \"{written}\"");
            Diagnostic { message, ..problem }.help(help)
        } else {
            problem
                .suggest(nearest(&written, options.iter().map(String::as_str)))
                .help(format!("one of {}", options.join(", ")))
        });
    }

    /// The keys that the schema has at the place of an `additionalProperties` error.
    fn known_keys(&self, error: &ValidationError<'_>) -> Vec<String> {
        let place = error.schema_path().as_str();
        let parent = place.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.schema
            .pointer(parent)
            .and_then(|schema| schema.get("properties"))
            .and_then(Value::as_object)
            .map(|properties| properties.keys().cloned().collect())
            .unwrap_or_default()
    }
}

/// Whether a section of a file cannot be read, since it is misspelt, is not there though it has to be, or is a list where a
/// map belongs and the like. That is reported already.
pub(crate) fn is_lost<T: JsonSchema>(document: &Document, section: &str) -> bool {
    let Some(map) = document.value.as_object() else { return true };
    let shape = Shape::of::<T>();
    if map.contains_key(section) {
        let is_wrong = |error: ValidationError<'_>| {
            matches!(error.kind(), ValidationErrorKind::Type { .. }) && path_of(&error) == at(section)
        };
        let mut errors = shape.validator.iter().flat_map(|validator| validator.iter_errors(&document.value));
        return errors.any(is_wrong);
    }
    let keys =
        |list: &Value| list.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect::<Vec<_>>();
    let needed = shape.schema["required"].as_array().is_some_and(|keys| keys.contains(&json!(section)));
    needed || is_misspelt(section, map, &keys(&shape.schema["properties"]))
}

/// Whether a key stands there that is none of the known ones and was probably meant to be this one.
pub(crate) fn is_misspelt(key: &str, map: &serde_json::Map<String, Value>, known: &[String]) -> bool {
    let known = || known.iter().map(String::as_str);
    map.keys()
        .filter(|own| !known().any(|one| one == own.as_str()))
        .any(|own| nearest(own, known()).as_deref() == Some(key))
}

fn path_of(error: &ValidationError<'_>) -> Path {
    Path(
        error
            .instance_path()
            .segments()
            .map(|segment| match segment {
                LocationSegment::Property(key) => Step::Key(key.into_owned()),
                LocationSegment::Index(index) => Step::Item(index),
            })
            .collect(),
    )
}

fn options_of(options: &Value) -> Vec<String> {
    let word = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    };
    match options {
        Value::Array(items) => items.iter().filter_map(word).collect(),
        one => word(one).into_iter().collect(),
    }
}

/// A type of JSON Schema in words.
fn noun_of(kind: &str) -> &str {
    match kind {
        "object" => "a map of keys",
        "array" => "a list",
        "string" => "a text",
        "number" => "a number",
        "integer" => "a whole number",
        "boolean" => "true or false",
        other => other,
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// A pack is data: what it says is what was reviewed, on every machine.
fn no_environment<'v>(
    document: &Document,
    value: &'v Value,
    way: &mut Vec<Way<'v>>,
    out: &mut Vec<Diagnostic>,
) {
    match value {
        _ if enough(out) => {}
        Value::String(text) if text.contains("${") => {
            let steps = way.iter().map(|step| match step {
                Way::Key(key) => Step::Key((*key).to_owned()),
                Way::Item(index) => Step::Item(*index),
            });
            out.push(
                document
                    .at_value(Code::P008, &Path(steps.collect()), "a pack does not read its environment")
                    .help("write the value itself; secrets belong into the engine's own configuration"),
            );
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                way.push(Way::Item(index));
                no_environment(document, item, way, out);
                way.pop();
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                way.push(Way::Key(key));
                no_environment(document, item, way, out);
                way.pop();
            }
        }
        _ => {}
    }
}

/// A step that is not yet worth its own memory.
enum Way<'v> {
    Key(&'v str),
    Item(usize),
}
