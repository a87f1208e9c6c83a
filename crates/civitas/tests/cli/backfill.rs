//! `civitas backfill`: looked at first, planned once its number was typed, and never twice.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::{civitas, configured, text};

/// Two registered births and one that waits, a line each, as a file of the reindex feed.
fn past(folder: &Path) {
    let sample = format!("{}/../opencrvs/tests/documents/birth-register.json", env!("CARGO_MANIFEST_DIR"));
    let waiting: Value = serde_json::from_slice(&std::fs::read(sample).unwrap()).unwrap();
    let mut lines = vec![waiting.to_string()];
    for number in 1..=2_u128 {
        let mut document = waiting.clone();
        document["id"] = json!(uuid::Uuid::from_u128(number));
        document["trackingId"] = json!(format!("T{number:05}"));
        document["eventType"] = json!("birth");
        let mut answer = document["actions"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&answer["type"], &answer["status"]), (&json!("REGISTER"), &json!("Requested")));
        answer["originalActionId"] = answer["id"].clone();
        answer["id"] = json!(uuid::Uuid::from_u128(number + 100));
        answer["status"] = json!("Accepted");
        answer["registrationNumber"] = json!(format!("2026B{number:07}"));
        document["actions"].as_array_mut().unwrap().push(answer);
        lines.push(document.to_string());
    }
    std::fs::write(folder.join("past.jsonl"), lines.join("\n")).unwrap();
}

fn typing(arguments: &[&str], folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_civitas"));
    command.args(arguments).current_dir(folder).env_remove("CIVITAS_CONFIG");
    let mut run =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    run.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    run.wait_with_output().unwrap()
}

const AT: [&str; 2] = ["--at", "2026-06-02T08:00:00Z"];

#[test]
fn past_registrations_are_shown_first_and_planned_once_their_number_was_typed() {
    let folder = configured();
    past(folder.path());
    let mut look = vec!["backfill", "past.jsonl", "--format", "json"];
    look.extend(AT);
    let run = civitas(&look, folder.path());
    assert!(run.status.success(), "{}", text(&run.stderr));
    let found: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (&found["documents"], &found["to_be_planned"], &found["known"]),
        (&json!(3), &json!(2), &json!(0))
    );
    assert_eq!(found["of_the_reindex_feed"], json!(2));
    assert!(found["matrix"].to_string().contains("birth-uin-on-registration"), "{found:#}");
    assert!(found["matrix"].to_string().contains("waits for an answer"), "{found:#}");

    let mut apply = vec!["backfill", "past.jsonl", "--apply", "--report", "planned.csv"];
    apply.extend(AT);
    let refused = typing(&apply, folder.path(), "3\n");
    assert!(!refused.status.success() && text(&refused.stderr).contains("not confirmed"));
    let run = typing(&apply, folder.path(), "2\n");
    let said = text(&run.stdout);
    assert!(run.status.success(), "{said}{}", text(&run.stderr));
    assert!(said.contains("Planned: 2.") && said.contains("drops erased fields"), "{said}");
    let report = std::fs::read_to_string(folder.path().join("planned.csv")).unwrap();
    assert_eq!(report.lines().count(), 3, "{report}");
    assert!(report.contains(",T00001,create_uin,false"), "{report}");

    apply.push("--yes");
    let again = civitas(&apply, folder.path());
    assert!(text(&again.stdout).contains("Nothing is left to plan."), "{}", text(&again.stdout));
    let run = civitas(&["backfill", "--outcomes", "out.csv", "--with-identifiers"], folder.path());
    assert!(run.status.success(), "{}", text(&run.stderr));
    let out = folder.path().join("out.csv");
    let outcomes = std::fs::read_to_string(&out).unwrap();
    assert!(
        outcomes.lines().nth(1).unwrap().contains(",create_uin,") && outcomes.contains(",planned,"),
        "{outcomes}"
    );
    assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    let journal = std::fs::read(folder.path().join("civitas.db")).unwrap();
    assert!(!journal.windows(7).any(|part| part == b"Portgas"), "documents are sealed");
}

#[test]
fn without_a_source_nothing_is_done_and_standard_input_is_read_once() {
    let folder = configured();
    let run = civitas(&["backfill"], folder.path());
    assert!(!run.status.success() && text(&run.stderr).contains("--spool"), "{}", text(&run.stderr));
    let run = typing(&["backfill", "-", "--apply"], folder.path(), "");
    assert!(!run.status.success() && text(&run.stderr).contains("once only"));
    let run = civitas(&["backfill", "--spool"], folder.path());
    assert!(
        !run.status.success() && text(&run.stderr).contains("the spool is empty"),
        "{}",
        text(&run.stderr)
    );
    let run = civitas(&["backfill", "--clear-spool"], folder.path());
    assert!(text(&run.stdout).starts_with("0 records"), "{}", text(&run.stderr));
}
