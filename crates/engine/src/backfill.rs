//! Registrations of the past: what the present rules would ask of MOSIP about them, and its planning.
//!
//! A record is judged as it stands now and at the instant of the back-fill, as if it were registered at this moment: who
//! was a child then and is none now gets nothing that is for children. Nothing of it waits in OpenCRVS, so every
//! operation is of the kind that goes on, and OpenCRVS is told nothing: an accept without a pending action would be
//! refused, and what MOSIP issues reaches a record only by a correction. The outcome is kept here.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use civitas_journal::{
    JournalError, Private, RecordKey, Session, civil_events,
    operations::{self, Respond},
    reindexed,
};
use civitas_mosip::Aid;
use civitas_opencrvs::{Action, ActionStatus, EventDocument, EventStatus};
use civitas_rules::{Effect, Facts, Operation, Pack, PacketContext, Writing};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    Answer, Arrival, Engine, EngineError, Origin,
    decide::{self, Decided, Planned, Station},
    ingest::Intake,
    opencrvs_version,
};

/// How long planning waits for the journal.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a record comes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The present rules ask for this, by this rule.
    Asks {
        /// The operation.
        operation: Operation,
        /// The rule.
        rule: String,
    },
    /// They ask for nothing: `none`, `ignore` or `reject`.
    Nothing(&'static str),
    /// A rule would hold it, for want of these fields.
    Undecided(String),
    /// Its registration waits for an answer: the engine's business, not a back-fill's.
    Waiting,
    /// It is not registered, but this.
    NotRegistered(&'static str),
}

/// A record, judged.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The record.
    pub event_id: Uuid,
    /// The action that asked for its registration: the civil event of an operation.
    pub action_id: Uuid,
    /// Its tracking id.
    pub tracking_id: String,
    /// `birth`, `death`, …
    pub event_type: String,
    /// What it comes to.
    pub verdict: Verdict,
}

/// Judges a record as it stands, at an instant.
pub fn judge(document: &EventDocument, pack: &Pack, at: Timestamp) -> Judged {
    let of = |action_id, verdict| Judged {
        event_id: document.id,
        action_id,
        tracking_id: document.tracking_id.clone(),
        event_type: document.kind.clone(),
        verdict,
    };
    if document.find_pending().is_ok() {
        return of(Uuid::nil(), Verdict::Waiting);
    }
    let status = document.status();
    let Some(action_id) = registered_by(document).filter(|_| status == EventStatus::Registered) else {
        return of(Uuid::nil(), Verdict::NotRegistered(status.as_str()));
    };
    let current = document.current(opencrvs_version(pack.country().opencrvs));
    let decision = pack.decide(&facts(document, &current, at));
    let verdict = match decision.effect {
        Effect::Operate { operation, .. } => {
            Verdict::Asks { operation, rule: decision.rule.unwrap_or_default() }
        }
        Effect::Hold { missing } => Verdict::Undecided(missing.join(", ")),
        other => Verdict::Nothing(other.as_str()),
    };
    of(action_id, verdict)
}

/// The request that the last registration answers; the registration itself where nobody was asked.
fn registered_by(document: &EventDocument) -> Option<Uuid> {
    let registered = |action: &&Action| action.kind == "REGISTER" && action.is(ActionStatus::Accepted);
    let last = document.actions.iter().filter(registered).max_by_key(|action| action.created_at.at())?;
    Some(last.original_action_id.unwrap_or(last.id))
}

fn facts<'a>(document: &'a EventDocument, current: &'a civitas_opencrvs::Map, at: Timestamp) -> Facts<'a> {
    Facts {
        event: &document.kind,
        action: "REGISTER",
        custom_action: None,
        before: current,
        after: current,
        at,
    }
}

/// A past registration on its way into the journal.
pub(crate) struct Past {
    pub(crate) document: EventDocument,
    pub(crate) action_id: Uuid,
    pub(crate) at: Timestamp,
    /// When its operation is due.
    pub(crate) due: Timestamp,
}

/// Decides on a past registration.
pub(crate) fn decide(past: &Past, pack: &Pack, station: &Station<'_>, candidate: u32) -> Decided {
    let document = &past.document;
    let current = document.current(opencrvs_version(pack.country().opencrvs));
    let facts = facts(document, &current, past.at);
    let explanation = pack.explain(&facts);
    let language = pack.country().languages.first().map_or("en", |language| language.code.as_str());
    let decision = explanation.decision().clone();
    let record_number = document.registration_number().map(str::to_owned);
    let event_id = document.id.to_string();
    let operation = match &decision.effect {
        Effect::Operate { operation, send, deadline, .. } => {
            let context = PacketContext {
                facts: &facts,
                event_id: &event_id,
                tracking_id: &document.tracking_id,
                registration_number: record_number.as_deref(),
            };
            let guard = pack.forbids(&facts, &decision);
            let packet = decide::packet_of(*operation, send, guard, pack, &context);
            // By when it was asked for: a back-fill judges at one instant, and a second has room for few AIDs.
            let asked_at = document
                .actions
                .iter()
                .find(|action| action.id == past.action_id)
                .map(|action| action.created_at.at());
            let aid = Aid::derive(
                station.center,
                station.machine,
                document.id,
                past.action_id,
                asked_at.unwrap_or(past.at),
                candidate,
            );
            Some(Planned {
                operation: operation.as_str().to_owned(),
                respond: Respond::Continue,
                aid: Some(aid),
                deadline: *deadline,
                subject: packet.as_ref().ok().and_then(|packet| packet.subject.clone()),
                packet,
            })
        }
        _ => None,
    };
    Decided {
        event_id: document.id,
        action_id: past.action_id,
        tracking_id: document.tracking_id.clone(),
        event_type: document.kind.clone(),
        action_type: "REGISTER".to_owned(),
        custom_action: None,
        request_id: None,
        action_at: past.at,
        ruleset: pack.digest().to_owned(),
        effect: decision.effect.as_str(),
        rule: decision.rule,
        would_have: Vec::new(),
        sentence: format!("back-fill of a past registration: {}", explanation.sentence(language)),
        message: None,
        failed_message: None,
        answer: Answer::accept(),
        registration_number: None,
        record_number,
        writing: Writing::default(),
        operation,
        anomaly: None,
    }
}

