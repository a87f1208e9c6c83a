//! Partner keys in a token, with SoftHSM as the token.
//!
//! A module is initialised once per process and finds its tokens by an environment variable, so that each test runs
//! in a process of its own, with a folder of its own.

mod keys;
mod loss;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use civitas_mosip::{
    credential::{KeyRing, open},
    keys::{KeyError, KeyName, KeyPair, TokenAddress, TokenError, TokenName},
};
use serde_json::Value;

pub(crate) const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/key.pem");
pub(crate) const CERTIFICATE: &[u8] = include_bytes!("../vectors/cert.pem");
const INSIDE: &str = "CIVITAS_TOKEN_TEST";

/// SoftHSM's library, wherever this Debian has it.
pub(crate) fn softhsm() -> PathBuf {
    let places =
        ["/usr/lib/softhsm", "/usr/lib/x86_64-linux-gnu/softhsm", "/usr/lib/aarch64-linux-gnu/softhsm"];
    let found =
        places.iter().map(|folder| Path::new(folder).join("libsofthsm2.so")).find(|path| path.exists());
    found.expect("SoftHSM is installed: deploy/install-packages tokens")
}

/// Runs the body of a test in a process of its own, whose SoftHSM has its tokens in an empty folder.
pub(crate) fn alone(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let folder = tempfile::Builder::new().prefix("civitas-token-").tempdir().unwrap();
    let (tokens, file) = (folder.path().join("tokens"), folder.path().join("softhsm2.conf"));
    std::fs::create_dir(&tokens).unwrap();
    let configuration = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
        tokens.display()
    );
    std::fs::write(&file, configuration).unwrap();
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("SOFTHSM2_CONF", file)
        .env(INSIDE, "yes")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains("1 passed"), "{test}: {said}");
}

/// Runs `softhsm2-util`, which must succeed.
pub(crate) fn util(arguments: &[&str]) {
    let ran = Command::new("softhsm2-util").args(arguments).output().unwrap();
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// A token with this label and PIN 1234.
pub(crate) fn make_token(label: &str) {
    util(&["--init-token", "--free", "--label", label, "--so-pin", "5678", "--pin", "1234"]);
}

/// The recorded key in it.
pub(crate) fn import(token: &str, label: &str, id: &str) {
    util(&["--import", KEY, "--token", token, "--label", label, "--id", id, "--pin", "1234"]);
}

pub(crate) fn address(token: &str, key: &str) -> TokenAddress {
    TokenAddress {
        module: softhsm(),
        token: TokenName::Label(token.to_owned()),
        key: KeyName { label: Some(key.to_owned()), id: None },
        pin: "1234".into(),
        sessions: 2,
    }
}

/// The pair, its token at hand.
pub(crate) fn pair(address: TokenAddress) -> KeyPair {
    let (pair, away) = KeyPair::from_token(address, CERTIFICATE).unwrap();
    assert_eq!(away, None);
    pair
}

pub(crate) fn refused(address: TokenAddress) -> TokenError {
    match KeyPair::from_token(address, CERTIFICATE) {
        Err(KeyError::Token(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// The recorded credential, sealed to the recorded key.
pub(crate) fn sealed() -> String {
    let vector: Value = serde_json::from_str(include_str!("../vectors/aes-gcm.json")).unwrap();
    vector["ver_r2"]["blob_b64"].as_str().unwrap().to_owned()
}

pub(crate) fn opens(ring: &KeyRing) {
    assert_eq!(open(ring, &sealed()).unwrap().as_slice(), b"PK-inner-zip-bytes");
}
