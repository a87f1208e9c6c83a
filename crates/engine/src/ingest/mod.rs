//! Taking a civil event in: decide, then record event, decision, operation, confirmation and audit leaf in one
//! transaction. The answer is what the journal holds, so that a second delivery gets the first one's answer.

mod intake;
mod leaves;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use civitas_audit::NewLeaf;
use civitas_journal::{
    JournalError, Private, RecordKey, Tx, civil_events,
    civil_events::{Known, NewCivilEvent},
    confirmations::{self, NewConfirmation, Verdict},
    inbox, operations,
    operations::{NewOperation, Operation, Respond, State},
};
use civitas_rules::Outcome;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

pub(crate) use self::{intake::Intake, leaves::said};
use self::{
    intake::{Matter, read},
    leaves::{leaf, not_written, obstacle},
};
use crate::{
    Answer, Arrival, Cause, Engine, IngestError, Origin, Values,
    cause::FOUND,
    confirm::Told,
    decide::{Decided, Planned},
    dispatch::StoredPacket,
    entry, history, noter,
    requests::Holder,
    schedule::later,
};

/// How many registration numbers or AIDs are tried for one civil event. Two collisions in a row are already
/// beyond any plausible country.
pub(crate) const CANDIDATES: u32 = 16;

/// How long a batch waits for the journal before it is handed back to be tried again.
const PATIENCE: Duration = Duration::from_mins(1);

impl Engine {
    /// Takes one civil event in for the trigger endpoint. If it cannot be made durable within `patience`, it is
    /// not recorded, and the error says so. Triggers that arrive together share a transaction.
    pub async fn trigger(&self, arrival: Arrival, patience: Duration) -> Result<Answer, IngestError> {
        let intake = read(arrival, &self.pack(), self).inspect_err(refused)?;
        let intake = self.looked_up(intake).await;
        self.gatherer().take(intake, patience).await
    }

    /// Takes a batch in, in one transaction, in its order. Each entry gets its own answer.
    pub async fn ingest(&self, arrivals: Vec<Arrival>) -> Vec<Result<Answer, IngestError>> {
        // One rule set for the whole batch: a swap in between changes the next one.
        let pack = self.pack();
        let mut answers = Vec::with_capacity(arrivals.len());
        let mut good = Vec::with_capacity(arrivals.len());
        for read in self.read_all(arrivals, &pack).await {
            match read {
                Ok(intake) => {
                    good.push(self.looked_up(intake).await);
                    answers.push(None);
                }
                Err(error) => {
                    refused(&error);
                    answers.push(Some(Err(error)));
                }
            }
        }
        let mut recorded = self.record(good, PATIENCE).await.into_iter();
        answers
            .into_iter()
            .map(|answer| answer.or_else(|| recorded.next()))
            .map(|answer| answer.unwrap_or(Err(IngestError::Journal(JournalError::Interrupted))))
            .collect()
    }

    /// Records a batch in one transaction, if that begins within `patience`.
    pub(crate) async fn record(
        &self,
        intakes: Vec<(Intake, Decided)>,
        patience: Duration,
    ) -> Vec<Result<Answer, IngestError>> {
        if intakes.is_empty() {
            return Vec::new();
        }
        let count = intakes.len();
        let (engine, intakes) = (self.clone(), Arc::new(intakes));
        let recorded = self
            .journal()
            .write_within(patience, move |tx| {
                let (engine, intakes) = (engine.clone(), Arc::clone(&intakes));
                Box::pin(async move { engine.record_in(tx, &intakes).await })
            })
            .await;
        match recorded {
            Ok(answers) => {
                self.bells().sender.ring();
                self.bells().confirmer.ring();
                self.bells().outbox.ring();
                answers.into_iter().map(Ok).collect()
            }
            Err(error) => (0..count).map(|_| Err(IngestError::Journal(error.clone()))).collect(),
        }
    }

