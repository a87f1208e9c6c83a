//! OAEP with SHA-256 inside the token, in NSS's soft token: SoftHSM knows it with SHA-1 only.
//!
//! NSS wants to be told in a field of its own where its token lies, so that the module is a few lines of C before NSS's
//! (`tests/vectors/softoken.c`), compiled by the test. They read the environment: the test runs in a process that has
//! another.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use openssl::{
    pkcs12::Pkcs12,
    pkey::{PKey, Private},
    x509::X509,
};

use super::{
    TokenAddress, TokenName,
    key::{OaepBy, TokenKey},
};
use crate::{credential::wrap_key, keys::KeyName};

const INSIDE: &str = "CIVITAS_SOFTOKEN_TEST";

fn library(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    let places = folders
        .iter()
        .flat_map(|folder| [Path::new(folder).join(name), Path::new(folder).join("nss").join(name)]);
    places.into_iter().find(|path| path.exists())
}

fn run(program: &str, arguments: &[&str]) {
    let ran = Command::new(program).args(arguments).output().unwrap();
    assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// A token of NSS with the recorded key; the module, and what the environment has to say to it.
fn make(folder: &Path) -> (PathBuf, String) {
    let key = PKey::private_key_from_pem(include_bytes!("../../../tests/vectors/key.pem")).unwrap();
    let certificate = X509::from_pem(include_bytes!("../../../tests/vectors/cert.pem")).unwrap();
    let bundle = Pkcs12::builder()
        .name("partner")
        .pkey(&key)
        .cert(&certificate)
        .build2("x")
        .unwrap()
        .to_der()
        .unwrap();
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    fs::create_dir(at("token")).unwrap();
    fs::write(at("pin"), "1234").unwrap();
    fs::write(at("partner.p12"), bundle).unwrap();
    let token = format!("sql:{}", at("token"));
    run("certutil", &["-N", "-d", &token, "-f", &at("pin")]);
    run("pk12util", &["-i", &at("partner.p12"), "-d", &token, "-k", &at("pin"), "-W", "x"]);
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/softoken.c");
    run("cc", &["-shared", "-fPIC", "-o", &at("module.so"), source, "-ldl"]);
    let place = format!(
        "configdir='{token}' certPrefix='' keyPrefix='' secmod='secmod.db' dbTokenDescription='civitas'"
    );
    (at("module.so").into(), place)
}

#[test]
fn a_token_that_knows_oaep_with_sha_256_takes_the_padding_off_itself() {
    let tools = || Command::new("pk12util").arg("-?").output().is_ok();
    let Some(softoken) = library("libsoftokn3.so").filter(|_| tools()) else {
        // Not by a macro, whose output the harness keeps to itself when a test passes.
        let notice = "\nNOT RUN: OAEP inside a token, for want of NSS (libnss3-tools)\n";
        return std::io::stderr().write_all(notice.as_bytes()).unwrap();
    };
    let Some(module) = std::env::var_os(INSIDE) else {
        let folder = tempfile::Builder::new().prefix("civitas-softoken-").tempdir().unwrap();
        let (module, place) = make(folder.path());
        let name = std::thread::current().name().unwrap().to_owned();
        let ran = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &name, "--nocapture"])
            .env("CIVITAS_SOFTOKEN_LIBRARY", softoken)
            .env("CIVITAS_SOFTOKEN_PLACE", place)
            .env(INSIDE, module)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success() && said.contains("1 passed"), "{said}");
        return;
    };
    let pem = include_bytes!("../../../tests/vectors/key.pem");
    let private: PKey<Private> = PKey::private_key_from_pem(pem).unwrap();
    let public = PKey::public_key_from_der(&private.public_key_to_der().unwrap()).unwrap();
    let address = TokenAddress {
        module: module.into(),
        token: TokenName::Label("civitas".to_owned()),
        key: KeyName { label: Some("partner".to_owned()), id: None },
        pin: "1234".into(),
        sessions: 2,
    };
    let key = TokenKey::new(address, public.clone());
    for seed in 0..20_u8 {
        let wrapped = wrap_key(&public, &[seed; 32]).unwrap();
        assert_eq!(key.unwrap(&wrapped).unwrap().as_slice(), [seed; 32]);
        let mut altered = wrapped;
        altered[usize::from(seed) * 12] ^= 1;
        assert!(key.unwrap(&altered).is_err());
    }
    assert_eq!(key.padding_by(), Some(OaepBy::Token));
}
