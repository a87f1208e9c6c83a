//! A packet as a tree.

use std::fmt::Write as _;

use civitas_mosip::packet::{Envelope, Inspected, SubPacketView};
use serde_json::{Map, Value};

use crate::words::grouped;

/// Meta information that says nothing of a person.
const PLAIN_META: [&str; 6] = [
    "registrationId",
    "creationDate",
    "metaData",
    "hashSequence1",
    "hashSequence2",
    "capturedRegisteredDevices",
];
/// Fields that say nothing of a person.
const PLAIN_FIELDS: [&str; 1] = ["IDSchemaVersion"];

/// The whole tree.
pub(super) fn text(found: &Inspected, personal: bool) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{}\n{} bytes, {}\nSHA-256 {}",
        found.registration_id().unwrap_or("packet"),
        grouped(found.size as u64),
        encrypted(found.envelope.as_ref()),
        found.hash
    );
    for (index, sub_packet) in found.sub_packets.iter().enumerate() {
        let last = index + 1 == found.sub_packets.len();
        part(&mut text, sub_packet, last, personal);
    }
    text
}

fn encrypted(envelope: Option<&Envelope>) -> String {
    match envelope {
        None => "not encrypted".to_owned(),
        Some(Envelope { thumbprint, opened }) => {
            let to = thumbprint.as_deref().unwrap_or("a certificate that is not named");
            let opened = if *opened { "" } else { ", not opened" };
            format!("encrypted to {to}{opened}")
        }
    }
}

fn part(text: &mut String, sub_packet: &SubPacketView, last: bool, personal: bool) {
    let (branch, stem) = if last { ("└─", "   ") } else { ("├─", "│  ") };
    let size = grouped(sub_packet.size as u64);
    let encrypted = encrypted(sub_packet.envelope.as_ref());
    let _ = writeln!(
        text,
        "{branch} {}  {}/{}, {size} bytes, {encrypted}",
        sub_packet.name, sub_packet.source, sub_packet.process
    );
    for file in &sub_packet.files {
        let size = grouped(file.bytes.len() as u64);
        let _ = writeln!(text, "{stem}├─ {:<36} {size:>9}  {}", file.name, &file.sha256[..16]);
    }
    values(text, stem, "fields", &sub_packet.identity, &PLAIN_FIELDS, personal);
    values(text, stem, "meta information", &sub_packet.meta_info, &PLAIN_META, personal);
    let signature = sub_packet.metadata.get("signature").and_then(Value::as_str).map_or("none", |_| "there");
    let _ = writeln!(text, "{stem}└─ signature: {signature}");
}

fn values(
    text: &mut String,
    stem: &str,
    title: &str,
    values: &Map<String, Value>,
    plain: &[&str],
    personal: bool,
) {
    if values.is_empty() {
        return;
    }
    let _ = writeln!(text, "{stem}├─ {title}");
    for (name, value) in values {
        let shown = if personal || plain.contains(&name.as_str()) { said(value) } else { masked(value) };
        let _ = writeln!(text, "{stem}│    {name}: {shown}");
    }
}

/// A value, without what would move the cursor of a terminal.
fn said(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// What a value is, without what it says.
fn masked(value: &Value) -> String {
    match value {
        Value::Null => "(nothing)".to_owned(),
        Value::Bool(_) => "(yes or no)".to_owned(),
        Value::Number(_) => "(a number)".to_owned(),
        Value::String(text) => format!("(text, {} characters)", text.chars().count()),
        Value::Array(list) => {
            let languages: Vec<&str> =
                list.iter().filter_map(|item| item.get("language")?.as_str()).collect();
            match languages.as_slice() {
                [] => format!("(a list of {})", list.len()),
                languages => format!("(text in {})", languages.join(", ")),
            }
        }
        Value::Object(map) => format!("({} values)", map.len()),
    }
}