    async fn record_in(
        &self,
        tx: &mut Tx,
        intakes: &[(Intake, Decided)],
    ) -> Result<Vec<Answer>, JournalError> {
        let now = self.now();
        let keys: Vec<RecordKey> = intakes.iter().map(|(_, decided)| decided.key()).collect();
        let known = civil_events::known(tx, &keys).await?;
        let known: HashMap<RecordKey, Known> = known.into_iter().map(|event| (event.key, event)).collect();
        let mut seen = HashSet::new();
        let fresh: Vec<&(Intake, Decided)> = intakes
            .iter()
            .filter(|(_, decided)| !known.contains_key(&decided.key()) && seen.insert(decided.key()))
            .collect();
        let again = self.avoid_collisions(tx, &fresh).await?;
        let fresh: Vec<(&Intake, &Decided)> = fresh
            .into_iter()
            .map(|(intake, decided)| (intake, again.get(&decided.key()).unwrap_or(decided)))
            .collect();

        let rows: Vec<NewCivilEvent> =
            fresh.iter().map(|(intake, decided)| self.row(intake, decided, now)).collect();
        let ordinals = civil_events::insert_many(tx, &rows).await?;
        let mut operations = Vec::new();
        for ((intake, decided), ordinal) in fresh.iter().zip(ordinals) {
            // Another process took the event in meanwhile: its transaction came first, this one starts again.
            let ordinal =
                ordinal.ok_or_else(|| JournalError::Conflict { what: "civil_events".to_owned() })?;
            operations.extend(self.operation_row(intake, decided, ordinal, now));
        }
        operations::insert_many(tx, &operations).await?;
        let aids: Vec<String> = operations.iter().filter_map(|new| new.aid.clone()).collect();
        inbox::wake(tx, &aids).await?;
        let told: Vec<NewConfirmation> =
            fresh.iter().filter_map(|(intake, decided)| self.to_tell(intake, decided, now)).collect();
        confirmations::insert_many(tx, &told).await?;
        let leaves: Vec<NewLeaf> = fresh.iter().map(|(intake, decided)| leaf(intake, decided, now)).collect();
        tx.append_audit(&leaves);
        let obstacles: Vec<NewLeaf> =
            fresh.iter().filter_map(|(_, decided)| obstacle(decided, now)).collect();
        tx.append_audit(&obstacles);
        let left_out: Vec<NewLeaf> =
            fresh.iter().filter_map(|(_, decided)| not_written(decided, now)).collect();
        tx.append_audit(&left_out);
        for (intake, decided) in &fresh {
            // It begins as a person's turn, after the answer said that it was on its way.
            if intake.notes_apart(decided) {
                noter::plan(tx, decided.key(), Outcome::Failed, now, now).await?;
            }
        }
        for new in
            operations.iter().filter(|new| entry::is_queued(new.respond, new.state, new.cause.as_deref()))
        {
            tx.publish(entry::message(&Operation::from(new), now));
        }
        for tried in fresh.iter().flat_map(|(_, decided)| &decided.would_have) {
            let (rule, effect) = (tried.rule.clone(), tried.effect.clone());
            metrics::counter!("civitas_would_have_total", "rule" => rule, "effect" => effect).increment(1);
        }
        metrics::counter!("civitas_events_total", "outcome" => "new").increment(fresh.len() as u64);
        metrics::counter!("civitas_events_total", "outcome" => "known")
            .increment((intakes.len() - fresh.len()) as u64);
        let mut answers = Vec::with_capacity(intakes.len());
        for (intake, decided) in intakes {
            answers.push(match known.get(&decided.key()) {
                Some(event) => self.recorded_answer(tx, intake, event).await?,
                None => again.get(&decided.key()).unwrap_or(decided).answer.clone(),
            });
        }
        Ok(answers)
    }

