//! Structured mode, written.

use serde::Serialize;
use serde_json::value::RawValue;

/// A structured CloudEvent, as written.
#[derive(Serialize)]
pub(crate) struct Structured<'a> {
    pub(crate) specversion: &'a str,
    pub(crate) id: &'a str,
    pub(crate) source: &'a str,
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<&'a str>,
    pub(crate) datacontenttype: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) traceparent: Option<&'a str>,
    pub(crate) data: &'a RawValue,
}
