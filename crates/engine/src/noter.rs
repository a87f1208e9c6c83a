//! Noting in the record's history what became of an operation that the record did not wait for.
//!
//! What the record waited for is said by the annotation of its acceptance. Of the rest only a custom action of the event
//! configuration can tell, performed as the system client: on a record that nobody holds and in which nothing waits. So
//! a note is tried until then, and no operation waits for it. OpenCRVS asks the country configuration about the note as
//! about any action, and so, as a rule, asks us; no rule is for it, and it is accepted.

use std::time::Duration;

use civitas_audit::NewLeaf;
use civitas_journal::{
    JournalError, RecordKey, Tx, civil_events,
    civil_events::CivilEvent,
    leases::Held,
    notes::{self, NoteState, StoredNote},
};
use civitas_opencrvs::{CallError, Cause as Refusal, Class, Confirmation, CustomAction, EventDocument};
use civitas_rules::Outcome;
use jiff::{SignedDuration, Timestamp};
use tracing::Instrument;

use crate::{
    Cause, Engine, EngineError, Note,
    desk::{Bell, Desk},
    schedule::later,
};

/// How long a record may be held, or its OpenCRVS be unwilling, before its note is given up.
const PATIENCE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How often it is looked whether an event configuration has the custom action by now.
const LOOK_AGAIN: Duration = Duration::from_hours(6);

/// Outcomes that are noted.
const NOTED: [Outcome; 2] = [Outcome::Completed, Outcome::Failed];

/// The desk that notes.
pub(crate) struct Noter(pub(crate) Engine);

impl Desk for Noter {
    type Item = StoredNote;

    const NAME: &'static str = "noter";

    fn engine(&self) -> &Engine {
        &self.0
    }

    fn bell(&self) -> &Bell {
        &self.0.bells().noter
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Self::Item>, EngineError> {
        // Most countries have none: that costs a look and no transaction.
        let mut reader = self.0.journal().read().await?;
        if !notes::any_due(&mut reader, self.0.now()).await? {
            return Ok(Vec::new());
        }
        drop(reader);
        self.0
            .claim_due(limit, |tx, due| {
                Box::pin(async move { notes::claim(tx, &due.lease, due.now, due.limit).await })
            })
            .await
    }

    fn held(note: &StoredNote) -> Held {
        Held::Note(note.key, note.outcome.clone())
    }

    async fn handle(&self, note: StoredNote) -> Result<(), EngineError> {
        let span =
            tracing::info_span!("note", event_id = %note.key.event_id, action_id = %note.key.action_id);
        self.0.write_note(note).instrument(span).await
    }
}

/// What follows from an attempt.
enum After {
    Noted,
    /// Not now. Whether the call may have gone through all the same.
    Again {
        cause: Cause,
        wait: Duration,
        doubt: bool,
    },
    GivenUp(Cause),
}

/// Plans a note in the transaction of what it is about.
pub(crate) async fn plan(
    tx: &mut Tx,
    key: RecordKey,
    outcome: Outcome,
    due: Timestamp,
    now: Timestamp,
) -> Result<(), JournalError> {
    notes::insert(tx, key, outcome.as_str(), due, now).await.map(drop)
}

impl Engine {
    async fn write_note(&self, mut note: StoredNote) -> Result<(), EngineError> {
        let mut reader = self.journal().read().await?;
        let event = civil_events::get(&mut reader, note.key).await?;
        let outcome = NOTED.into_iter().find(|outcome| outcome.as_str() == note.outcome);
        let (Some(event), Some(outcome)) = (event, outcome) else {
            return self.note_came_to(note, None, After::GivenUp(Cause::new("nothing_to_say"))).await;
        };
        let said =
            self.note_of(&mut reader, &event.event.ruleset, event.event.rule.as_deref(), outcome).await?;
        let pack = self.pack_at_hand(&event.event.ruleset);
        drop(reader);
        let action = pack.and_then(|pack| pack.country().history_custom_action.clone());
        let (Some(said), Some(action)) = (said, action) else {
            return self.note_came_to(note, None, After::GivenUp(Cause::new("nothing_to_say"))).await;
        };
        let action = custom_action(&note, &event, action, said.clone());
        let after = match self.custom_action_there(&event.event.event_type, &action.custom_action).await {
            // Where the configuration cannot be seen, OpenCRVS says what it thinks of it.
            Ok(Some(true) | None) => self.perform(&mut note, &action).await?,
            Ok(Some(false)) => After::Again {
                cause: Cause::with("custom_action_missing", action.custom_action.clone()),
                wait: LOOK_AGAIN,
                doubt: note.doubt,
            },
            Err(error) => self.after_failure(&note, &error),
        };
        self.note_came_to(note, Some(said), after).await
    }

