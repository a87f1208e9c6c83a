//! Telling OpenCRVS: accept or reject, again and again with the same transaction id until it is heard.
//!
//! Accept is idempotent per action, and its 5xx is ambiguous: the record may be registered all the same. So the
//! identical call is made again; no number is ever minted anew.

mod record;

use std::collections::HashMap;

use civitas_journal::{
    JournalError, Private, RecordKey, Tx,
    civil_events::{self, NewCivilEvent},
    confirmations::{self, Confirmation as Row, Verdict},
    leases::Held,
};
use civitas_opencrvs::{
    Action, ActionStatus, CallError, Cause as Refusal, Class, Confirmation, EventDocument, SearchQuery,
};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tracing::Instrument;

pub(crate) use self::record::Closing;
use crate::{
    Cause, Engine, EngineError, Note, Values,
    desk::{Bell, Desk},
    requests::TYPE_UNKNOWN,
    schedule::later,
};

/// Failed rejects before OpenCRVS is asked whether the action was answered otherwise.
const REJECTS_BEFORE_ASKING: u32 = 3;

/// Failed accepts, each time, before OpenCRVS is asked whether another record has the registration number.
const ACCEPTS_BEFORE_ASKING: u32 = 3;

/// What is told, as the journal keeps it, sealed: the delta may hold the identifier that MOSIP issued.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) declaration: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotation: Option<Map<String, Value>>,
    /// What the pending action says of itself; OpenCRVS wants it repeated when some actions are accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<Map<String, Value>>,
    /// Why it is rejected, for the registrar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

