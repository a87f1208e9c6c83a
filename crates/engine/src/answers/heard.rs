//! Answers that are understood: each is judged by how its operation stands, and what follows is recorded together with
//! what follows from others.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use civitas_audit::NewLeaf;
use civitas_journal::{
    JournalError, Private, RecordKey, Tx,
    civil_events::{self, Brief},
    inbox::{self, Advance, InboxState},
    operations::{self, Operation, Respond, State},
};
use civitas_mosip::{Status, credential::Cover, websub::WorkflowCompleted};
use civitas_rules::Operation as Kind;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{contradiction, credential::Opened, inbox::aside, readback::BEING_VERIFIED};
use crate::{
    Cause, Engine,
    confirm::Told,
    moves::{self, Issued, Move, Tell},
    schedule::later,
    together::Batched,
};

/// A delivery that was understood.
pub(crate) struct Heard {
    pub(super) delivery: Arc<inbox::Delivery>,
    pub(super) answer: Answer,
}

/// What it says.
pub(super) enum Answer {
    /// A credential, opened and proven.
    Credential(Opened),
    /// A workflow ended.
    Completed(WorkflowCompleted),
}

impl Heard {
    fn aid(&self) -> &str {
        match &self.answer {
            Answer::Credential(opened) => &opened.aid,
            Answer::Completed(completed) => &completed.aid,
        }
    }

    /// Nothing follows but that the delivery is settled.
    fn settled(&self, state: InboxState) -> Verdict {
        let mut settled = Advance::settle(&self.delivery, state);
        settled.aid = Some(self.aid().to_owned());
        Verdict { settled, leaf: None, step: None, ask: None }
    }

    /// It is put aside for a person.
    fn aside(&self, cause: &Cause) -> Verdict {
        let (leaf, settled) = aside(&self.delivery, Some(self.aid()), cause);
        Verdict { settled, leaf: Some(leaf), step: None, ask: None }
    }
}

/// What follows from an answer.
struct Verdict {
    settled: Advance,
    leaf: Option<NewLeaf>,
    step: Option<Move>,
    /// When MOSIP is asked about the operation at the latest.
    ask: Option<Timestamp>,
}

impl Verdict {
    fn moving(self, step: Option<Move>) -> Self {
        Verdict { step, ..self }
    }
}

/// An operation, and its civil event.
type Standing<'s> = (&'s Operation, &'s Brief);

impl Batched for Heard {
    type Outcome = ();

    async fn record(engine: &Engine, tx: &mut Tx, work: &[Arc<Self>]) -> Result<Vec<()>, JournalError> {
        let mut rest: Vec<&Heard> = work.iter().map(AsRef::as_ref).collect();
        while !rest.is_empty() {
            // A second answer about an operation is judged by what the first has made of it.
            let mut named = HashSet::new();
            let (round, again) = rest.into_iter().partition(|heard| named.insert(heard.aid()));
            engine.hear(tx, round).await?;
            rest = again;
        }
        Ok(vec![(); work.len()])
    }
}

impl Engine {
    /// Answers about different operations.
    async fn hear(&self, tx: &mut Tx, round: Vec<&Heard>) -> Result<(), JournalError> {
        let now = self.now();
        let aids: Vec<String> = round.iter().map(|heard| heard.aid().to_owned()).collect();
        let operations = operations::by_aids(tx, &aids).await?;
        let keys: Vec<RecordKey> = operations.iter().map(|operation| operation.key).collect();
        let briefs = civil_events::briefs(tx, &keys).await?;
        let briefs: HashMap<RecordKey, Brief> = briefs.into_iter().map(|brief| (brief.key, brief)).collect();
        let operations: HashMap<&str, &Operation> =
            operations.iter().filter_map(|operation| Some((operation.aid.as_deref()?, operation))).collect();

        let (mut settled, mut leaves, mut asks, mut steps) = (vec![], vec![], vec![], vec![]);
        for heard in round {
            let standing = match operations.get(heard.aid()) {
                Some(operation) => Some((*operation, brief_of(&briefs, operation)?)),
                None => None,
            };
            let verdict = match &heard.answer {
                Answer::Credential(opened) => self.judge_credential(heard, opened, standing, now),
                Answer::Completed(completed) => self.judge_end(heard, completed, standing, now),
            };
            if let (Some((operation, brief)), Some(step)) = (standing, verdict.step) {
                steps.push((operation, self.worded_by(tx, Some(&brief.decided), operation, step).await?));
            }
            asks.extend(standing.zip(verdict.ask).map(|((operation, _), at)| (operation.key, at)));
            leaves.extend(verdict.leaf);
            settled.push(verdict.settled);
        }
        let steps: Vec<(&Operation, &Move)> =
            steps.iter().map(|(operation, step)| (*operation, step)).collect();
        moves::apply_all_or_restart(tx, &steps, now).await?;
        operations::bring_forward(tx, &asks).await?;
        tx.append_audit(&leaves);
        inbox::advance(tx, &settled).await?;
        Ok(())
    }

