//! Keys that change while the work goes on: ours as a partner, MOSIP's to sign with, and one that is in a token.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use civitas_mosip::{
    credential::{KeyRing, ProofKeys},
    keys::{KeyName, KeyPair, TokenAddress, TokenName},
};
use civitas_sandbox::Sandbox;
use civitas_tests::{
    stack::{self, Setup, Stack},
    wait::until,
};
use serde_json::json;

use crate::support::*;

const VID: &str = "4512879630124577";

fn pem<E: std::fmt::Debug>(bytes: Result<Vec<u8>, E>) -> Vec<u8> {
    bytes.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn partner_keys_of_two_generations_open_what_is_sealed_to_either() {
    // The second generation is configured before MOSIP has its certificate.
    let (sender, receiver) = std::sync::mpsc::channel();
    let refit = Box::new(move |sandbox: &Sandbox, ports: &mut civitas_engine::Ports| {
        let first = pem(sandbox.mosip().keys().partner_certificate_pem());
        let (key, second) = sandbox.mosip().rotate_partner_key().unwrap();
        ports.keys.add(&key, &second).unwrap();
        sandbox.mosip().use_partner_certificate(&first).unwrap();
        sender.send((first, second)).unwrap();
    });
    let stack = Stack::with(Setup { refit: Some(refit), ..silent() }).await;
    let (first, second) = receiver.recv().unwrap();
    assert_ne!(first, second);
    let (early, early_aid) = awaited(&stack).await;
    let sealed_to_first = stack.sandbox.mosip().genuine_credential(&early_aid, vid(VID)).await.unwrap();
    stack.sandbox.mosip().use_partner_certificate(&second).unwrap();
    let (late, late_aid) = awaited(&stack).await;
    issue(&stack, &late_aid, vid("5512879630124577")).await;
    in_state(&stack, late, "confirmed").await;
    // What was sealed before the change comes after it.
    assert_eq!(deliver(&stack, CREDENTIALS, &sealed_to_first).await, 200);
    in_state(&stack, early, "confirmed").await;
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_configured_is_named_and_its_credential_opens_once_it_is() {
    let stack = Stack::without_work(silent()).await;
    let (work, stop) = stack.second(|_, _| {}).await;
    let (case, aid) = awaited(&stack).await;
    let (key, certificate) = stack.sandbox.mosip().rotate_partner_key().unwrap();
    issue(&stack, &aid, vid(VID)).await;
    let new = KeyRing::from_pem([(&key[..], &certificate[..])]).unwrap();
    let [thumbprint] = new.thumbprints().try_into().unwrap();
    until("the certificate is named", || async {
        deliveries(&stack)
            .await
            .iter()
            .any(|found| found.starts_with("quarantined") && found.contains(&thumbprint))
    })
    .await;
    stop.cancel();
    work.await.unwrap();
    let (work, stop) = stack.second(|_, ports| ports.keys.add(&key, &certificate).unwrap()).await;
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].declaration["child.nid"], json!(VID));
    stop.cancel();
    work.await.unwrap();
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mosips_new_signing_key_is_believed_once_it_is_configured_and_the_old_one_still_is() {
    let stack = Stack::without_work(silent()).await;
    let old = pem(stack.sandbox.mosip().keys().kernel_certificate_pem());
    let (work, stop) = stack.second(|_, _| {}).await;
    let (before, before_aid) = awaited(&stack).await;
    let (after, after_aid) = awaited(&stack).await;
    let signed_before = stack.sandbox.mosip().genuine_credential(&before_aid, vid(VID)).await.unwrap();
    let new = stack.sandbox.mosip().rotate_signing_key().unwrap();
    issue(&stack, &after_aid, vid("5512879630124577")).await;
    delivery_is(&stack, "quarantined credential_proof_refused").await;
    assert_eq!(operation(&stack, after).await.entry.state, "awaiting");
    stop.cancel();
    work.await.unwrap();
    let (work, stop) = stack
        .second(|_, ports| {
            let both = ProofKeys::from_pem([&old[..], &new[..]]).unwrap();
            ports.vc_trust = stack::trusting_in(both.clone());
            ports.proof_keys = both;
        })
        .await;
    in_state(&stack, after, "confirmed").await;
    assert_eq!(deliver(&stack, CREDENTIALS, &signed_before).await, 200);
    in_state(&stack, before, "confirmed").await;
    keeps_its_promises(&stack);
    stop.cancel();
    work.await.unwrap();
    stack.stop().await;
}

const INSIDE: &str = "CIVITAS_TOKEN_TEST";

/// SoftHSM's library.
fn softhsm() -> PathBuf {
    let places =
        ["/usr/lib/softhsm", "/usr/lib/x86_64-linux-gnu/softhsm", "/usr/lib/aarch64-linux-gnu/softhsm"];
    let found =
        places.iter().map(|folder| Path::new(folder).join("libsofthsm2.so")).find(|path| path.exists());
    found.expect("SoftHSM is installed: deploy/install-packages tokens")
}

fn util(arguments: &[&str]) {
    let ran = Command::new("softhsm2-util").args(arguments).output().unwrap();
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// The module finds its tokens by an environment variable, so that the test goes on in a process of its own.
#[test]
fn a_key_in_a_token_that_comes_late_closes_the_record() {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(with_a_token());
    }
    let folder = tempfile::Builder::new().prefix("civitas-token-").tempdir().unwrap();
    let (tokens, file) = (folder.path().join("tokens"), folder.path().join("softhsm2.conf"));
    std::fs::create_dir(&tokens).unwrap();
    std::fs::write(&file, format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()))
        .unwrap();
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "keys::a_key_in_a_token_that_comes_late_closes_the_record", "--nocapture"])
        .env("SOFTHSM2_CONF", file)
        .env(INSIDE, "yes")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

async fn with_a_token() {
    let address = TokenAddress {
        module: softhsm(),
        token: TokenName::Label("civitas".to_owned()),
        key: KeyName { label: Some("partner".to_owned()), id: None },
        pin: "1234".into(),
        sessions: 2,
    };
    let refit = Box::new(move |sandbox: &Sandbox, ports: &mut civitas_engine::Ports| {
        let certificate = pem(sandbox.mosip().keys().partner_certificate_pem());
        let (pair, away) = KeyPair::from_token(address, &certificate).unwrap();
        assert!(away.is_some(), "there is no token yet");
        ports.keys = KeyRing::new();
        ports.keys.insert(pair);
    });
    let stack = Stack::with(Setup { refit: Some(refit), ..silent() }).await;
    let (case, aid) = awaited(&stack).await;
    issue(&stack, &aid, vid(VID)).await;
    delivery_is(&stack, "new key_token_away").await;
    assert_eq!(operation(&stack, case).await.entry.state, "awaiting", "the token's absence is no verdict");
    // The token comes; the module sees it when it is asked anew.
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), pem(stack.sandbox.mosip().keys().partner_private_key_pem())).unwrap();
    util(&["--init-token", "--free", "--label", "civitas", "--so-pin", "5678", "--pin", "1234"]);
    let file = key.path().display().to_string();
    util(&["--import", &file, "--token", "civitas", "--label", "partner", "--id", "01", "--pin", "1234"]);
    cryptoki::context::Pkcs11::new(softhsm()).unwrap().finalize().unwrap();
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].declaration["child.nid"], json!(VID));
    keeps_its_promises(&stack);
    stack.stop().await;
}
