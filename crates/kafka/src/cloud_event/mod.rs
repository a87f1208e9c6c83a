//! CloudEvents 1.0 in the Kafka protocol binding: what OpenCRVS events look like on the wire.
//!
//! | | binary | structured |
//! |---|---|---|
//! | attributes | headers `ce_specversion`, `ce_id`, `ce_source`, `ce_type`, `ce_time` | members of the JSON value |
//! | content type of the data | header `content-type` | `datacontenttype` |
//! | data | the value | `data`, or `data_base64` |
//! | how it is told apart | `ce_specversion` is there | `content-type: application/cloudevents+json` |
//!
//! In both: `type` is [`ACTION_REQUESTED`], `id` is the action's id, the message key is the record's id, and the
//! data is the event document, or a compact JWE of it when the content type is `application/jose` or the
//! extension attribute [`ENCRYPTION`] says `jwe`.
//!
//! Reading never looks into the document further than its `id`: what it means is the engine's business.

mod binary;
mod document;
mod structured;
mod write;

use std::sync::Arc;

use jiff::Timestamp;
use rdkafka::message::{Headers, Message};
use uuid::Uuid;

use crate::ingest::{Incoming, Origin};
use crate::jwe::{self, Decrypter, DecryptionError};
use crate::trace_context;
pub(crate) use write::Structured;

/// The `type` of the events that we read.
pub const ACTION_REQUESTED: &str = "org.opencrvs.action.requested";
/// What the `type` of an audit record begins with; its kind follows.
pub const AUDIT_PREFIX: &str = "org.civitas.audit.";
/// Extension attribute that says how the data is encrypted; `jwe` is the only value.
pub const ENCRYPTION: &str = "dataencryption";

pub(crate) const SPEC_VERSION: &str = "1.0";
pub(crate) const CONTENT_TYPE: &str = "content-type";
pub(crate) const STRUCTURED: &str = "application/cloudevents+json";
pub(crate) const JSON: &str = "application/json";

/// How a CloudEvent is laid out in a Kafka message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Attributes in headers, the data as it is.
    #[default]
    Binary,
    /// One JSON object.
    Structured,
}

/// Why a message is not an event for us. None of these gets better by trying again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Neither binary nor structured.
    #[error(
        "the message is not a CloudEvent: it has neither a ce_specversion header nor the content type application/cloudevents+json"
    )]
    NotACloudEvent,
    /// A header or member is missing.
    #[error("the CloudEvent has no attribute '{0}'")]
    Missing(&'static str),
    /// A header or member is there twice.
    #[error("the CloudEvent has the attribute '{0}' twice")]
    Duplicate(&'static str),
    /// An attribute that cannot be what it should be.
    #[error("the CloudEvent's attribute '{attribute}' must be {expected}")]
    Attribute {
        /// Its name.
        attribute: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A CloudEvent of another type.
    #[error("the CloudEvent's type is not org.opencrvs.action.requested")]
    Type,
    /// The structured envelope is not one.
    #[error("the structured CloudEvent is not valid JSON of that form (line {line}, column {column})")]
    Envelope {
        /// Line of the value, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The content type of the data is neither JSON nor JOSE.
    #[error("the content type of the data is neither application/json nor application/jose")]
    ContentType,
    /// No data.
    #[error("the CloudEvent has no data")]
    NoData,
    /// The data is not UTF-8.
    #[error("the event document is not UTF-8")]
    NotUtf8,
    /// The data is not JSON.
    #[error("the event document is not valid JSON (line {line}, column {column})")]
    NotJson {
        /// Line of the document, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The data is JSON and not an event document.
    #[error("the event document must be an object whose 'id' is a UUID")]
    NotADocument,
    /// The data is encrypted and does not open.
    #[error(transparent)]
    Decryption(#[from] DecryptionError),
    /// The data is not encrypted and must be.
    #[error("the event document is not encrypted, and payload_encryption.required is set")]
    NotEncrypted,
    /// The key is not the record's id, so the order of the record's events is not kept.
    #[error("the message key is not the id of the event document")]
    Key,
}

impl EventError {
    /// Short stable name, for the dead letter and for metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotACloudEvent
            | Self::Missing(_)
            | Self::Duplicate(_)
            | Self::Attribute { .. }
            | Self::Envelope { .. }
            | Self::ContentType
            | Self::NoData => "bad-cloud-event",
            Self::Type => "unexpected-type",
            Self::NotUtf8 | Self::NotJson { .. } | Self::NotADocument => "bad-document",
            Self::Decryption(_) => "cannot-decrypt",
            Self::NotEncrypted => "not-encrypted",
            Self::Key => "key-mismatch",
        }
    }
}

/// How documents are to be opened.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    pub(crate) decrypter: Option<Decrypter>,
    pub(crate) required: bool,
}

/// The envelope, whichever way it came.
struct Envelope<'a> {
    id: &'a str,
    time: Option<&'a str>,
    traceparent: Option<&'a str>,
    data: Data<'a>,
}

enum Data<'a> {
    Plain(std::borrow::Cow<'a, [u8]>),
    Jwe(std::borrow::Cow<'a, [u8]>),
}

/// Reads one message.
pub(crate) fn read<M: Message>(
    message: &M,
    topic: &Arc<str>,
    opening: &Opening,
) -> Result<Incoming, EventError> {
    let headers = Attributes::read(message);
    let content_type = headers.get(CONTENT_TYPE)?;
    let structured;
    let envelope = match content_type.map(media_type) {
        Some(kind) if kind.eq_ignore_ascii_case(STRUCTURED) => {
            structured = structured::Structured::parse(message.payload().ok_or(EventError::NoData)?)?;
            structured.envelope()?
        }
        kind => binary::envelope(&headers, kind, message.payload())?,
    };
    let action_id = uuid(envelope.id)
        .ok_or(EventError::Attribute { attribute: "id", expected: "the action's id, a UUID" })?;
    let time = match envelope.time {
        None => None,
        Some(text) => Some(
            text.parse::<Timestamp>()
                .map_err(|_| EventError::Attribute { attribute: "time", expected: "an RFC 3339 instant" })?,
        ),
    };
    let traceparent = [headers.get(trace_context::TRACEPARENT).ok().flatten(), envelope.traceparent]
        .into_iter()
        .flatten()
        .find_map(trace_context::accept);
    let document = match envelope.data {
        Data::Jwe(compact) => {
            opening.decrypter.as_ref().ok_or(DecryptionError::NotConfigured)?.open(&compact)?
        }
        Data::Plain(_) if opening.required => return Err(EventError::NotEncrypted),
        Data::Plain(bytes) => bytes.into_owned(),
    };
    let event_id = document::event_id(&document)?;
    let key = message.key().and_then(|key| std::str::from_utf8(key).ok()).and_then(uuid);
    if key != Some(event_id) {
        return Err(EventError::Key);
    }
    Ok(Incoming {
        event_id,
        action_id,
        document: document.into(),
        time,
        traceparent,
        origin: Origin { topic: Arc::clone(topic), partition: message.partition(), offset: message.offset() },
    })
}

/// A UUID in its hyphenated form only: braces, URNs and bare digits would make two spellings of one key.
fn uuid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}

/// The media type without its parameters.
fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// The attributes that envelopes of both encodings must have, and what is checked on them.
fn check(version: &str, id: &str, source: &str, kind: &str) -> Result<(), EventError> {
    if version != SPEC_VERSION {
        return Err(EventError::Attribute { attribute: "specversion", expected: "1.0" });
    }
    for (attribute, value) in [("id", id), ("source", source)] {
        if value.is_empty() {
            return Err(EventError::Attribute { attribute, expected: "not empty" });
        }
    }
    if kind == ACTION_REQUESTED { Ok(()) } else { Err(EventError::Type) }
}

/// The headers that matter, each at most once, as text.
struct Attributes<'a>([Option<Found<'a>>; 9]);