    /// A credential: its operation is issued, and the record's confirmation becomes due.
    fn judge_credential(
        &self,
        heard: &Heard,
        opened: &Opened,
        standing: Option<Standing<'_>>,
        now: Timestamp,
    ) -> Verdict {
        let Some((operation, brief)) = standing else { return self.parked(heard, now) };
        let waits = !operation.done && operation.state != State::Issued;
        if operation.operation.parse() == Ok(Kind::FlagDeceased) && opened.identifier.is_none() {
            // The credential of somebody who has died shares no identifier: it says that MOSIP did it.
            let step =
                self.completed(operation).by("hub", "callback").saying("credential without identifier");
            return heard.settled(InboxState::Matched).moving(waits.then_some(step));
        }
        let identifier = match checked(operation, brief.record_number.as_deref(), opened) {
            Ok(identifier) => identifier,
            Err(cause) if cause.is_contradiction() => {
                return heard.aside(&cause).moving(contradiction::flag(operation, cause));
            }
            Err(cause) => {
                let step = Move::to(State::Stalled)
                    .because(cause.clone())
                    .at(later(now, self.options().stalled_check))
                    .by("hub", "callback");
                // A credential, good or bad, is proof that the workflow was started.
                let step = Move { triggered_at: operation.triggered_at.or(Some(now)), ..step };
                return heard.aside(&cause).moving(waits.then_some(step));
            }
        };
        if operation.issued.is_some() {
            // Issued anew, with the same identifier: it confirms the first.
            heard_by("credential", "confirmed");
            return heard.settled(InboxState::Duplicate);
        }
        let ended_badly = ["mosip_rejected", "mosip_failed", "mosip_gave_up"];
        let contradicts = operation.cause.as_deref().is_some_and(|cause| ended_badly.contains(&cause));
        heard_by("credential", if contradicts { "contradicted" } else { "first" });
        let mut step = self.on_credential(operation, contradicts, opened.cover).by("hub", "callback");
        step.triggered_at = operation.triggered_at.or(Some(now));
        step.issued =
            Some(Issued { identifier: Private::new(identifier), subject: self.subject_of(identifier) });
        if !operation.done && operation.respond == Respond::AwaitExternalValidation {
            let field = self.pack().country().nid_field(&brief.event_type).map(str::to_owned);
            let declaration: Map<String, Value> =
                field.map(|field| (field, Value::from(identifier))).into_iter().collect();
            let told = Told { declaration, ..Told::default() }.sealed();
            step.tell = Some(Tell { told, due: later(brief.received_at, self.options().settle).max(now) });
        }
        heard.settled(InboxState::Matched).moving(Some(step))
    }

    /// Where the first credential takes its operation.
    fn on_credential(&self, operation: &Operation, contradicts: bool, cover: Cover) -> Move {
        match operation.respond {
            Respond::Continue if operation.done => {
                Move::to(operation.state).saying("credential, after the operation had ended")
            }
            // Nobody waits for it in OpenCRVS, and nobody can be told: it is kept, and says that MOSIP is through.
            Respond::Continue => self
                .ended(operation)
                .unwrap_or_else(|| Move::staying(operation))
                .saying("credential, which no record waits for"),
            Respond::AwaitExternalValidation if operation.done => {
                Move::to(operation.state).saying("answered after a person had closed it")
            }
            Respond::AwaitExternalValidation if contradicts => Move::to(State::Issued)
                .saying("credential, though MOSIP had said that the packet ended without one"),
            Respond::AwaitExternalValidation => Move::to(State::Issued).saying(match cover {
                Cover::OwnProof => "credential, its identifier proven by itself",
                Cover::EventProof => "credential, its identifier proven by the event",
            }),
        }
    }

