//! Building a packet of our own.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use openssl::{error::ErrorStack, sha::sha256};
use serde_json::{Value, json};

use super::{
    CreatePacket, EnvelopeEntropy, LARGEST, MachineKey, PacketKeys, content, names,
    schema::{self, Kind},
    seal_envelope,
    zip::{self, Entry},
};
use crate::{client::wire_time, encoding::to_base64url};

/// Files that go with the fields, by the field that describes each.
#[derive(Debug, Clone, Default)]
pub struct Attachments {
    /// Documents, for fields of `documentType`.
    pub documents: BTreeMap<String, Document>,
    /// CBEFF XML, for fields of `biometricsType`.
    pub biometrics: BTreeMap<String, Vec<u8>>,
}

/// A document.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its type in MOSIP's master data, such as `COB`.
    pub kind: String,
    /// Its format, which is also its file's extension: `pdf`.
    pub format: String,
    /// Its number, where it has one.
    pub ref_number: Option<String>,
}

impl fmt::Debug for Document {
    /// What it is, not what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("kind", &self.kind)
            .field("format", &self.format)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Why a packet was not built. Names fields, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The ID schema cannot be read.
    #[error("the ID schema is not a JSON schema with identity properties")]
    Schema,
    /// A field's category is unknown.
    #[error("field `{field}` of the ID schema has the category `{category}`, at which MOSIP's writer fails")]
    Category {
        /// The field.
        field: String,
        /// Its category.
        category: String,
    },
    /// A field has neither a type nor a reference.
    #[error("field `{0}` of the ID schema has neither `type` nor `$ref`")]
    FieldType(String),
    /// The schema's version is no number.
    #[error("the version of the ID schema is not a decimal number")]
    SchemaVersion,
    /// A value of a field that the schema lacks: MOSIP's writer would drop it in silence.
    #[error("field `{0}` is not in the ID schema")]
    UnknownField(String),
    /// A value that has to be JSON is not.
    #[error("the value of field `{0}` is not the JSON that its type asks for")]
    NotJson(String),
    /// A value of a field whose content is a file.
    #[error("field `{0}` is a file, and has to be given as one")]
    NotAFile(String),
    /// Process or source cannot be part of a path.
    #[error("the {what} `{value}` is not a plain name")]
    Name {
        /// `process` or `source`.
        what: &'static str,
        /// What it is.
        value: String,
    },
    /// No certificate is in force.
    #[error("none of MOSIP's certificates that are configured is in force: get the current one")]
    NoCertificate,
    /// Too large an upload.
    #[error("the packet has {0} bytes; MOSIP takes at most {LARGEST}")]
    TooLarge(usize),
    /// The containers could not be written.
    #[error("the zip container cannot be written: {0}")]
    Zip(String),
    /// OpenSSL failed.
    #[error("signing or encrypting failed: {0}")]
    Crypto(String),
}

impl From<ErrorStack> for BuildError {
    fn from(error: ErrorStack) -> Self {
        BuildError::Crypto(error.to_string())
    }
}

/// A packet as it is uploaded. Its bytes are kept and sent again as they are.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadFile {
    /// Its id, which is also the registration's.
    pub packet_id: String,
    /// The file.
    pub bytes: Vec<u8>,
}

impl UploadFile {
    /// `packetHashValue`: SHA-256 of the file in capital hexadecimal digits.
    pub fn hash(&self) -> String {
        hex::encode_upper(sha256(&self.bytes))
    }

    /// `<packetId>.zip`.
    pub fn name(&self) -> String {
        format!("{}.zip", self.packet_id)
    }
}

impl fmt::Debug for UploadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadFile")
            .field("packet_id", &self.packet_id)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// Builds a packet: fields into sub-packets, hashed, signed, encrypted, and the whole encrypted once more. `fill` fills
/// with unpredictable bytes. The same content never gives the same bytes twice, so keep them.
pub fn build(
    packet: &CreatePacket,
    attachments: &Attachments,
    keys: &PacketKeys,
    now: Timestamp,
    fill: &mut dyn FnMut(&mut [u8]),
) -> Result<UploadFile, BuildError> {
    let certificate = keys.certificate_at(now).ok_or(BuildError::NoCertificate)?;
    let mut seal = |plain: &[u8]| -> Result<Vec<u8>, BuildError> {
        Ok(seal_envelope(certificate, plain, &EnvelopeEntropy::draw(fill))?)
    };
    let outer = outer(packet, attachments, &keys.machine, &mut seal)?;
    finished(packet, seal(&outer)?)
}

