//! The reference of the pack's files, written from the code: what a key means is what its type says,
//! and which predicate goes with which field is what the compiler accepts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::actions::{ACTIONS, Action};
use crate::catalogue::{Form, Kind, kind_of};
use crate::codes::Code;
use crate::condition::{Compiler, PREDICATES};
use crate::files::fields::FieldEntry;
use crate::files::words::Wording;
use crate::limits::Spent;
use crate::phrases::{Phrase, shipped};
use crate::schemas::schemas;
use crate::source::{Document, Path};

/// The reference as Markdown.
pub fn manual() -> String {
    let mut text = "# Reference of the country pack\n\n\
        Generated from the code by `civitas reference`; do not edit. [rules.md](rules.md) is the tutorial.\n\n\
        - [Files and their keys](#files-and-their-keys)\n\
        - [Words to choose from](#words-to-choose-from)\n\
        - [Conditions](#conditions)\n\
        - [Fields and their types](#fields-and-their-types)\n\
        - [Sources of packets](#sources-of-packets)\n\
        - [Actions](#actions)\n\
        - [Phrases of sentences](#phrases-of-sentences)\n\
        - [Diagnostics](#diagnostics)\n"
        .to_owned();
    let schemas: Vec<(String, Value)> = schemas()
        .into_iter()
        .filter_map(|(name, schema)| {
            Some((name.trim_end_matches(".schema.json").to_owned(), serde_json::from_str(&schema).ok()?))
        })
        .collect();
    text.push_str("\n## Files and their keys\n\n\
        `[]` stands for an item of a list, `<name>` for a name of your own. A key in **bold** must be there.\n");
    for (name, schema) in &schemas {
        files(name, schema, &mut text);
    }
    text.push_str("\n## Words to choose from\n");
    words(&schemas, &mut text);
    conditions(&schemas, &mut text);
    field_types(&mut text);
    sources(&schemas, &mut text);
    text.push_str(
        "\n## Actions\n\nThe steps of OpenCRVS that a rule can be `on`, and about which OpenCRVS asks. `CUSTOM` goes \
         with `custom_action`: revocation is `custom_action: REVOKE_REGISTRATION`.\n\n\
         | action | versions |\n|---|---|\n",
    );
    for Action { name, versions: (first, last), .. } in &ACTIONS {
        let versions = if first == last {
            first.as_str().to_owned()
        } else {
            format!("{} to {}", first.as_str(), last.as_str())
        };
        row(&mut text, &[format!("`{name}`"), versions]);
    }
    phrases(&mut text);
    text.push_str(
        "\n## Diagnostics\n\n\
        What `civitas country check` reports; each has a page in [diagnostics/](diagnostics/).\n\n\
        | code | severity | what is wrong |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let severity = if code.is_warning() { "warning" } else { "error" };
        row(
            &mut text,
            &[format!("[{code}](diagnostics/{code}.md)"), severity.to_owned(), code.title().to_owned()],
        );
    }
    text
}

