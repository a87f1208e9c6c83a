//! `event.actions.*.reject`: no reason, and no constraint met for corrections.

use super::action::{Actor, Status};
use super::authorise;
use super::core::Core;
use super::store::Insert;
use super::tokens::Claims;
use super::trpc::{Code, Outcome, TrpcError};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    event_id: Uuid,
    action_id: Uuid,
    transaction_id: String,
    #[serde(default)]
    keep_assignment: bool,
}

pub(crate) fn reject(core: &Core, claims: &Claims, kind: &str, input: Value) -> Outcome {
    let input: Input = serde_json::from_value(input)
        .map_err(|error| TrpcError::new(Code::BadRequest, &format!("Input validation failed: {error}")))?;
    authorise::confirm(core, claims, kind, input.event_id, input.action_id)?;
    let actor = Actor::from(claims);
    let at = core.pace.iso();
    let mut action = actor.sign(core.uuid(), kind, Status::Rejected, &input.transaction_id, &at);
    action.original_action_id = Some(input.action_id);
    let unassign = actor.sign(core.uuid(), "UNASSIGN", Status::Accepted, &input.transaction_id, &at);
    let searchable = core.searchable_at();
    let mut rows = core.store.rows();
    let record =
        rows.records.get(&input.event_id).ok_or_else(|| TrpcError::internal("reject: no such event"))?;
    if record.find(input.action_id).is_none_or(|asked| asked.kind != kind) {
        return Err(TrpcError::internal("reject: Action not found."));
    }
    match record.answer(input.action_id).map(|answer| answer.status) {
        Some(Status::Rejected) => {
            return rows.json(input.event_id).ok_or_else(|| TrpcError::internal("record vanished"));
        }
        Some(_) => return Err(TrpcError::internal("reject: Action has already been accepted.")),
        None => {}
    }
    match rows.append(input.event_id, action) {
        Insert::Done | Insert::Dropped => {}
        refused => return Err(TrpcError::internal(&format!("insert: {refused:?}"))),
    }
    // Unlike accept, whoever the bearer is.
    if !input.keep_assignment {
        rows.append(input.event_id, unassign);
    }
    rows.index(input.event_id, searchable).map_err(|_| TrpcError::internal("search encoding failed"))?;
    rows.json(input.event_id).ok_or_else(|| TrpcError::internal("record vanished"))
}
