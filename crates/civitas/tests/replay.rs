//! `country explain`, `replay` and `diff` as a country's team meets them: what is said, and with which exit code.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn pack() -> String {
    workspace().join("country-config/farajaland").display().to_string()
}

fn document(name: &str) -> String {
    workspace().join(format!("crates/opencrvs/tests/documents/{name}.json")).display().to_string()
}

fn civitas(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_civitas"));
    command.arg("country").args(arguments).env_remove("CIVITAS_CONFIG").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// The shipped pack with a bound that moved: a newborn of a few days gets nothing.
fn stricter() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for inside in ["cases", "documents"] {
        fs::create_dir(folder.path().join(inside)).unwrap();
    }
    for name in [
        "country.yaml",
        "fields.yaml",
        "packets.yaml",
        "identity.yaml",
        "id-schema.json",
        "locations.csv",
        "cases/birth.yaml",
        "documents/birth-register.json",
    ] {
        fs::copy(Path::new(&pack()).join(name), folder.path().join(name)).unwrap();
    }
    let rules = fs::read_to_string(Path::new(&pack()).join("rules.yaml")).unwrap();
    let rules = rules.replacen("age_below: 10 years", "age_below: 2 days", 1);
    fs::write(folder.path().join("rules.yaml"), rules).unwrap();
    folder
}

#[test]
fn a_policy_decides_on_the_exit_code() {
    let stricter = stricter();
    let new = stricter.path().display().to_string();
    let (waiting, finished) = (document("birth-register"), document("birth-approve-correction"));
    let run = |arguments: &[&str]| {
        let all: Vec<&str> =
            ["replay", &new, "--against"].into_iter().chain(arguments.iter().copied()).collect();
        civitas(&all)
    };
    let old = pack();
    assert_eq!(code(&run(&[&old, &waiting])), 0);
    assert_eq!(code(&run(&[&old, &waiting, "--deny", "issued-changed"])), 0, "nothing was issued yet");
    assert_eq!(code(&run(&[&old, &waiting, "--deny", "changed"])), 3);
    let denied = run(&[&old, &finished, "--deny", "issued-changed"]);
    assert_eq!(code(&denied), 3);
    assert!(text(&denied.stderr).contains("denied: "), "{}", text(&denied.stderr));
    assert!(text(&denied.stdout).contains("6f1c0d4e-4f1a-4c58-9f0b-2f0a5b7f2d11"));
    let death = document("death-register");
    assert_eq!(code(&run(&[&old, &death, "--deny", "changed"])), 0);
    let broken = document("death-eligible");
    assert_eq!(code(&run(&[&old, &death, &broken])), 0, "it is said and nothing was to be promised");
    let unsure = run(&[&old, &death, &broken, "--deny", "changed"]);
    assert_eq!(code(&unsure), 1, "nothing can be promised about what cannot be read");
}

#[test]
fn mistakes_on_the_command_line_say_what_to_do() {
    let pack = pack();
    let said = |arguments: &[&str], expected: i32| {
        let output = civitas(arguments);
        assert_eq!(code(&output), expected, "{arguments:?}: {}", text(&output.stderr));
        text(&output.stderr)
    };
    assert!(said(&["replay", &pack], 1).contains("--journal"));
    let waiting = document("birth-register");
    assert!(said(&["replay", &pack, &waiting, "--deny", "changed"], 1).contains("--against"));
    assert!(said(&["replay", &pack, &waiting, "--deny", "everything"], 2).contains("issued-changed"));
    assert!(said(&["diff", &pack, &pack, "--deny", "changed"], 1).contains("--topic"));
    assert!(said(&["explain", &pack], 2).contains("<DOCUMENT>"));
    assert!(said(&["explain", "--all"], 2).contains("--verify"));
    assert!(said(&["explain", &pack, &waiting, "--language", "sw"], 1).contains("en, fr"));
    let none = said(&["explain", &pack, &document("birth-approve-correction"), "--action", "ARCHIVE"], 1);
    assert!(none.contains("DECLARE, REGISTER"), "{none}");
}

#[test]
fn an_explanation_names_the_action_behind_each_value_and_no_value() {
    let correction = document("birth-approve-correction");
    let output = civitas(&["explain", &pack(), &correction]);
    let said = text(&output.stdout);
    let declared = "0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a02";
    assert!(said.contains("fr  Mise à jour biographique envoyée"), "{said}");
    assert!(said.contains(declared) && said.contains("not in force yet"), "{said}");
    for value in ["Portgas", "Acer", "8031687218", "2026-05-20"] {
        assert!(!said.contains(value), "{value} in {said}");
    }
    let output = civitas(&["explain", &pack(), &correction, "--json", "--action", "REGISTER"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["answered"], true);
    assert_eq!(report["decision"]["rule"], "birth-uin-on-registration");
    let born = &report["rules"][0]["condition"]["parts"][1]["values"][0];
    assert_eq!((&born["field"], &born["from"][0]["id"]), (&"child.dob".into(), &declared.into()));
}

#[test]
fn a_stream_is_judged_as_it_comes_and_reported_to_programs() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_civitas"));
    let mut running = command
        .args(["country", "replay", &pack(), "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let documents = ["birth-register", "death-register"].map(|name| fs::read(document(name)).unwrap());
    let mut input = running.stdin.take().unwrap();
    input.write_all(&documents.join(&b'\n')).unwrap();
    drop(input);
    let report: Value = serde_json::from_slice(&running.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!((&report["read"], &report["civil_events"]), (&2.into(), &3.into()));
    assert_eq!((&report["old"], &report["never_asked"]), (&Value::Null, &1.into()));
}

#[test]
fn a_difference_shows_the_lines_of_its_rule_and_what_it_does() {
    let stricter = stricter();
    let new = stricter.path().display().to_string();
    let output = civitas(&["diff", &pack(), &new, &document("birth-register")]);
    let said = text(&output.stdout);
    assert_eq!(code(&output), 0);
    assert!(said.contains("rules.yaml: rule birth-uin-on-registration changed"), "{said}");
    assert!(said.contains("-     - child.dob: { age_below: 10 years }"), "{said}");
    assert!(said.contains("+     - child.dob: { age_below: 2 days }"), "{said}");
    assert!(said.contains("1 of 2 come out otherwise"), "{said}");
    let same = civitas(&["diff", &pack(), &pack()]);
    assert!(text(&same.stdout).starts_with("Both are rule set "));
}
