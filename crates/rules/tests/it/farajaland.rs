//! The shipped pack: it loads without a warning, its cases pass, its schemas are fresh.

use civitas_rules::{Pack, schemas};

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
