//! Reading one record, to see what is the matter, and mending it.

use std::{sync::Arc, time::Duration};

use civitas_audit::NewLeaf;
use civitas_journal::{
    JournalError, RecordKey, Tx,
    civil_events::{self, Answer as Answered, CivilEvent, Origin},
    confirmations::{self, NewConfirmation, Verdict},
    operations::{self, Operation, Respond, State, Work},
    sightings::{self, Kind, Sighting, SightingState},
};
use civitas_opencrvs::{Action, ActionStatus, CallError, Cause as Refusal, Class, EventDocument};
use jiff::Timestamp;
use secrecy::SecretString;

use super::{LookError, RELEASED};
use crate::{Arrival, Cause, Engine, IngestError, confirm::Told, moves::Move, schedule::later};

/// The longest distance between two reads of a record in which nothing is wrong.
const LONGEST: Duration = Duration::from_hours(7 * 24);
/// How often a record that the engine cannot mend is read again.
const STUCK: Duration = Duration::from_hours(24);
/// When one is read again whose operation is just being sent.
const SHORTLY: Duration = Duration::from_mins(1);

/// What a read brought.
enum Outcome {
    /// The journal knows of it now; the usual desks do the rest.
    Mended(&'static str),
    /// Nothing is wrong at present.
    Well,
    /// Not to be judged now.
    Shortly,
    /// A person's turn.
    Stuck(Cause),
}

impl Engine {
    /// Reads a record that was seen to differ, and does about it what can be done.
    pub(super) async fn read_sighted(&self, sighting: Sighting) -> Result<(), LookError> {
        let span = tracing::info_span!("look", event_id = %sighting.event_id);
        let outcome = tracing::Instrument::instrument(self.examine(&sighting), span).await?;
        let label = match &outcome {
            Outcome::Mended(what) => *what,
            Outcome::Well => "well",
            Outcome::Shortly => "shortly",
            Outcome::Stuck(_) => "stuck",
        };
        metrics::counter!("civitas_records_looked_at_total", "outcome" => label).increment(1);
        self.note_outcome(sighting, outcome).await?;
        self.show_differences().await
    }

    async fn examine(&self, sighting: &Sighting) -> Result<Outcome, LookError> {
        let known = {
            let mut reader = self.journal().read().await?;
            civil_events::by_event(&mut reader, sighting.event_id).await?
        };
        if sighting.kind == Kind::Fed && self.came_by_itself(sighting, &known).await? {
            return Ok(Outcome::Mended("came_by_itself"));
        }
        let raw = match self.read_record(sighting, &known).await? {
            Ok(raw) => raw,
            Err(cause) => return Ok(Outcome::Stuck(cause)),
        };
        let Some(raw) = raw else { return self.record_is_gone(sighting).await };
        let Ok(document) = EventDocument::parse_only(&raw, |_| false) else {
            return Ok(Outcome::Stuck(Cause::new("record_unreadable")));
        };
        let actions = &self.options().records.actions;
        let pending = document
            .actions
            .iter()
            .filter(|action| action.status == ActionStatus::Requested && actions.contains(&action.kind))
            .rfind(|action| !document.is_answered(action.id));
        match pending {
            Some(action) => {
                let event = known.iter().find(|event| event.event.key.action_id == action.id);
                match event {
                    Some(event) => self.answer_again(event, action).await,
                    None => self.take_in(&document, action, raw.clone()).await,
                }
            }
            None => self.was_let_go(&document).await,
        }
    }

