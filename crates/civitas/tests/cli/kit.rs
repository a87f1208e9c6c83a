//! country-config/opencrvs: compiled by TypeScript's own compiler, run by node against the contracts of both sides.

use std::path::PathBuf;
use std::process::Command;

use super::{civitas, pack, text};

fn kit() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../country-config/opencrvs").canonicalize().unwrap()
}

/// Runs a program of Debian's packages.
fn run(program: &str, arguments: &[&str], kit: &str) -> (bool, String) {
    let run = Command::new(program).args(arguments).current_dir(self::kit()).env("KIT", kit).output();
    let run = run.unwrap_or_else(|error| panic!("{program}: {error}; run deploy/install-packages node"));
    (run.status.success(), text(&run.stdout) + &text(&run.stderr))
}

#[test]
fn the_kit_compiles_strictly_and_keeps_the_contracts_of_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let built = folder.path().join("build").display().to_string();
    let (good, said) = run("tsc", &["--outDir", &built], &built);
    assert!(good, "{said}");
    std::fs::write(folder.path().join("build/package.json"), r#"{"type":"module"}"#).unwrap();
    let (good, said) = run("node", &["--test", "test/"], &built);
    assert!(good, "{said}");
    assert!(said.contains("pass 17"), "{said}");
}

#[test]
fn its_form_fields_are_what_the_shipped_pack_makes_of_its_identity_file() {
    let out = kit().join("src/mosip-fields.ts").display().to_string();
    let fresh = civitas(&["country", "form-fields", &pack(), "--out", &out, "--check"], &kit());
    assert!(fresh.status.success(), "{}", text(&fresh.stderr));
    let printed = text(&civitas(&["country", "form-fields", &pack()], &kit()).stdout);
    assert!(printed.contains("\"birthdate\"") && !printed.contains("individual_id"), "{printed}");
    let folder = tempfile::tempdir().unwrap();
    let stale = folder.path().join("stale.ts").display().to_string();
    let check = civitas(&["country", "form-fields", &pack(), "--out", &stale, "--check"], folder.path());
    assert!(!check.status.success());
}
