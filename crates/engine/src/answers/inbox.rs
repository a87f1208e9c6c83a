//! Deliveries that are durable: matched with their operation, parked until it is there, or put aside.

use std::sync::Arc;

use civitas_audit::NewLeaf;
use civitas_journal::{
    JournalError, Private, Tx, civil_events,
    confirmations::{self, NewConfirmation, Verdict},
    inbox::{self, Advance, InboxState},
    operations::{self, Operation, Respond, State},
};
use civitas_mosip::{
    Status,
    credential::Cover,
    websub::{CredentialIssued, Delivery, WorkflowCompleted},
};
use civitas_rules::Operation as Kind;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use tracing::Instrument;

use super::{
    contradiction,
    credential::{self, Opened, Unopened},
    readback::BEING_VERIFIED,
    share::Content,
};
use crate::{
    Cause, Engine, EngineError,
    confirm::Told,
    desk::{Bell, Desk},
    moves::{self, Issued, Move},
    schedule::later,
};

/// The desk that reads the inbox.
pub(crate) struct InboxDesk(pub(crate) Engine);

impl Desk for InboxDesk {
    type Item = inbox::Delivery;

    const NAME: &'static str = "inbox";

    fn engine(&self) -> &Engine {
        &self.0
    }

    fn bell(&self) -> &Bell {
        &self.0.bells().inbox
    }

    async fn claim(&self, limit: usize) -> Result<Vec<inbox::Delivery>, EngineError> {
        let (lease, now) = self.0.lease();
        let limit = limit.try_into().unwrap_or(u32::MAX);
        let claimed = self
            .0
            .journal()
            .write(move |tx| {
                let lease = lease.clone();
                Box::pin(async move { inbox::claim(tx, &lease, now, limit).await })
            })
            .await?;
        Ok(claimed)
    }

    async fn handle(&self, delivery: inbox::Delivery) -> Result<(), EngineError> {
        let span = tracing::info_span!("callback", id = delivery.id, topic = delivery.topic);
        self.0.look_into(Arc::new(delivery)).instrument(span).await
    }
}

impl Engine {
    async fn look_into(&self, delivery: Arc<inbox::Delivery>) -> Result<(), EngineError> {
        match Delivery::parse(delivery.body.as_bytes()) {
            Ok(Delivery::Credential(issued)) if self.is_stale(&issued, delivery.received_at) => {
                self.put_aside(delivery, Cause::new("delivery_stale")).await
            }
            Ok(Delivery::Credential(issued)) => {
                let content = match self.content_of(&delivery, &issued).await? {
                    Content::None => return Ok(()),
                    Content::Inline => None,
                    Content::Share(bytes) => Some(bytes),
                };
                let engine = self.clone();
                let key = self.pack().country().credential_key.as_str().to_owned();
                let opened =
                    tokio::task::spawn_blocking(move || engine.open(&issued, content.as_ref(), &key)).await?;
                match opened {
                    Ok(opened) => self.match_credential(delivery, opened).await,
                    Err(Unopened::Never(cause)) => self.put_aside(delivery, cause).await,
                    Err(Unopened::Now(cause)) => {
                        metrics::counter!("civitas_callbacks_total", "outcome" => "key_away").increment(1);
                        tracing::warn!(%cause, "a credential could not be opened, it is tried again");
                        let wait = self.backoff(delivery.attempts + 1, None);
                        self.look_again(&delivery, &cause, later(self.now(), wait)).await
                    }
                }
            }
            Ok(Delivery::Completed(completed)) => self.heed_completed(delivery, completed).await,
            Ok(Delivery::Paused(_) | Delivery::Other { .. }) => {
                self.put_aside(delivery, Cause::new("delivery_of_no_use")).await
            }
            Err(error) => {
                self.put_aside(delivery, Cause::with("delivery_unreadable", error.to_string())).await
            }
        }
    }

    /// Whether an event is older, or later, than any that the hub can still have to deliver. What was seen before is
    /// told by its id for at least that long.
    fn is_stale(&self, issued: &CredentialIssued, received_at: Timestamp) -> bool {
        let window = self.options().subscriptions.replay_window;
        issued.at.is_some_and(|at| later(at, window) < received_at || later(received_at, window) < at)
    }

    /// A credential opened and proven: its operation is issued, and the record's confirmation becomes due.
    async fn match_credential(
        &self,
        delivery: Arc<inbox::Delivery>,
        opened: Opened,
    ) -> Result<(), EngineError> {
        let engine = self.clone();
        let opened = Arc::new(opened);
        self.journal()
            .write(move |tx| {
                let (engine, delivery, opened) = (engine.clone(), Arc::clone(&delivery), Arc::clone(&opened));
                Box::pin(async move { engine.match_in(tx, &delivery, &opened).await })
            })
            .await?;
        self.bells().confirmer.ring();
        // An update is read back, and an operation that ended lets its lane go on.
        self.bells().asker.ring();
        self.bells().sender.ring();
        self.bells().outbox.ring();
        Ok(())
    }

