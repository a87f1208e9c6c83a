//! From OpenCRVS's lists of places, in each shape that it has had, to the pack's table.

use std::fmt::Write as _;
use std::path::Path;

use civitas_rules::{ImportError, LocationImport, Pack, PackFiles, import_locations};
use serde_json::{Value, json};

fn pack(levels: &str) -> PackFiles {
    let mut files = crate::common::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pack"));
    if !levels.is_empty() {
        let country = files.0.get_mut("country.yaml").expect("a country");
        writeln!(country, "locations: {{ levels: [{levels}] }}").expect("text");
    }
    files
}

fn import(files: &PackFiles, exports: &[Value]) -> Result<LocationImport, ImportError> {
    let texts: Vec<String> = exports.iter().map(Value::to_string).collect();
    import_locations(files, &texts)
}

fn area(id: &str, name: &str, parent: Option<&str>) -> Value {
    json!({ "id": id, "name": name, "parentId": parent, "externalId": null, "validUntil": null })
}

const TABLE: &str = "\
id,level,part_of,code,name_en,name_fr
p-1,province,,,Central,Central
d-1,district,p-1,,Ibombo,Ibombo
h-1,facility,d-1,,\"Hope, East\",\"Hope, East\"
o-1,office,d-1,,Ibombo Office,Ibombo Office
";

#[test]
fn areas_and_locations_of_2_0_make_one_table() {
    let files = pack("province, district");
    let areas = json!({ "result": { "data": { "json": [area("d-1", "Ibombo", Some("p-1")), area("p-1", "Central", None)] } } });
    let locations = json!([
        { "id": "h-1", "name": "Hope,  East", "administrativeAreaId": "d-1", "locationType": "HEALTH_FACILITY" },
        { "id": "o-1", "name": "Ibombo Office", "administrativeAreaId": "d-1", "locationType": "CRVS_OFFICE" },
    ]);
    let outcome = import(&files, &[areas, locations]).expect("a table");
    assert_eq!(outcome.table, TABLE);
    assert_eq!(outcome.added, ["d-1 Ibombo", "h-1 Hope, East", "o-1 Ibombo Office", "p-1 Central"]);
    let mut whole = files;
    whole.0.insert("locations.csv".to_owned(), outcome.table);
    assert_eq!(Pack::load(&whole).expect("a pack").location_count(), 4);
}

#[test]
fn one_list_of_1_9_and_a_bundle_make_the_same_table() {
    let list = json!([
        { "id": "p-1", "name": "Central", "parentId": null, "locationType": "ADMIN_STRUCTURE" },
        { "id": "d-1", "name": "Ibombo", "parentId": "p-1", "locationType": "ADMIN_STRUCTURE" },
        { "id": "h-1", "name": "Hope, East", "parentId": "d-1", "locationType": "HEALTH_FACILITY" },
        { "id": "o-1", "name": "Ibombo Office", "parentId": "d-1", "locationType": "CRVS_OFFICE" },
    ]);
    let resource = |id: &str, name: &str, parent: &str, kind: &str| {
        json!({ "resource": {
            "resourceType": "Location", "id": id, "name": name, "partOf": { "reference": format!("Location/{parent}") },
            "type": { "coding": [{ "code": kind }] },
        } })
    };
    let bundle = json!({ "resourceType": "Bundle", "id": "b", "entry": [
        resource("p-1", "Central", "0", "ADMIN_STRUCTURE"),
        resource("d-1", "Ibombo", "p-1", "ADMIN_STRUCTURE"),
        resource("h-1", "Hope, East", "d-1", "HEALTH_FACILITY"),
        resource("o-1", "Ibombo Office", "d-1", "CRVS_OFFICE"),
    ] });
    for export in [list, bundle] {
        assert_eq!(import(&pack("province, district"), &[export]).expect("a table").table, TABLE);
    }
}

#[test]
fn what_opencrvs_does_not_know_is_kept() {
    let mut files = pack("province, district");
    files.0.insert(
        "locations.csv".to_owned(),
        "id,level,part_of,code,name_en,name_fr\np-1,province,,CEN,Central,Centre\nd-1,district,p-1,IB,Ibombo,Ibombo-fr\nd-0,district,p-1,OLD,Closed,Fermé\n".to_owned(),
    );
    let mut moved = area("d-1", "Ibombo Town", Some("p-1"));
    moved["externalId"] = json!("other");
    let outcome = import(&files, &[json!([area("p-1", "Central", None), moved])]).expect("a table");
    assert!(outcome.table.contains("d-1,district,p-1,IB,Ibombo Town,Ibombo-fr\n"), "{}", outcome.table);
    assert!(outcome.table.contains("p-1,province,,CEN,Central,Centre\n"));
    assert!(outcome.table.contains("d-0,district,p-1,OLD,Closed,Fermé\n"), "old records name it");
    assert_eq!(
        (outcome.added.len(), outcome.changed, outcome.unlisted),
        (0, vec!["d-1 Ibombo Town".to_owned()], vec!["d-0 Closed".to_owned()])
    );
    files.0.insert("locations.csv".to_owned(), outcome.table.clone());
    let again =
        import(&files, &[json!([area("p-1", "Central", None), area("d-1", "Ibombo Town", Some("p-1"))])])
            .expect("a table");
    assert_eq!((again.table, again.changed.len()), (outcome.table, 0));
}

#[test]
fn what_cannot_be_imported_says_what_to_do() {
    let one = |export: Value| import(&pack("province"), &[export]).expect_err("refused").to_string();
    assert_eq!(
        one(json!([area("p-1", "Central", None), area("d-1", "Ibombo", Some("p-1"))])),
        "areas are 2 levels deep and country.yaml names 1: write\n  locations: { levels: [level-1, level-2] }\nwith the country's own words, from the top"
    );
    assert_eq!(
        one(json!([area("d-1", "Ibombo", Some("p-1"))])),
        "`d-1` lies in `p-1`, which no export has: give the administrative areas as well"
    );
    assert_eq!(
        one(json!([area("a", "A", Some("b")), area("b", "B", Some("a"))])),
        "`a` lies in itself, by way of its parents"
    );
    assert!(one(json!({ "error": "Unauthorized" })).starts_with("export 1 has no list of places"));
    let text = import_locations(&pack("province"), &["<html>".to_owned()]).expect_err("refused").to_string();
    assert_eq!(text, "export 1 is not JSON: line 1, column 1");
    let broken = import_locations(&PackFiles::default(), &[]).expect_err("refused");
    assert!(matches!(broken, ImportError::Country(_)), "{broken}");
}
