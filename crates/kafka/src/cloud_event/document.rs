//! The one thing that the transport looks for in a document: whose it is.

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{EventError, uuid};

/// The document, or `{"event": <document>}` as the trigger endpoint also receives it. The rest is only checked
/// to be JSON.
#[derive(Deserialize)]
struct Probe<'a> {
    id: Option<String>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
}

/// The record's id. Errors carry positions, never content.
pub(super) fn event_id(document: &[u8]) -> Result<Uuid, EventError> {
    let text = std::str::from_utf8(document).map_err(|_| EventError::NotUtf8)?;
    let outer = probe(text)?;
    // A document of its own wins over a member that happens to be called "event".
    let id = match (outer.id, outer.event) {
        (None, Some(inner)) => probe(inner.get())?.id,
        (id, _) => id,
    };
    id.as_deref().and_then(uuid).ok_or(EventError::NotADocument)
}

fn probe(text: &str) -> Result<Probe<'_>, EventError> {
    let probe: Probe<'_> = serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => EventError::NotADocument,
        _ => EventError::NotJson { line: error.line(), column: error.column() },
    })?;
    // The derived reader would take an array as well, member by member.
    if text.trim_start().starts_with('{') { Ok(probe) } else { Err(EventError::NotADocument) }
}
