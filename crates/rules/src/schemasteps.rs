//! How much work an ID schema makes, found out before it is used.
//!
//! References that are used twice, twice over, double the work of a check at each turn. A schema
//! that leads back to itself has no bound at all; MOSIP's schemas never do.

use std::collections::BTreeMap;

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::limits::{DEPTH, SCHEMA_PATTERN_BYTES, SCHEMA_PATTERNS, SCHEMA_STEPS};

/// Backward steps of one pattern on one value, after which the value does not fit.
const PATTERN_STEPS: usize = 200_000;

/// Compiles a schema whose patterns have bounds.
pub(crate) fn validator(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    let patterns = PatternOptions::fancy_regex()
        .size_limit(SCHEMA_PATTERN_BYTES)
        .dfa_size_limit(SCHEMA_PATTERN_BYTES)
        .backtrack_limit(PATTERN_STEPS);
    jsonschema::options().with_pattern_options(patterns).build(schema)
}

/// Why the schema cannot be followed to its end, if it cannot.
pub(crate) fn endless(root: &Value, identity: &Value) -> Option<String> {
    let mut walk = Walk { root, open: Vec::new(), known: BTreeMap::new(), patterns: 0 };
    match walk.steps(identity) {
        Err(reason) => Some(reason),
        Ok(steps) if steps > SCHEMA_STEPS => {
            Some(format!("checking a value takes more than {SCHEMA_STEPS} steps"))
        }
        Ok(_) if walk.patterns > SCHEMA_PATTERNS => {
            Some(format!("{} patterns; at most {SCHEMA_PATTERNS} are compiled", walk.patterns))
        }
        Ok(_) => None,
    }
}

struct Walk<'v> {
    root: &'v Value,
    /// The references that are being followed, outermost first.
    open: Vec<&'v str>,
    /// Reference → its steps.
    known: BTreeMap<&'v str, usize>,
    patterns: usize,
}

impl<'v> Walk<'v> {
    fn steps(&mut self, value: &'v Value) -> Result<usize, String> {
        let mut steps: usize = 1;
        match value {
            Value::Array(items) => {
                for item in items {
                    steps = steps.saturating_add(self.steps(item)?);
                }
            }
            Value::Object(map) => {
                for (key, inner) in map {
                    let more = match (key.as_str(), inner) {
                        ("$ref", Value::String(reference)) => self.follow(reference)?,
                        ("$dynamicRef" | "$recursiveRef" | "$id", Value::String(_)) => {
                            return Err(format!("`{key}` is not followed; refer to `#/definitions/…`"));
                        }
                        ("pattern" | "validator", Value::String(_)) => {
                            self.patterns += 1;
                            1
                        }
                        _ => self.steps(inner)?,
                    };
                    steps = steps.saturating_add(more);
                }
            }
            _ => {}
        }
        Ok(steps)
    }

    fn follow(&mut self, reference: &'v str) -> Result<usize, String> {
        if let Some(steps) = self.known.get(reference) {
            return Ok(*steps);
        }
        if self.open.contains(&reference) {
            return Err(format!("`{reference}` leads back to itself"));
        }
        if self.open.len() >= DEPTH {
            return Err(format!("`{reference}` is the end of more than {DEPTH} references"));
        }
        let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let target = target.ok_or_else(|| format!("`{reference}` is no place in this file"))?;
        self.open.push(reference);
        let steps = self.steps(target)?;
        self.open.pop();
        self.known.insert(reference, steps);
        Ok(steps)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::endless;

    #[test]
    fn what_doubles_or_leads_back_is_found_and_what_is_shared_is_not() {
        let identity = json!({ "properties": {
            "fullName": { "$ref": "#/definitions/text" }, "city": { "$ref": "#/definitions/text" }
        } });
        let shared = json!({ "definitions": { "text": { "type": "string", "pattern": "a" } } });
        assert_eq!(endless(&shared, &identity), None);

        let back = json!({ "definitions": { "text": { "items": { "$ref": "#/definitions/text" } } } });
        assert_eq!(endless(&back, &identity).as_deref(), Some("`#/definitions/text` leads back to itself"));

        let mut doubled = Map::new();
        for level in 0..30 {
            let next = json!({ "$ref": format!("#/definitions/t{}", level + 1) });
            doubled.insert(format!("t{level}"), json!({ "allOf": [next, next] }));
        }
        doubled.insert("t30".to_owned(), json!({ "type": "string" }));
        doubled.insert("text".to_owned(), json!({ "$ref": "#/definitions/t0" }));
        let reason = endless(&json!({ "definitions": doubled }), &identity).expect("a reason");
        assert!(reason.contains("steps"), "{reason}");

        for reference in ["https://example.org/schema", "#/definitions/none", "#text"] {
            assert!(endless(&shared, &json!({ "$ref": reference })).is_some(), "{reference}");
        }
    }

    #[test]
    fn a_pattern_that_backtracks_for_ever_ends() {
        let schema = json!({ "pattern": "^(?=a)(a+)+$" });
        let validator = super::validator(&schema).expect("a schema");
        assert!(!validator.is_valid(&json!(format!("{}!", "a".repeat(60)))));
        assert!(validator.is_valid(&json!("aaa")));
    }
}
