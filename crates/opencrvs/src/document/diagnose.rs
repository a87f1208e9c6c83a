//! The second reading of bytes that did not parse: unwraps `{"event": …}`, or says where and why.
//!
//! serde's own messages quote the offending value, which here may be a person's name; so the reasons are found again
//! by walking the JSON, and name places only.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{DocumentError, EventDocument, Stamp};
use crate::Map;

type Found = Result<(), DocumentError>;
type Check = fn(&Value) -> bool;

const UUID: (Check, &str) = (|v| v.as_str().is_some_and(|s| s.parse::<Uuid>().is_ok()), "a UUID");
const TEXT: (Check, &str) = (Value::is_string, "a string");
const OBJECT: (Check, &str) = (Value::is_object, "an object");
const INSTANT: (Check, &str) =
    (|v| v.as_str().is_some_and(|s| s.parse::<Stamp>().is_ok()), "an ISO 8601 instant with its offset");
const STATUS: (Check, &str) = (
    |v| matches!(v.as_str(), Some("Requested" | "Accepted" | "Rejected")),
    "`Requested`, `Accepted` or `Rejected`",
);

const EVENT: [(&str, (Check, &str)); 5] =
    [("id", UUID), ("type", TEXT), ("trackingId", TEXT), ("createdAt", INSTANT), ("updatedAt", INSTANT)];
const ACTION: [(&str, (Check, &str)); 4] =
    [("id", UUID), ("type", TEXT), ("status", STATUS), ("createdAt", INSTANT)];
const ACTION_OPTIONAL: [(&str, (Check, &str)); 13] = [
    ("declaration", OBJECT),
    ("annotation", OBJECT),
    ("content", OBJECT),
    ("originalActionId", UUID),
    ("requestId", UUID),
    ("registrationNumber", TEXT),
    ("customActionType", TEXT),
    ("transactionId", TEXT),
    ("createdBy", TEXT),
    ("createdByUserType", TEXT),
    ("createdByRole", TEXT),
    ("createdAtLocation", TEXT),
    ("assignedTo", TEXT),
];

/// Reads once more what [`EventDocument::parse`] could not.
pub(super) fn second_reading(bytes: &[u8]) -> Result<EventDocument, DocumentError> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| DocumentError::NotUtf8 { offset: error.valid_up_to() })?;
    let mut value: Value = serde_json::from_str(text)
        .map_err(|error| DocumentError::NotJson { line: error.line(), column: error.column() })?;
    let wrapped = value.get("actions").is_none() && value.get("event").is_some();
    if wrapped {
        value = value["event"].take();
        if let Ok(document) = EventDocument::deserialize(&value) {
            return Ok(document);
        }
    }
    event(&value, if wrapped { "event." } else { "" })?;
    // Every value is of its shape and yet the reader refused: a key of ours occurs twice.
    let (line, column) =
        serde_json::from_str::<EventDocument>(text).map_or_else(|e| (e.line(), e.column()), |_| (1, 0));
    Err(DocumentError::Twice { line, column })
}

fn event(value: &Value, at: &str) -> Found {
    let Some(event) = value.as_object() else {
        let path = if at.is_empty() { "$" } else { at.trim_end_matches('.') };
        return Err(DocumentError::Wrong { path: path.to_owned(), expected: OBJECT.1 });
    };
    for (key, check) in EVENT {
        required(event, at, key, check)?;
    }
    required(event, at, "actions", (Value::is_array, "an array"))?;
    for (index, action) in event["actions"].as_array().into_iter().flatten().enumerate() {
        let at = format!("{at}actions[{index}]");
        let Some(fields) = action.as_object() else {
            return Err(DocumentError::Wrong { path: at, expected: OBJECT.1 });
        };
        let at = format!("{at}.");
        for (key, check) in ACTION {
            required(fields, &at, key, check)?;
        }
        for (key, check) in ACTION_OPTIONAL {
            if fields.get(key).is_some_and(|value| !value.is_null()) {
                required(fields, &at, key, check)?;
            }
        }
    }
    Ok(())
}

fn required(object: &Map, at: &str, key: &str, (check, expected): (Check, &'static str)) -> Found {
    let path = || format!("{at}{key}");
    match object.get(key) {
        None | Some(Value::Null) => Err(DocumentError::Missing { path: path() }),
        Some(value) if check(value) => Ok(()),
        Some(_) => Err(DocumentError::Wrong { path: path(), expected }),
    }
}
