//! The command line as people meet it: exit codes, and what is said about their mistakes.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::path::Path;
use std::process::{Command, Output};

#[path = "cli/backfill.rs"]
mod backfill;
#[path = "cli/kit.rs"]
mod kit;
#[path = "cli/migrate.rs"]
mod migrate;
#[path = "cli/packet.rs"]
mod packet;

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
fn an_empty_variable_names_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_civitas"));
    command.args(["config", "check"]).current_dir(folder.path()).env("CIVITAS_CONFIG", "");
    let run = command.output().unwrap();
    assert!(!text(&run.stderr).contains("value is required"), "{}", text(&run.stderr));
    let mut named = Command::new(env!("CARGO_BIN_EXE_civitas"));
    named.args(["config", "check", "--config", "absent.yaml"]).current_dir(folder.path());
    let run = named.env("CIVITAS_CONFIG", "").output().unwrap();
    assert!(text(&run.stderr).contains("absent.yaml"), "{}", text(&run.stderr));
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

/// The recorded pair and container of another MOSIP client, in a folder with a configuration that names this key.
fn with_partner_key(entry: &str) -> tempfile::TempDir {
    let folder = configured();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mosip/tests/vectors");
    for name in ["ida/client-key.pem", "ida/client-cert.pem", "cert.pem"] {
        std::fs::copy(vectors.join(name), folder.path().join(name.trim_start_matches("ida/"))).unwrap();
    }
    let base64 = std::fs::read_to_string(vectors.join("ida/client-p12.b64")).unwrap();
    let container = openssl::base64::decode_block(&base64.split_whitespace().collect::<String>()).unwrap();
    std::fs::write(folder.path().join("client.p12"), container).unwrap();
    std::fs::write(folder.path().join("password"), "pw123456\n").unwrap();
    std::fs::write(folder.path().join("wrong"), "pw654321\n").unwrap();
    let file = folder.path().join("civitas.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let more = format!("  partner: {{ keys: [{entry}] }}\n  signing_certificate_files: [cert.pem]\n");
    std::fs::write(&file, text + &more).unwrap();
    folder
}

#[test]
fn doctor_has_each_partner_key_open_something_and_names_what_is_wrong_with_it() {
    let table = [
        (
            "{ pkcs12_file: client.p12, password_file: password }",
            "client.p12: it opens what is sealed to its certificate",
        ),
        (
            "{ key_file: client-key.pem, certificate_file: client-cert.pem }",
            "client-key.pem: it opens what is sealed",
        ),
        (
            "{ pkcs12_file: client.p12, password_file: wrong }",
            "client.p12, which cannot be used: the password does not open it",
        ),
        ("{ pkcs12_file: client.p12 }", "locked with a password, and none is given"),
        ("{ pkcs12_file: gone.p12 }", "gone.p12, which cannot be read"),
        ("{ pkcs12_file: client.p12, password_file: gone }", "gone, which cannot be read"),
        (
            "{ key_file: client-key.pem, certificate_file: cert.pem }",
            "client-key.pem, which cannot be used: the private key does not belong to the certificate 94ebd921",
        ),
        (
            "{ key_file: cert.pem, certificate_file: cert.pem }",
            "cert.pem, which cannot be used: it is not a private key in PEM",
        ),
        (
            "{ certificate_file: cert.pem, pkcs11: { module: /nowhere/p11.so, token: t, key: k, pin_file: password } }",
            "the PKCS#11 module /nowhere/p11.so cannot be loaded",
        ),
    ];
    for (entry, said) in table {
        let folder = with_partner_key(entry);
        let run = civitas(&["doctor", "--json"], folder.path());
        let findings: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        let found = findings.as_array().unwrap().iter().find(|finding| {
            finding["check"] == "partner key" && finding["found"].as_str().unwrap().contains(said)
        });
        let found = found.unwrap_or_else(|| panic!("{entry}: {findings:#}"));
        assert!(said.contains("it opens") || found["advice"].as_str().unwrap().len() > 20, "{found}");
        assert!(!text(&run.stdout).contains("pw123456") && !text(&run.stdout).contains("pw654321"));
    }
}

#[test]
fn keys_show_lists_the_certificates_in_use() {
    let folder = with_partner_key("{ pkcs12_file: client.p12, password_file: password }");
    let run = civitas(&["keys", "show", "--json"], folder.path());
    assert!(run.status.success(), "{}", text(&run.stderr));
    let rows: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(rows[0]["subject"], "CN=MTS-CLIENT");
    assert_eq!(rows[0]["not_after"], "2027-11-22T02:42:48Z");
    assert_eq!(rows[1]["purpose"], "mosip_signing");
    let thumbprint = "94ebd921a9ee41b9cdb84afdab4564de8e79aa7b44870f9ad1e9e2af0bd8b9dd";
    assert_eq!(rows[1]["thumbprint"], thumbprint);
    let shown = text(&civitas(&["keys", "show"], folder.path()).stdout);
    assert!(shown.contains(thumbprint) && shown.contains("client.p12"), "{shown}");
}
