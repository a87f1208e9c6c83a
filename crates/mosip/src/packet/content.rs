//! The files of one sub-packet, before they are packed.

use serde_json::{Map, Value, json};

use super::{
    Attachments, BuildError, CreatePacket, names,
    schema::{Field, Kind},
    sequences::{self, Sequences},
    zip::Entry,
};
use crate::client::wire_time;

/// The files of a sub-packet in the order in which they are written: documents and biometrics, the fields, what is in
/// `id` alone, the hash, the meta information.
pub(super) fn files(
    packet: &CreatePacket,
    attachments: &Attachments,
    fields: &[Field],
    sub_packet: &str,
) -> Result<Vec<Entry>, BuildError> {
    let mut entries = Vec::new();
    let mut sequences = Sequences::default();
    let mut identity = Map::from_iter([("IDSchemaVersion".to_owned(), schema_version(packet)?)]);
    let mut types = Map::new();
    for field in fields.iter().filter(|field| field.category.is_in(sub_packet)) {
        let name = &field.name;
        match field.kind {
            Kind::Document => {
                let Some(document) = attachments.documents.get(name) else { continue };
                entries.push(Entry::new(format!("{name}.{}", document.format), document.bytes.clone()));
                sequences.demographic.push(name.clone());
                types.insert(name.clone(), Value::from(document.kind.clone()));
                identity.insert(
                    name.clone(),
                    json!({
                        "value": name,
                        "type": document.kind,
                        "format": document.format,
                        "refNumber": document.ref_number,
                    }),
                );
            }
            Kind::Biometrics => {
                let Some(cbeff) = attachments.biometrics.get(name) else { continue };
                let stem = format!("{name}_bio_CBEFF");
                entries.push(Entry::new(format!("{stem}.xml"), cbeff.clone()));
                identity.insert(name.clone(), json!({ "format": "cbeff", "version": 1.0, "value": stem }));
                sequences.biometric.push(stem);
            }
            Kind::Text | Kind::Json => {
                let Some(text) = packet.fields.get(name).filter(|_| name != "IDSchemaVersion") else {
                    continue;
                };
                let value = match field.kind {
                    Kind::Json => {
                        serde_json::from_str(text).map_err(|_| BuildError::NotJson(name.clone()))?
                    }
                    _ => Value::from(text.as_str()),
                };
                identity.insert(name.clone(), value);
            }
        }
    }
    entries.push(Entry::new(names::ID, wrapped(&Value::Object(identity))));
    sequences.demographic.push("ID".to_owned());
    let covered = |list: &[String], entries: &[Entry]| -> String {
        sequences::hash(list.iter().filter_map(|name| {
            entries.iter().find(|entry| names::stem(&entry.name) == name).map(|entry| entry.bytes.as_slice())
        }))
    };
    let data = [sequences.biometric.as_slice(), sequences.demographic.as_slice()].concat();
    let data_hash = covered(&data, &entries);
    if sub_packet == "id" {
        let audit = Value::from(vec![packet.audit(&wire_time(packet.at))]).to_string();
        entries.push(Entry::new(names::AUDIT, audit));
        sequences.operations.push("audit".to_owned());
        let operations_hash = covered(&sequences.operations, &entries);
        entries.push(Entry::new(names::OPERATIONS_HASH, operations_hash));
    }
    entries.push(Entry::new(names::DATA_HASH, data_hash));
    entries.push(Entry::new(names::META_INFO, wrapped(&Value::Object(meta_info(packet, types, sequences)))));
    Ok(entries)
}

/// The version of the ID schema as MOSIP's packets have it: a number.
fn schema_version(packet: &CreatePacket) -> Result<Value, BuildError> {
    let version: f64 = packet.schema_version.parse().map_err(|_| BuildError::SchemaVersion)?;
    serde_json::Number::from_f64(version).map(Value::Number).ok_or(BuildError::SchemaVersion)
}

/// What the packet says of itself, and which files its hashes cover. Texts that are JSON lists or objects are written
/// as such, as MOSIP's writer does.
fn meta_info(packet: &CreatePacket, types: Map<String, Value>, sequences: Sequences) -> Map<String, Value> {
    let mut meta = Map::new();
    for (label, text) in packet.meta_info() {
        let json = text.starts_with(['[', '{']).then(|| serde_json::from_str(&text).ok()).flatten();
        meta.insert(label, json.unwrap_or(Value::String(text)));
    }
    meta.extend(types);
    meta.insert("registrationId".to_owned(), Value::from(packet.aid.as_str()));
    meta.insert("creationDate".to_owned(), Value::from(wire_time(packet.at)));
    sequences.into_meta(&mut meta);
    meta
}

/// `{ "identity" : … } `, to the blank at its end as MOSIP's writer has it.
fn wrapped(value: &Value) -> Vec<u8> {
    format!("{{ \"identity\" : {value:#} }} ").into_bytes()
}