#[derive(Clone, Copy)]
enum Found<'a> {
    Text(&'a str),
    NotText,
    Twice,
}

impl<'a> Attributes<'a> {
    const NAMES: [&'static str; 9] = [
        CONTENT_TYPE,
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_dataencryption",
        "ce_traceparent",
        trace_context::TRACEPARENT,
    ];

    fn read<M: Message>(message: &'a M) -> Self {
        let mut found = [None; 9];
        for header in message.headers().into_iter().flat_map(Headers::iter) {
            let Some(slot) = Self::NAMES.iter().position(|name| header.key.eq_ignore_ascii_case(name)) else {
                continue;
            };
            found[slot] = Some(match (found[slot], header.value.map(std::str::from_utf8)) {
                (Some(_), _) => Found::Twice,
                (None, Some(Ok(text))) => Found::Text(text),
                (None, _) => Found::NotText,
            });
        }
        Self(found)
    }

    fn get(&self, name: &'static str) -> Result<Option<&'a str>, EventError> {
        let slot = Self::NAMES.iter().position(|known| *known == name);
        match slot.and_then(|slot| self.0[slot]) {
            None => Ok(None),
            Some(Found::Text(text)) => Ok(Some(text)),
            Some(Found::NotText) => Err(EventError::Attribute { attribute: name, expected: "UTF-8 text" }),
            Some(Found::Twice) => Err(EventError::Duplicate(name)),
        }
    }
}

/// Which of the two the data is, by content type and extension.
fn is_jwe(content_type: Option<&str>, encryption: Option<&str>) -> Result<bool, EventError> {
    match encryption {
        Some("jwe") => return Ok(true),
        Some(_) => return Err(EventError::Attribute { attribute: ENCRYPTION, expected: "jwe" }),
        None => {}
    }
    match content_type.map(str::to_ascii_lowercase) {
        None => Ok(false),
        Some(kind) if kind == jwe::CONTENT_TYPE => Ok(true),
        Some(kind) if kind == JSON || kind == "text/json" || kind.ends_with("+json") => Ok(false),
        Some(_) => Err(EventError::ContentType),
    }
}

#[cfg(test)]
mod tests;
