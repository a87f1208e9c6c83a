//! The report as SARIF 2.1.0, which editors and code review read.
//!
//! Source: OASIS, Static Analysis Results Interchange Format 2.1.0 (errata 01).

use std::fmt::Write as _;
use std::path::{Component, Path};

use civitas_rules::help::Page;
use civitas_rules::{Code, Diagnostic, Diagnostics, Severity};
use serde_json::{Value, json};

use super::help;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// One log of one run. Paths are as given on the command line, so run it where the editor does.
pub(super) fn log(folder: &Path, problems: &Diagnostics) -> Value {
    let mut codes: Vec<Code> = problems.iter().map(|problem| problem.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    let results: Vec<Value> = problems.iter().map(|problem| result(folder, problem, &codes)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "civitas",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                }
            },
            "invocations": [{ "executionSuccessful": true }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }]
    })
}

fn rule(code: Code) -> Value {
    let page = Page::of(code);
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.title() },
        "fullDescription": { "text": page.what },
        "help": { "text": help::plain(code), "markdown": page.markdown },
        "defaultConfiguration": { "level": if code.is_warning() { "warning" } else { "error" } },
    })
}

fn result(folder: &Path, problem: &Diagnostic, codes: &[Code]) -> Value {
    let mut message = problem.message.clone();
    if let Some(suggestion) = &problem.suggestion {
        let _ = write!(message, "; did you mean `{suggestion}`?");
    }
    if let Some(help) = &problem.help {
        let _ = write!(message, "\n{help}");
    }
    let mut place = json!({ "artifactLocation": { "uri": uri(&folder.join(&problem.file)) } });
    if problem.line > 0 {
        place["region"] = json!({
            "startLine": problem.line,
            "startColumn": problem.column.max(1),
            "endColumn": problem.column.max(1) + problem.width,
        });
        if let Some(source) = &problem.source {
            place["contextRegion"] = json!({ "startLine": problem.line, "snippet": { "text": source } });
        }
    }
    json!({
        "ruleId": problem.code.as_str(),
        "ruleIndex": codes.binary_search(&problem.code).unwrap_or_default(),
        "level": match problem.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "message": { "text": message },
        "locations": [{ "physicalLocation": place }],
    })
}

/// A path as a URI reference: relative where it is relative.
fn uri(path: &Path) -> String {
    let mut text = if path.is_absolute() { "file://".to_owned() } else { String::new() };
    let mut first = true;
    for part in path.components() {
        let part = match part {
            Component::CurDir | Component::RootDir | Component::Prefix(_) => continue,
            Component::ParentDir => "..".into(),
            Component::Normal(part) => part.to_string_lossy(),
        };
        if !first || path.is_absolute() {
            text.push('/');
        }
        first = false;
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use civitas_rules::{Pack, PackFiles};

    use super::*;

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri(Path::new("./country-config/a b/rules.yaml")), "country-config/a%20b/rules.yaml");
        assert_eq!(uri(Path::new("../é/x")), "../%C3%A9/x");
        assert_eq!(uri(Path::new("/srv/pack/x.yaml")), "file:///srv/pack/x.yaml");
    }

    /// The part of the standard's schema that a log of ours touches, written down from its text:
    /// closed objects, so that a misspelt property is found.
    fn schema() -> Value {
        let message = json!({
            "type": "object", "additionalProperties": false, "required": ["text"],
            "properties": { "text": { "type": "string" }, "markdown": { "type": "string" } }
        });
        let level = json!({ "enum": ["none", "note", "warning", "error"] });
        let natural = json!({ "type": "integer", "minimum": 1 });
        let region = json!({
            "type": "object", "additionalProperties": false, "required": ["startLine"],
            "properties": {
                "startLine": natural, "startColumn": natural, "endColumn": natural,
                "snippet": { "type": "object", "additionalProperties": false, "properties": { "text": { "type": "string" } } }
            }
        });
        let closed = |required: &[&str], properties: Value| json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties });
        let rule = closed(
            &["id"],
            json!({
                "id": { "type": "string" }, "shortDescription": message, "fullDescription": message, "help": message,
                "defaultConfiguration": closed(&[], json!({ "level": level })),
            }),
        );
        let location = closed(
            &[],
            json!({ "physicalLocation": closed(&["artifactLocation"], json!({
            "artifactLocation": closed(&[], json!({ "uri": { "type": "string", "format": "uri-reference" } })),
            "region": region, "contextRegion": region,
        })) }),
        );
        let result = closed(
            &["message"],
            json!({
                "ruleId": { "type": "string" }, "ruleIndex": { "type": "integer", "minimum": 0 }, "level": level,
                "message": message, "locations": { "type": "array", "items": location },
            }),
        );
        let driver = closed(
            &["name"],
            json!({ "name": { "type": "string" }, "semanticVersion": { "type": "string" }, "rules": { "type": "array", "uniqueItems": true, "items": rule } }),
        );
        let run = closed(
            &["tool"],
            json!({
                "tool": closed(&["driver"], json!({ "driver": driver })),
                "invocations": { "type": "array", "items": closed(&["executionSuccessful"], json!({ "executionSuccessful": { "type": "boolean" } })) },
                "columnKind": { "enum": ["utf16CodeUnits", "unicodeCodePoints"] },
                "results": { "type": "array", "items": result },
            }),
        );
        closed(
            &["version", "runs"],
            json!({ "$schema": { "type": "string", "format": "uri" }, "version": { "const": "2.1.0" }, "runs": { "type": "array", "items": run } }),
        )
    }

    #[test]
    fn a_log_has_the_form_of_the_standard_and_each_result_its_rule() {
        let text = "version: 1\nrules:\n  - id: x\n    do: nothing\n    color: red\n";
        let files = PackFiles([("rules.yaml".to_owned(), text.to_owned())].into());
        let problems = Pack::load(&files).unwrap_err();
        let log = log(Path::new("packs/x"), &problems);
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");

        let run = &log["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), problems.len());
        for (result, problem) in results.iter().zip(&problems) {
            let rule = &run["tool"]["driver"]["rules"]
                [usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(rule["id"], result["ruleId"]);
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], format!("packs/x/{}", problem.file));
            assert_eq!(place.get("region").is_some(), problem.line > 0);
        }
    }
}
