//! `civitas packet`: made, looked into and judged on the command line, without any service.

use std::path::Path;

use civitas_sandbox::SandboxKeys;

use super::{civitas, pack, text};

/// The name of the child in the sample document: nobody reads it who did not ask for it.
const CHILD: &str = "child.name";

fn document() -> String {
    format!("{}/../opencrvs/tests/documents/birth-register.json", env!("CARGO_MANIFEST_DIR"))
}

/// First names in the sample, as they stand in the packet.
fn name_of_the_child() -> String {
    let document: serde_json::Value = serde_json::from_slice(&std::fs::read(document()).unwrap()).unwrap();
    let actions = document["actions"].as_array().unwrap();
    let name = actions.iter().find_map(|action| action["declaration"].get(CHILD)).unwrap();
    name["firstname"].as_str().unwrap().to_owned()
}

/// A folder with the keys of both sides, and a packet of the sample document.
fn built(clear: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    // Certificates are in force for ten years.
    SandboxKeys::load_or_create(folder.path(), "2026-06-01T00:00:00Z".parse().unwrap()).unwrap();
    let (pack, document) = (pack(), document());
    let mut arguments = vec!["packet", "build", &pack, &document, "--out", "packet.zip"];
    arguments.extend(["--center", "10001", "--machine", "20042", "--channel", "OPENCRVS/OPENCRVS_NEW"]);
    arguments.extend(["--machine-key", "machine-key.pem"]);
    arguments.extend(if clear { vec!["--clear"] } else { vec!["--certificate", "registration-cert.pem"] });
    let run = civitas(&arguments, folder.path());
    assert!(run.status.success(), "{}{}", text(&run.stdout), text(&run.stderr));
    assert!(text(&run.stdout).contains("packetHashValue"), "{}", text(&run.stdout));
    let machine = std::fs::read(folder.path().join("machine-key.pem")).unwrap();
    let machine = openssl::pkey::PKey::private_key_from_pem(&machine).unwrap().public_key_to_pem().unwrap();
    std::fs::write(folder.path().join("machine-public.pem"), machine).unwrap();
    folder
}

const OPEN: [&str; 4] = ["--key", "registration-key.pem", "--certificate", "registration-cert.pem"];

fn judged(folder: &Path, more: &[&str]) -> (i32, String) {
    let mut arguments = vec!["packet", "verify", "packet.zip"];
    arguments.extend(more);
    let run = civitas(&arguments, folder);
    (run.status.code().unwrap(), text(&run.stdout) + &text(&run.stderr))
}

#[test]
fn a_packet_is_made_of_a_document_and_found_whole() {
    let folder = built(false);
    let (code, said) = judged(folder.path(), &[&OPEN[..], &["--machine-key", "machine-public.pem"]].concat());
    assert_eq!((code, said.contains("Whole: 3 sub-packets")), (0, true), "{said}");
    let (code, said) = judged(folder.path(), &OPEN);
    assert!(code == 0 && said.contains("No signature was judged"), "{said}");
}

#[test]
fn a_packet_is_shown_without_its_personal_data_unless_it_is_asked_for() {
    let folder = built(false);
    let name = name_of_the_child();
    let show = |more: &[&str]| {
        let run = civitas(&[&["packet", "inspect", "packet.zip"][..], &OPEN, more].concat(), folder.path());
        assert!(run.status.success(), "{}{}", text(&run.stdout), text(&run.stderr));
        text(&run.stdout)
    };
    let masked = show(&[]);
    assert!(!masked.contains(&name), "{masked}");
    for part in ["├─ id  OPENCRVS/OPENCRVS_NEW", "└─ optional", "ID.json", "audit.json", "fullName: (text in"]
    {
        assert!(masked.contains(part), "{part}: {masked}");
    }
    assert!(show(&["--show-personal-data"]).contains(&name));
    // Without the key there is an envelope, and nothing else.
    let run = civitas(&["packet", "inspect", "packet.zip"], folder.path());
    assert_eq!(run.status.code(), Some(3));
    let said = text(&run.stdout);
    assert!(said.contains("not opened") && !said.contains("ID.json"), "{said}");
}

#[test]
fn an_altered_packet_is_found_out_and_its_place_is_said() {
    let folder = built(true);
    let file = folder.path().join("packet.zip");
    let (code, said) = judged(folder.path(), &["--machine-key", "machine-public.pem"]);
    assert!(code == 0 && said.contains("It is not encrypted"), "{said}");
    let (code, said) = judged(folder.path(), &["--machine-key", "registration-cert.pem", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, found["findings"][0]["code"].as_str()), (3, Some("signature")), "{said}");
    assert_eq!(found["findings"][0]["place"], "id");

    std::fs::write(&file, b"PK-no-packet").unwrap();
    let (code, said) = judged(folder.path(), &[]);
    assert!(code == 3 && said.contains("upload file: has 12 bytes"), "{said}");
    let (code, said) = judged(folder.path(), &["--machine-key", "nowhere.pem"]);
    assert!(code == 1 && said.contains("nowhere.pem"), "{said}");
    assert_eq!(civitas(&["packet", "verify"], folder.path()).status.code(), Some(2));
}

#[test]
fn a_packet_for_another_certificate_does_not_open_and_says_which() {
    let folder = built(false);
    let (code, said) =
        judged(folder.path(), &["--key", "partner-key.pem", "--certificate", "partner-cert.pem"]);
    assert_eq!(code, 3);
    assert!(said.contains("is encrypted to the certificate") && said.contains("does not unwrap"), "{said}");
}
