//! `event.get`: reading leaves a trace. Each call appends a READ action and
//! re-indexes the record, which repairs a stale search entry.

use super::action::{Actor, Status};
use super::authorise;
use super::core::Core;
use super::tokens::Claims;
use super::trpc::{Code, Outcome, TrpcError};
use serde_json::Value;
use uuid::Uuid;

pub(crate) fn get(core: &Core, claims: &Claims, input: &Value) -> Outcome {
    let event: Uuid = input
        .get("eventId")
        .or(Some(input))
        .and_then(|id| id.as_str()?.parse().ok())
        .ok_or_else(|| TrpcError::new(Code::BadRequest, "Input validation failed: eventId"))?;
    authorise::read(core, claims, event)?;
    let read = Actor::from(claims).sign(
        core.uuid(),
        "READ",
        Status::Accepted,
        &core.uuid().to_string(),
        &core.pace.iso(),
    );
    let searchable = core.searchable_at();
    let mut rows = core.store.rows();
    if !rows.records.contains_key(&event) {
        return Err(TrpcError::new(Code::NotFound, &format!("Event not found with ID: {event}")));
    }
    rows.append(event, read);
    rows.tally.reads += 1;
    rows.index(event, searchable).map_err(|_| TrpcError::internal("search encoding failed"))?;
    rows.json(event).ok_or_else(|| TrpcError::internal("record vanished"))
}
