//! Packets, both ways, byte for byte.

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read as _, Write as _},
    path::Path,
    sync::Arc,
};

use civitas_mosip::{
    CreatePacket, IdSchema,
    packet::{
        Attachments, DecryptionKeys, Document, EncryptionCertificate, EnvelopeEntropy, MachineKey,
        PacketKeys, UploadFile, VerifyingKey, build, build_open, open_envelope, read, seal_envelope,
    },
};
use openssl::sha::sha256;
use serde_json::{Value, json};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{Bench, CERTIFICATE, KEY, MACHINE};

const ID: &str = "10001200420000120260102030405";
const DOCUMENT: &[u8] = b"%PDF-1.4 a certificate of birth";

fn schema() -> String {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../country-config/farajaland/id-schema.json");
    fs::read_to_string(pack).unwrap()
}

fn packet() -> CreatePacket {
    let name = r#"[{"language":"eng","value":"Ásha Rao"},{"language":"ara","value":"آشا"}]"#;
    let fields = [
        ("fullName", name),
        ("dateOfBirth", "2026/01/01"),
        ("gender", r#"[{"language":"eng","value":"Female"}]"#),
    ];
    CreatePacket {
        aid: ID.parse().unwrap(),
        ref_id: "10001_20042".to_owned(),
        process: "OPENCRVS_NEW".to_owned(),
        source: "OPENCRVS".to_owned(),
        schema_version: "0.5".to_owned(),
        schema: Arc::new(IdSchema::new(schema())),
        fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        meta_info: BTreeMap::from([("crvsEventId".to_owned(), "e1".to_owned())]),
        at: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        officer: "crvs".to_owned(),
    }
}

fn attachments() -> Attachments {
    let document = |kind: &str, bytes: &[u8]| Document {
        bytes: bytes.to_vec(),
        kind: kind.to_owned(),
        format: "pdf".to_owned(),
        ref_number: None,
    };
    Attachments {
        documents: BTreeMap::from([
            ("proofOfDateOfBirth".to_owned(), document("COB", DOCUMENT)),
            ("proofOfException".to_owned(), document("COE", b"%PDF-1.4 why there are no fingers")),
        ]),
        biometrics: BTreeMap::new(),
    }
}

fn keys() -> PacketKeys {
    PacketKeys { machine: MachineKey::from_pem(MACHINE).unwrap(), certificates: vec![certificate()] }
}

fn certificate() -> EncryptionCertificate {
    EncryptionCertificate::from_pem(CERTIFICATE).unwrap()
}

fn decryption() -> DecryptionKeys {
    DecryptionKeys::from_pem([(KEY, Some(CERTIFICATE))]).unwrap()
}

/// Unpredictable enough for a test: OpenSSL's generator.
fn fill(bytes: &mut [u8]) {
    openssl::rand::rand_bytes(bytes).unwrap();
}

fn built(keys: &PacketKeys) -> UploadFile {
    build(&packet(), &attachments(), keys, certificate().from(), &mut fill).unwrap()
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    seal_envelope(&certificate(), plain, &EnvelopeEntropy::draw(&mut fill)).unwrap()
}

fn unzip(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        entries.push((file.name().unwrap().into_owned(), bytes));
    }
    entries
}

