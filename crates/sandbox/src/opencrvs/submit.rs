//! A registrar's click, as core carries it out: availability, the Requested
//! row, the token, one POST to the country config, and what its status code
//! means. There is no retry; that is the point.

use super::TriggerLoss;
use super::action::{Actor, Declaration, Status, StoredAction};
use super::core::Core;
use super::procedure;
use super::record;
use super::store::Insert;
use super::tokens::Claims;
use crate::entropy::lock;
use crate::options::{Handed, Regime, Trigger};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What is clicked.
#[derive(Debug, Clone, Default)]
pub struct Submission {
    /// `DECLARE`, `REGISTER`, `REQUEST_CORRECTION`, …
    pub kind: String,
    /// The browser outbox's key: the same on its retries. Absent: a new one.
    pub transaction_id: Option<String>,
    /// What the action changes.
    pub declaration: Declaration,
    /// The action's own form.
    pub annotation: Option<Declaration>,
    /// For APPROVE_CORRECTION and REJECT_CORRECTION. Absent: the Accepted request.
    pub request_id: Option<Uuid>,
    /// Reason, comment, `immediateCorrection`.
    pub content: Option<Value>,
    /// For CUSTOM.
    pub custom_action_type: Option<String>,
    /// Whether the record stays assigned.
    pub keep_assignment: bool,
    /// The office of a client, which has none of its own.
    pub location: Option<String>,
}

impl Submission {
    /// A click without a form.
    pub fn new(kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..Self::default() }
    }

    /// With the fields it changes.
    #[must_use]
    pub fn with(mut self, declaration: Declaration) -> Self {
        self.declaration = declaration;
        self
    }
}

/// How a click ended for the registrar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clicked {
    /// 200: in effect.
    Accepted,
    /// 202: waiting for external validation.
    Awaiting,
    /// 400: refused.
    Rejected,
    /// Any other reply, a bad body or no reply: the registrar sees a 500 and
    /// the Requested action stays for good.
    Frozen {
        /// The reply's status, if there was a reply.
        status: Option<u16>,
    },
    /// The same transaction again: 200 with the record, nobody called.
    Repeated,
    /// 409: another action is pending, or the status does not allow it.
    Conflict {
        /// The flag or status in the way.
        because: String,
    },
    /// No such record, or nothing to approve.
    Unknown,
}

/// The result of a click.
#[derive(Debug, Clone)]
pub struct Click {
    /// How it ended.
    pub outcome: Clicked,
    /// The Requested action, if one was inserted or found.
    pub action_id: Option<Uuid>,
    /// Time the country config took.
    pub took: Duration,
}

impl Click {
    fn nobody_called(outcome: Clicked, action_id: Option<Uuid>) -> Self {
        Self { outcome, action_id, took: Duration::ZERO }
    }
}

/// A Requested action that is about to be sent.
struct Pending {
    event: Uuid,
    action: Uuid,
    event_type: String,
    kind: String,
    transaction: String,
    body: Vec<u8>,
    actions: usize,
    keep_assignment: bool,
}

pub(crate) async fn submit(core: &Arc<Core>, event: Uuid, submission: Submission) -> Click {
    submit_as(core, core.registrar(), event, submission).await
}

/// The same by whoever holds a token.
pub(crate) async fn submit_as(
    core: &Arc<Core>,
    registrar: Claims,
    event: Uuid,
    submission: Submission,
) -> Click {
    if !procedure::is_confirmable(&submission.kind) {
        return unasked(core, &registrar, event, submission);
    }
    let pending = match request(core, &registrar, event, submission) {
        Ok(pending) => pending,
        Err(click) => return *click,
    };
    let Some(token) = token(core, &registrar, &pending).await else {
        return Click::nobody_called(Clicked::Frozen { status: None }, Some(pending.action));
    };
    // Wall time of the call, for the ledger only.
    let began = Instant::now();
    let (status, body) = send(core, &pending, &token).await;
    let took = began.elapsed();
    let outcome = conclude(core, &registrar, &pending, status, &body, took);
    Click { outcome, action_id: Some(pending.action), took }
}

/// READ, ASSIGN, MARK_AS_DUPLICATE, …: in effect at once, nobody is asked.
fn unasked(core: &Core, registrar: &Claims, event: Uuid, what: Submission) -> Click {
    let actor = Actor::from(registrar);
    let transaction = what.transaction_id.unwrap_or_else(|| core.uuid().to_string());
    let mut action = actor.sign(core.uuid(), &what.kind, Status::Accepted, &transaction, &core.pace.iso());
    action.content = what.content;
    if what.kind == "ASSIGN" {
        action.assigned_to = Some(actor.id);
    }
    let (id, searchable) = (action.id, core.searchable_at());
    let mut rows = core.store.rows();
    let outcome = match rows.append(event, action) {
        Insert::Done => Clicked::Accepted,
        Insert::Dropped => Clicked::Repeated,
        _ => Clicked::Unknown,
    };
    // Encoding a corrupt record fails; the action is in effect all the same.
    let _ = rows.index(event, searchable);
    Click::nobody_called(outcome, Some(id))
}