impl Told {
    pub(crate) fn sealed(&self) -> Private {
        Private::new(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// The desk that confirms.
pub(crate) struct Confirmer(pub(crate) Engine);

impl Desk for Confirmer {
    /// What is owed, and the civil event that it answers.
    type Item = (Row, NewCivilEvent);

    const NAME: &'static str = "confirmer";

    fn engine(&self) -> &Engine {
        &self.0
    }

    fn bell(&self) -> &Bell {
        &self.0.bells().confirmer
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Self::Item>, EngineError> {
        self.0
            .claim_due(limit, |tx, due| {
                Box::pin(async move {
                    let rows = confirmations::claim(tx, &due.lease, due.now, due.limit).await?;
                    with_events(tx, rows).await
                })
            })
            .await
    }

    fn held((row, _): &Self::Item) -> Held {
        Held::Confirmation(row.key)
    }

    async fn handle(&self, (row, event): Self::Item) -> Result<(), EngineError> {
        let span =
            tracing::info_span!("confirm", event_id = %row.key.event_id, action_id = %row.key.action_id);
        self.0.confirm(row, event).instrument(span).await
    }
}

/// The civil events of all of them at once.
async fn with_events(tx: &mut Tx, rows: Vec<Row>) -> Result<Vec<(Row, NewCivilEvent)>, JournalError> {
    let keys: Vec<RecordKey> = rows.iter().map(|row| row.key).collect();
    let events = civil_events::get_many(tx, &keys).await?;
    let mut events: HashMap<RecordKey, NewCivilEvent> =
        events.into_iter().map(|event| (event.event.key, event.event)).collect();
    rows.into_iter()
        .map(|row| {
            let event = events.remove(&row.key);
            let event = event.ok_or_else(|| {
                JournalError::Abandoned("a confirmation without its civil event".to_owned())
            })?;
            Ok((row, event))
        })
        .collect()
}

/// Whether the answer that is in force holds what we had to write. It does not where somebody else accepted the action
/// before: OpenCRVS answers our accept with success and writes nothing.
fn is_ours(record: &EventDocument, action_id: uuid::Uuid, written: &Map<String, Value>) -> bool {
    let answers = record.actions.iter().filter(|action| {
        action.original_action_id == Some(action_id) && action.status == ActionStatus::Accepted
    });
    let mut answers = answers.peekable();
    // Keys inside JSON columns with an underscore come back rewritten.
    let holds = |action: &Action| {
        written
            .iter()
            .filter(|(key, value)| !key.contains('_') && !value.is_null())
            .all(|(key, value)| action.declaration.get(key) == Some(value))
    };
    answers.peek().is_none() || answers.any(holds)
}

/// What follows from a call.
pub(crate) enum After {
    Told,
    Again { cause: Cause, at: Timestamp },
    Person { cause: Cause },
}

impl Engine {
    async fn confirm(&self, row: Row, event: NewCivilEvent) -> Result<(), EngineError> {
        let told: Told = serde_json::from_slice(row.body.as_bytes()).map_err(EngineError::StoredPacket)?;
        let mut confirmation = Confirmation {
            event_id: row.key.event_id,
            action_id: row.key.action_id,
            action_type: event.action_type.clone(),
            custom_action: event.custom_action.clone(),
            request_id: event.request_id,
            // A correction carries the number that its registration was given.
            registration_number: event.registration_number.clone().or(event.record_number.clone()),
            declaration: told.declaration,
            annotation: told.annotation,
            content: told.content,
            trigger_token: event.token.as_ref().and_then(|token| token.as_text()).map(SecretString::from),
            traceparent: event.traceparent.clone(),
        };
        let mut event_type = event.event_type.clone();
        if confirmation.action_type == TYPE_UNKNOWN {
            match self.find_type(&row, &mut confirmation).await {
                Ok(found) => event_type = found,
                Err(after) => return self.record_confirmation(row, after).await,
            }
        }
        // What must not be lost; the rest only ought to be there.
        let identifier = confirmation.declaration.clone();
        if row.verdict == Verdict::Accept {
            let declared = Values::opened(event.declared.as_ref())?;
            match self.in_the_form(&event_type, declared).await {
                Ok(declared) => {
                    for (field, value) in declared.0 {
                        confirmation.declaration.entry(field).or_insert(value);
                    }
                }
                Err(error) => {
                    return self.record_confirmation(row.clone(), self.after_refusal(&row, &error)).await;
                }
            }
        }
        if row.verdict == Verdict::Accept && confirmation.annotation.is_none() {
            let mut reader = self.journal().read().await?;
            let note = self.note_on_acceptance(&mut reader, &event, !identifier.is_empty()).await?;
            confirmation.annotation = note.map(Note::into_annotation);
        }
        let after = match row.verdict {
            Verdict::Accept => self.accept(&row, &event_type, &confirmation, &identifier).await,
            Verdict::Reject => self.reject(&row, &confirmation, told.reason.as_deref()).await,
        };
        self.record_confirmation(row, after).await
    }

    async fn accept(
        &self,
        row: &Row,
        event_type: &str,
        confirmation: &Confirmation,
        identifier: &Map<String, Value>,
    ) -> After {
        match self.lacking_in_form(event_type, identifier).await.map(|lacking| lacking.into_iter().next()) {
            Ok(None) => {}
            Ok(Some(field)) => return After::Person { cause: Cause::with("field_not_in_form", field) },
            Err(error) => return self.after_refusal(row, &error),
        }
        match self.opencrvs().accept(confirmation, self.now()).await {
            Ok(Some(record)) if !is_ours(&record, confirmation.action_id, identifier) => {
                After::Person { cause: Cause::new("accepted_by_somebody_else") }
            }
            Ok(_) => After::Told,
            Err(error) => match self.number_is_taken(row, confirmation, &error).await {
                Some(tracking_id) => {
                    After::Person { cause: Cause::with("registration_number_taken", tracking_id) }
                }
                None => self.after_refusal(row, &error),
            },
        }
    }

    async fn reject(&self, row: &Row, confirmation: &Confirmation, reason: Option<&str>) -> After {
        let now = self.now();
        let outcome = match reason {
            Some(reason) => self.opencrvs().reject_with_reason(confirmation, reason, now).await.map(drop),
            None => self.opencrvs().reject(confirmation, false, now).await.map(drop),
        };
        match outcome {
            Ok(()) => After::Told,
            Err(error) if error.class == Class::Unknown && self.is_answered(row).await => After::Told,
            Err(error) => self.after_refusal(row, &error),
        }
    }

    /// The tracking id of the record that has our registration number, if one has. OpenCRVS answers such an accept with
    /// a 500 like any other, so that this is asked after some of them in a row; the number itself stays what it is.
    async fn number_is_taken(
        &self,
        row: &Row,
        confirmation: &Confirmation,
        error: &CallError,
    ) -> Option<String> {
        let number = confirmation.registration_number.as_ref()?;
        let failures = row.attempts + 1;
        if error.cause != Refusal::Server || !failures.is_multiple_of(ACCEPTS_BEFORE_ASKING) {
            return None;
        }
        let query = SearchQuery { registration_number: Some(number.clone()), ..SearchQuery::default() };
        let found = self.opencrvs().search(&query, self.now()).await.ok()?;
        let other = found.results.into_iter().find(|record| record.id != row.key.event_id)?;
        Some(other.tracking_id)
    }

    /// Asks OpenCRVS which action it is that a country configuration sent mapped fields of, and of which event type: how
    /// it is answered depends on that. Asked when it is answered, and once as a rule, since each question writes into
    /// the record's history.
    async fn find_type(&self, row: &Row, confirmation: &mut Confirmation) -> Result<String, After> {
        let record = self.record_of(row.key.event_id, confirmation.trigger_token.as_ref()).await;
        let record = record.map_err(|error| self.after_refusal(row, &error))?;
        let Some(action) = record.action(row.key.action_id) else {
            return Err(After::Person { cause: Cause::new("action_not_found") });
        };
        if record.is_answered(action.id)
            && row.verdict == Verdict::Accept
            && confirmation.declaration.is_empty()
        {
            return Err(After::Told);
        }
        confirmation.action_type.clone_from(&action.kind);
        confirmation.custom_action.clone_from(&action.custom_action_type);
        confirmation.request_id = action.request_id;
        if confirmation.content.is_none() {
            confirmation.content.clone_from(&action.content);
        }
        Ok(record.kind)
    }

    /// Those of the values whose field the form has.
    async fn in_the_form(&self, event_type: &str, mut values: Values) -> Result<Values, CallError> {
        for field in self.lacking_in_form(event_type, &values.0).await? {
            tracing::warn!(event_type, field, "the form no longer has a field that a rule writes");
            values.0.remove(&field);
        }
        Ok(values)
    }

    /// A record, read by our own client or, where there is none, by the token that came with it.
    pub(crate) async fn record_of(
        &self,
        event_id: uuid::Uuid,
        token: Option<&SecretString>,
    ) -> Result<EventDocument, CallError> {
        let now = self.now();
        match (self.opencrvs().get(event_id, now).await, token) {
            (Err(error), Some(token)) if error.cause == Refusal::NoCredentials => {
                self.opencrvs().get_with_token(event_id, token, now).await
            }
            (read, _) => read,
        }
    }

    /// Whether OpenCRVS holds an answer to the action. Asked only about a reject that is refused again and again
    /// without a reason, as one of an accepted action is: each question writes into the record's history.
    async fn is_answered(&self, row: &Row) -> bool {
        if row.verdict != Verdict::Reject || row.attempts < REJECTS_BEFORE_ASKING {
            return false;
        }
        let record = self.opencrvs().get(row.key.event_id, self.now()).await;
        record.is_ok_and(|record| record.is_answered(row.key.action_id))
    }

    fn after_refusal(&self, row: &Row, error: &CallError) -> After {
        let now = self.now();
        let failures = row.attempts + 1;
        let wait = self.backoff(failures, error.retry_after);
        let detail = error.to_string();
        match error.class {
            Class::Transient => {
                After::Again { cause: Cause::with("service_unreachable", detail), at: later(now, wait) }
            }
            Class::Unknown => After::Again {
                cause: Cause::with("confirmation_outcome_unknown", detail),
                at: later(now, wait),
            },
            Class::Unauthorised => After::Again {
                cause: Cause::with("credentials_refused", detail),
                at: later(now, self.options().backoff.ceiling),
            },
            Class::Permanent => After::Person {
                cause: match error.cause {
                    Refusal::AlreadyRejected => Cause::new("record_already_rejected"),
                    Refusal::ActionNotFound => Cause::new("action_not_found"),
                    _ => Cause::with("confirmation_refused", detail),
                },
            },
        }
    }

    async fn record_confirmation(&self, row: Row, after: After) -> Result<(), EngineError> {
        let told = matches!(after, After::Told);
        self.closings().record(Closing { row, after }).await?;
        if told {
            metrics::counter!("civitas_confirmations_total").increment(1);
            self.bells().sender.ring();
        }
        Ok(())
    }
}
