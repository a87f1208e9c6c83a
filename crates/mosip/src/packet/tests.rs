//! Packets of our own, built and read back, and every way of spoiling one.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;

use super::zip::Entry;
use super::*;

const KEY: &[u8] = include_bytes!("../../tests/vectors/key.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../tests/vectors/cert.pem");
const MACHINE: &[u8] = include_bytes!("../../tests/vectors/signing-key.pem");

/// The recorded certificate is in force from 2025 to 2027.
fn now() -> jiff::Timestamp {
    EncryptionCertificate::from_pem(CERTIFICATE).unwrap().from()
}

fn schema() -> String {
    let simple = json!({"$ref": "#/definitions/simpleType", "fieldCategory": "pvt"});
    json!({"properties": {"identity": {"properties": {
        "IDSchemaVersion": {"type": "number", "fieldCategory": "none"},
        "UIN": {"type": "string", "fieldCategory": "none"},
        "fullName": simple,
        "dateOfBirth": {"type": "string", "fieldCategory": "pvt"},
        "introducerInfoToken": {"type": "string", "fieldCategory": "evidence"},
        "proofOfDateOfBirth": {"$ref": "#/definitions/documentType", "fieldCategory": "pvt"},
        "individualBiometrics": {"$ref": "#/definitions/biometricsType", "fieldCategory": "pvt"},
    }}}})
    .to_string()
}