/// Checks availability and inserts the Requested action.
fn request(
    core: &Core,
    registrar: &Claims,
    event: Uuid,
    mut what: Submission,
) -> Result<Pending, Box<Click>> {
    let stop = |outcome, action| Err(Box::new(Click::nobody_called(outcome, action)));
    let actor = Actor::from(registrar);
    let transaction = what.transaction_id.take().unwrap_or_else(|| core.uuid().to_string());
    let id = core.uuid();
    let at = core.pace.iso();
    let mut rows = core.store.rows();
    let Some(record) = rows.records.get(&event) else { return stop(Clicked::Unknown, None) };
    let earlier = record
        .document
        .actions
        .iter()
        .find(|action| action.transaction_id == transaction && action.kind == what.kind)
        .map(|action| action.id);
    let repeat = rows.seen(&transaction, &what.kind, Status::Requested) && earlier.is_some();
    if repeat && what.kind != "DECLARE" && what.kind != "CUSTOM" {
        return stop(Clicked::Repeated, earlier);
    }
    if let (true, "CUSTOM", Some(action)) = (repeat, what.kind.as_str(), earlier)
        && record.answer(action).is_some()
    {
        return stop(Clicked::Repeated, Some(action));
    }
    if let (true, "DECLARE", Some(action)) = (repeat, what.kind.as_str(), earlier) {
        if record.answer(action).is_some() {
            return stop(Clicked::Repeated, Some(action));
        }
        return pending(record, event, action, transaction, what.keep_assignment)
            .map_or_else(|| stop(Clicked::Unknown, None), Ok);
    }
    if let Some(because) = record::unavailable(&record.document.actions, &what.kind) {
        return stop(Clicked::Conflict { because }, None);
    }
    if record.corrupt && matches!(what.kind.as_str(), "DECLARE" | "EDIT" | "REGISTER" | "REQUEST_CORRECTION")
    {
        return stop(Clicked::Frozen { status: Some(500) }, None);
    }
    let mut action = actor.sign(id, &what.kind, Status::Requested, &transaction, &at);
    if matches!(what.kind.as_str(), "APPROVE_CORRECTION" | "REJECT_CORRECTION") {
        action.request_id = what.request_id.or_else(|| open_request(&record.document.actions));
    }
    action.declaration = what.declaration;
    action.annotation = what.annotation.or_else(|| Some(Declaration::new()));
    action.content = what.content;
    action.custom_action_type = what.custom_action_type;
    if actor.system {
        action.created_at_location = what.location;
    }
    if rows.append(event, action) != Insert::Done {
        return stop(Clicked::Frozen { status: Some(500) }, None);
    }
    rows.records
        .get(&event)
        .and_then(|record| pending(record, event, id, transaction, what.keep_assignment))
        .map_or_else(|| stop(Clicked::Unknown, None), Ok)
}

/// The latest Accepted REQUEST_CORRECTION.
fn open_request(actions: &[StoredAction]) -> Option<Uuid> {
    let accepted =
        |action: &&StoredAction| action.kind == "REQUEST_CORRECTION" && action.status == Status::Accepted;
    actions.iter().rev().find(accepted).map(|action| action.id)
}

fn pending(
    record: &record::Record,
    event: Uuid,
    action: Uuid,
    transaction: String,
    keep: bool,
) -> Option<Pending> {
    Some(Pending {
        event,
        action,
        event_type: record.document.kind.clone(),
        kind: record.find(action)?.kind.clone(),
        transaction,
        body: serde_json::to_vec(&record.document).ok()?,
        actions: record.document.actions.len(),
        keep_assignment: keep,
    })
}

/// The bearer of the trigger: RSA, so off the async workers.
async fn token(core: &Arc<Core>, registrar: &Claims, pending: &Pending) -> Option<String> {
    if matches!(core.options.trigger, Trigger::Hand(_)) {
        return Some(String::new());
    }
    trigger_token(core, registrar, pending.event, pending.action).await
}

/// The bearer of a trigger about one action.
pub(crate) async fn trigger_token(
    core: &Arc<Core>,
    registrar: &Claims,
    event: Uuid,
    action: Uuid,
) -> Option<String> {
    let (core, registrar) = (Arc::clone(core), registrar.clone());
    let minted = tokio::task::spawn_blocking(move || {
        let (now, life) = (core.now(), core.options.confirmation_token_life);
        match core.tokens.regime {
            Regime::V2_1 if !core.options.record_claims_in_2_1 => core.tokens.registrar(&registrar, now),
            _ => core.tokens.confirmation(&registrar, event, action, now, life, true),
        }
    });
    minted.await.ok()?.ok()
}