/// The same packet with nothing encrypted, to be looked at: signed and hashed, but not fit for sending.
pub fn build_open(
    packet: &CreatePacket,
    attachments: &Attachments,
    machine: &MachineKey,
) -> Result<UploadFile, BuildError> {
    let outer = outer(packet, attachments, machine, &mut |plain| Ok(plain.to_vec()))?;
    finished(packet, outer)
}

fn finished(packet: &CreatePacket, bytes: Vec<u8>) -> Result<UploadFile, BuildError> {
    if bytes.len() > LARGEST {
        return Err(BuildError::TooLarge(bytes.len()));
    }
    Ok(UploadFile { packet_id: packet.aid.to_string(), bytes })
}

type Seal<'a> = &'a mut dyn FnMut(&[u8]) -> Result<Vec<u8>, BuildError>;

fn outer(
    packet: &CreatePacket,
    attachments: &Attachments,
    machine: &MachineKey,
    seal: Seal<'_>,
) -> Result<Vec<u8>, BuildError> {
    let fields = schema::fields(packet.schema.text())?;
    check(packet, attachments, &fields)?;
    let pack = |entries: &[Entry]| zip::write(entries).map_err(|error| BuildError::Zip(error.to_string()));
    let mut entries = Vec::with_capacity(6);
    for name in names::SUB_PACKETS {
        let inner = pack(&content::files(packet, attachments, &fields, name)?)?;
        // Over the zip itself: what is signed does not change with how it is encrypted. MOSIP's reader
        // (`PacketKeeper.checkSignature`) decodes the URL-safe alphabet alone, whatever old clients wrote.
        let signature = to_base64url(&machine.sign(&inner)?);
        let sealed = seal(&inner)?;
        let path = format!("{}/{}/{}_{name}", packet.source, packet.process, packet.aid);
        let metadata = metadata(packet, name, &signature, &to_base64url(&sha256(&sealed)));
        entries.push(Entry::new(format!("{path}.zip"), sealed));
        entries.push(Entry::new(format!("{path}.json"), metadata.to_string()));
    }
    pack(&entries)
}

/// What stands beside a sub-packet, and becomes the metadata of its object in MOSIP's store.
fn metadata(packet: &CreatePacket, name: &str, signature: &str, encrypted_hash: &str) -> Value {
    json!({
        "id": packet.aid,
        "packetname": format!("{}_{name}", packet.aid),
        "source": packet.source,
        "process": packet.process,
        // A text: MOSIP's reader casts each of these to one.
        "schemaversion": packet.schema_version,
        "signature": signature,
        "encryptedhash": encrypted_hash,
        "providername": "PacketWriterImpl",
        "providerversion": "v1.0",
        "creationdate": wire_time(packet.at),
        "refid": packet.ref_id,
    })
}

/// What MOSIP's writer would drop in silence, or fail on without a word.
fn check(
    packet: &CreatePacket,
    attachments: &Attachments,
    fields: &[schema::Field],
) -> Result<(), BuildError> {
    for (what, value) in [("process", &packet.process), ("source", &packet.source)] {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if value.is_empty() || !value.chars().all(plain) {
            return Err(BuildError::Name { what, value: value.clone() });
        }
    }
    let kind_of = |name: &String| fields.iter().find(|field| field.name == *name).map(|field| field.kind);
    for name in packet.fields.keys() {
        match kind_of(name) {
            None => return Err(BuildError::UnknownField(name.clone())),
            Some(Kind::Document | Kind::Biometrics) => return Err(BuildError::NotAFile(name.clone())),
            Some(Kind::Text | Kind::Json) => {}
        }
    }
    for (name, document) in &attachments.documents {
        let plain = document.format.chars().all(|c| c.is_ascii_alphanumeric()) && !document.format.is_empty();
        if kind_of(name) != Some(Kind::Document) || !plain {
            return Err(BuildError::NotAFile(name.clone()));
        }
    }
    for name in attachments.biometrics.keys() {
        if kind_of(name) != Some(Kind::Biometrics) {
            return Err(BuildError::NotAFile(name.clone()));
        }
    }
    Ok(())
}
