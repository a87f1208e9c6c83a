//! Canonical JSON as the lines of YAML that a pack's author knows.

use serde_json::Value;

/// Short lists and maps stand on one line.
const SHORT: usize = 72;

/// The lines of a value, keys in order.
pub(crate) fn outline(value: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    block(value, 0, &mut lines);
    lines
}

fn block(value: &Value, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, member) in members {
                let head = format!("{indent}{}:", word(key));
                if let Some(text) = one_line(member, head.len() + 1) {
                    lines.push(format!("{head} {text}"));
                } else {
                    lines.push(head);
                    block(member, depth + 1, lines);
                }
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let single = item.as_object().is_some_and(|members| members.len() == 1);
                if let Some(text) = one_line(item, indent.len() + 2).filter(|_| !single) {
                    lines.push(format!("{indent}- {text}"));
                    continue;
                }
                let first = lines.len();
                block(item, depth + 1, lines);
                // The dash stands in the indentation of the item's first line.
                if let Some(line) = lines.get_mut(first) {
                    line.replace_range(indent.len()..=indent.len(), "-");
                }
            }
        }
        plain => lines.push(format!("{indent}{}", flow(plain))),
    }
}

/// The value on one line, if it is plain or short.
fn one_line(value: &Value, before: usize) -> Option<String> {
    let nested = |value: &Value| value.is_object() || value.is_array();
    let deep = match value {
        Value::Object(members) => members.values().any(|inner| nested(inner) && !is_words(inner)),
        Value::Array(items) => items.iter().any(nested),
        _ => return Some(flow(value)),
    };
    let text = flow(value);
    (!deep && before + text.chars().count() <= SHORT).then_some(text)
}

/// A list of words, `in: [verified, authenticated]`, reads best on its line.
fn is_words(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let pair = |(key, value): (&String, &Value)| format!("{}: {}", word(key), flow(value));
            format!("{{ {} }}", members.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}

/// A text without quotes where YAML reads it back as the same text; else as in JSON.
fn scalar(text: &str) -> String {
    let other = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if other.contains(&text.to_lowercase().as_str()) { quoted(text) } else { word(text) }
}

/// The same for a key, which is a text in any case.
fn word(text: &str) -> String {
    let letters = text.chars().any(char::is_alphabetic);
    let first = text.chars().next();
    let begins =
        first.is_some_and(|c| c.is_alphabetic() || (c.is_numeric() && letters && text.contains(' ')));
    let plain = begins
        && text.chars().all(|c| c.is_alphanumeric() || " ._#/-".contains(c))
        && !text.ends_with(' ')
        && !text.contains(" #");
    if plain { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_reads_as_its_author_wrote_it() {
        let rule = json!({
            "deadline": "14 days",
            "do": "create_uin",
            "id": "birth-uin",
            "if": {"all": [
                {"child.nid": "absent"},
                {"child.dob": {"age_below": "10 years"}},
                {"any": [{"mother.verified": {"in": ["verified", "authenticated"]}}, "known"]},
            ]},
            "name": {"en": "UIN requested: at birth", "fr": "UIN demandé"},
            "on": {"action": "REGISTER", "event": "birth"},
        });
        let expected = r#"deadline: 14 days
do: create_uin
id: birth-uin
if:
  all:
    - child.nid: absent
    - child.dob: { age_below: 10 years }
    - any:
        - mother.verified: { in: [verified, authenticated] }
        - known
name: { en: "UIN requested: at birth", fr: UIN demandé }
on: { action: REGISTER, event: birth }"#;
        assert_eq!(outline(&rule).join("\n"), expected);
    }

    #[test]
    fn texts_that_yaml_would_read_as_something_else_are_quoted() {
        for text in ["no", "1.0", "", "a: b", "- x", "a #b", "x ", "*a", "{{ x }}"] {
            assert!(scalar(text).starts_with('"'), "{text}");
        }
        assert_eq!(scalar("child.name#surname"), "child.name#surname");
    }
}
