//! The command line as people meet it: exit codes, and what is said about their mistakes.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::path::Path;
use std::process::{Command, Output};

fn civitas(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_civitas"));
    command.args(arguments).current_dir(folder).env_remove("CIVITAS_CONFIG").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn pack() -> String {
    format!("{}/../../country-config/farajaland", env!("CARGO_MANIFEST_DIR"))
}

/// A folder with keys and a configuration that lacks nothing but its services.
fn configured() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert!(civitas(&["keys", "new", "keys", "--operator", "amina"], folder.path()).status.success());
    for (name, secret) in [("mosip.secret", "s3cret"), ("opencrvs.secret", "s3cret")] {
        std::fs::write(folder.path().join("keys").join(name), secret).unwrap();
    }
    let text = format!(
        "pack: {pack:?}
opencrvs:
  gateway_url: http://127.0.0.1:1
  auth_url: http://127.0.0.1:1
  confirmation: {{ mode: exchange, client_id: civitas, client_secret_file: keys/opencrvs.secret }}
mosip:
  gateway_url: http://127.0.0.1:1
  client_id: mosip-crvs1-client
  client_secret_file: keys/mosip.secret
  center_id: \"10001\"
  machine_id: \"20042\"
  officer: crvs1
  websub:
    credential_topic: crvs_partner/CREDENTIAL_ISSUED
    callback_url: http://127.0.0.1:7080/websub/callback
",
        pack = pack()
    );
    std::fs::write(folder.path().join("civitas.yaml"), text).unwrap();
    folder
}

#[test]
fn the_shipped_pack_passes_its_check_and_its_cases() {
    let folder = tempfile::tempdir().unwrap();
    for verb in ["check", "test"] {
        let run = civitas(&["country", verb, &pack()], folder.path());
        assert!(run.status.success(), "{verb}: {}{}", text(&run.stdout), text(&run.stderr));
    }
}

#[test]
fn a_misspelt_key_is_named_with_its_place_and_what_was_meant() {
    let folder = configured();
    let file = folder.path().join("civitas.yaml");
    let text_of = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text_of}serverr:\n  listen: 127.0.0.1:7080\n")).unwrap();
    let run = civitas(&["config", "check"], folder.path());
    let said = text(&run.stderr) + &text(&run.stdout);
    assert!(!run.status.success());
    assert!(said.contains("civitas.yaml:16:1") && said.contains("did you mean `server`"), "{said}");
}

#[test]
fn the_queue_of_a_new_instance_is_empty_and_says_so() {
    let folder = configured();
    assert!(civitas(&["migrate"], folder.path()).status.success());
    let run = civitas(&["queue", "list"], folder.path());
    assert!(run.status.success(), "{}", text(&run.stderr));
    assert_eq!(text(&run.stdout), "Nothing waits.\n");
    let run = civitas(&["queue", "show", "7KQ2ZB"], folder.path());
    assert!(!run.status.success());
    assert!(text(&run.stderr).contains("7KQ2ZB"), "{}", text(&run.stderr));
}

#[test]
fn doctor_says_what_to_do_about_each_thing_that_fails() {
    let folder = configured();
    let run = civitas(&["doctor", "--json"], folder.path());
    assert_eq!(run.status.code(), Some(1), "a service that is not there is a failure");
    let findings: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let findings = findings.as_array().or_else(|| findings["findings"].as_array()).unwrap();
    assert!(findings.len() >= 8, "{findings:#?}");
    let failed = findings.iter().filter(|finding| finding.to_string().contains("\"fail\""));
    for finding in failed {
        let texts = finding.as_object().unwrap().values().filter(|value| value.is_string()).count();
        assert!(texts >= 3, "says what, what was found, and what to do: {finding}");
    }
}

#[test]
fn a_secret_is_never_shown() {
    let folder = configured();
    let run = civitas(&["config", "show"], folder.path());
    assert!(run.status.success(), "{}", text(&run.stderr));
    assert!(!text(&run.stdout).contains("s3cret"));
}
