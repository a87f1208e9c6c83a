//! The JSON Schemas of the pack's files: what editors complete with, and what they refuse.

use std::path::Path;

use civitas_rules::schemas;
use serde_json::Value;

use crate::common::{read, workspace};

/// The shipped packs.
fn packs() -> Vec<std::path::PathBuf> {
    let folder = std::fs::read_dir(workspace().join("country-config")).expect("a folder");
    let paths = folder.map(|entry| entry.expect("an entry").path());
    let mut packs: Vec<_> = paths.filter(|path| path.join("rules.yaml").is_file()).collect();
    packs.sort();
    packs
}

fn undescribed(schema: &Value, path: &str, out: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            // A property may itself be called `properties`: its value is then a schema with a description.
            let properties = map.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                let text = property.get("description").and_then(Value::as_str).unwrap_or_default();
                if text.is_empty() && !path.ends_with("/properties") {
                    out.push(format!("{path}/{name}"));
                }
            }
            for (key, inner) in map {
                undescribed(inner, &format!("{path}/{key}"), out);
            }
        }
        Value::Array(items) => items.iter().for_each(|inner| undescribed(inner, path, out)),
        _ => {}
    }
}

#[test]
fn every_property_says_what_it_is() {
    let folder = std::fs::read_dir(workspace().join("schemas")).expect("a folder");
    for entry in folder {
        let path = entry.expect("an entry").path();
        let schema: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).expect("text")).expect("JSON");
        if path.file_name().is_some_and(|name| name == "openapi.json") {
            continue;
        }
        let mut out = Vec::new();
        undescribed(&schema, "", &mut out);
        assert!(out.is_empty(), "{}: {out:#?}", path.display());
    }
}

#[test]
fn every_word_to_choose_from_says_what_it_means() {
    fn bare(schema: &Value, out: &mut Vec<String>) {
        match schema {
            Value::Object(map) => {
                if map.contains_key("enum") && !map.contains_key("description") {
                    out.push(schema.to_string());
                }
                map.values().for_each(|inner| bare(inner, out));
            }
            Value::Array(items) => items.iter().for_each(|inner| bare(inner, out)),
            _ => {}
        }
    }
    for (name, text) in schemas() {
        let mut out = Vec::new();
        bare(&serde_json::from_str(&text).expect("JSON"), &mut out);
        assert!(out.is_empty(), "{name}: {out:#?}");
    }
}

/// The schema that a file names in its first line, and the file's value.
fn named(folder: &Path, name: &str, text: &str) -> Option<(Value, Value)> {
    let (_, schema) = text.lines().next()?.split_once("$schema=")?;
    let path = folder.join(name);
    let schema = path.parent().expect("a folder").join(schema);
    let schema = std::fs::read_to_string(schema).expect("the schema is there");
    Some((serde_json::from_str(&schema).expect("JSON"), serde_saphyr::from_str(text).expect("YAML")))
}

#[test]
fn every_file_of_a_shipped_pack_fits_the_schema_that_it_names() {
    let packs = packs();
    assert!(packs.len() >= 2, "{packs:?}");
    for folder in packs {
        for (name, text) in read(&folder).0 {
            let Some((schema, file)) = named(&folder, &name, &text) else {
                assert!(Path::new(&name).extension() != Some("yaml".as_ref()), "{name} names no schema");
                continue;
            };
            let validator = jsonschema::validator_for(&schema).expect("a schema");
            let problems: Vec<String> =
                validator.iter_errors(&file).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(problems.is_empty(), "{} {name}: {problems:#?}", folder.display());
        }
    }
}

/// What people get wrong, which an editor underlines: file, text, what stands there then.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("country.yaml", "time_zone:", "timezone:"),
    ("country.yaml", "opencrvs: \"2.0\"", "opencrvs: 2.0"),
    ("country.yaml", "opencrvs: \"2.0\"", "opencrvs: \"2.5\""),
    ("country.yaml", "leap_birthday: feb_28", "leap_birthday: 28 February"),
    ("country.yaml", "credential_key: VID", "credential_key: vid"),
    ("country.yaml", "code: FAR", "code: 7"),
    ("fields.yaml", "{ type: DATE }", "{ type: date }"),
    ("fields.yaml", "{ type: DATE }", "DATE"),
    ("fields.yaml", "options: [male, female, unknown]", "option: [male, female, unknown]"),
    ("fields.yaml", "options: [male, female, unknown]", "options: male"),
    ("rules.yaml", "do: create_uin", "do: create uin"),
    ("rules.yaml", "    do: create_uin\n", ""),
    ("rules.yaml", "{ event: birth, action: REGISTER }", "birth"),
    ("rules.yaml", "age_below: 10 years", "age_below: 10"),
    ("rules.yaml", "age_below: 10 years", "age_under: 10 years"),
    ("rules.yaml", "child.nid: absent", "child.nid: missing"),
    ("rules.yaml", "deadline: 14 days", "deadline: 14"),
    ("rules.yaml", "respond: continue", "respond: yes"),
    ("rules.yaml", "    name: { en: Death reported, fr: Décès signalé }", "    name: Death reported"),
    ("rules.yaml", "in: [verified, authenticated]", "in: verified"),
    ("packets.yaml", "{ date: child.dob,", "{ dates: child.dob,"),
    ("packets.yaml", "schema_version: \"0.5\"", "schema_version: 0.5"),
    ("packets.yaml", "optional: true", "optional: \"yes\""),
    ("packets.yaml", "{ given: registration_number,", "{ given: brn,"),
    ("identity.yaml", "name: name", "fullname: name"),
    ("identity.yaml", "name_order: given_first", "name_order: western"),
    ("cases/death.yaml", "do: flag_deceased", "do: deceased"),
    ("cases/death.yaml", "action: REGISTER,", "actoin: REGISTER,"),
    ("cases/birth.yaml", "without: [child.dob]", "without: child.dob"),
];

#[test]
fn what_people_get_wrong_an_editor_underlines() {
    let folder = workspace().join("country-config/farajaland");
    let files = read(&folder).0;
    for (name, from, to) in MISTAKES {
        let text = &files[*name];
        assert!(text.contains(from), "{name} has no {from:?}");
        let (schema, file) = named(&folder, name, &text.replacen(from, to, 1)).expect("names its schema");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        assert!(!validator.is_valid(&file), "{name}: {to:?} in place of {from:?} goes unnoticed");
    }
}