    async fn match_in(
        &self,
        tx: &mut Tx,
        delivery: &inbox::Delivery,
        opened: &Opened,
    ) -> Result<(), JournalError> {
        let now = self.now();
        let Some(operation) = operations::by_aid(tx, &opened.aid).await? else {
            return self.park(tx, delivery, opened, now).await;
        };
        let event = civil_events::get(tx, operation.key)
            .await?
            .ok_or_else(|| JournalError::Abandoned("an operation without its civil event".to_owned()))?
            .event;
        if operation.operation.parse() == Ok(Kind::FlagDeceased) && opened.identifier.is_none() {
            // The credential of somebody who has died shares no identifier: it says that MOSIP did it.
            if !operation.done && operation.state != State::Issued {
                let step =
                    self.completed(&operation).by("hub", "callback").saying("credential without identifier");
                let step = self.worded(tx, &operation, step).await?;
                moves::apply_or_restart(tx, &operation, &step, now).await?;
            }
            return settle(tx, delivery, InboxState::Matched, &opened.aid).await;
        }
        let identifier = match checked(&operation, event.record_number.as_deref(), opened) {
            Ok(identifier) => identifier,
            Err(cause) if cause.is_contradiction() => {
                contradiction::flag(tx, &operation, cause.clone(), now).await?;
                return aside(tx, delivery, Some(&opened.aid), &cause).await;
            }
            Err(cause) => {
                if !operation.done && operation.state != State::Issued {
                    let step = Move::to(State::Stalled)
                        .because(cause.clone())
                        .at(later(now, self.options().stalled_check))
                        .by("hub", "callback");
                    // A credential, good or bad, is proof that the workflow was started.
                    let step = Move { triggered_at: operation.triggered_at.or(Some(now)), ..step };
                    moves::apply_or_restart(tx, &operation, &step, now).await?;
                }
                return aside(tx, delivery, Some(&opened.aid), &cause).await;
            }
        };
        if operation.issued.is_some() {
            // Issued anew, with the same identifier: it confirms the first.
            heard("credential", "confirmed");
            return settle(tx, delivery, InboxState::Duplicate, &opened.aid).await;
        }
        let ended_badly = ["mosip_rejected", "mosip_failed", "mosip_gave_up"];
        let contradicts = operation.cause.as_deref().is_some_and(|cause| ended_badly.contains(&cause));
        heard("credential", if contradicts { "contradicted" } else { "first" });
        let mut step = self.on_credential(&operation, contradicts, opened.cover);
        step.triggered_at = operation.triggered_at.or(Some(now));
        step.issued =
            Some(Issued { identifier: Private::new(identifier), subject: self.subject_of(identifier) });
        let step = self.worded(tx, &operation, step.by("hub", "callback")).await?;
        moves::apply_or_restart(tx, &operation, &step, now).await?;
        if !operation.done && operation.respond == Respond::AwaitExternalValidation {
            let field = self.pack().country().nid_field(&event.event_type).map(str::to_owned);
            let declaration: Map<String, Value> =
                field.map(|field| (field, Value::from(identifier))).into_iter().collect();
            let due = later(event.received_at, self.options().settle).max(now);
            let new = NewConfirmation {
                key: operation.key,
                verdict: Verdict::Accept,
                body: Told { declaration, ..Told::default() }.sealed(),
                next_action_at: due,
                created_at: now,
            };
            confirmations::replace(tx, &new).await?;
        }
        settle(tx, delivery, InboxState::Matched, &opened.aid).await
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

    /// No operation has this AID yet: keep it until one does, or until the parking time is over.
    async fn park(
        &self,
        tx: &mut Tx,
        delivery: &inbox::Delivery,
        opened: &Opened,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let parking = SignedDuration::try_from(self.options().parking).unwrap_or(SignedDuration::MAX);
        if now.duration_since(delivery.received_at) > parking {
            return aside(tx, delivery, Some(&opened.aid), &Cause::new("aid_unknown")).await;
        }
        if delivery.attempts == 0 {
            let mut leaf = NewLeaf::new("callback", "hub", now);
            leaf.aid = Some(opened.aid.clone());
            leaf.reason = Some("parked: no operation has this AID".to_owned());
            tx.append_audit(&[leaf]);
            metrics::counter!("civitas_callbacks_total", "outcome" => "parked").increment(1);
        }
        let mut advance = Advance::settle(delivery, InboxState::Parked);
        advance.aid = Some(opened.aid.clone());
        advance.attempts += 1;
        advance.next_action_at = Some(later(now, self.backoff(advance.attempts, None)));
        inbox::advance(tx, &[advance]).await?;
        Ok(())
    }

    /// MOSIP says that a workflow ended. That it was processed is an answer where nothing else is waited for; of a
    /// failure the event does not tell the reason, so MOSIP is asked at once.
    async fn heed_completed(
        &self,
        delivery: Arc<inbox::Delivery>,
        completed: WorkflowCompleted,
    ) -> Result<(), EngineError> {
        let engine = self.clone();
        let completed = Arc::new(completed);
        self.journal()
            .write(move |tx| {
                let (engine, delivery, completed) =
                    (engine.clone(), Arc::clone(&delivery), Arc::clone(&completed));
                Box::pin(async move { engine.heed_in(tx, &delivery, &completed).await })
            })
            .await?;
        // A failure's reason is asked for, an update is read back.
        self.bells().asker.ring();
        self.bells().confirmer.ring();
        self.bells().sender.ring();
        self.bells().outbox.ring();
        Ok(())
    }

    async fn heed_in(
        &self,
        tx: &mut Tx,
        delivery: &inbox::Delivery,
        completed: &WorkflowCompleted,
    ) -> Result<(), JournalError> {
        let now = self.now();
        let Some(operation) = operations::by_aid(tx, &completed.aid).await? else {
            return settle(tx, delivery, InboxState::Matched, &completed.aid).await;
        };
        heard_end(&operation, completed.result);
        if let Some(cause) = contradiction::of_result(&operation, completed.result) {
            contradiction::flag(tx, &operation, cause, now).await?;
        } else if !operation.done {
            let said = format!("workflow completed: {}", completed.result);
            let processed = completed.result == Status::Processed;
            let step = processed.then(|| self.ended(&operation)).flatten();
            if let Some(step) = step {
                let step = self.worded(tx, &operation, step.by("hub", "callback").saying(said)).await?;
                moves::apply_or_restart(tx, &operation, &step, now).await?;
            } else {
                let mut leaf = NewLeaf::new("callback", "hub", now)
                    .about(operation.key.event_id, operation.key.action_id);
                leaf.aid = Some(completed.aid.clone());
                leaf.reason = Some(said);
                tx.append_audit(&[leaf]);
                // The credential follows; when it does not, it is asked for.
                let ask = if processed { later(now, self.options().credential_grace) } else { now };
                operations::bring_forward(tx, operation.key, ask).await?;
            }
        }
        settle(tx, delivery, InboxState::Matched, &completed.aid).await
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

    fn open(
        &self,
        issued: &CredentialIssued,
        content: Option<&Private>,
        identifier_key: &str,
    ) -> Result<Opened, Unopened> {
        let by = credential::By {
            keys: self.keys(),
            trust: credential::Trust { events: self.proof_keys(), credentials: self.vc_trust() },
            plain_shares: self.options().plain_shares,
        };
        credential::open(issued, content, &by, identifier_key)
    }

    async fn put_aside(&self, delivery: Arc<inbox::Delivery>, cause: Cause) -> Result<(), EngineError> {
        self.journal()
            .write(move |tx| {
                let (delivery, cause) = (Arc::clone(&delivery), cause.clone());
                Box::pin(async move { aside(tx, &delivery, None, &cause).await })
            })
            .await?;
        Ok(())
    }
}

/// Counts by which ear an answer came, and how it stands to what was known.
fn heard(ear: &'static str, outcome: &'static str) {
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
    heard("completed", outcome);
}

pub(super) async fn settle(
    tx: &mut Tx,
    delivery: &inbox::Delivery,
    state: InboxState,
    aid: &str,
) -> Result<(), JournalError> {
    let mut advance = Advance::settle(delivery, state);
    advance.aid = Some(aid.to_owned());
    inbox::advance(tx, &[advance]).await?;
    Ok(())
}

/// Quarantine: kept with its cause, acted on by nobody but a person.
pub(super) async fn aside(
    tx: &mut Tx,
    delivery: &inbox::Delivery,
    aid: Option<&str>,
    cause: &Cause,
) -> Result<(), JournalError> {
    metrics::counter!("civitas_callbacks_total", "outcome" => "quarantined").increment(1);
    if cause.is_about_proof() {
        // To be alerted on: somebody forges, or MOSIP changed its keys or contexts and nobody told us.
        metrics::counter!("civitas_credentials_not_believed_total", "cause" => cause.code.clone())
            .increment(1);
        tracing::error!(code = cause.code, detail = cause.detail, "a credential is not believed");
    }
    let mut leaf = NewLeaf::new("callback", "hub", delivery.received_at);
    leaf.aid = aid.map(str::to_owned);
    leaf.reason = Some(format!("quarantined: {cause}"));
    tx.append_audit(&[leaf]);
    let mut advance = Advance::settle(delivery, InboxState::Quarantined);
    advance.aid = aid.map(str::to_owned);
    advance.cause = Some(cause.to_string());
    inbox::advance(tx, &[advance]).await?;
    Ok(())
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
