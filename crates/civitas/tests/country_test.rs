//! `civitas country test` as a country's team and its build server meet it.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::path::Path;
use std::process::{Command, Output};

fn test(arguments: &[&str], pack: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_civitas"));
    command.args(["country", "test"]).arg(pack).args(arguments).env_remove("CIVITAS_CONFIG");
    command.env("NO_COLOR", "1").output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn shipped(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../country-config").join(name)
}

/// A copy of the shipped pack with one text changed.
fn changed(file: &str, from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = civitas::pack::read(&shipped("farajaland")).unwrap();
    for (name, text) in files.0 {
        let path = folder.path().join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = if name == file {
            assert!(text.contains(from), "{file} has no {from:?}");
            text.replacen(from, to, 1)
        } else {
            text
        };
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn every_shipped_pack_passes_and_its_documents_are_read() {
    for entry in std::fs::read_dir(shipped("")).unwrap().flatten() {
        if !entry.path().join("rules.yaml").is_file() {
            continue;
        }
        let run = test(&["--format", "json", "--coverage"], &entry.path());
        assert_eq!(run.status.code(), Some(0), "{}{}", said(&run), String::from_utf8_lossy(&run.stderr));
        let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        assert_eq!(report["coverage"]["missing"], serde_json::json!([]), "{}", entry.path().display());
    }
    let run = test(&["--filter", "as opencrvs posts it"], &shipped("farajaland"));
    assert_eq!(said(&run), "1 of 1 case passed\n");
}

#[test]
fn a_case_that_fails_shows_both_sides_and_exits_with_1() {
    let pack = changed("cases/birth.yaml", "deadline: 14 days", "deadline: 15 days");
    let run = test(&[], pack.path());
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(
        said(&run).replace(&format!("{}/", pack.path().display()), ""),
        "FAILED a newborn with an authenticated mother gets a UIN\n  cases/birth.yaml:43\n  \
         deadline  expected  15 days\n            found     14 days\n  \
         because: UIN requested at birth: the child’s national ID is absent, the child is below 10 years, a parent is known\n\n\
         83 of 84 cases passed\n51 of 51 outcomes and boundaries shown\n"
    );
    let run = test(&["--mutate"], pack.path());
    assert!(said(&run).ends_with("mutation: not tried while a case fails\n"), "{}", said(&run));
    let run = test(&["--format", "junit"], pack.path());
    let xml = said(&run);
    assert!(xml.contains("<testsuite name=\"cases/birth.yaml\" tests=\""), "{xml}");
    assert!(
        xml.contains("<failure message=\"deadline: expected 15 days, found 14 days\" type=\"difference\">")
    );
    assert_eq!(xml.matches("<failure").count(), 1);
}

#[test]
fn a_pack_that_cannot_be_used_and_a_filter_that_fits_nothing_exit_with_2() {
    let pack = changed("rules.yaml", "do: create_uin", "do: create_uni");
    let run = test(&["--format", "junit"], pack.path());
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("did you mean `create_uin`?"));
    let run = test(&["--filter", "no such thing"], &shipped("farajaland"));
    assert_eq!(run.status.code(), Some(2));
    assert_eq!(
        test(&["--min-score", "100"], &shipped("farajaland")).status.code(),
        Some(2),
        "without --mutate"
    );
}

#[test]
fn a_score_below_the_wanted_one_exits_with_1_and_shows_the_change() {
    // Whether the date may be missing is then said by no case.
    let pack = changed(
        "cases/death.yaml",
        "without: [eventDetails.date] }\n    expect: { do: flag_deceased, rule: death-flag-deceased, unfit: [deceasedDeclarationDate] }",
        "}\n    expect: { do: flag_deceased, rule: death-flag-deceased }",
    );
    let run = test(&["--mutate"], pack.path());
    assert_eq!(run.status.code(), Some(0), "without --min-score the score is only said: {}", said(&run));
    let run = test(&["--mutate", "--min-score", "100"], pack.path());
    assert_eq!(run.status.code(), Some(1));
    let shown = said(&run);
    assert!(shown.starts_with("UNNOTICED packets.yaml:"), "{shown}");
    assert!(
        shown.contains("`deceasedDeclarationDate` optional in `death`\n  --- a/packets.yaml\n"),
        "{shown}"
    );
    assert!(
        shown.contains(
            "\n  -      deceasedDeclarationDate: { date: eventDetails.date, format: yyyy/MM/dd }\n"
        )
    );
    assert!(shown.contains("mutation score 99 %: "), "{shown}");
}