    async fn perform(&self, note: &mut StoredNote, action: &CustomAction) -> Result<After, EngineError> {
        let doubt = note.doubt;
        let claimed = std::sync::Arc::new(note.clone());
        let mine = self
            .journal()
            .write(move |tx| {
                let claimed = std::sync::Arc::clone(&claimed);
                Box::pin(async move { notes::doubt(tx, &claimed).await })
            })
            .await?;
        if !mine {
            return Ok(After::Again { cause: Cause::new("claimed_by_another"), wait: Duration::ZERO, doubt });
        }
        match self.opencrvs().perform(action, self.now()).await {
            Ok(()) => Ok(After::Noted),
            // Somebody holds the record, or something waits in it: it may be this very note.
            Err(error) if error.cause == Refusal::Conflict && doubt => Ok(self.find_note(note, action).await),
            Err(error) => Ok(self.after_failure(note, &error)),
        }
    }

    /// Looks for the note that an earlier call may have made. One whose answer was lost waits, and keeps the record from
    /// everybody: it is accepted here.
    async fn find_note(&self, note: &StoredNote, action: &CustomAction) -> After {
        let record: EventDocument = match self.opencrvs().get(action.event_id, self.now()).await {
            Ok(record) => record,
            Err(error) => return self.after_failure(&StoredNote { doubt: true, ..note.clone() }, &error),
        };
        let Some(found) = action.find(&record) else {
            let wait = self.backoff(note.attempts + 1, None);
            return After::Again { cause: Cause::new("record_not_free"), wait, doubt: false };
        };
        let waits =
            found.status == civitas_opencrvs::ActionStatus::Requested && !record.is_answered(found.id);
        if !waits {
            return After::Noted;
        }
        let mut accept = Confirmation::of(action.event_id, found);
        accept.annotation = Some(action.annotation.clone());
        match self.opencrvs().accept(&accept, self.now()).await {
            Ok(_) => After::Noted,
            Err(error) => self.after_failure(&StoredNote { doubt: true, ..note.clone() }, &error),
        }
    }

    fn after_failure(&self, note: &StoredNote, error: &CallError) -> After {
        let wait = self.backoff(note.attempts + 1, error.retry_after);
        let cause = |code| Cause::with(code, error.to_string());
        let again = |code, doubt| After::Again { cause: cause(code), wait, doubt };
        match (error.class, error.cause) {
            (_, Refusal::Conflict) => {
                After::Again { cause: Cause::new("record_not_free"), wait, doubt: false }
            }
            (Class::Transient, _) => again("service_unreachable", note.doubt),
            (Class::Unknown, _) => again("note_outcome_unknown", true),
            (Class::Unauthorised, _) => After::Again {
                cause: cause("credentials_refused"),
                wait: self.options().backoff.ceiling,
                doubt: note.doubt,
            },
            (Class::Permanent, _) => After::GivenUp(cause("note_refused")),
        }
    }

    async fn note_came_to(
        &self,
        mut note: StoredNote,
        said: Option<Note>,
        after: After,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let mut next = None;
        note.doubt = false;
        match &after {
            After::Noted => (note.state, note.cause) = (NoteState::Done, None),
            After::GivenUp(cause) => {
                (note.state, note.cause) = (NoteState::GivenUp, Some(cause.to_string()));
            }
            After::Again { cause, wait, doubt } => {
                note.attempts += 1;
                note.doubt = *doubt;
                note.cause = Some(cause.to_string());
                let old = now.duration_since(note.created_at) >= PATIENCE;
                if old {
                    note.state = NoteState::GivenUp;
                } else {
                    next = Some(later(now, *wait));
                }
            }
        }
        let label = note.state.as_str();
        metrics::counter!("civitas_notes_total", "state" => label).increment(u64::from(next.is_none()));
        let leaf = (next.is_none()).then(|| {
            let mut leaf = NewLeaf::new("note", "engine", now).about(note.key.event_id, note.key.action_id);
            leaf.to = Some(label.to_owned());
            let said = said.map(|said| said.message).into_iter().chain(note.cause.clone());
            leaf.reason = Some(said.collect::<Vec<_>>().join("; "));
            leaf
        });
        let work = std::sync::Arc::new((note, leaf));
        self.journal()
            .write(move |tx| {
                let work = std::sync::Arc::clone(&work);
                Box::pin(async move {
                    let (note, leaf) = &*work;
                    if notes::advance(tx, note, next).await?
                        && let Some(leaf) = leaf
                    {
                        tx.append_audit(std::slice::from_ref(leaf));
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(())
    }
}

/// The call, the same however often it is made.
fn custom_action(note: &StoredNote, event: &CivilEvent, action: String, said: Note) -> CustomAction {
    // The office of whoever took the step that the operation follows from.
    let document = EventDocument::parse(event.event.document.as_bytes()).ok();
    let location = document.and_then(|document| {
        let own = document.action(note.key.action_id).and_then(|action| action.created_at_location.clone());
        own.or_else(|| document.actions.iter().rev().find_map(|action| action.created_at_location.clone()))
    });
    CustomAction {
        event_id: note.key.event_id,
        transaction_id: format!("civitas-note-{}-{}", note.key.action_id, note.outcome),
        custom_action: action,
        annotation: said.into_annotation(),
        location,
    }
}
