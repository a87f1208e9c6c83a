//! Opening a packet, and saying each way in which it is not as it has to be.
//!
//! Stricter than MOSIP's validator, which takes an absent hash file for a good one and never reports a missing file.
//! Files that are not encrypted are read as well: MOSIP's own sample is such a packet.

use openssl::sha::sha256;
use serde_json::{Map, Value};

use super::{
    DecryptionKeys, Deviation, EncryptionCertificate, Envelope, Finding, Inspected, LARGEST, PacketFile,
    SubPacketView, VerifyingKey,
    envelope::{Parts, open_envelope},
    names, sequences,
    zip::{self, Entry},
};
use crate::encoding::{from_base64, to_base64url};

const FILE: &str = "upload file";

/// Opens a packet as far as the keys allow. `machine` verifies signatures, `certificate` is the one that everything has
/// to be encrypted to; without them neither is judged.
pub fn read(
    file: &[u8],
    keys: &DecryptionKeys,
    machine: Option<&VerifyingKey>,
    certificate: Option<&EncryptionCertificate>,
) -> Inspected {
    let mut reading = Reading { keys, machine, certificate, found: Inspected::default() };
    reading.found.size = file.len();
    reading.found.hash = hex::encode_upper(sha256(file));
    if file.len() > LARGEST {
        let what = format!("{} bytes; MOSIP takes at most {LARGEST}", file.len());
        reading.say(FILE, Deviation::TooLarge(what));
    }
    let (outer, envelope) = reading.opened(FILE, file);
    reading.found.envelope = envelope;
    if let Some(outer) = outer {
        match zip::read(&outer) {
            Ok(entries) => reading.outer(entries),
            Err(deviation) => reading.say(FILE, deviation),
        }
    }
    reading.found
}

struct Reading<'a> {
    keys: &'a DecryptionKeys,
    machine: Option<&'a VerifyingKey>,
    certificate: Option<&'a EncryptionCertificate>,
    found: Inspected,
}

