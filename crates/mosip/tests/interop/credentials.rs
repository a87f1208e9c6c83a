//! The form of credentials, both ways.

use std::fs;

use civitas_mosip::credential::{KeyRing, Recipient, SealEntropy, open, seal};
use serde_json::json;

use super::{Bench, CERTIFICATE, KEY};

const TEXT: &str = r#"{"issuedTo":"crvs","fullName":"Ásha 🙂 راو"}"#;

#[test]
fn a_credential_is_opened_whether_mosips_classes_or_ours_sealed_it() {
    let mut bench = Bench::new();
    let recipient = Recipient::from_pem(CERTIFICATE).unwrap();
    let sealed =
        seal(&recipient, TEXT.as_bytes(), &SealEntropy { key: [7; 32].into(), aad: [9; 32] }).unwrap();
    fs::write(bench.file("ours"), &sealed).unwrap();
    bench.job(json!({"do": "unseal", "file": "ours"}));
    bench.job(json!({"do": "seal", "data": TEXT, "file": "theirs"}));
    let Some(answers) = bench.run("the form of credentials against MOSIP's key manager") else { return };
    assert_eq!(answers[0]["data"], TEXT, "{}", answers[0]);
    let theirs = fs::read_to_string(bench.file("theirs")).unwrap();
    let ring = KeyRing::from_pem([(KEY, CERTIFICATE)]).unwrap();
    assert_eq!(open(&ring, &theirs).unwrap().as_slice(), TEXT.as_bytes());
}