fn packet() -> CreatePacket {
    CreatePacket {
        aid: "10001200420000120260102030405".parse().unwrap(),
        ref_id: "10001_20042".to_owned(),
        process: "OPENCRVS_NEW".to_owned(),
        source: "OPENCRVS".to_owned(),
        schema_version: "0.500".to_owned(),
        schema: Arc::new(IdSchema::new(schema())),
        fields: BTreeMap::from(
            [
                ("fullName", r#"[{"language":"eng","value":"Asha Rao"}]"#),
                ("dateOfBirth", "2026/01/01"),
                ("introducerInfoToken", "a.b.c"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        ),
        meta_info: BTreeMap::from([("crvsEventId".to_owned(), "e1".to_owned())]),
        at: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        officer: "crvs".to_owned(),
    }
}

fn attachments() -> Attachments {
    let document = Document {
        bytes: b"%PDF-1.4".to_vec(),
        kind: "COB".to_owned(),
        format: "pdf".to_owned(),
        ref_number: None,
    };
    Attachments {
        documents: BTreeMap::from([("proofOfDateOfBirth".to_owned(), document)]),
        biometrics: BTreeMap::from([("individualBiometrics".to_owned(), b"<BIR/>".to_vec())]),
    }
}

fn keys() -> PacketKeys {
    PacketKeys {
        machine: MachineKey::from_pem(MACHINE).unwrap(),
        certificates: vec![EncryptionCertificate::from_pem(CERTIFICATE).unwrap()],
    }
}

/// Chance that is not chance, so that a test can be repeated.
fn counting() -> impl FnMut(&mut [u8]) {
    let mut next = 0_u8;
    move |buffer| {
        for byte in buffer {
            next = next.wrapping_add(7);
            *byte = next;
        }
    }
}

fn built() -> UploadFile {
    build(&packet(), &attachments(), &keys(), now(), &mut counting()).unwrap()
}

fn judge(file: &[u8]) -> Inspected {
    let decryption = DecryptionKeys::from_pem([(KEY, Some(CERTIFICATE))]).unwrap();
    let machine = keys().machine.verifying_key().unwrap();
    read(file, &decryption, Some(&machine), Some(&keys().certificates[0]))
}

fn codes(file: &[u8]) -> Vec<&'static str> {
    judge(file).findings.iter().map(|finding| finding.deviation.code()).collect()
}

#[test]
fn what_is_built_is_read_back_whole() {
    let file = built();
    assert_eq!(file.name(), "10001200420000120260102030405.zip");
    let inspected = judge(&file.bytes);
    assert_eq!(inspected.findings, []);
    assert_eq!(inspected.hash, file.hash());
    let names: Vec<&str> = inspected.sub_packets.iter().map(|sub_packet| sub_packet.name).collect();
    assert_eq!(names, ["id", "evidence", "optional"]);
    let id = &inspected.sub_packets[0];
    assert_eq!((id.source.as_str(), id.process.as_str()), ("OPENCRVS", "OPENCRVS_NEW"));
    assert_eq!(id.signed, Some(true));
    assert_eq!(id.identity["IDSchemaVersion"], json!(0.5));
    assert_eq!(id.identity["fullName"][0]["value"], "Asha Rao");
    assert_eq!(id.identity["proofOfDateOfBirth"]["type"], "COB");
    let files: Vec<&str> = id.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(
        files,
        [
            "proofOfDateOfBirth.pdf",
            "individualBiometrics_bio_CBEFF.xml",
            "ID.json",
            "audit.json",
            "packet_operations_hash.txt",
            "packet_data_hash.txt",
            "packet_meta_info.json",
        ]
    );
    let meta = &id.meta_info;
    assert_eq!(
        meta["hashSequence1"][0],
        json!({"label": "biometricSequence", "value": ["individualBiometrics_bio_CBEFF"]})
    );
    assert_eq!(meta["hashSequence1"][1]["value"], json!(["proofOfDateOfBirth", "ID"]));
    assert_eq!(meta["hashSequence2"], json!([{"label": "otherFiles", "value": ["audit"]}]));
    assert_eq!(meta["proofOfDateOfBirth"], "COB");
    assert_eq!(meta["creationDate"], "2026-01-02T03:04:05.678Z");
    assert_eq!(meta["crvsEventId"], "e1");
    assert_eq!(meta["operationsData"][0]["label"], "officerId");
    let [evidence, optional] = &inspected.sub_packets[1..] else { panic!("three sub-packets") };
    assert_eq!(evidence.identity["introducerInfoToken"], "a.b.c");
    assert!(!evidence.identity.contains_key("fullName"));
    assert_eq!(optional.identity.keys().collect::<Vec<_>>(), ["IDSchemaVersion"]);
    assert_eq!(optional.meta_info["hashSequence2"], json!([]), "no sequence leaks into another sub-packet");
}

#[test]
fn every_building_draws_new_keys_and_gives_another_hash() {
    let mut fill = counting();
    let mut one = || build(&packet(), &attachments(), &keys(), now(), &mut fill).unwrap();
    let (first, second) = (one(), one());
    assert_ne!(first.hash(), second.hash());
    assert_ne!(first.bytes[..76], second.bytes[..76]);
    let open = build_open(&packet(), &attachments(), &keys().machine).unwrap();
    let again = build_open(&packet(), &attachments(), &keys().machine).unwrap();
    assert_eq!(open.bytes, again.bytes, "nothing but the envelopes is left to chance");
    assert_eq!(codes(&open.bytes), Vec::<&str>::new());
}

#[test]
fn every_flipped_byte_of_the_upload_is_noticed() {
    let file = built().bytes;
    for at in (0..file.len()).step_by(61) {
        let mut altered = file.clone();
        altered[at] ^= 0x20;
        assert_ne!(codes(&altered), Vec::<&str>::new(), "byte {at} of {}", file.len());
    }
}

/// The open packet with its entries changed, packed again.
fn respoiled(change: impl Fn(&mut Vec<Entry>)) -> Vec<u8> {
    let open = build_open(&packet(), &attachments(), &keys().machine).unwrap();
    let mut entries = zip::read(&open.bytes).unwrap_or_default();
    change(&mut entries);
    zip::write(&entries).unwrap()
}

/// The same of the files of one sub-packet, which is signed and hashed anew, so that nothing but the change is wrong.
fn respoiled_inside(sub_packet: &str, change: impl Fn(&mut Vec<Entry>)) -> Vec<u8> {
    respoiled(|entries| {
        let at = entries.iter().position(|e| e.name.ends_with(&format!("_{sub_packet}.zip"))).unwrap();
        let mut files = zip::read(&entries[at].bytes).unwrap_or_default();
        change(&mut files);
        let inner = zip::write(&files).unwrap();
        let mut metadata: serde_json::Value = serde_json::from_slice(&entries[at + 1].bytes).unwrap();
        let hash = openssl::sha::sha256(&inner);
        metadata["encryptedhash"] = json!(crate::encoding::to_base64url(&hash));
        let signature = keys().machine.sign(&inner).unwrap();
        // The alphabet of old clients: both are read.
        metadata["signature"] = json!(crate::encoding::to_base64(&signature));
        entries[at].bytes = inner;
        entries[at + 1].bytes = metadata.to_string().into_bytes();
    })
}

fn drop_file(name: &'static str) -> impl Fn(&mut Vec<Entry>) {
    move |files| files.retain(|file| file.name != name)
}

fn replace(name: &'static str, bytes: &'static [u8]) -> impl Fn(&mut Vec<Entry>) {
    move |files| {
        for file in files.iter_mut().filter(|file| file.name == name) {
            file.bytes = bytes.to_vec();
        }
    }
}

#[test]
fn each_deviation_is_named_with_its_place() {
    assert_eq!(codes(&respoiled(|_| {})), Vec::<&str>::new());
    assert_eq!(codes(&respoiled_inside("id", |_| {})), Vec::<&str>::new());

    // MOSIP takes an absent hash file for a good one; here it is missing.
    assert_eq!(codes(&respoiled_inside("id", drop_file("packet_data_hash.txt"))), ["missing_file"]);
    assert_eq!(codes(&respoiled_inside("id", drop_file("packet_operations_hash.txt"))), ["missing_file"]);
    assert_eq!(codes(&respoiled_inside("evidence", drop_file("packet_data_hash.txt"))), ["missing_file"]);
    // A missing file is named, and its hash does not agree either.
    let no_document = codes(&respoiled_inside("id", drop_file("proofOfDateOfBirth.pdf")));
    assert_eq!(no_document, ["sequence", "hash"]);
    let no_meta = codes(&respoiled_inside("optional", drop_file("packet_meta_info.json")));
    assert_eq!(no_meta, ["missing_file", "hash", "not_hashed"]);

    let other_name = respoiled_inside("id", replace("ID.json", br#"{"identity":{"fullName":"x"}}"#));
    assert_eq!(codes(&other_name), ["hash"]);
    assert_eq!(judge(&other_name).findings[0].place, "id/packet_data_hash.txt");
    assert_eq!(codes(&respoiled_inside("id", replace("ID.json", b"no json"))), ["unreadable", "hash"]);
    assert_eq!(codes(&respoiled_inside("id", replace("audit.json", b"[]"))), ["hash"]);
    assert_eq!(codes(&respoiled_inside("id", replace("packet_data_hash.txt", b"abc\n"))), ["hash_form"]);
    let extra = respoiled_inside("optional", |files| files.push(Entry::new("more.pdf", "x")));
    assert_eq!(codes(&extra), ["not_hashed"]);
    let twice = respoiled_inside("id", |files| files.push(Entry::new("id.txt", "x")));
    assert_eq!(codes(&twice), ["duplicate"]);
    let outside = respoiled_inside("id", |files| files.push(Entry::new("../x", "x")));
    assert_eq!(codes(&outside), ["unsafe_entry"]);

    let path = "OPENCRVS/OPENCRVS_NEW/10001200420000120260102030405";
    let without =
        |ending: &'static str| respoiled(move |entries| entries.retain(|e| !e.name.ends_with(ending)));
    assert_eq!(codes(&without("_optional.json")), ["missing_file", "no_signature"]);
    assert_eq!(codes(&without("_optional.zip")), ["missing_sub_packet", "stray"]);
    let stray = respoiled(|entries| entries.push(Entry::new(format!("{path}_other.zip"), "x")));
    assert_eq!(codes(&stray), ["stray"]);
    let renamed = respoiled(|entries| {
        for entry in entries.iter_mut().filter(|entry| entry.name.contains("_evidence")) {
            entry.name = entry.name.replace("OPENCRVS_NEW", "NEW");
        }
    });
    assert_eq!(codes(&renamed), ["metadata", "metadata"]);
    let unsigned = respoiled(|entries| {
        for entry in entries.iter_mut().filter(|entry| entry.name.ends_with("_id.json")) {
            let text = String::from_utf8(entry.bytes.clone()).unwrap();
            entry.bytes = text.replace("\"signature\":\"", "\"signature\":\"AAAA").into_bytes();
        }
    });
    assert_eq!(codes(&unsigned), ["signature"]);
    let exchanged = respoiled(|entries| {
        let (a, b) = (entries[2].bytes.clone(), entries[4].bytes.clone());
        (entries[2].bytes, entries[4].bytes) = (b, a);
    });
    assert!(codes(&exchanged).contains(&"encrypted_hash") && codes(&exchanged).contains(&"signature"));
}

#[test]
fn without_keys_the_envelope_is_described_and_nothing_invented() {
    let inspected = read(&built().bytes, &DecryptionKeys::default(), None, None);
    let envelope = inspected.envelope.unwrap();
    assert_eq!(envelope.thumbprint.unwrap(), hex::encode(keys().certificates[0].thumbprint()));
    assert!(!envelope.opened && inspected.sub_packets.is_empty());
    assert_eq!(inspected.findings[0].deviation.code(), "no_key");
}

#[test]
fn what_mosips_writer_would_drop_or_fail_on_is_refused_by_name() {
    let with = |change: &dyn Fn(&mut CreatePacket)| {
        let mut packet = packet();
        change(&mut packet);
        build_open(&packet, &Attachments::default(), &keys().machine).unwrap_err()
    };
    let insert = |name: &'static str, value: &'static str| {
        with(&move |packet| drop(packet.fields.insert(name.to_owned(), value.to_owned())))
    };
    assert_eq!(insert("nickName", "x"), BuildError::UnknownField("nickName".into()));
    assert_eq!(insert("fullName", "Asha"), BuildError::NotJson("fullName".into()));
    assert_eq!(insert("proofOfDateOfBirth", "{}"), BuildError::NotAFile("proofOfDateOfBirth".into()));
    assert_eq!(with(&|packet| packet.schema_version = "new".into()), BuildError::SchemaVersion);
    let path = with(&|packet| packet.process = "../NEW".into());
    assert_eq!(path, BuildError::Name { what: "process", value: "../NEW".into() });
    let ended = keys().certificates[0].until() + jiff::SignedDuration::from_secs(1);
    let late = build(&packet(), &attachments(), &keys(), ended, &mut counting());
    assert_eq!(late.unwrap_err(), BuildError::NoCertificate);
    let mut heavy = attachments();
    let mut noise = vec![0; LARGEST];
    let mut state = 1_u32;
    for byte in &mut noise {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    heavy.documents.get_mut("proofOfDateOfBirth").unwrap().bytes = noise;
    let large = build(&packet(), &heavy, &keys(), now(), &mut counting());
    assert!(matches!(large, Err(BuildError::TooLarge(_))));
}

#[test]
fn debug_shows_no_values() {
    let shown = format!("{:?} {:?} {:?}", built(), attachments(), judge(&built().bytes).sub_packets[0].files);
    assert!(!shown.contains("Asha") && !shown.contains("%PDF"), "{shown}");
}