/// What became of a planned batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Planning {
    /// Operations that are planned now.
    pub planned: u64,
    /// Records whose operation the journal knows already.
    pub known: u64,
    /// Records that come to nothing any more.
    pub nothing: u64,
    /// Documents that cannot be read.
    pub unreadable: u64,
}

impl Engine {
    /// Plans what the present rules ask for about these records, of which each is judged anew. `due` says when the
    /// operation of the next one may be sent. What the journal knows is left alone, so that a run may be repeated.
    pub async fn plan_past(
        &self,
        documents: Vec<Vec<u8>>,
        at: Timestamp,
        mut due: impl FnMut() -> Timestamp,
    ) -> Result<Planning, EngineError> {
        let pack = self.pack();
        // The journal keeps microseconds, and the decision must be the same when it is taken again.
        let at = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
        let mut planning = Planning::default();
        let mut asked: BTreeMap<Uuid, (Vec<u8>, EventDocument, Judged)> = BTreeMap::new();
        for bytes in documents {
            let Ok(document) = decide::open(&bytes, &pack) else {
                planning.unreadable += 1;
                continue;
            };
            let judged = judge(&document, &pack, at);
            match judged.verdict {
                // The later of two versions counts; a repetition is none.
                Verdict::Asks { .. } => drop(asked.insert(document.id, (bytes, document, judged))),
                _ => planning.nothing += 1,
            }
        }
        let keys: Vec<(RecordKey, Operation)> =
            asked.values().filter_map(|(_, _, judged)| judged.asks()).collect();
        let mut reader = self.journal().read().await?;
        let known = known(&mut reader, &keys).await?;
        drop(reader);
        let mut intakes = Vec::new();
        for (bytes, document, judged) in asked.into_values() {
            if known.contains(&judged.event_id) {
                planning.known += 1;
                continue;
            }
            let arrival = Arrival {
                document: bytes,
                event_id: Some(judged.event_id),
                event_type: None,
                action_type: None,
                origin: Origin::Backfill,
                token: None,
                token_expires_at: None,
                traceparent: None,
            };
            let past = Past { document, action_id: judged.action_id, at, due: due() };
            let intake = Intake::past(arrival, past, Arc::clone(&pack));
            if let Ok(decided) = intake.decide(self, 0, crate::requests::Holder::Nobody) {
                intakes.push((intake, decided));
            }
        }
        planning.planned = intakes.len() as u64;
        for result in self.record(intakes, PATIENCE).await {
            if let Err(crate::IngestError::Journal(error)) = result {
                return Err(error.into());
            }
        }
        Ok(planning)
    }

    /// Keeps records of the reindex feed, sealed, for a back-fill. Those that wait in it and not here are looked at.
    pub async fn keep_reindexed(
        &self,
        records: Vec<(Uuid, Vec<u8>)>,
        patience: Duration,
    ) -> Result<(), JournalError> {
        let now = self.now();
        let waiting = Arc::new(self.waiting_in(&records));
        let engine = self.clone();
        let records: Vec<(Uuid, Private)> =
            records.into_iter().map(|(id, bytes)| (id, Private::new(bytes))).collect();
        let records = Arc::new(records);
        self.journal()
            .write_within(patience, move |tx| {
                let (engine, waiting) = (engine.clone(), Arc::clone(&waiting));
                let records = Arc::clone(&records);
                Box::pin(async move {
                    reindexed::keep_many(tx, &records, now).await?;
                    engine.note_fed(tx, &waiting, now).await
                })
            })
            .await
    }
}

impl Judged {
    /// The civil event and its operation, where one is asked for.
    pub fn asks(&self) -> Option<(RecordKey, Operation)> {
        match self.verdict {
            Verdict::Asks { operation, .. } => {
                Some((RecordKey::new(self.event_id, self.action_id), operation))
            }
            _ => None,
        }
    }
}

/// Those of the records about which the journal knows all that a back-fill would do: the registration itself, decided
/// before, with an operation or without; or an operation of the same kind about the record, by whatever action.
pub async fn known(
    session: &mut Session,
    keys: &[(RecordKey, Operation)],
) -> Result<HashSet<Uuid>, JournalError> {
    let actions: Vec<RecordKey> = keys.iter().map(|(key, _)| *key).collect();
    let decided = civil_events::known(session, &actions).await?;
    let mut known: HashSet<Uuid> = decided.into_iter().map(|event| event.key.event_id).collect();
    let records: Vec<Uuid> = actions.iter().map(|key| key.event_id).collect();
    let kinds = operations::kinds_of(session, &records).await?;
    known.extend(keys.iter().filter_map(|(key, operation)| {
        kinds.contains(&(key.event_id, operation.as_str().to_owned())).then_some(key.event_id)
    }));
    Ok(known)
}