    /// Decides anew, with the next candidate, what would take a registration number or an AID of another civil
    /// event, in the journal or in this batch.
    async fn avoid_collisions(
        &self,
        tx: &mut Tx,
        fresh: &[&(Intake, Decided)],
    ) -> Result<HashMap<RecordKey, Decided>, JournalError> {
        let mut again: HashMap<RecordKey, Decided> = HashMap::new();
        let mut holders: HashMap<RecordKey, Holder> = HashMap::new();
        for candidate in 1..=CANDIDATES {
            let current = || fresh.iter().map(|(_, decided)| again.get(&decided.key()).unwrap_or(decided));
            let numbers: Vec<String> = current().filter_map(|d| d.registration_number.clone()).collect();
            let aids: Vec<String> = current().filter_map(Decided::aid).collect();
            let mut owners = civil_events::number_holders(tx, &numbers).await?;
            let mut taken_aids = operations::taken_aids(tx, &aids).await?;
            let mut colliding = Vec::new();
            for (intake, decided) in fresh {
                let decided = again.get(&decided.key()).unwrap_or(decided);
                let owner =
                    decided.registration_number.clone().and_then(|n| owners.insert(n, decided.event_id));
                if let Some(owner) = owner.filter(|_| intake.is_asked()) {
                    // A number that is given cannot be changed.
                    let same = owner == decided.event_id;
                    let holder = if same { Holder::SameRecord } else { Holder::Other };
                    holders.insert(decided.key(), holder);
                }
                let aid_free = decided.aid().is_none_or(|aid| taken_aids.insert(aid));
                if owner.is_some() || !aid_free {
                    // Only an AID asks for the next candidate of what is asked for.
                    colliding.push((intake, decided.key()));
                }
            }
            if colliding.is_empty() {
                return Ok(again);
            }
            for (intake, key) in colliding {
                let holder = holders.get(&key).copied().unwrap_or(Holder::Nobody);
                let decided = intake
                    .decide(self, candidate, holder)
                    .map_err(|error| JournalError::Abandoned(error.to_string()))?;
                again.insert(key, decided);
            }
        }
        Err(JournalError::Abandoned("no free registration number or AID was found".to_owned()))
    }

    fn row(&self, intake: &Intake, decided: &Decided, now: Timestamp) -> NewCivilEvent {
        let keep = self.options().keep_trigger_tokens;
        let arrival = &intake.arrival;
        NewCivilEvent {
            key: decided.key(),
            tracking_id: decided.tracking_id.clone(),
            event_type: decided.event_type.clone(),
            action_type: decided.action_type.clone(),
            custom_action: decided.custom_action.clone(),
            request_id: decided.request_id,
            origin: arrival.origin,
            received_at: now,
            action_at: decided.action_at,
            ruleset: decided.ruleset.clone(),
            rule: decided.rule.clone(),
            effect: decided.effect.to_owned(),
            sentence: decided.sentence.clone(),
            answer: decided.answer.recorded(),
            answer_reason: match &decided.answer {
                Answer::Reject { reason } => Some(reason.clone()),
                Answer::Accept { .. } | Answer::Await => None,
            },
            registration_number: decided.registration_number.clone(),
            record_number: decided.record_number.clone(),
            document: Private::new(&arrival.document[..]),
            token: arrival.token.as_ref().filter(|_| keep).map(|token| Private::new(token.expose_secret())),
            token_expires_at: arrival.token_expires_at.filter(|_| keep),
            traceparent: arrival.traceparent.clone(),
            declared: Values(decided.writing.declaration.clone()).sealed(),
            would_have: decided.would_have.clone(),
        }
    }

