//! What a person may do about a record that does not go on.

use std::sync::Arc;

use civitas_journal::{
    JournalError, RecordKey, Tx, civil_events,
    confirmations::{self, ConfirmationState, NewConfirmation, Verdict},
    operations::{self, Operation, State, Work},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Queue, show::find};
use crate::{
    Cause,
    confirm::Told,
    moves::{self, Move},
};

/// An act on a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Try the step again now, with the same packet.
    Retry,
    /// Let the record go on in OpenCRVS without MOSIP's answer.
    Release,
    /// Send the record back to the registrar.
    Reject,
}

impl Act {
    /// The text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Act::Retry => "retry",
            Act::Release => "release",
            Act::Reject => "reject",
        }
    }
}

/// Who does what to which record, and why.
#[derive(Debug, Clone)]
pub struct ActRequest {
    /// Event id, tracking id or AID.
    pub record: String,
    /// What.
    pub act: Act,
    /// Who; goes into the audit log.
    pub actor: String,
    /// Why; goes into the audit log, so it must not name the persons of the record.
    pub reason: String,
}

/// What the act did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Acted {
    /// The record.
    pub event_id: uuid::Uuid,
    /// The action.
    pub action_id: uuid::Uuid,
    /// State before.
    pub from: String,
    /// State after.
    pub to: String,
    /// What follows, in a sentence.
    pub next: String,
}

/// Why the act was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No such record.
    #[error("no record `{0}` is in the journal; name it by event id, tracking id or AID")]
    NoSuchRecord(String),
    /// Nothing of the record waits.
    #[error("record {0} has no open operation; `civitas queue show` tells how it ended")]
    NothingOpen(String),
    /// A reason was not given.
    #[error("an act needs a reason of at least three characters; it goes into the audit log")]
    NoReason,
    /// The act does not help, or is not possible.
    #[error("{act} is not possible while the operation is {state}: {why}")]
    NotPossible {
        /// The act.
        act: &'static str,
        /// The state.
        state: String,
        /// Why, and what helps instead.
        why: &'static str,
    },
    /// The journal failed.
    #[error("the journal did not take the act")]
    Journal(#[from] JournalError),
}

/// What an act amounts to.
struct Plan {
    step: Move,
    tell: Option<Verdict>,
    next: &'static str,
}

impl Queue {
    /// Does an act. The engine carries out what follows from it.
    pub async fn act(&self, request: ActRequest) -> Result<Acted, ActError> {
        if request.reason.trim().chars().count() < 3 {
            return Err(ActError::NoReason);
        }
        let key = self.open_operation(&request.record).await?;
        let now = self.now();
        let request = Arc::new(request);
        // The closure may run several times: its refusal is carried out of the transaction as a value.
        let acted = self
            .journal
            .write(move |tx| {
                let request = Arc::clone(&request);
                Box::pin(async move { act_in(tx, key, &request, now).await })
            })
            .await??;
        self.ring();
        Ok(acted)
    }

    async fn open_operation(&self, record: &str) -> Result<RecordKey, ActError> {
        let mut reader = self.journal.read().await?;
        let events = find(&mut reader, record).await?;
        let Some(event) = events.first() else { return Err(ActError::NoSuchRecord(record.to_owned())) };
        let lane = operations::by_event(&mut reader, event.event.key.event_id).await?;
        let contradicted =
            |operation: &&Operation| Cause::of(operation).is_some_and(|cause| cause.is_contradiction());
        let open = lane.iter().find(|operation| !operation.done).or_else(|| lane.iter().find(contradicted));
        open.map(|operation| operation.key).ok_or_else(|| ActError::NothingOpen(record.to_owned()))
    }
}