async fn send(core: &Core, pending: &Pending, token: &str) -> (Option<u16>, Vec<u8>) {
    if let Trigger::Hand(sender) = &core.options.trigger {
        let handed = Handed {
            event_id: pending.event,
            action_id: pending.action,
            action_type: pending.kind.clone(),
            body: pending.body.clone(),
        };
        return (sender.send(handed).ok().map(|()| 202), Vec::new());
    }
    let loss = *lock(&core.trigger_loss);
    match loss {
        TriggerLoss::None | TriggerLoss::Reply => {}
        TriggerLoss::Request => return (None, Vec::new()),
        TriggerLoss::Answered(status) => return (Some(status), Vec::new()),
    }
    let Some(base) = core.country_config() else { return (None, Vec::new()) };
    let url = format!(
        "{}/trigger/events/{}/actions/{}",
        base.trim_end_matches('/'),
        pending.event_type,
        pending.kind
    );
    let sent = core
        .http
        .post(url)
        .timeout(core.options.trigger_timeout)
        .bearer_auth(token)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(pending.body.clone())
        .send()
        .await;
    let Ok(reply) = sent else { return (None, Vec::new()) };
    let status = reply.status().as_u16();
    let body = reply.bytes().await;
    core.keep(|| super::Exchange {
        call: format!("trigger {}", pending.kind),
        sent: serde_json::from_slice(&pending.body).unwrap_or_default(),
        status: Some(status),
        answered: body.as_ref().ok().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default(),
    });
    if loss == TriggerLoss::Reply {
        return (None, Vec::new());
    }
    match body {
        Ok(body) => (Some(status), body.to_vec()),
        Err(_) => (None, Vec::new()),
    }
}

/// Acts on the reply: 200, 202 and 400 mean something, the rest freezes.
fn conclude(
    core: &Core,
    registrar: &Claims,
    pending: &Pending,
    status: Option<u16>,
    body: &[u8],
    took: Duration,
) -> Clicked {
    let said = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    let searchable = core.searchable_at();
    let mut rows = core.store.rows();
    rows.tally.reply(&pending.kind, &said, took);
    drop(rows);
    match status {
        Some(200) => match accepted(core, registrar, pending, body) {
            Some(action) => finish(core, registrar, pending, action, Clicked::Accepted),
            None => Clicked::Frozen { status },
        },
        Some(202) => {
            // Core's copy of before the reply, without a version check: what an
            // accept wrote in between is overwritten in the index.
            let mut rows = core.store.rows();
            if let Some(record) = rows.records.get_mut(&pending.event) {
                record.index(pending.actions, searchable);
            }
            Clicked::Awaiting
        }
        Some(400) => {
            let actor = Actor::from(registrar);
            let at = core.pace.iso();
            let mut action =
                actor.sign(core.uuid(), &pending.kind, Status::Rejected, &pending.transaction, &at);
            action.original_action_id = Some(pending.action);
            // Stored with the request's own columns, unlike the asynchronous reject.
            copy_required(core, pending, &mut action);
            finish(core, registrar, pending, action, Clicked::Rejected)
        }
        other => Clicked::Frozen { status: other },
    }
}

/// The Accepted action that a 200 asks for; `None` if its body is not acceptable.
fn accepted(core: &Core, registrar: &Claims, pending: &Pending, body: &[u8]) -> Option<StoredAction> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let body = body.as_object()?;
    let map = |key: &str| match body.get(key) {
        None => Some(None),
        Some(Value::Object(map)) => Some(Some(map.clone())),
        Some(_) => None,
    };
    let number = body.get("registrationNumber").and_then(Value::as_str).map(str::to_owned);
    if pending.kind == "REGISTER" && number.is_none() {
        return None;
    }
    let at = core.pace.iso();
    let mut action =
        Actor::from(registrar).sign(core.uuid(), &pending.kind, Status::Accepted, &pending.transaction, &at);
    action.original_action_id = Some(pending.action);
    action.declaration = map("declaration")?.unwrap_or_default();
    action.annotation = map("annotation")?;
    action.registration_number = number.filter(|_| pending.kind == "REGISTER");
    copy_required(core, pending, &mut action);
    Some(action)
}

fn copy_required(core: &Core, pending: &Pending, action: &mut StoredAction) {
    let rows = core.store.rows();
    if let Some(asked) = rows.records.get(&pending.event).and_then(|record| record.find(pending.action)) {
        action.request_id = asked.request_id;
        action.content.clone_from(&asked.content);
        action.custom_action_type.clone_from(&asked.custom_action_type);
    }
}

fn finish(
    core: &Core,
    registrar: &Claims,
    pending: &Pending,
    action: StoredAction,
    good: Clicked,
) -> Clicked {
    let searchable = core.searchable_at();
    let actor = Actor::from(registrar);
    let unassign =
        actor.sign(core.uuid(), "UNASSIGN", Status::Accepted, &pending.transaction, &core.pace.iso());
    let mut rows = core.store.rows();
    if !matches!(rows.append(pending.event, action), Insert::Done | Insert::Dropped) {
        return Clicked::Frozen { status: Some(500) };
    }
    // Nobody held it for a client.
    if !pending.keep_assignment && !actor.system {
        rows.append(pending.event, unassign);
    }
    match rows.index(pending.event, searchable) {
        Ok(()) => good,
        Err(_) => Clicked::Frozen { status: Some(500) },
    }
}
