//! Text templates of packets: strict about names, and unable to reach anything but their values.

use minijinja::value::{Serde, Value as Any};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, filters, tests};
use serde_json::{Map, Value, json};

use crate::catalogue::Kind;
use crate::limits::TEMPLATE_BYTES;
use crate::reference::FieldRef;

/// An environment without loaders; a name or part that does not exist is an error, not "".
pub(crate) fn environment() -> Environment<'static> {
    // Empty: what could make a small template a large text, or read anything else, is not there.
    let mut templates = Environment::empty();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    templates.add_filter("words", words);
    templates.add_filter("lower", filters::lower);
    templates.add_filter("upper", filters::upper);
    templates.add_filter("title", filters::title);
    templates.add_filter("capitalize", filters::capitalize);
    templates.add_filter("trim", filters::trim);
    templates.add_filter("default", filters::default);
    templates.add_filter("first", filters::first);
    templates.add_filter("last", filters::last);
    templates.add_filter("length", filters::length);
    templates.add_test("defined", tests::is_defined);
    templates.add_test("string", tests::is_string);
    templates.add_test("number", tests::is_number);
    templates
}

/// A template says what stands where: values in `{{ }}`, at most with `if`. It computes nothing, so
/// that it ends at once and makes no text longer than what goes into it.
fn within_bounds(text: &str) -> Result<(), String> {
    if text.len() > TEMPLATE_BYTES {
        return Err(format!("a template of {} bytes; at most {TEMPLATE_BYTES}", text.len()));
    }
    for statement in text.split("{%").skip(1) {
        let word = statement.trim_start_matches(['-', '+']).trim_start();
        let word: String = word.chars().take_while(char::is_ascii_alphabetic).collect();
        if !["if", "elif", "else", "endif"].contains(&word.as_str()) {
            return Err(format!("a template has no `{{% {word} %}}`, only `if`, `elif`, `else` and `endif`"));
        }
    }
    let inside = |open: &str, close: &str| {
        text.split(open).skip(1).any(|part| part.split(close).next().unwrap_or_default().contains('*'))
    };
    if inside("{{", "}}") || inside("{%", "%}") {
        return Err("a template does not multiply".to_owned());
    }
    Ok(())
}

/// `[a, b] | words`: the texts that are not blank, with single spaces between all words.
fn words(texts: &Any) -> Result<String, minijinja::Error> {
    let mut all = Vec::new();
    for text in texts.try_iter()? {
        all.extend(text.to_string().split_whitespace().map(str::to_owned));
    }
    Ok(all.join(" "))
}

/// Compiles a template and tries it on values of the right kinds.
pub(crate) fn add(
    templates: &mut Environment<'static>,
    name: &str,
    text: &str,
    with: &[(String, FieldRef, Kind)],
) -> Result<(), String> {
    within_bounds(text)?;
    templates.add_template_owned(name.to_owned(), text.to_owned()).map_err(|error| describe(&error))?;
    let template = templates.get_template(name).map_err(|error| describe(&error))?;
    let mut unknown: Vec<String> = template
        .undeclared_variables(false)
        .into_iter()
        .filter(|variable| !with.iter().any(|(alias, _, _)| alias == variable))
        .collect();
    unknown.sort();
    if let Some(unknown) = unknown.first() {
        return Err(format!("`{unknown}` is not a name under `with`"));
    }
    let sample: Map<String, Value> =
        with.iter().map(|(alias, _, kind)| (alias.clone(), filled(kind, None))).collect();
    template.render(Serde(&sample)).map_err(|error| describe(&error)).map(drop)
}

/// Renders; the reason of a failure says what kind it is and holds no value.
pub(crate) fn render(
    templates: &Environment<'static>,
    name: &str,
    values: &Map<String, Value>,
) -> Result<String, &'static str> {
    let failed = |error: minijinja::Error| match error.kind() {
        ErrorKind::UndefinedError => "the template reads a part that does not exist",
        _ => "the template cannot be applied to the values",
    };
    templates.get_template(name).map_err(failed)?.render(Serde(values)).map_err(failed)
}

/// The value as a template sees it: absent texts are "", every part of a composite is there.
pub(crate) fn filled(kind: &Kind, value: Option<&Value>) -> Value {
    match kind {
        Kind::Composite(parts) => {
            let mut map = value.and_then(Value::as_object).cloned().unwrap_or_default();
            map.retain(|_, inner| !inner.is_null());
            for (part, kind) in *parts {
                let inner = filled(kind, map.get(*part));
                map.insert((*part).to_owned(), inner);
            }
            Value::Object(map)
        }
        _ => value.cloned().unwrap_or_else(|| json!("")),
    }
}

fn describe(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("the template cannot be used: {detail}"),
        None => format!("the template cannot be used: {}", error.kind()),
    }
}