fn row(text: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn file_name(schema: &str) -> String {
    if schema == "cases" { "cases/*.yaml".to_owned() } else { format!("{schema}.yaml") }
}

fn files(name: &str, schema: &Value, text: &mut String) {
    let file = file_name(name);
    let about = described(schema);
    let about = about.split_once(": ").map_or(about, |(_, about)| about);
    let _ = write!(text, "\n### {file}\n\n{}\n\n| key | value | meaning |\n|---|---|---|\n", sentence(about));
    let mut rows = Vec::new();
    Walk { root: schema, open: Vec::new() }.keys(schema, "", &mut rows);
    for cells in rows {
        row(text, &cells);
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn described(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default()
}

/// Goes through a schema key by key; a type inside itself is named and not opened again.
struct Walk<'a> {
    root: &'a Value,
    open: Vec<String>,
}

impl<'a> Walk<'a> {
    /// What a reference leads to, and its name.
    fn target(&self, schema: &'a Value) -> (&'a Value, Option<&'a str>) {
        let reference = schema["$ref"].as_str().or_else(|| {
            let options = schema["anyOf"].as_array()?;
            options.iter().find_map(|option| option["$ref"].as_str())
        });
        match reference
            .and_then(|reference| Some((self.root.pointer(reference.strip_prefix('#')?)?, reference)))
        {
            Some((target, reference)) => (target, reference.rsplit('/').next()),
            None => (schema, None),
        }
    }

    fn keys(&mut self, schema: &'a Value, prefix: &str, rows: &mut Vec<[String; 3]>) {
        let required: BTreeSet<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{prefix}{key}");
            let shown =
                if required.contains(key.as_str()) { format!("**`{path}`**") } else { format!("`{path}`") };
            rows.push([shown, self.value(inner), self.meaning(inner)]);
            self.inside(inner, &path, rows);
        }
    }

    fn inside(&mut self, schema: &'a Value, path: &str, rows: &mut Vec<[String; 3]>) {
        let (target, name) = self.target(schema);
        // Conditions, sources and phrases have chapters of their own.
        let elsewhere = ["Condition", "Mapping", "OneOrMany", "Wordings"];
        if let Some(name) = name {
            if elsewhere.contains(&name) || self.open.iter().any(|open| open == name) {
                return;
            }
            self.open.push(name.to_owned());
        }
        if target["properties"].is_object() {
            self.keys(target, &format!("{path}."), rows);
        } else if target["items"].is_object() {
            self.inside(&target["items"], &format!("{path}[]"), rows);
        } else if target["additionalProperties"].is_object() {
            self.inside(&target["additionalProperties"], &format!("{path}.<name>"), rows);
        }
        if name.is_some() {
            self.open.pop();
        }
    }

    /// What stands behind the key, in a few words.
    fn value(&self, schema: &Value) -> String {
        let reference = schema["$ref"]
            .as_str()
            .or_else(|| schema["anyOf"].as_array()?.iter().find_map(|option| option["$ref"].as_str()));
        if let Some(name) = reference.and_then(|reference| reference.rsplit('/').next()) {
            let target = &self.root["$defs"][name];
            return match name {
                "Condition" => "[condition](#conditions)".to_owned(),
                "Mapping" => "[source](#sources-of-packets)".to_owned(),
                "OneOrMany" => "field, or list of fields".to_owned(),
                "Wordings" => "[phrases](#phrases-of-sentences)".to_owned(),
                _ if target["properties"].is_object() => "map".to_owned(),
                _ if target["oneOf"].is_array() || target["enum"].is_array() => "word".to_owned(),
                _ => self.value(target),
            };
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind.as_str()],
            Value::Array(kinds) => {
                kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect()
            }
            _ => Vec::new(),
        };
        match kinds.as_slice() {
            ["array"] => format!("list of {}", plural(&self.value(&schema["items"]))),
            ["object"] if schema["additionalProperties"].is_object() => {
                format!("map of {}", plural(&self.value(&schema["additionalProperties"])))
            }
            ["object"] => "map".to_owned(),
            ["boolean"] => "`true` or `false`".to_owned(),
            ["integer"] => "number".to_owned(),
            ["string"] => "text".to_owned(),
            [] => "any value".to_owned(),
            many => many.join(" or "),
        }
    }

    fn meaning(&self, schema: &'a Value) -> String {
        let own = described(schema);
        let mut text = if own.is_empty() { described(self.target(schema).0) } else { own }.to_owned();
        if let Some(default) = schema.get("default").filter(|value| is_word(value)) {
            let _ = write!(text, " Without it: `{}`.", bare(default));
        }
        let examples = schema["examples"].as_array().into_iter().flatten();
        let examples: Vec<String> = examples.map(|example| format!("`{}`", bare(example))).collect();
        if !examples.is_empty() && !text.contains(examples[0].as_str()) {
            let _ = write!(text, " For example {}.", examples.join(", "));
        }
        text
    }
}

fn plural(noun: &str) -> String {
    match noun {
        "text" | "map" | "word" | "number" => format!("{noun}s"),
        "any value" => "any values".to_owned(),
        other => other.replacen("source]", "sources]", 1).replacen("condition]", "conditions]", 1),
    }
}

fn is_word(value: &Value) -> bool {
    matches!(value, Value::String(text) if !text.is_empty()) || matches!(value, Value::Bool(_))
}

