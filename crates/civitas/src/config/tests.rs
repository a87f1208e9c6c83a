//! The text of an error is part of what this module promises.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;

/// What a deployment has to say at least.
const MINIMAL: &str = "\
pack: ../pack
opencrvs:
  gateway_url: http://gateway:7070
  auth_url: http://auth:4040
  confirmation: { mode: exchange, client_id: civitas, client_secret_file: keys/opencrvs.secret }
mosip:
  gateway_url: https://mosip.example
  client_id: mosip-crvs1-client
  client_secret_file: keys/mosip.secret
  center_id: \"10001\"
  machine_id: \"20042\"
  officer: crvs1
  websub: { credential_topic: crvs/CREDENTIAL_ISSUED, callback_url: https://civitas.example/websub/callback }
";

struct Given {
    folder: tempfile::TempDir,
    layers: Layers,
}

fn given(text: &str, variables: &[(&str, &str)]) -> Given {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("civitas.yaml");
    std::fs::write(&file, text).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Given { layers: Layers { file: Some(file), variables }, folder }
}

impl Given {
    /// The error text, with the folder's name taken out.
    fn error(&self) -> String {
        let text = load(&self.layers).unwrap_err().to_string();
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

fn error_of(added: &str) -> String {
    given(&format!("{MINIMAL}{added}"), &[]).error()
}

#[test]
fn a_minimal_file_is_enough() {
    let given = given(MINIMAL, &[]);
    let config = load(&given.layers).unwrap();
    assert_eq!(config.server.max_event_size, Size(4 * 1024 * 1024));
    assert_eq!(config.dispatch.default_deadline.0.as_secs(), 14 * 24 * 3600);
    assert_eq!(config.mosip.limits.packet_manager.per_second.0, 50);
    assert_eq!(config.opencrvs.gateway_url.join("/events"), "http://gateway:7070/events");
    assert!(!config.kafka.enabled);
}

#[test]
fn paths_start_from_the_folder_of_the_file_that_names_them() {
    let given = given(MINIMAL, &[("CIVITAS_MOSIP__WEBSUB__SECRET_FILE", "elsewhere/hub.secret")]);
    let config = load(&given.layers).unwrap();
    assert_eq!(config.mosip.client_secret_file.as_path(), given.folder.path().join("keys/mosip.secret"));
    assert_eq!(config.mosip.websub.secret_file.as_path(), PathBuf::from("elsewhere/hub.secret"));
}

#[test]
fn every_key_of_the_default_is_documented_and_every_documented_key_exists() {
    let tree = default_tree().clone().unwrap();
    let mut undocumented = Vec::new();
    let mut paths = BTreeSet::new();
    for path in tree.leaves().keys() {
        let mut below = String::new();
        for key in path.split('.') {
            below = if below.is_empty() { key.to_owned() } else { format!("{below}.{key}") };
            if documentation(&below).is_none() {
                undocumented.push(below.clone());
            }
            paths.insert(below.clone());
        }
        let meaning = documentation(path).unwrap_or_default();
        if !meaning.contains("efault") {
            undocumented.push(format!("{path}: says nothing of its default"));
        }
    }
    assert_eq!(undocumented, Vec::<String>::new());
}

#[test]
fn the_default_holds_every_key_that_the_types_know() {
    // Every field is read from the default, so a key that is missing there fails here as a missing field.
    let given = given(MINIMAL, &[]);
    assert!(load(&given.layers).is_ok());
}

#[test]
fn an_unknown_key_is_shown_at_its_line_with_what_was_meant() {
    insta::assert_snapshot!(error_of("server:\n  lisen: 0.0.0.0:7080\n"), @r"
    civitas.yaml:15:3: unknown key `lisen` in `server`
        |
     15 |   lisen: 0.0.0.0:7080
        |   ^^^^^
       help: did you mean `listen`?
    ");
}

#[test]
fn all_unknown_keys_are_shown_at_once() {
    let text = error_of("servr: {}\nkafka:\n  borkers: []\n  colour: red\n");
    assert!(
        text.contains("unknown key `servr` at the top level") && text.contains("did you mean `server`?"),
        "{text}"
    );
    assert!(text.contains("civitas.yaml:16:3: unknown key `borkers` in `kafka`"), "{text}");
    assert!(text.contains("civitas.yaml:17:3: unknown key `colour` in `kafka`\n"), "{text}");
    assert!(text.contains("known keys here: `enabled`, `brokers`"), "{text}");
}

#[test]
fn every_mistake_of_a_section_is_shown_at_once() {
    let text = error_of(
        "dispatch:\n  workers: many\n  lease: soon\n  backoff: { first: 2, colour: red }\nserver: { listen: here, drain: 5 }\n",
    );
    for (line, mistakes) in [(15, 1), (16, 1), (17, 2), (18, 2)] {
        let place = format!("civitas.yaml:{line}:");
        assert_eq!(
            text.lines().filter(|at| at.starts_with(&place)).count(),
            mistakes,
            "line {line} in {text}"
        );
    }
    assert!(text.contains("unknown key `colour` in `dispatch.backoff`"), "{text}");
}

#[test]
fn a_wrong_type_is_shown_at_its_value() {
    insta::assert_snapshot!(error_of("dispatch:\n  workers: many\n"), @r"
    civitas.yaml:15:12: `dispatch.workers` wants a whole number from 1 to 256, found text
        |
     15 |   workers: many
        |            ^
    ");
    insta::assert_snapshot!(error_of("dispatch:\n  workers: 999\n"), @r"
    civitas.yaml:15:12: 999 is out of range: from 1 to 256
        |
     15 |   workers: 999
        |            ^
    ");
    insta::assert_snapshot!(error_of("dispatch:\n  lease: 30\n"), @r"
    civitas.yaml:15:10: `dispatch.lease` wants a span of time with its unit, such as `30 s`, `5 min` or `14 days`, found a whole number
        |
     15 |   lease: 30
        |          ^
       help: if this is meant as text, put it in quotes
    ");
}

#[test]
fn a_wrong_word_is_answered_with_the_right_ones() {
    insta::assert_snapshot!(error_of("telemetry: { log_format: jsn }\n"), @r"
    civitas.yaml:14:26: `jsn` is not one of `json`, `pretty`
        |
     14 | telemetry: { log_format: jsn }
        |                          ^
       help: did you mean `json`?
    ");
}

#[test]
fn missing_mandatory_keys_are_listed_with_what_they_are_for() {
    let unset = given("pack: p\nmosip: { client_id: null }\n", &[]).error();
    assert!(unset.starts_with("these keys have no default and must be set:\n   mosip.center_id "), "{unset}");
    let line = unset.lines().find(|line| line.contains("opencrvs.gateway_url")).unwrap();
    assert!(
        line.ends_with("Gateway that accept, reject, get and search go to, such as http://gateway:7070"),
        "{line}"
    );
    assert!(unset.contains("   mosip.client_id ") && !unset.contains("   pack "), "{unset}");
    assert!(!unset.contains("civitas.yaml:2"), "each is told once: {unset}");
}

#[test]
fn the_environment_wins_over_the_file() {
    let variables = [
        ("CIVITAS_SERVER__LISTEN", "0.0.0.0:9"),
        ("CIVITAS_DISPATCH__WORKERS", "3"),
        ("CIVITAS_KAFKA__BROKERS", "[a:9092, b:9092]"),
        ("CIVITAS_MOSIP__CENTER_ID", "00017"),
        ("CIVITAS_CONFIG", "is not a key"),
    ];
    let config = load(&given(MINIMAL, &variables).layers).unwrap();
    assert_eq!(config.server.listen.0.port(), 9);
    assert_eq!(config.dispatch.workers.0, 3);
    assert_eq!(config.kafka.brokers, ["a:9092", "b:9092"]);
    assert_eq!(config.mosip.center_id.0, "00017");
}

#[test]
fn a_variable_that_names_no_key_is_an_error() {
    insta::assert_snapshot!(given(MINIMAL, &[("CIVITAS_SERVER__LISTN", "x")]).error(), @r"
    environment variable CIVITAS_SERVER__LISTN: no key has this name
       help: did you mean CIVITAS_SERVER__LISTEN?
    ");
    assert_eq!(
        given(MINIMAL, &[("CIVITAS_SERVER__LISTEN", "somewhere")]).error(),
        "environment variable CIVITAS_SERVER__LISTEN: expected an IP address and a port, such as \
         `127.0.0.1:7080`: it cannot be read"
    );
}

#[test]
fn broken_yaml_is_shown_where_it_breaks() {
    let text = given("server:\n  listen: [1, 2\nkafka: {}\n", &[]).error();
    assert!(text.starts_with("civitas.yaml:") && text.contains("this is not valid YAML"), "{text}");
    let text = given("server: {}\nkafka: {}\nserver: {}\n", &[]).error();
    assert!(
        text.starts_with("civitas.yaml:3:1: this is not valid YAML: duplicate mapping key: server\n"),
        "{text}"
    );
}

#[test]
fn keys_that_need_each_other_are_checked() {
    let text = error_of("kafka: { enabled: true }\n");
    assert!(text.contains("`kafka.enabled` is true, but `kafka.brokers` is empty"), "{text}");
    let text = error_of("dispatch: { lease: 10 s }\n");
    assert!(
        text.contains("civitas.yaml:14:20: `dispatch.lease` is not longer than the longest call"),
        "{text}"
    );
}

#[test]
fn show_tells_where_each_value_comes_from_and_hides_secrets() {
    let given = given(MINIMAL, &[("CIVITAS_DATABASE__URL", "postgres://civitas:hunter2@db/civitas")]);
    let text = show(&given.layers).unwrap();
    assert!(text.contains("postgres://civitas:[REDACTED]@db/civitas"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    let line = text.lines().find(|line| line.starts_with("dispatch.workers:")).unwrap();
    assert!(line.contains(" # built-in default:"), "{line}");
}

#[test]
fn each_partner_key_says_where_it_is() {
    let partner = |entry: &str| format!("  partner:\n    keys:\n      - {entry}\n");
    let token = "module: /p11.so, pin_file: pin";
    let good = [
        "{ key_file: a.key, certificate_file: a.crt }".to_owned(),
        "{ pkcs12_file: a.p12, password_file: a.password }".to_owned(),
        format!(
            "{{ certificate_file: a.crt, pkcs11: {{ {token}, token: civitas, key: partner, sessions: 8 }} }}"
        ),
        format!("{{ certificate_file: a.crt, pkcs11: {{ {token}, slot: 1175586586, key_id: 01ab }} }}"),
    ];
    for entry in good {
        let given = given(&format!("{MINIMAL}{}", partner(&entry)), &[]);
        assert_eq!(load(&given.layers).unwrap().mosip.partner.keys.len(), 1, "{entry}");
    }
    let wrong = [
        ("{ certificate_file: a.crt }", "names no private key"),
        ("{ key_file: a.key }", "names no certificate"),
        (
            "{ key_file: a.key, pkcs12_file: a.p12, certificate_file: a.crt }",
            "names more than one private key",
        ),
        (
            "{ certificate_file: a.crt, password_file: x, pkcs11: { module: m, pin_file: p, token: t, key: k } }",
            "has a password, which a token has not",
        ),
        (
            "{ certificate_file: a.crt, pkcs11: { module: m, pin_file: p, key: k } }",
            "does not name its token",
        ),
        (
            "{ certificate_file: a.crt, pkcs11: { module: m, pin_file: p, token: t } }",
            "does not name its key",
        ),
        (
            "{ certificate_file: a.crt, pkcs11: { module: m, pin_file: p, token: t, key_id: xyz } }",
            "has a `key_id` that is not hexadecimal",
        ),
        ("{ certificate_file: a.crt, pkcs11: { module: m, token: t, key: k } }", "`pin_file` is missing"),
    ];
    for (entry, said) in wrong {
        let text = error_of(&partner(entry));
        assert!(text.contains(said), "{entry}: {text}");
    }
}

#[test]
fn what_identifies_people_says_what_it_lacks() {
    let text =
        error_of("  id_authentication: { url: \"http://ida/v1\", language: en, id_types: { ten: UIN } }\n");
    for said in ["partner_id", "license_key_file", "api_key_file", "signing_keys", "certificate_files"] {
        assert!(text.contains(&format!("`mosip.id_authentication.{said}` is not set")), "{said}: {text}");
    }
    assert!(text.contains("`en` is not a language of three letters"), "{text}");
    assert!(text.contains("`ten` is not the length of a number"), "{text}");
    let text = error_of("  id_authentication: { codes: { IDA-MLC-032: deceased } }\n");
    assert!(text.contains("`IDA-MLC-032`: `deceased` is none of"), "{text}");
    let text = error_of("  esignet: { url: \"http://e/token\" }\nserver:\n  mosip_api: { enabled: true }\n");
    for said in ["`mosip.esignet.client_id` is not set", "does not end in /oauth/token", "to which pages"] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn data_shares_name_hosts_and_networks() {
    let share = |line: &str| format!("  data_share: {{ {line} }}\n");
    let good = given(
        &format!("{MINIMAL}{}", share("hosts: [datashare.example, 'x:81'], networks: [10.0.0.0/8]")),
        &[],
    );
    assert_eq!(load(&good.layers).unwrap().mosip.data_share.hosts.len(), 2);
    for (line, said) in [
        ("hosts: ['https://datashare.example/v1']", "is not a host or host:port"),
        ("networks: [10.0.0.0/40]", "is not a network such as"),
        ("timeout: 3 min", "`dispatch.lease` is not longer than the longest call"),
    ] {
        let text = error_of(&share(line));
        assert!(text.contains(said), "{line}: {text}");
    }
}

mod secrets {
    use super::*;

    /// A secret that stands in the file must neither be used nor appear in the error.
    fn refused(text: &str, help: &str) {
        let error = given(text, &[]).error();
        assert!(error.contains("a secret is never written in the configuration"), "{error}");
        assert!(error.contains(help), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn in_a_key_without_file() {
        refused(
            &MINIMAL.replace("client_secret_file: keys/mosip.secret", "client_secret: hunter2"),
            "`client_secret_file: …`",
        );
    }

    #[test]
    fn in_a_database_address() {
        refused(
            &format!("{MINIMAL}database:\n  url: postgres://civitas:hunter2@db/civitas\n"),
            "`url_file: …`",
        );
    }

    #[test]
    fn in_a_kafka_property() {
        refused(
            &format!("{MINIMAL}kafka:\n  properties: {{ sasl.password: hunter2 }}\n"),
            "property_files: { sasl.password: … }",
        );
    }
}
