//! Taking over from mosip-api, by the letter of docs/migrate-from-mosip-api.md.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::{civitas, pack, text};

/// What the page starts from.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let documents = format!("{}/tests/documents", env!("CARGO_MANIFEST_DIR"));
    for name in ["mosip-api.env", "mosip-api.db"] {
        fs::copy(format!("{documents}/{name}"), folder.path().join(name)).unwrap();
    }
    fs::create_dir(folder.path().join("country-config")).unwrap();
    let packs = folder.path().join("country-config/farajaland");
    std::os::unix::fs::symlink(fs::canonicalize(pack()).unwrap(), packs).unwrap();
    folder
}

fn page() -> String {
    fs::read_to_string(format!("{}/../../docs/migrate-from-mosip-api.md", env!("CARGO_MANIFEST_DIR")))
        .unwrap()
}

fn shell(command: &str, folder: &Path) -> (bool, String) {
    let binary = Path::new(env!("CARGO_BIN_EXE_civitas")).parent().unwrap().display().to_string();
    let path = format!("{binary}:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).env("PATH", path).env_remove("CIVITAS_CONFIG");
    let run = shell.output().unwrap();
    (run.status.success(), text(&run.stdout) + &text(&run.stderr))
}

#[test]
fn every_command_of_the_page_does_what_it_says() {
    let folder = prepared();
    let page = page();
    let commands: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert_eq!(commands.len(), 4);
    let mut said = Vec::new();
    for (index, command) in commands.iter().enumerate() {
        let (good, output) = shell(command, folder.path());
        assert!(good, "{command}\n{output}");
        assert!(!output.contains("canary"), "a secret is shown: {output}");
        if index == 0 {
            assert!(!folder.path().join("civitas").exists(), "nothing is written without --apply");
        }
        said.push(output);
    }
    assert!(said[0].contains("Open transactions: 3") && said[0].contains("100014598117372"), "{}", said[0]);
    assert!(
        said[0].contains("NOBODYS_VARIABLE") && said[0].contains("not a variable of mosip-api"),
        "{}",
        said[0]
    );
    assert!(said[1].contains("Taken over: 2. Known before: 0. Not usable: 1."), "{}", said[1]);
    assert!(said[3].contains("100014598117372") || said[3].contains("43b8c015"), "{}", said[3]);
    let keys = folder.path().join("civitas/keys");
    for (name, content) in [
        ("mosip.secret", "canary-packet-secret"),
        ("partner.secret", "canary-websub-secret"),
        ("hub.secret", "canary-hub-secret-of-more-than-thirty-two-characters"),
        ("ida-api.key", "canary-api-key"),
        ("misp-licence.key", "canary-licence-key"),
        ("signing.password", "canary-sign-password"),
    ] {
        assert_eq!(fs::read_to_string(keys.join(name)).unwrap().trim(), content);
        assert_eq!(fs::metadata(keys.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let yaml = fs::read_to_string(folder.path().join("civitas/civitas.yaml")).unwrap();
    assert!(!yaml.contains("canary"), "{yaml}");
    for line in [
        "    url: \"http://127.0.0.1:1/idauthentication/v1/auth\"",
        "    partner_id: \"crvs-partner\"",
        "    environment: \"Staging\"",
        "    url: \"http://127.0.0.1:1/oauth/token\"",
        "    client_id: \"crvs-client\"",
    ] {
        assert!(yaml.contains(line), "{line}: {yaml}");
    }
    assert!(yaml.contains("  reconcile:\n    enabled: false\n"), "whoever answers has not changed: {yaml}");
    let journal = fs::read(folder.path().join("civitas/civitas.db")).unwrap();
    assert!(!journal.windows(9).any(|part| part == b"c2lnbmF0d"), "tokens are sealed");
    let (good, again) = shell(commands[1], folder.path());
    assert!(good && again.contains("Taken over: 0. Known before: 2. Not usable: 1."), "{again}");
}

#[test]
fn what_is_missing_is_named_before_anything_is_written() {
    let folder = prepared();
    fs::write(folder.path().join("some.env"), "PORT=1\n").unwrap();
    let pack = pack();
    let run =
        civitas(&["migrate", "mosip-api", "--env", "some.env", "--pack", &pack, "--apply"], folder.path());
    assert!(!run.status.success());
    let said = text(&run.stderr);
    assert!(said.contains("MOSIP_CENTER_ID") && said.contains("OPENCRVS_GATEWAY_URL"), "{said}");
    assert!(!folder.path().join("keys").exists());
}
