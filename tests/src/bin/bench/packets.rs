//! Packets of our own built, sealed and signed, on one thread: from fields to the file that is uploaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use civitas_mosip::packet::{Attachments, Document, EncryptionCertificate, MachineKey, PacketKeys, build};
use civitas_mosip::{CreatePacket, IdSchema};
use civitas_sandbox::SandboxKeys;
use civitas_tests::measure::{Spread, thread_cpu};
use civitas_tests::stack::clock;
use openssl::encrypt::Encrypter;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::x509::X509;

use crate::floor::millis;
use crate::report::{self, Figure};

const RUNS: usize = 7;
/// Packets, and bare operations, in one run.
const EACH: u32 = 128;
/// Of the limit.
const AIM: f64 = 0.80;
/// A scanned document.
const SCAN: usize = 60_000;
/// One for each sub-packet.
const SIGNATURES: usize = 3;
/// One for each sub-packet, one for the whole.
const WRAPS: usize = 4;

/// What cannot be done for less: the signatures and the wraps, each of its smallest input.
struct Bare {
    machine: Rsa<Private>,
    to: PKey<Public>,
}

impl Bare {
    fn run(&self) -> f64 {
        // As long as a padded SHA-256 in a signature.
        let (digest, mut signature) = ([7; 51], vec![0; 256]);
        let mut wrapped = vec![0; 256];
        let began = thread_cpu();
        for _ in 0..EACH {
            for _ in 0..SIGNATURES {
                self.machine.private_encrypt(&digest, &mut signature, Padding::PKCS1).expect("signed");
            }
            for _ in 0..WRAPS {
                let mut encrypter = Encrypter::new(&self.to).expect("a key");
                encrypter.set_rsa_padding(Padding::PKCS1_OAEP).expect("padding");
                encrypter.set_rsa_oaep_md(MessageDigest::sha256()).expect("a hash");
                encrypter.set_rsa_mgf1_md(MessageDigest::sha256()).expect("a hash");
                encrypter.encrypt(&[7; 32], &mut wrapped).expect("wrapped");
            }
        }
        millis(thread_cpu().saturating_sub(began)) / f64::from(EACH)
    }
}

pub(crate) fn run() -> Figure {
    let sandbox = SandboxKeys::generate(clock()()).expect("keys");
    let certificate = sandbox.registration_certificate_pem().expect("a certificate");
    let machine = Rsa::generate(2048).expect("a key");
    let pem = machine.private_key_to_pem().expect("PEM");
    let keys = PacketKeys {
        machine: MachineKey::from_pem(&pem).expect("our key"),
        certificates: vec![EncryptionCertificate::from_pem(&certificate).expect("MOSIP's certificate")],
    };
    let to = X509::from_pem(&certificate).and_then(|found| found.public_key()).expect("a public key");
    let bare = Bare { machine, to };
    let packet = packet();
    let mut rows = Vec::new();
    for (what, attachments) in [("fields of a birth", none()), ("the same with a scan of 60 kB", scan())] {
        let mut size = 0;
        let mut whole = || {
            let mut fill = |bytes: &mut [u8]| openssl::rand::rand_bytes(bytes).expect("chance");
            let began = thread_cpu();
            for _ in 0..EACH {
                let built = build(&packet, &attachments, &keys, clock()(), &mut fill).expect("built");
                size = built.bytes.len();
            }
            millis(thread_cpu().saturating_sub(began)) / f64::from(EACH)
        };
        whole();
        // In turns, so that whatever else the machine does meets both.
        let (limit, whole): (Vec<f64>, Vec<f64>) = (0..RUNS).map(|_| (bare.run(), whole())).unzip();
        rows.push(report::beside(
            format!("{what}, {size} bytes"),
            Spread::of(&whole),
            Spread::of(&limit),
            AIM,
        ));
    }
    Figure {
        name: "packets",
        title: "Packets of our own built, sealed and signed, on one core",
        columns: vec![
            "packet",
            "packets/s",
            "CPU ms each",
            "bare signatures and wraps, packets/s",
            "CPU ms each",
            "of the limit",
            "aim",
        ],
        rows,
        notes: vec![format!(
            "{RUNS} runs of {EACH} packets, in turns with the {SIGNATURES} bare signatures (RSA-2048) and {WRAPS} bare \
             wraps (OAEP, SHA-256) that each cannot do without, by the same keys. A packet also costs four zip \
             containers, twice AES-GCM and SHA-256 over its content, and a reading of the ID schema."
        )],
    }
}

/// A birth as Farajaland sends it.
fn packet() -> CreatePacket {
    let name = |value: &str| format!(r#"[{{"language":"eng","value":"{value}"}}]"#);
    let fields: BTreeMap<String, String> = [
        ("fullName", name("Asha Rao")),
        ("dateOfBirth", "2026/01/01".to_owned()),
        ("gender", name("Female")),
        ("addressLine1", name("12 Lake Road")),
        ("region", name("Central")),
        ("province", name("Ibombo")),
        ("postalCode", "10101".to_owned()),
        ("phone", "9876543210".to_owned()),
        ("birthCertificateNumber", "BRN-2026-000001".to_owned()),
        ("introducerName", name("Meera Rao")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    CreatePacket {
        aid: "10001200420000120260102030405".parse().expect("an AID"),
        ref_id: "10001_20042".to_owned(),
        process: "OPENCRVS_NEW".to_owned(),
        source: "OPENCRVS".to_owned(),
        schema_version: "0.5".to_owned(),
        schema: Arc::new(IdSchema::new(include_str!("../../../../country-config/farajaland/id-schema.json"))),
        fields,
        meta_info: BTreeMap::from([("crvsEventId".to_owned(), "e1".to_owned())]),
        at: "2026-01-02T03:04:05.678Z".parse().expect("an instant"),
        officer: "crvs".to_owned(),
    }
}

fn none() -> Attachments {
    Attachments::default()
}

fn scan() -> Attachments {
    let mut bytes = vec![0; SCAN];
    openssl::rand::rand_bytes(&mut bytes).expect("a scan does not compress");
    let document = Document { bytes, kind: "COB".to_owned(), format: "pdf".to_owned(), ref_number: None };
    let documents = BTreeMap::from([("proofOfDateOfBirth".to_owned(), document)]);
    Attachments { documents, biometrics: BTreeMap::new() }
}
