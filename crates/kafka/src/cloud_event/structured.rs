//! Structured mode: one JSON object with attributes and data. Unknown extension attributes are allowed.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Data, Envelope, EventError, check, is_jwe, media_type};

#[derive(Deserialize)]
pub(super) struct Structured<'a> {
    #[serde(borrow)]
    specversion: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    datacontenttype: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dataencryption: Option<Cow<'a, str>>,
    #[serde(borrow)]
    traceparent: Option<Cow<'a, str>>,
    /// Kept as it is: the engine gets the document's own bytes.
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    data_base64: Option<Cow<'a, str>>,
}

impl<'a> Structured<'a> {
    pub(super) fn parse(value: &'a [u8]) -> Result<Self, EventError> {
        // The derived reader would take an array as well, member by member.
        if !value.trim_ascii_start().starts_with(b"{") {
            return Err(EventError::Envelope { line: 1, column: 1 });
        }
        serde_json::from_slice(value)
            .map_err(|error| EventError::Envelope { line: error.line(), column: error.column() })
    }

    pub(super) fn envelope(&self) -> Result<Envelope<'_>, EventError> {
        let required = |value, name| Option::<&str>::ok_or(value, EventError::Missing(name));
        let id = required(self.id.as_deref(), "id")?;
        check(
            required(self.specversion.as_deref(), "specversion")?,
            id,
            required(self.source.as_deref(), "source")?,
            required(self.kind.as_deref(), "type")?,
        )?;
        let jwe = is_jwe(self.datacontenttype.as_deref().map(media_type), self.dataencryption.as_deref())?;
        let data = match (self.data, self.data_base64.as_deref()) {
            (Some(_), Some(_)) => return Err(EventError::Duplicate("data")),
            (None, None) => return Err(EventError::NoData),
            (None, Some(text)) => Cow::Owned(
                STANDARD
                    .decode(text)
                    .map_err(|_| EventError::Attribute { attribute: "data_base64", expected: "base64" })?,
            ),
            // A JWE is text, so in JSON it is a string.
            (Some(raw), None) if jwe => {
                let text: String = serde_json::from_str(raw.get()).map_err(|_| EventError::Attribute {
                    attribute: "data",
                    expected: "a string that holds the JWE",
                })?;
                Cow::Owned(text.into_bytes())
            }
            (Some(raw), None) => Cow::Borrowed(raw.get().as_bytes()),
        };
        Ok(Envelope {
            id,
            time: self.time.as_deref(),
            traceparent: self.traceparent.as_deref(),
            data: if jwe { Data::Jwe(data) } else { Data::Plain(data) },
        })
    }
}