fn zipped(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn is_zip(name: &str) -> bool {
    name.rsplit('.').next() == Some("zip")
}

fn hash(bytes: &[u8]) -> String {
    hex::encode_upper(sha256(bytes))
}

/// A job for their reader.
fn open_job(bench: &mut Bench, name: &str, upload: &[u8]) {
    fs::write(bench.file(name), upload).unwrap();
    bench.job(json!({
        "do": "open", "file": name, "id": ID, "refId": "10001_20042", "source": "OPENCRVS",
        "process": "OPENCRVS_NEW", "schema": schema(), "documents": ["proofOfDateOfBirth", "proofOfException"],
    }));
}

/// The packet again, with the files of one sub-packet changed, which is signed and sealed anew: nothing but the change
/// is wrong with it.
fn respoiled(sub_packet: &str, change: impl Fn(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
    let open = build_open(&packet(), &attachments(), &keys().machine).unwrap();
    let mut entries = unzip(&open.bytes);
    let mut last = Vec::new();
    for (name, bytes) in &mut entries {
        if is_zip(name) {
            let mut inner = bytes.clone();
            if name.ends_with(&format!("_{sub_packet}.zip")) {
                let mut files = unzip(&inner);
                change(&mut files);
                inner = zipped(&files);
            }
            *bytes = sealed(&inner);
            last = vec![keys().machine.sign(&inner).unwrap(), sha256(bytes).to_vec()];
        } else {
            let mut metadata: Value = serde_json::from_slice(bytes).unwrap();
            metadata["signature"] = json!(base64url(&last[0]));
            metadata["encryptedhash"] = json!(base64url(&last[1]));
            *bytes = metadata.to_string().into_bytes();
        }
    }
    sealed(&zipped(&entries))
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn mosips_own_classes_open_what_we_build_and_refuse_what_is_spoiled() {
    let upload = built(&keys());
    let mut bench = Bench::new();
    open_job(&mut bench, "ours.zip", &upload.bytes);

    let other_machine = PacketKeys { machine: MachineKey::from_pem(KEY).unwrap(), ..keys() };
    open_job(&mut bench, "machine.zip", &built(&other_machine).bytes);
    let mut flipped = upload.bytes.clone();
    flipped[400] ^= 1;
    open_job(&mut bench, "flipped.zip", &flipped);
    let renamed = respoiled("id", |files| {
        for (_, bytes) in files.iter_mut().filter(|(name, _)| name == "ID.json") {
            *bytes = String::from_utf8_lossy(bytes).replace("Rao", "Roa").into_bytes();
        }
    });
    open_job(&mut bench, "renamed.zip", &renamed);
    open_job(&mut bench, "respoiled.zip", &respoiled("id", |_| ()));

    let Some(answers) = bench.run("packets of ours before MOSIP's own reader") else { return };
    let [ours, machine, flipped, renamed, unchanged] = &answers[..] else { panic!("five answers") };

    let outer = open_envelope(&decryption(), &upload.bytes).unwrap();
    assert_eq!(ours["outer"], hash(&outer), "{ours}");
    for (path, bytes) in unzip(&outer).iter().filter(|(path, _)| is_zip(path)) {
        let name = path.trim_end_matches(".zip").rsplit('_').next().unwrap();
        assert_eq!(ours["inner"][name], hash(&open_envelope(&decryption(), bytes).unwrap()), "{name}");
    }
    for (name, value) in packet().fields {
        let theirs = &ours["fields"][&name];
        let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        assert_eq!(read(theirs.as_str().unwrap()), read(&value), "{name}");
    }
    assert_eq!(ours["fields"]["IDSchemaVersion"], 0.5);
    assert_eq!(ours["documents"]["proofOfDateOfBirth"], hash(DOCUMENT));
    assert_eq!(ours["documents"]["proofOfException"], hash(b"%PDF-1.4 why there are no fingers"));
    assert_eq!(ours["metaInfo"]["registrationId"], ID);
    assert_eq!(ours["metaInfo"]["crvsEventId"], "e1");
    assert!(ours["metaInfo"]["operationsData"].as_str().unwrap().contains("officerId"));
    assert_eq!(ours["audits"][0]["eventName"], "PACKET_CREATION_SUCCESS");
    assert_eq!(ours["valid"], true, "ID schema, files and hashes: {ours}");
    assert_eq!(unchanged["valid"], true, "{unchanged}");

    // The oracle can say no.
    assert_eq!(machine["refused"], "PacketKeeperException", "{machine}");
    assert!(flipped["refused"].is_string(), "{flipped}");
    assert_eq!(renamed["valid"], false, "{renamed}");
}

#[test]
fn we_open_what_mosips_own_writer_makes_of_our_request() {
    let mut bench = Bench::new();
    let mut body: Value = serde_json::from_str(&packet().body()).unwrap();
    let mut request = body["request"].take();
    let document = |kind: &str, bytes: &[u8]| {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.encode(bytes);
        json!({ "document": bytes, "type": kind, "format": "pdf", "value": "x", "refNumber": null })
    };
    request["documents"] = json!({ "proofOfDateOfBirth": document("COB", DOCUMENT) });
    bench.job(
        json!({ "do": "create", "request": request, "file": "theirs.zip", "signingKey": "signing.der" }),
    );
    let Some(answers) = bench.run("packets of MOSIP's own writer before our reader") else { return };
    assert_eq!(answers[0]["packets"].as_array().map(Vec::len), Some(3), "{}", answers[0]);

    let theirs = fs::read(bench.file("theirs.zip")).unwrap();
    let signing =
        openssl::pkey::PKey::public_key_from_der(&fs::read(bench.file("signing.der")).unwrap()).unwrap();
    let machine = VerifyingKey::from_pem(&signing.public_key_to_pem().unwrap()).unwrap();
    let inspected = read(&theirs, &decryption(), Some(&machine), Some(&certificate()));
    assert_eq!(inspected.findings, [], "each finding is a disagreement");
    let ours = read(&built(&keys()).bytes, &decryption(), None, None);
    for (their, our) in inspected.sub_packets.iter().zip(&ours.sub_packets) {
        assert_eq!((their.name, their.signed), (our.name, Some(true)));
        let mut identity = our.identity.clone();
        identity.remove("proofOfException");
        assert_eq!(their.identity, identity, "{}", their.name);
        let names = |view: &civitas_mosip::packet::SubPacketView| {
            let mut names: Vec<String> = view.files.iter().map(|file| file.name.clone()).collect();
            names.retain(|name| name != "proofOfException.pdf");
            names
        };
        assert_eq!(names(their), names(our), "{}", their.name);
    }
}
