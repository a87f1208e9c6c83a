//! `event.actions.*.accept`.
//!
//! Idempotent per action id; its 500s may come after the commit.

use super::action::{Actor, Declaration, Status};
use super::authorise;
use super::core::Core;
use super::store::Insert;
use super::tokens::Claims;
use super::trpc::{Code, Outcome, TrpcError};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    event_id: Uuid,
    action_id: Uuid,
    transaction_id: String,
    #[serde(default)]
    keep_assignment: bool,
    #[serde(default)]
    declaration: Option<Declaration>,
    #[serde(default)]
    annotation: Option<Declaration>,
    #[serde(default)]
    registration_number: Option<String>,
    #[serde(default)]
    request_id: Option<Uuid>,
    #[serde(default)]
    content: Option<Value>,
    #[serde(default)]
    custom_action_type: Option<String>,
}

pub(crate) async fn accept(core: &Core, claims: &Claims, kind: &str, input: Value) -> Outcome {
    let input: Input = serde_json::from_value(input)
        .map_err(|error| TrpcError::new(Code::BadRequest, &format!("Input validation failed: {error}")))?;
    require(kind, &input)?;
    authorise::confirm(core, claims, kind, input.event_id, input.action_id)?;
    if let Some(settled) = settled(core, kind, &input)? {
        return Ok(settled);
    }
    // Core reads, then inserts, without a lock: what happens here is the caller's luck.
    let gap = core.dice.draw(core.options.accept_gap);
    if gap > Duration::ZERO {
        core.pace.pass(gap).await;
    }
    commit(core, claims, kind, &input)
}

fn require(kind: &str, input: &Input) -> Result<(), TrpcError> {
    let missing = match kind {
        "REGISTER" if input.registration_number.is_none() => Some("registrationNumber"),
        "APPROVE_CORRECTION" | "REJECT_CORRECTION" if input.request_id.is_none() => Some("requestId"),
        "CUSTOM" if input.custom_action_type.is_none() => Some("customActionType"),
        "REJECT" | "ARCHIVE" | "REJECT_CORRECTION" if input.content.is_none() => Some("content"),
        _ => None,
    };
    missing.map_or(Ok(()), |field| {
        Err(TrpcError::new(Code::BadRequest, &format!("Input validation failed: {field} is required")))
    })
}

/// The answer if there is nothing to insert.
fn settled(core: &Core, kind: &str, input: &Input) -> Result<Option<Value>, TrpcError> {
    let rows = core.store.rows();
    let record = rows.records.get(&input.event_id).ok_or_else(|| {
        TrpcError::new(Code::NotFound, &format!("Event not found with ID: {}", input.event_id))
    })?;
    let asked = record.find(input.action_id).filter(|action| action.kind == kind);
    let Some(asked) = asked else { return Err(TrpcError::new(Code::NotFound, "Action not found.")) };
    let status = if asked.status == Status::Requested {
        record.answer(asked.id).map(|answer| answer.status)
    } else {
        Some(asked.status)
    };
    match status {
        Some(Status::Rejected) => Err(TrpcError::new(Code::BadRequest, "Action has already been rejected.")),
        Some(_) => Ok(rows.json(input.event_id)),
        None => Ok(None),
    }
}

fn commit(core: &Core, claims: &Claims, kind: &str, input: &Input) -> Outcome {
    let actor = Actor::from(claims);
    let at = core.pace.iso();
    let mut action = actor.sign(core.uuid(), kind, Status::Accepted, &input.transaction_id, &at);
    action.original_action_id = Some(input.action_id);
    action.declaration = input.declaration.clone().unwrap_or_default();
    action.annotation.clone_from(&input.annotation);
    action.registration_number.clone_from(&input.registration_number);
    action.request_id = input.request_id;
    action.content.clone_from(&input.content);
    action.custom_action_type.clone_from(&input.custom_action_type);
    let searchable = core.searchable_at();
    let unassign = actor.sign(core.uuid(), "UNASSIGN", Status::Accepted, &input.transaction_id, &at);
    let mut rows = core.store.rows();
    match rows.append(input.event_id, action) {
        Insert::Done | Insert::Dropped => {}
        refused => return Err(TrpcError::internal(&format!("insert: {refused:?}"))),
    }
    // A person's token gives the record back; a client's leaves it with the registrar.
    if !claims.system && !input.keep_assignment {
        rows.append(input.event_id, unassign);
    }
    rows.index(input.event_id, searchable)
        .map_err(|_| TrpcError::internal("search encoding failed; the action is committed"))?;
    rows.json(input.event_id).ok_or_else(|| TrpcError::internal("record vanished"))
}
