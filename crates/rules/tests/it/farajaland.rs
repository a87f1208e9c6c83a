//! The shipped pack: it loads without a warning, its cases pass, its schemas are fresh.

use civitas_rules::{Pack, schemas};
use serde_json::Value;

use crate::common::{farajaland, workspace};

#[test]
fn the_pack_loads_without_a_word() {
    let pack = Pack::load(&farajaland()).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(pack.warnings().is_empty(), "{}", pack.warnings());
}

#[test]
fn its_cases_pass() {
    let pack = Pack::load(&farajaland()).expect("a pack");
    let report = pack.run_cases();
    assert!(report.is_ok(), "{report}");
    assert!(report.total >= 50, "{report}");
}

#[test]
fn schemas_are_fresh() {
    let folder = workspace().join("schemas");
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    for (name, text) in schemas() {
        let path = folder.join(name);
        if update {
            std::fs::write(&path, &text).expect("schemas can be written");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == text, "{name} is stale: run the test with UPDATE_SCHEMAS=1");
    }
}

/// Editors check files against the schemas; what loads must be sound in an editor too.
#[test]
fn every_file_fits_the_schema_that_it_names() {
    for (name, text) in farajaland().0 {
        let Some(schema) = text.lines().next().and_then(|line| line.split_once("$schema=")) else {
            let is_known = ["id-schema.json", "locations.csv"].contains(&name.as_str());
            assert!(is_known || name.starts_with("documents/"), "{name} names no schema");
            continue;
        };
        let path = workspace().join("country-config/farajaland").join(&name);
        let schema = path.parent().expect("a folder").join(schema.1);
        let schema: Value =
            serde_json::from_str(&std::fs::read_to_string(&schema).expect("the schema is there"))
                .expect("JSON");
        let file: Value = serde_saphyr::from_str(&text).expect("YAML");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let problems: Vec<String> =
            validator.iter_errors(&file).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(problems.is_empty(), "{name}: {problems:#?}");
    }
}