/// A value as it is written in YAML, near enough to be read.
fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(bare).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, inner)| format!("{key}: {}", bare(inner))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// The words of a schema with their meaning: each `const`, or an `enum` without meanings.
fn words_of(schema: &Value) -> Vec<(String, String)> {
    let one_of = schema["oneOf"].as_array().into_iter().flatten();
    one_of.filter_map(|word| Some((word["const"].as_str()?.to_owned(), described(word).to_owned()))).collect()
}

fn words(schemas: &[(String, Value)], text: &mut String) {
    let mut seen = BTreeMap::new();
    for (file, schema) in schemas {
        for (name, inner) in schema["$defs"].as_object().into_iter().flatten() {
            let words = words_of(inner);
            if !words.is_empty() && name != "FieldType" {
                seen.entry(name.clone()).or_insert((file.clone(), described(inner).to_owned(), words));
            }
        }
    }
    for (file, about, words) in seen.into_values() {
        let file = file_name(&file);
        let about = sentence(about.trim_end_matches('.'));
        let _ = write!(text, "\n{about} ({file})\n\n| word | meaning |\n|---|---|\n");
        for (word, meaning) in words {
            row(text, &[format!("`{word}`"), meaning]);
        }
    }
}

/// Every field type with what its values are.
fn types() -> Vec<(String, String, Kind)> {
    let schema =
        schemars::SchemaGenerator::default().into_root_schema_for::<crate::files::fields::FieldType>();
    words_of(&Value::from(schema))
        .into_iter()
        .filter_map(|(word, meaning)| {
            let entry = json!({ "type": word, "options": ["ONE", "OTHER"] });
            let kind = kind_of(&serde_json::from_value::<FieldEntry>(entry).ok()?);
            Some((word, meaning, kind))
        })
        .collect()
}

/// Whether the compiler of conditions lets the predicate be asked of such a field.
fn goes_with(predicate: &str, kind: &Kind) -> bool {
    let form = Form { fields: BTreeMap::from([("a.b".to_owned(), kind.clone())]), ..Form::default() };
    let document = Document::bare("rules.yaml", "", Value::Null);
    let mut out = Vec::new();
    let mut compiler = Compiler {
        document: &document,
        event: "birth",
        form: &form,
        conditions: &BTreeMap::new(),
        groups: &BTreeMap::new(),
        used: &mut BTreeSet::new(),
        spent: &mut Spent::default(),
        out: &mut out,
        open: Vec::new(),
    };
    let asked: Map<String, Value> = Map::from_iter([(predicate.to_owned(), Value::Null)]);
    compiler.condition(&json!({ "a.b": asked }), &Path::default());
    !out.iter().any(|problem| problem.code == Code::R011)
}

/// The types, or parts of types, that a predicate goes with.
fn fields_with(predicate: &str, types: &[(String, String, Kind)]) -> String {
    let fitting: Vec<&(String, String, Kind)> =
        types.iter().filter(|(_, _, kind)| goes_with(predicate, kind)).collect();
    if fitting.len() == types.len() {
        return "every field".to_owned();
    }
    let names: Vec<String> = fitting.iter().map(|(word, _, _)| format!("`{word}`")).collect();
    names.join(", ")
}

fn conditions(schemas: &[(String, Value)], text: &mut String) {
    let Some((_, rules)) = schemas.iter().find(|(name, _)| name == "rules") else { return };
    let map = &rules["$defs"]["Condition"]["anyOf"][1];
    text.push_str("\n## Conditions\n\n\
        A condition is the name of one of `conditions`, or a map with one entry. It is true, false, or unknown: a \
        predicate about a field without a value is unknown, and so is one about a value of another kind. `present`, \
        `absent` and `changed` are never unknown. A rule matches on true only; `if_unknown: hold` makes the record wait \
        for a person where a rule is undecided.\n\n| entry | meaning |\n|---|---|\n");
    for (key, inner) in map["properties"].as_object().into_iter().flatten() {
        row(text, &[format!("`{key}: …`"), with_examples(inner)]);
    }
    text.push_str("| `<field>: …` | What is asked of the field: one of the words, or predicates that must all hold. |\n");
    text.push_str("\n| of a field | meaning | fields |\n|---|---|---|\n");
    let asked = &map["additionalProperties"]["anyOf"];
    for (word, meaning) in words_of(&asked[0]) {
        row(text, &[format!("`{word}`"), meaning, "every field".to_owned()]);
    }
    let types = types();
    for predicate in PREDICATES {
        let inner = &asked[1]["properties"][predicate];
        row(text, &[format!("`{predicate}`"), with_examples(inner), fields_with(predicate, &types)]);
    }
    text.push_str("\nA part of a value (`child.name#surname`) is asked what its own kind allows.\n");
}