    /// The record as OpenCRVS has it, `None` if it has none; or why it cannot be had.
    async fn read_record(
        &self,
        sighting: &Sighting,
        known: &[CivilEvent],
    ) -> Result<Result<Option<Vec<u8>>, Cause>, LookError> {
        let now = self.now();
        let outcome = if self.opencrvs().answers_unasked() {
            self.opencrvs().get_raw(sighting.event_id, now).await
        } else {
            // In 1.9 no client may read, but a trigger's token may read its own record.
            let token = known.iter().rev().find_map(|event| event.event.token.as_ref()?.as_text());
            let Some(token) = token.map(SecretString::from) else {
                return Ok(Err(Cause::new("frozen_without_token")));
            };
            self.opencrvs().get_raw_with_token(sighting.event_id, &token, now).await
        };
        metrics::counter!("civitas_opencrvs_reads_total", "seen" => sighting.kind.as_str()).increment(1);
        self.change_lookthrough(|row| row.reads = row.reads.saturating_add(1)).await?;
        match outcome {
            Ok(raw) => Ok(Ok(Some(raw))),
            Err(CallError { cause: Refusal::RecordNotFound, .. }) => Ok(Ok(None)),
            // For this record only; without the scope at all the search would have been refused.
            Err(error) if matches!(error.class, Class::Permanent | Class::Unauthorised) => {
                Ok(Err(Cause::with("record_not_readable", error.to_string())))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Its trigger did not reach us: it is taken in as one, and as nobody waits for the reply, OpenCRVS is told.
    async fn take_in(
        &self,
        document: &EventDocument,
        action: &Action,
        raw: Vec<u8>,
    ) -> Result<Outcome, LookError> {
        if !self.opencrvs().answers_unasked() {
            return Ok(Outcome::Stuck(Cause::new("frozen_without_token")));
        }
        let arrival = Arrival {
            document: raw,
            event_id: Some(document.id),
            event_type: None,
            action_type: Some(action.kind.clone()),
            origin: Origin::Found,
            token: None,
            token_expires_at: None,
            traceparent: None,
        };
        match self.ingest(vec![arrival]).await.pop() {
            Some(Ok(_)) => {
                tracing::warn!(action_id = %action.id, action = action.kind, "a record was found whose trigger never came");
                Ok(Outcome::Mended("taken_in"))
            }
            Some(Err(IngestError::Journal(error))) => Err(error.into()),
            Some(Err(error)) => Ok(Outcome::Stuck(Cause::with(error.code(), error.to_string()))),
            None => Ok(Outcome::Shortly),
        }
    }

    /// The action is known, and OpenCRVS still waits. Either it did not hear what it was answered, or it has forgotten.
    async fn answer_again(&self, event: &CivilEvent, action: &Action) -> Result<Outcome, LookError> {
        let now = self.now();
        let key = event.event.key;
        let verdict = match event.event.answer {
            Answered::Accept => Some(Verdict::Accept),
            Answered::Reject => Some(Verdict::Reject),
            Answered::Await => None,
        };
        let (content, reason) = (action.content.clone(), event.event.answer_reason.clone());
        let due = later(now, self.options().settle);
        let told = self
            .journal()
            .write(move |tx| {
                let told = Told { content: content.clone(), reason: reason.clone(), ..Told::default() };
                Box::pin(async move { tell_again(tx, key, verdict, told, due, now).await })
            })
            .await?;
        if !told {
            // It waits here too, or its answer is on its way.
            return Ok(Outcome::Well);
        }
        tracing::warn!(action_id = %action.id, "OpenCRVS is answered again: it still waits for what it was told");
        self.bells().confirmer.ring();
        Ok(Outcome::Mended("answered_again"))
    }

    /// Nothing waits in OpenCRVS. If something does here, somebody else let the record go.
    async fn was_let_go(&self, document: &EventDocument) -> Result<Outcome, LookError> {
        for operation in self.waiting_for(document.id).await? {
            let answer = document.actions.iter().find(|action| {
                action.original_action_id == Some(operation.key.action_id)
                    && action.status != ActionStatus::Requested
            });
            let detail = match answer {
                Some(answer) if answer.status == ActionStatus::Accepted => "it was accepted there",
                Some(_) => "it was rejected there",
                None if document.action(operation.key.action_id).is_none() => "it has no such action there",
                None => continue,
            };
            return self.stall_released(operation, detail).await;
        }
        Ok(Outcome::Well)
    }

    async fn record_is_gone(&self, sighting: &Sighting) -> Result<Outcome, LookError> {
        match self.waiting_for(sighting.event_id).await?.into_iter().next() {
            Some(operation) => self.stall_released(operation, "there is no such record there").await,
            None => Ok(Outcome::Well),
        }
    }

    /// Operations of a record that freeze it, before MOSIP's answer is here: afterwards it is the confirmer's.
    async fn waiting_for(&self, event_id: uuid::Uuid) -> Result<Vec<Operation>, LookError> {
        let mut reader = self.journal().read().await?;
        let mut lane = operations::by_event(&mut reader, event_id).await?;
        lane.retain(|operation| {
            !operation.done
                && operation.respond == Respond::AwaitExternalValidation
                && operation.state != State::Issued
        });
        Ok(lane)
    }

    async fn stall_released(&self, operation: Operation, detail: &str) -> Result<Outcome, LookError> {
        let cause = Cause::with(RELEASED, detail);
        if Cause::of(&operation).is_some_and(|known| known.code == RELEASED) {
            return Ok(Outcome::Stuck(cause));
        }
        let sending = Work::Dispatch.states().contains(&operation.state);
        if sending && operation.lease.as_ref().is_some_and(|lease| lease.until > self.now()) {
            return Ok(Outcome::Shortly);
        }
        let step = Move::to(State::Stalled).because(cause.clone()).at(self.stalled_until(&operation));
        match self.apply_move(operation, step).await? {
            Some(_) => Ok(Outcome::Stuck(cause)),
            None => Ok(Outcome::Shortly),
        }
    }

    async fn note_outcome(&self, mut sighting: Sighting, outcome: Outcome) -> Result<(), LookError> {
        let now = self.now();
        sighting.reads = sighting.reads.saturating_add(1);
        (sighting.state, sighting.cause, sighting.cause_detail) = (SightingState::Well, None, None);
        // Only the feed spoke of it, and it speaks of the past.
        let fed = sighting.kind == Kind::Fed && matches!(outcome, Outcome::Well);
        let mended = fed || matches!(outcome, Outcome::Mended(_));
        let wait = match outcome {
            Outcome::Mended(_) => Duration::ZERO,
            Outcome::Shortly => {
                sighting.state = SightingState::Open;
                SHORTLY
            }
            // As long again as it has been known.
            Outcome::Well => {
                let age = Duration::try_from(now.duration_since(sighting.first_seen)).unwrap_or_default();
                age.clamp(self.options().records.grace, LONGEST)
            }
            Outcome::Stuck(cause) => {
                sighting.state = SightingState::Stuck;
                sighting.cause = Some(cause.code);
                sighting.cause_detail = cause.detail;
                STUCK
            }
        };
        sighting.next_read_at = later(now, wait);
        let sighting = Arc::new(sighting);
        self.journal()
            .write(move |tx| {
                let sighting = Arc::clone(&sighting);
                Box::pin(async move {
                    if mended {
                        sightings::remove(tx, sighting.event_id).await
                    } else {
                        sightings::update(tx, &sighting).await
                    }
                })
            })
            .await?;
        Ok(())
    }
}

/// Has OpenCRVS told again what it was told; `false` where that is not what is missing.
async fn tell_again(
    tx: &mut Tx,
    key: RecordKey,
    verdict: Option<Verdict>,
    told: Told,
    due: Timestamp,
    now: Timestamp,
) -> Result<bool, JournalError> {
    let waits = operations::get(tx, key)
        .await?
        .is_some_and(|operation| !operation.done && operation.respond == Respond::AwaitExternalValidation);
    if waits {
        return Ok(false);
    }
    let told = match (confirmations::get(tx, key).await?, verdict) {
        (Some(_), _) => confirmations::tell_again(tx, key, due).await?,
        (None, Some(verdict)) => {
            let body = told.sealed();
            let new = NewConfirmation { key, verdict, body, next_action_at: due, created_at: now };
            confirmations::insert_many(tx, &[new]).await? == [true]
        }
        (None, None) => false,
    };
    if told {
        let mut leaf = NewLeaf::new("confirmation", "engine", now).about(key.event_id, key.action_id);
        leaf.reason = Some("OpenCRVS still waits for what it was told, so it is told again".to_owned());
        tx.append_audit(&[leaf]);
    }
    Ok(told)
}
