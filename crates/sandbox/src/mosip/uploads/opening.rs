//! The uploader stage and the packet reader: decrypts, checks hash and
//! signature of each sub-packet, and reads its fields.

use super::sealed;
use crate::jwt::b64;
use crate::keys::UploadKeys;
use crate::mosip::desk::Packet;
use openssl::hash::MessageDigest;
use openssl::sha::{Sha256, sha256};
use openssl::sign::Verifier;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use zip::ZipArchive;

/// `mosip.commons.packetnames`.
const NAMES: [&str; 3] = ["id", "evidence", "optional"];

type Files = BTreeMap<String, Vec<u8>>;

/// The content of an uploaded file, or the reason that only MOSIP's log has.
pub(super) fn open(keys: &UploadKeys, aid: &str, process: &str, file: &[u8]) -> Result<Packet, String> {
    let outer = unzip(&sealed::open(&keys.registration, &keys.registration_certificate, file)?)?;
    let mut packet = Packet {
        process: process.to_owned(),
        fields: Map::new(),
        meta_info: Map::new(),
        required: Vec::new(),
    };
    for name in NAMES {
        let stem =
            outer.keys().find_map(|path| path.strip_suffix(&format!("{aid}_{name}.zip"))).map(str::to_owned);
        let folder = stem.ok_or(format!("KER-PUT-027: {name} does not exist"))?;
        if folder.split('/').nth(1) != Some(process) {
            return Err(format!("KER-PUT-025: {name} is stored under another process than {process}"));
        }
        let metadata: Value = outer
            .get(&format!("{folder}{aid}_{name}.json"))
            .and_then(|bytes| serde_json::from_slice(bytes).ok())
            .ok_or(format!("KER-PUT-016: {name} has no metadata"))?;
        let encrypted = &outer[&format!("{folder}{aid}_{name}.zip")];
        if metadata["encryptedhash"] != b64(sha256(encrypted)) {
            return Err(format!("KER-PUT-017: integrity of {name}"));
        }
        let inner = sealed::open(&keys.registration, &keys.registration_certificate, encrypted)?;
        verify(keys, &metadata, &inner).map_err(|why| format!("KER-PUT-010: {name}: {why}"))?;
        read(&unzip(&inner)?, name, &mut packet)?;
    }
    Ok(packet)
}

/// The machine's key is the one of master data: the second half of `refid` selects it.
fn verify(keys: &UploadKeys, metadata: &Value, inner: &[u8]) -> Result<(), String> {
    let machine =
        metadata["refid"].as_str().and_then(|id| id.split('_').nth(1)).ok_or("no machine in refid")?;
    if machine.len() != 5 {
        return Err("no such machine".to_owned());
    }
    let signature = metadata["signature"].as_str().unwrap_or_default().replace('-', "+").replace('_', "/");
    let signature = signature.trim_end_matches('=').to_owned();
    let padding = "=".repeat((4 - signature.len() % 4) % 4);
    let signature =
        openssl::base64::decode_block(&(signature + &padding)).map_err(|error| error.to_string())?;
    let good = Verifier::new(MessageDigest::sha256(), &keys.machine)
        .and_then(|mut verifier| verifier.verify_oneshot(&signature, inner));
    if good.unwrap_or(false) { Ok(()) } else { Err("signature".to_owned()) }
}

/// As the validator does it: order from the sequences; an absent hash file passes.
fn read(files: &Files, name: &str, packet: &mut Packet) -> Result<(), String> {
    let json = |file: &str| -> Result<Map<String, Value>, String> {
        let bytes = files.get(file).ok_or(format!("KER-PUT-002: {name} lacks {file}"))?;
        let value: Value =
            serde_json::from_slice(bytes).map_err(|_| format!("KER-PUT-009: {name}/{file}"))?;
        value["identity"].as_object().cloned().ok_or(format!("KER-PUT-009: {name}/{file}"))
    };
    let meta = json("packet_meta_info")?;
    for (file, sequence) in
        [("packet_data_hash", "hashSequence1"), ("packet_operations_hash", "hashSequence2")]
    {
        let Some(said) = files.get(file) else { continue };
        let mut hash = Sha256::new();
        let labels = meta[sequence].as_array().into_iter().flatten();
        for wanted in labels.flat_map(|label| label["value"].as_array().into_iter().flatten()) {
            let wanted = wanted.as_str().unwrap_or_default().to_lowercase();
            hash.update(files.get(&wanted).ok_or(format!("KER-PUT-019: {name} lacks {wanted}"))?);
        }
        if hex::encode_upper(hash.finish()).as_bytes() != said.as_slice() {
            return Err(format!("KER-PUT-019: {file} of {name}"));
        }
    }
    let plain = |value: Value| match value {
        Value::String(text) => Value::String(text),
        other => Value::String(other.to_string()),
    };
    packet.fields.extend(json("id")?.into_iter().map(|(field, value)| (field, plain(value))));
    if name == "id" {
        if !files.contains_key("audit") {
            return Err("KER-PUT-002: id lacks audit".to_owned());
        }
        packet.meta_info = meta.into_iter().map(|(label, value)| (label, plain(value))).collect();
    }
    Ok(())
}

/// Files of a zip: those of folders by their path, the others by base name without extension in lower case.
fn unzip(bytes: &[u8]) -> Result<Files, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| format!("KER-PUT-009: {error}"))?;
    let mut files = Files::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(|error| format!("KER-PUT-009: {error}"))?;
        let path = file.name().map_err(|error| format!("KER-PUT-009: {error}"))?.into_owned();
        let name = if path.contains('/') {
            path
        } else {
            path.rsplit_once('.').map_or(path.as_str(), |(stem, _)| stem).to_lowercase()
        };
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(|error| format!("KER-PUT-009: {error}"))?;
        files.insert(name, content);
    }
    Ok(files)
}