async fn act_in(
    tx: &mut Tx,
    key: RecordKey,
    request: &ActRequest,
    now: Timestamp,
) -> Result<Result<Acted, ActError>, JournalError> {
    let Some(operation) = operations::get(tx, key).await? else {
        return Ok(Err(ActError::NothingOpen(request.record.clone())));
    };
    let confirmation = confirmations::get(tx, key).await?;
    let stuck = confirmation
        .as_ref()
        .filter(|told| told.state == ConfirmationState::Stalled)
        .map(|told| told.verdict);
    let action_type =
        civil_events::get(tx, key).await?.map(|event| event.event.action_type).unwrap_or_default();
    let plan = match plan(&operation, &action_type, request, stuck, now) {
        Ok(plan) => plan,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if !moves::apply(tx, &operation, &plan.step, now).await? {
        return Ok(Err(ActError::Journal(JournalError::Abandoned(
            "the operation moved meanwhile".to_owned(),
        ))));
    }
    if let Some(verdict) = plan.tell {
        let body = match (&confirmation, request.act) {
            // A retry repeats what was to be said; the identifier is in it.
            (Some(told), Act::Retry) => told.body.clone(),
            (_, Act::Reject) => Told { reason: Some(request.reason.clone()), ..Told::default() }.sealed(),
            _ => Told::default().sealed(),
        };
        let new = NewConfirmation { key, verdict, body, next_action_at: now, created_at: now };
        confirmations::replace(tx, &new).await?;
    }
    Ok(Ok(Acted {
        event_id: key.event_id,
        action_id: key.action_id,
        from: operation.state.as_str().to_owned(),
        to: plan.step.to.as_str().to_owned(),
        next: plan.next.to_owned(),
    }))
}

fn plan(
    operation: &Operation,
    action_type: &str,
    request: &ActRequest,
    stuck: Option<Verdict>,
    now: Timestamp,
) -> Result<Plan, ActError> {
    let refuse = |why| {
        let (act, state) = (request.act.as_str(), operation.state.as_str().to_owned());
        Err(ActError::NotPossible { act, state, why })
    };
    // On its way to MOSIP at this moment: what becomes of that must be known before a person decides. A mere
    // question to MOSIP is under way more often, and its answer simply comes too late.
    let sending = Work::Dispatch.states().contains(&operation.state);
    if sending && operation.lease.as_ref().is_some_and(|lease| lease.until > now) {
        return refuse("the engine is sending it to MOSIP at this moment; try again shortly");
    }
    if operation.done {
        return settle(operation, request, refuse);
    }
    let frozen = operation.respond == operations::Respond::AwaitExternalValidation;
    let signed = |step: Move| step.by(request.actor.clone(), "operator").saying(request.reason.clone());
    match request.act {
        Act::Retry => {
            let (step, tell, next) = match retry_to(operation, stuck) {
                Ok(to) => to,
                Err(why) => return refuse(why),
            };
            Ok(Plan { step: signed(Move::to(step).at(now)), tell, next })
        }
        Act::Release if !frozen => Ok(Plan {
            step: signed(Move::to(State::Released)),
            tell: None,
            next: "the operation is closed; the record was never held",
        }),
        Act::Release if operation.state == State::Issued => refuse(
            "MOSIP has answered already, and OpenCRVS is being told; retry if that does not get through",
        ),
        Act::Release => Ok(Plan {
            step: signed(Move::to(State::Released)),
            tell: Some(Verdict::Accept),
            next: "OpenCRVS is told to accept the record without an identifier; a late answer is kept",
        }),
        Act::Reject if !frozen => refuse("the record went on without waiting; release closes the operation"),
        Act::Reject if operation.issued.is_some() => {
            refuse("MOSIP has issued an identifier; rejecting now would leave it without a record")
        }
        Act::Reject if matches!(action_type, "APPROVE_CORRECTION" | "REJECT_CORRECTION" | "REJECT") => {
            refuse("OpenCRVS cannot reject this action afterwards; release lets the correction stand")
        }
        Act::Reject => Ok(Plan {
            step: signed(Move::to(State::Rejected)),
            tell: Some(Verdict::Reject),
            next: "OpenCRVS is told to reject: the registrar finds the record again and can register it anew",
        }),
    }
}

/// A finished operation is open again for one thing: that a person has looked at MOSIP's contradicting answers.
fn settle(
    operation: &Operation,
    request: &ActRequest,
    refuse: impl Fn(&'static str) -> Result<Plan, ActError>,
) -> Result<Plan, ActError> {
    if request.act != Act::Release {
        return refuse("it is finished; release says that MOSIP's contradicting answers were looked into");
    }
    let step = Move::to(operation.state).by(request.actor.clone(), "operator").saying(request.reason.clone());
    Ok(Plan { step, tell: None, next: "the contradiction is settled; nothing else changes" })
}

type Retry = (State, Option<Verdict>, &'static str);

fn retry_to(operation: &Operation, stuck: Option<Verdict>) -> Result<Retry, &'static str> {
    if let Some(verdict) = stuck {
        return Ok((State::Issued, Some(verdict), "OpenCRVS is told again"));
    }
    if operation.issued.is_some() {
        if operation.state == State::Issued {
            return Err("OpenCRVS is being told already; the timeline shows when it is tried next");
        }
        return Ok((State::Issued, Some(Verdict::Accept), "OpenCRVS is told again"));
    }
    match (operation.state, operation.triggered_at, operation.cause.as_deref()) {
        (_, _, Some("mosip_rejected" | "mosip_failed" | "mosip_gave_up"))
            if operation.triggered_at.is_some() =>
        {
            Err("MOSIP ended this packet for good and would refuse it again: reject the record to have it \
                 corrected and sent anew, or release it")
        }
        (_, Some(_), _) => {
            let state = match operation.respond {
                operations::Respond::AwaitExternalValidation => State::Awaiting,
                operations::Respond::Continue => State::Triggered,
            };
            Ok((state, None, "MOSIP is asked about it now"))
        }
        (_, None, _) if operation.packet.is_none() => {
            Err("there is no packet to send: release or reject the record")
        }
        // Nothing was triggered. An earlier start may still be unheard of, so MOSIP is asked first.
        (State::Unknown, None, _) => Ok((State::Unknown, None, "MOSIP is asked about it now")),
        (State::PacketCreated, None, _) => Ok((State::PacketCreated, None, "the workflow is started now")),
        (_, None, _) => Ok((State::Planned, None, "the packet is sent now")),
    }
}
