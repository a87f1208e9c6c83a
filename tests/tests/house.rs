//! The house: which crate may look at which, read from cargo itself.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod defects;

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The whole permitted direction: a crate and the siblings that it may use.
const FLOORS: [(&str, &[&str]); 10] = [
    ("civitas-rules", &[]),
    ("civitas-opencrvs", &[]),
    ("civitas-mosip", &[]),
    ("civitas-audit", &[]),
    ("civitas-journal", &["civitas-audit"]),
    (
        "civitas-engine",
        &["civitas-audit", "civitas-journal", "civitas-mosip", "civitas-opencrvs", "civitas-rules"],
    ),
    ("civitas-kafka", &[]),
    ("civitas-server", &["civitas-engine", "civitas-mosip", "civitas-opencrvs", "civitas-rules"]),
    ("civitas-sandbox", &["civitas-mosip", "civitas-opencrvs"]),
    (
        "civitas",
        &[
            "civitas-audit",
            "civitas-engine",
            "civitas-journal",
            "civitas-kafka",
            "civitas-mosip",
            "civitas-opencrvs",
            "civitas-rules",
            "civitas-sandbox",
            "civitas-server",
        ],
    ),
];

/// What a crate must not know of, as the packages that would teach it.
const STRANGERS: [(&str, &[&str]); 6] = [
    ("civitas-rules", &["tokio", "reqwest", "axum", "sqlx", "rdkafka"]),
    ("civitas-audit", &["tokio", "reqwest", "axum", "sqlx", "rdkafka"]),
    ("civitas-opencrvs", &["axum", "sqlx", "rdkafka"]),
    ("civitas-mosip", &["axum", "sqlx", "rdkafka"]),
    ("civitas-engine", &["axum", "sqlx", "rdkafka"]),
    ("civitas-server", &["sqlx", "rdkafka"]),
];

fn direct_dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| {
            let names = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
            (package.name.to_string(), names.map(|d| d.name.clone()).collect())
        })
        .collect()
}

#[test]
fn a_crate_only_looks_down() {
    let found = direct_dependencies();
    let floors: BTreeMap<_, BTreeSet<_>> =
        FLOORS.iter().map(|(name, below)| (*name, below.iter().copied().collect())).collect();
    for (name, dependencies) in found.iter().filter(|(name, _)| *name != "civitas-tests") {
        let allowed = floors.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no floor in the house"));
        let siblings = dependencies.iter().filter(|d| d.starts_with("civitas"));
        for sibling in siblings {
            assert!(allowed.contains(sibling.as_str()), "{name} must not know of {sibling}");
        }
    }
    for name in floors.keys() {
        assert!(found.contains_key(*name), "{name} is missing from the workspace");
    }
}

#[test]
fn nobody_knows_what_is_none_of_their_business() {
    let found = direct_dependencies();
    for (name, strangers) in STRANGERS {
        for stranger in strangers {
            assert!(!found[name].contains(*stranger), "{name} must not know of {stranger}");
        }
    }
}

#[test]
fn every_dependency_is_declared_once_with_a_reason() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let table = manifest.split("[workspace.dependencies]").nth(1).unwrap();
    let table = table.split("\n[").next().unwrap();
    let mut explained = false;
    for line in table.lines() {
        if line.starts_with('#') {
            explained = true;
        } else if line.trim().is_empty() {
            explained = false;
        } else {
            assert!(explained, "no reason stands above `{line}`");
        }
    }
    for member in std::fs::read_dir(root.join("crates")).unwrap() {
        let path = member.unwrap().path().join("Cargo.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let inline =
            text.lines().filter(|line| line.contains("version = \"") || line.contains("path = \"../"));
        let inline: Vec<_> = inline.collect();
        assert!(inline.is_empty(), "{} declares its own: {inline:?}", path.display());
    }
}

/// Every name of a test in `ARCHITECTURE.md` is a test of this tree.
#[test]
fn every_invariant_names_a_test_that_exists() {
    let root = civitas_tests::workspace();
    let page = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    assert!(page.lines().count() <= 250, "the map is to be read before lunch");
    let mut sources = String::new();
    for folder in ["crates", "tests"] {
        read_sources(&root.join(folder), &mut sources);
    }
    let mut invariants = 0;
    for part in page.split("Invariant:").skip(1) {
        invariants += 1;
        let named = part.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(names, _)| names);
        let named = named.unwrap_or_else(|| panic!("no test is named for:{part}"));
        for name in named.split(',').map(|name| name.trim().trim_matches('`')) {
            assert!(sources.contains(&format!("fn {name}(")), "{name} is named, but is no test");
        }
    }
    assert!(invariants >= 15, "only {invariants} invariants were found");
}

fn read_sources(folder: &std::path::Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_sources(&path, into);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
