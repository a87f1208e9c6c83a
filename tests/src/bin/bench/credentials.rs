//! Credentials decrypted and verified, on one thread: from the sealed event's text to claims that are believed.

use civitas_mosip::credential::{
    Credential, KeyRing, ProofKeys, VcIssuer, VcTrust, open, verify_event_proof,
};
use civitas_mosip::websub::{CredentialIssued, Delivery};
use civitas_sandbox::{Sandbox, SandboxKeys, SandboxOptions};
use civitas_tests::measure::{Spread, thread_cpu};
use civitas_tests::stack::{clock, http};
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use serde_json::{Map, Value, json};

use crate::floor::millis;
use crate::report::{self, Figure};

const RUNS: usize = 7;
/// Credentials, each another, and bare operations, in one run.
const EACH: u32 = 256;
/// Of the limit.
const AIM: f64 = 0.70;
/// A photograph, as a policy may share it.
const PHOTO: usize = 60_000;

/// Who opens and believes.
struct Reader {
    ring: KeyRing,
    events: ProofKeys,
    trust: VcTrust,
}

impl Reader {
    fn of(keys: &SandboxKeys, host: &str) -> Self {
        let (key, certificate) = (
            keys.partner_private_key_pem().expect("a key"),
            keys.partner_certificate_pem().expect("a certificate"),
        );
        let kernel = keys.kernel_certificate_pem().expect("a certificate");
        let events = ProofKeys::from_pem([&kernel[..]]).expect("MOSIP's certificate");
        let issuer = VcIssuer::stock(host).expect("MOSIP's context");
        let trust = VcTrust::new(vec![issuer], events.clone());
        Reader { ring: KeyRing::from_pem([(&key[..], &certificate[..])]).expect("our key"), events, trust }
    }

    /// The whole path; CPU milliseconds of each.
    fn read(&self, all: &[CredentialIssued]) -> f64 {
        let began = thread_cpu();
        for issued in all {
            let sealed = issued.credential.as_deref().expect("sealed");
            let plain = open(&self.ring, sealed).expect("opened");
            let proof = issued.proof.as_deref().expect("a proof");
            let proven = verify_event_proof(&plain, proof, &self.events).expect("proven");
            let credential = Credential::read(proven, &self.trust).expect("believed");
            assert!(credential.is_verifiable() && credential.claim("VID").is_some());
        }
        millis(thread_cpu().saturating_sub(began)) / f64::from(EACH)
    }
}

/// What cannot be done for less: one private operation each.
struct Bare {
    key: Rsa<Private>,
    wrapped: Vec<u8>,
}

impl Bare {
    fn of(keys: &SandboxKeys) -> Self {
        let pem = keys.partner_private_key_pem().expect("a key");
        let key = PKey::private_key_from_pem(&pem).and_then(|key| key.rsa()).expect("an RSA key");
        let mut wrapped = vec![0; 256];
        key.public_encrypt(&[7; 32], &mut wrapped, Padding::PKCS1_OAEP).expect("wrapped");
        Bare { key, wrapped }
    }

    fn run(&self) -> f64 {
        let mut opened = vec![0; 256];
        let began = thread_cpu();
        for _ in 0..EACH {
            self.key.private_decrypt(&self.wrapped, &mut opened, Padding::PKCS1_OAEP).expect("unwrapped");
        }
        millis(thread_cpu().saturating_sub(began)) / f64::from(EACH)
    }
}

pub(crate) async fn run() -> Figure {
    let keys = SandboxKeys::generate(clock()()).expect("keys");
    let mut options = SandboxOptions::instant(7);
    let host = options.mosip.host.clone();
    options.keys = Some(keys.clone());
    let client = http(std::time::Duration::from_secs(5));
    let sandbox = Sandbox::start(options, client, clock()).await.expect("a sandbox");
    let (reader, bare) = (Reader::of(&keys, &host), Bare::of(&keys));
    let mut rows = Vec::new();
    for (what, photo) in
        [("identifier, names in two languages", 0), ("the same with a photograph of 60 kB", PHOTO)]
    {
        let all = issue(&sandbox, photo).await;
        reader.read(&all);
        // In turns, so that whatever else the machine does meets both.
        let (limit, whole): (Vec<f64>, Vec<f64>) = (0..RUNS).map(|_| (bare.run(), reader.read(&all))).unzip();
        rows.push(report::beside(what.to_owned(), Spread::of(&whole), Spread::of(&limit), AIM));
    }
    Figure {
        name: "credentials",
        title: "Credentials decrypted and verified, on one core",
        columns: vec![
            "credential",
            "credentials/s",
            "CPU ms each",
            "bare private operations/s",
            "CPU ms each",
            "of the limit",
            "aim",
        ],
        rows,
        notes: vec![format!(
            "{RUNS} runs of {EACH} credentials, in turns with {EACH} bare private operations (RSA-2048, OAEP) with the \
             same key. A credential costs one private operation, two of the public ones (the event's proof, its own), \
             AES-GCM, canonicalisation, and two readings of it."
        )],
    }
}

async fn issue(sandbox: &Sandbox, photo: usize) -> Vec<CredentialIssued> {
    let mut all = Vec::new();
    for number in 0..EACH {
        let mut claims = Map::from_iter([
            ("VID".to_owned(), json!(format!("4{number:015}"))),
            ("dateOfBirth".to_owned(), json!("2026/01/01")),
            ("birthCertificateNumber".to_owned(), json!(format!("BRN-{number}"))),
            (
                "fullName".to_owned(),
                json!([{"language": "eng", "value": "Asha Rao"}, {"language": "fra", "value": "Asha Râo"}]),
            ),
        ]);
        if photo > 0 {
            claims.insert("photo".to_owned(), Value::from("A".repeat(photo)));
        }
        let aid = format!("10001200420{number:04}20260102030405");
        let body = sandbox.mosip().genuine_credential(&aid, claims).await.expect("issued");
        let Ok(Delivery::Credential(issued)) = Delivery::parse(&body) else { panic!("not a credential") };
        all.push(issued);
    }
    all
}