impl Reading<'_> {
    fn say(&mut self, place: impl Into<String>, deviation: Deviation) {
        self.found.findings.push(Finding::new(place, deviation));
    }

    /// The plain bytes of a part, and how it was encrypted.
    fn opened(&mut self, place: &str, bytes: &[u8]) -> (Option<Vec<u8>>, Option<Envelope>) {
        if bytes.starts_with(b"PK\x03\x04") {
            return (Some(bytes.to_vec()), None);
        }
        let parts = match Parts::of(bytes) {
            Ok(parts) => parts,
            Err(deviation) => {
                self.say(place, deviation);
                return (None, None);
            }
        };
        let thumbprint = parts.thumbprint.map(hex::encode);
        if let (Some(found), Some(certificate)) = (&thumbprint, self.certificate) {
            let expected = hex::encode(certificate.thumbprint());
            if *found != expected {
                self.say(place, Deviation::OtherCertificate { found: found.clone(), expected });
            }
        }
        let plain = match open_envelope(self.keys, bytes) {
            Ok(plain) => Some(plain.to_vec()),
            Err(deviation) => {
                self.say(place, deviation);
                None
            }
        };
        let opened = plain.is_some();
        (plain, Some(Envelope { thumbprint, opened }))
    }

    fn outer(&mut self, mut entries: Vec<Entry>) {
        let mut place: Option<(String, String)> = None;
        for name in names::SUB_PACKETS {
            let ending = format!("_{name}.zip");
            let Some(at) = entries.iter().position(|entry| entry.name.ends_with(&ending)) else {
                self.say(FILE, Deviation::MissingSubPacket(name));
                continue;
            };
            let sealed = entries.swap_remove(at);
            let stem = sealed.name.trim_end_matches(".zip").to_owned();
            let metadata = entries.iter().position(|entry| entry.name == format!("{stem}.json"));
            let metadata = metadata.map(|at| entries.swap_remove(at));
            let (folder, id) = stem.rsplit_once('/').unwrap_or(("", &stem));
            let id = id.trim_end_matches(&format!("_{name}")).to_owned();
            let (source, process) = folder.rsplit_once('/').unwrap_or((folder, ""));
            // All three stand in one folder and are of one registration.
            let here = (folder.to_owned(), id.clone());
            let expected = place.get_or_insert_with(|| here.clone());
            if *expected != here {
                let expected = format!("{}/{}", expected.0, expected.1);
                self.say(name, Deviation::Metadata { field: "path".into(), found: stem.clone(), expected });
            }
            let (source, process) = (source.to_owned(), process.to_owned());
            self.sub_packet(name, id, source, process, &sealed.bytes, metadata.as_ref());
        }
        for stray in entries {
            self.say(FILE, Deviation::Stray(stray.name));
        }
    }

    fn sub_packet(
        &mut self,
        name: &'static str,
        registration_id: String,
        source: String,
        process: String,
        sealed: &[u8],
        metadata: Option<&Entry>,
    ) {
        let said = self.metadata(name, metadata);
        let mut view = SubPacketView {
            name,
            registration_id,
            source,
            process,
            metadata: said,
            size: sealed.len(),
            envelope: None,
            signed: None,
            files: Vec::new(),
            identity: Map::new(),
            meta_info: Map::new(),
        };
        if metadata.is_some() {
            self.metadata_agrees(&view, sealed);
        }
        let (inner, envelope) = self.opened(name, sealed);
        view.envelope = envelope;
        if let Some(inner) = inner {
            self.signature(&mut view, &inner);
            match zip::read(&inner) {
                Ok(files) => self.files(&mut view, &files),
                Err(deviation) => self.say(name, deviation),
            }
        }
        self.found.sub_packets.push(view);
    }

    fn metadata(&mut self, name: &str, entry: Option<&Entry>) -> Map<String, Value> {
        let place = format!("{name}.json");
        let Some(entry) = entry else {
            self.say(FILE, Deviation::MissingFile(place));
            return Map::new();
        };
        match serde_json::from_slice(&entry.bytes) {
            Ok(Value::Object(map)) => map,
            Ok(_) => {
                self.say(place, Deviation::Unreadable("it is not a JSON object".to_owned()));
                Map::new()
            }
            Err(error) => {
                self.say(place, Deviation::Unreadable(format!("JSON ends at column {}", error.column())));
                Map::new()
            }
        }
    }

    /// What stands beside a sub-packet says of it what its name and its bytes say.
    fn metadata_agrees(&mut self, view: &SubPacketView, sealed: &[u8]) {
        let place = format!("{}.json", view.name);
        let id = &view.registration_id;
        let expected = [
            ("id", id.clone()),
            ("packetname", format!("{id}_{}", view.name)),
            ("source", view.source.clone()),
            ("process", view.process.clone()),
        ];
        for (field, expected) in expected {
            let found = view.metadata.get(field).map_or_else(|| "(absent)".to_owned(), text);
            if found != expected {
                self.say(place.clone(), Deviation::Metadata { field: field.to_owned(), found, expected });
            }
        }
        let said = view.metadata.get("encryptedhash").map(text).unwrap_or_default();
        let found = sha256(sealed);
        if from_base64(&said).as_deref() != Some(&found[..]) {
            self.say(view.name, Deviation::EncryptedHash { found: to_base64url(&found), said });
        }
    }

    fn signature(&mut self, view: &mut SubPacketView, inner: &[u8]) {
        let signature = view.metadata.get("signature").and_then(Value::as_str).and_then(from_base64);
        let Some(signature) = signature else {
            return self.say(view.name, Deviation::NoSignature);
        };
        let Some(machine) = self.machine else { return };
        let good = machine.verifies(inner, &signature);
        view.signed = Some(good);
        if !good {
            self.say(view.name, Deviation::Signature);
        }
    }

    fn files(&mut self, view: &mut SubPacketView, entries: &[Entry]) {
        let name = view.name;
        let find =
            |wanted: &str| entries.iter().find(|entry| names::base(&entry.name) == names::base(wanted));
        let mut wanted = vec![names::ID, names::DATA_HASH, names::META_INFO];
        if name == "id" {
            wanted.extend([names::AUDIT, names::OPERATIONS_HASH]);
        }
        for file in wanted {
            if find(file).is_none() {
                self.say(name, Deviation::MissingFile(file.to_owned()));
            }
        }
        if let Some(identity) = find(names::ID) {
            view.identity = self.wrapped(&format!("{name}/{}", identity.name), &identity.bytes);
        }
        if let Some(meta) = find(names::META_INFO) {
            let place = format!("{name}/{}", meta.name);
            view.meta_info = self.wrapped(&place, &meta.bytes);
            let found = view.meta_info.get("registrationId").map_or_else(|| "(absent)".to_owned(), text);
            if found != view.registration_id {
                let expected = view.registration_id.clone();
                let field = "registrationId".to_owned();
                self.say(place, Deviation::Metadata { field, found, expected });
            }
        }
        let mut covered = vec![];
        for (file, sequence) in
            [(names::DATA_HASH, "hashSequence1"), (names::OPERATIONS_HASH, "hashSequence2")]
        {
            let named = sequences::named(&view.meta_info, sequence);
            covered.extend(named.clone().unwrap_or_default());
            if let Some(hash) = find(file) {
                self.hash(name, hash, &named.unwrap_or_default(), entries);
            }
        }
        for entry in entries {
            let own = [names::DATA_HASH, names::OPERATIONS_HASH, names::META_INFO];
            let base = names::base(&entry.name);
            let is_own = own.iter().any(|file| names::base(file) == base);
            if !is_own && !covered.iter().any(|name| name.to_ascii_lowercase() == base) {
                self.say(format!("{name}/{}", entry.name), Deviation::NotHashed);
            }
            view.files.push(PacketFile {
                name: entry.name.clone(),
                sha256: hex::encode(sha256(&entry.bytes)),
                bytes: entry.bytes.clone(),
            });
        }
    }

    fn hash(&mut self, name: &str, file: &Entry, sequence: &[String], entries: &[Entry]) {
        let place = format!("{name}/{}", file.name);
        let mut files = Vec::new();
        for wanted in sequence {
            match entries.iter().find(|entry| names::base(&entry.name) == wanted.to_ascii_lowercase()) {
                Some(entry) => files.push(entry.bytes.as_slice()),
                None => self.say(place.clone(), Deviation::SequenceNamesNothing(wanted.clone())),
            }
        }
        let is_digit = |c: &u8| matches!(c, b'0'..=b'9' | b'A'..=b'F');
        if file.bytes.len() != 64 || !file.bytes.iter().all(is_digit) {
            return self.say(place, Deviation::HashForm);
        }
        let found = sequences::hash(files);
        let said = String::from_utf8_lossy(&file.bytes).into_owned();
        if said != found {
            self.say(place, Deviation::Hash { said, found });
        }
    }

    /// The object under `identity`.
    fn wrapped(&mut self, place: &str, bytes: &[u8]) -> Map<String, Value> {
        let read: Option<Value> = serde_json::from_slice(bytes).ok();
        let identity = read.and_then(|mut value| value.get_mut("identity").map(Value::take));
        let Some(Value::Object(map)) = identity else {
            let why = "it is not JSON with an object under `identity`".to_owned();
            self.say(place, Deviation::Unreadable(why));
            return Map::new();
        };
        map
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