fn with_examples(schema: &Value) -> String {
    Walk { root: &Value::Null, open: Vec::new() }.meaning(schema)
}

fn field_types(text: &mut String) {
    text.push_str("\n## Fields and their types\n\n\
        The types are OpenCRVS's own. `field#part` addresses a part; parts of `data` are whatever the other system \
        answers: `mother.verify-nid-http-fetch#data#sub`.\n\n| type | value | parts |\n|---|---|---|\n");
    for (word, meaning, kind) in types() {
        let parts = match &kind {
            Kind::Composite(parts) => parts
                .iter()
                .map(|(part, kind)| format!("`#{part}` {}", kind.noun()))
                .collect::<Vec<_>>()
                .join(", "),
            _ => String::new(),
        };
        row(text, &[format!("`{word}`"), meaning, parts]);
    }
}

fn sources(schemas: &[(String, Value)], text: &mut String) {
    let Some((_, packets)) = schemas.iter().find(|(name, _)| name == "packets") else { return };
    let mapping = &packets["$defs"]["Mapping"];
    let _ = write!(
        text,
        "\n## Sources of packets\n\n{}\n\n| key | value | meaning |\n|---|---|---|\n",
        described(mapping)
    );
    let mut walk = Walk { root: packets, open: vec!["Mapping".to_owned()] };
    let mut rows = Vec::new();
    walk.keys(mapping, "", &mut rows);
    for cells in rows {
        row(text, &cells);
    }
    text.push_str(
        "\nIn a template, `[a, b] | words` puts single spaces between the texts that are not blank.\n",
    );
}

fn phrases(text: &mut String) {
    let english: BTreeMap<String, Wording> =
        shipped("en").and_then(|text| serde_saphyr::from_str(text).ok()).unwrap_or_default();
    text.push_str("\n## Phrases of sentences\n\n\
        The keys of `words.yaml` with their English words. English and French are shipped; a pack gives the words of its \
        other languages. Names in braces are places, and must stay. Lengths of time may have forms by count: \
        `{ \"1\": …, \"2-4\": …, other: … }`.\n\n| phrase | English | when it is said |\n|---|---|---|\n");
    for phrase in Phrase::ALL {
        let words = match english.get(phrase.key()) {
            Some(Wording::One(text)) => format!("`{text}`"),
            Some(Wording::ByCount(forms)) => {
                forms.iter().map(|(count, text)| format!("{count}: `{text}`")).collect::<Vec<_>>().join(", ")
            }
            None => String::new(),
        };
        row(text, &[format!("`{}`", phrase.key()), words, phrase.said().to_owned()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_predicate_type_word_and_code_is_in_it() {
        let text = manual();
        for predicate in PREDICATES {
            assert!(text.contains(&format!("| `{predicate}` | ")), "{predicate}");
        }
        for (word, _, _) in types() {
            assert!(text.contains(&format!("| `{word}` | ")), "{word}");
        }
        for code in Code::ALL {
            assert!(text.contains(&format!("[{code}](diagnostics/{code}.md)")), "{code}");
        }
        assert!(types().len() > 30 && !text.contains("| |  |"), "an empty cell");
    }

    #[test]
    fn predicates_go_with_the_fields_that_the_compiler_lets_them_go_with() {
        let text = manual();
        let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_default();
        assert!(line("| `age_below`").contains("| `DATE`, "), "{}", line("| `age_below`"));
        assert!(line("| `matches`").contains("`SELECT`") && !line("| `matches`").contains("`DATE`"));
        assert!(!line("| `equals`").contains("`NAME`"), "{}", line("| `equals`"));
    }
}