    /// No operation has this AID yet: it is kept until one does, or until the parking time is over.
    fn parked(&self, heard: &Heard, now: Timestamp) -> Verdict {
        let delivery = &heard.delivery;
        let parking = SignedDuration::try_from(self.options().parking).unwrap_or(SignedDuration::MAX);
        if now.duration_since(delivery.received_at) > parking {
            return heard.aside(&Cause::new("aid_unknown"));
        }
        let mut verdict = heard.settled(InboxState::Parked);
        if delivery.attempts == 0 {
            let mut leaf = NewLeaf::new("callback", "hub", now);
            leaf.aid = Some(heard.aid().to_owned());
            leaf.reason = Some("parked: no operation has this AID".to_owned());
            verdict.leaf = Some(leaf);
            metrics::counter!("civitas_callbacks_total", "outcome" => "parked").increment(1);
        }
        verdict.settled.attempts += 1;
        verdict.settled.next_action_at = Some(later(now, self.backoff(verdict.settled.attempts, None)));
        verdict
    }

    /// MOSIP says that a workflow ended. That it was processed is an answer where nothing else is waited for; of a
    /// failure the event does not tell the reason, so MOSIP is asked at once.
    fn judge_end(
        &self,
        heard: &Heard,
        completed: &WorkflowCompleted,
        standing: Option<Standing<'_>>,
        now: Timestamp,
    ) -> Verdict {
        let mut verdict = heard.settled(InboxState::Matched);
        let Some((operation, _)) = standing else { return verdict };
        heard_end(operation, completed.result);
        if let Some(cause) = contradiction::of_result(operation, completed.result) {
            return verdict.moving(contradiction::flag(operation, cause));
        }
        if operation.done {
            return verdict;
        }
        let said = format!("workflow completed: {}", completed.result);
        let processed = completed.result == Status::Processed;
        if let Some(step) = processed.then(|| self.ended(operation)).flatten() {
            return verdict.moving(Some(step.by("hub", "callback").saying(said)));
        }
        let mut leaf =
            NewLeaf::new("callback", "hub", now).about(operation.key.event_id, operation.key.action_id);
        leaf.aid = Some(completed.aid.clone());
        leaf.reason = Some(said);
        verdict.leaf = Some(leaf);
        // The credential follows; when it does not, it is asked for.
        verdict.ask = Some(if processed { later(now, self.options().credential_grace) } else { now });
        verdict
    }

    /// Where an operation goes that MOSIP has processed, if that is what it waited for.
    fn ended(&self, operation: &Operation) -> Option<Move> {
        match (operation.operation.parse(), operation.respond) {
            _ if operation.issued.is_some() || operation.state == State::Issued => None,
            (Ok(Kind::UpdateBiographics), _) if operation.cause.as_deref() == Some(BEING_VERIFIED) => None,
            // Processed is not changed: it is read back first.
            (Ok(Kind::UpdateBiographics), _) => Some(self.being_verified(operation)),
            // Its credential is what is waited for.
            (Ok(Kind::CreateUin), Respond::AwaitExternalValidation) => None,
            _ => Some(self.completed(operation)),
        }
    }
}

fn brief_of<'b>(
    briefs: &'b HashMap<RecordKey, Brief>,
    operation: &Operation,
) -> Result<&'b Brief, JournalError> {
    let lost = || JournalError::Abandoned("an operation without its civil event".to_owned());
    briefs.get(&operation.key).ok_or_else(lost)
}

/// Counts by which ear an answer came, and how it stands to what was known.
fn heard_by(ear: &'static str, outcome: &'static str) {
    metrics::counter!("civitas_answers_total", "ear" => ear, "outcome" => outcome).increment(1);
}

/// The same for a workflow that ended.
fn heard_end(operation: &Operation, result: Status) {
    let answered = operation.issued.is_some()
        || matches!(operation.state, State::Issued | State::Processed | State::Confirmed);
    let outcome = match (answered, result) {
        (false, _) => "first",
        (true, Status::Processed) => "confirmed",
        (true, _) => "contradicted",
    };
    heard_by("completed", outcome);
}

/// The identifier, unless something in the credential speaks against what we know.
fn checked<'o>(
    operation: &Operation,
    record_number: Option<&str>,
    opened: &'o Opened,
) -> Result<&'o str, Cause> {
    let identifier =
        opened.identifier.as_ref().and_then(Private::as_text).filter(|identifier| !identifier.is_empty());
    let identifier = identifier.ok_or_else(|| Cause::new("credential_without_identifier"))?;
    if let (Some(known), Some(named)) = (record_number, opened.registration_number.as_deref())
        && known != named
    {
        return Err(Cause::new("registration_number_differs"));
    }
    if operation.issued.as_ref().is_some_and(|issued| issued.as_bytes() != identifier.as_bytes()) {
        return Err(Cause::new("contradicting_credential"));
    }
    Ok(identifier)
}
