//! `/api/v1`: the queue and the records, for people and programs with an operator's token.

pub(crate) mod act;
pub(crate) mod described;
pub(crate) mod openapi;
pub(crate) mod overview;
pub(crate) mod pack;
pub(crate) mod queue;
pub(crate) mod record;

use civitas_engine::queue::QueueError;
use http::StatusCode;

use crate::reply::{Refusal, chain};

/// The journal could not be read.
pub(crate) fn unreadable(error: &QueueError) -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "journal_unavailable",
        chain(error),
        "try again; see `civitas doctor` if it lasts",
    )
}

/// Nothing has this id.
pub(crate) fn unknown(record: &str) -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "record_unknown",
        format!("no record has the event id, tracking id or AID `{}`", record.escape_debug()),
        "name it by event id, tracking id or AID; `civitas queue list` shows those that wait",
    )
}