    fn operation_row(
        &self,
        intake: &Intake,
        decided: &Decided,
        ordinal: i64,
        now: Timestamp,
    ) -> Option<NewOperation> {
        let planned = decided.operation.as_ref()?;
        let (state, cause, packet) = match &planned.packet {
            Ok(packet) => {
                let stored = StoredPacket::of(packet, &decided.ruleset, decided.action_at);
                // Where its trigger was lost, so may be what we knew of it: MOSIP is asked before anything is sent.
                let found = intake.arrival.origin == Origin::Found;
                (State::Planned, found.then(|| Cause::new(FOUND)), Some(stored.sealed()))
            }
            Err(obstacle) => {
                (State::Stalled, Some(Cause::with(obstacle.cause, obstacle.detail.clone())), None)
            }
        };
        let due = match &intake.matter {
            Matter::Past(past) => past.due.max(now),
            Matter::Document(_) | Matter::Asked(_) => now,
        };
        let next = if state == State::Planned { due } else { later(now, self.options().stalled_check) };
        Some(NewOperation {
            key: decided.key(),
            ordinal,
            operation: planned.operation.clone(),
            respond: planned.respond,
            aid: decided.aid(),
            subject: planned.subject.as_deref().map(|vid| self.subject_of(vid)),
            state,
            cause: cause.as_ref().map(|cause| cause.code.clone()),
            cause_detail: cause.and_then(|cause| cause.detail),
            next_action_at: Some(next),
            deadline_at: Some(self.deadline(planned, now)),
            created_at: now,
            traceparent: intake.arrival.traceparent.clone(),
            packet,
        })
    }

    fn deadline(&self, planned: &Planned, now: Timestamp) -> Timestamp {
        let stated = planned.deadline.and_then(|deadline| Duration::try_from(deadline).ok());
        let default = match planned.respond {
            Respond::AwaitExternalValidation => self.options().default_deadline,
            Respond::Continue => self.options().tracking_window,
        };
        later(now, stated.unwrap_or(default))
    }

    /// What OpenCRVS has to be told although nothing is awaited: it was answered 202 by whoever emitted the
    /// event, or had no answer at all.
    fn to_tell(&self, intake: &Intake, decided: &Decided, now: Timestamp) -> Option<NewConfirmation> {
        let owed = match intake.arrival.origin {
            Origin::Trigger | Origin::CountryConfig | Origin::TakenOver | Origin::Backfill => false,
            Origin::Kafka => self.options().answer_kafka_events,
            Origin::Found => true,
        };
        if !owed {
            return None;
        }
        let verdict = match decided.answer {
            Answer::Await => return None,
            Answer::Accept { .. } => Verdict::Accept,
            Answer::Reject { .. } => Verdict::Reject,
        };
        Some(NewConfirmation {
            key: decided.key(),
            verdict,
            body: Told {
                content: content_of(intake, decided),
                reason: match &decided.answer {
                    Answer::Reject { reason } => Some(reason.clone()),
                    Answer::Accept { .. } | Answer::Await => None,
                },
                ..Told::default()
            }
            .sealed(),
            next_action_at: later(now, self.options().settle),
            created_at: now,
        })
    }
}

fn content_of(intake: &Intake, decided: &Decided) -> Option<Map<String, Value>> {
    let Matter::Document(document) = &intake.matter else { return None };
    document.action(decided.action_id).and_then(|action| action.content.clone())
}

fn refused(error: &IngestError) {
    metrics::counter!("civitas_events_refused_total", "code" => error.code()).increment(1);
}

impl Engine {
    /// The answer that the journal holds.
    async fn recorded_answer(
        &self,
        tx: &mut Tx,
        intake: &Intake,
        event: &Known,
    ) -> Result<Answer, JournalError> {
        let asked_now = intake.arrival.origin == Origin::Trigger;
        Ok(match event.answer {
            civil_events::Answer::Await => Answer::Await,
            // It came by Kafka first, or was found, so accept or reject is on its way: the trigger must not answer as well.
            _ if asked_now && matches!(event.origin, Origin::Kafka | Origin::Found) => Answer::Await,
            civil_events::Answer::Accept => {
                let note = match history::decided(&event.effect) {
                    Some(outcome) => self.note_of(tx, &event.ruleset, event.rule.as_deref(), outcome).await?,
                    None => None,
                };
                Answer::Accept {
                    registration_number: event.registration_number.clone(),
                    declaration: Values::opened(event.declared.as_ref())?,
                    note,
                }
            }
            civil_events::Answer::Reject => {
                Answer::Reject { reason: event.answer_reason.clone().unwrap_or_default() }
            }
        })
    }
}
