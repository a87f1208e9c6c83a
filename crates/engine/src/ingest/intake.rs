//! Reading and deciding, before anything is recorded.

use std::{collections::BTreeMap, sync::Arc};

use civitas_journal::{JournalError, operations::Respond};
use civitas_opencrvs::EventDocument;
use civitas_rules::Pack;
use tokio::task::JoinError;

use crate::{
    Arrival, Engine, IngestError,
    backfill::{self, Past},
    decide::{self, Decided},
    requests::{self, Asked, Holder},
};

/// So many events of a batch are read by one task: few enough that others get their turn.
const TOGETHER: usize = 16;

/// An arrival that was read, and decided by one rule set.
pub(crate) struct Intake {
    pub(super) arrival: Arrival,
    pub(super) matter: Matter,
    pack: Arc<Pack>,
    /// Fields that may not be written, with the reason why.
    forbidden: BTreeMap<String, String>,
}

/// What is decided on.
pub(super) enum Matter {
    /// A record's pending action, by the rules.
    Document(Box<EventDocument>),
    /// An operation that a country configuration asks for.
    Asked(Box<Asked>),
    /// A registration of the past, as the record stands now.
    Past(Box<Past>),
}

impl Intake {
    /// The intake of an operation that is asked for.
    pub(crate) fn asked(arrival: Arrival, asked: Asked, pack: Arc<Pack>) -> Self {
        Self { arrival, matter: Matter::Asked(Box::new(asked)), pack, forbidden: BTreeMap::new() }
    }

    /// The intake of a past registration.
    pub(crate) fn past(arrival: Arrival, past: Past, pack: Arc<Pack>) -> Self {
        Self { arrival, matter: Matter::Past(Box::new(past)), pack, forbidden: BTreeMap::new() }
    }

    /// Decides. `candidate` counts up while a number or AID is another event's; `holder` has a number that is given.
    pub(crate) fn decide(
        &self,
        engine: &Engine,
        candidate: u32,
        holder: Holder,
    ) -> Result<Decided, IngestError> {
        match &self.matter {
            Matter::Document(document) => {
                let pending = decide::pending(document, &self.arrival)?;
                let mut decided =
                    decide::decide(document, &pending, &self.pack, &engine.station(), candidate)?;
                decided.leave_out(&self.forbidden);
                Ok(decided)
            }
            Matter::Asked(asked) => {
                Ok(requests::decide(asked, &self.pack, &engine.station(), candidate, holder))
            }
            Matter::Past(past) => Ok(backfill::decide(past, &self.pack, &engine.station(), candidate)),
        }
    }

    /// Whether the record's history is told of an operation that cannot be sent.
    pub(super) fn notes_apart(&self, decided: &Decided) -> bool {
        let stuck = decided
            .operation
            .as_ref()
            .is_some_and(|planned| planned.respond == Respond::Continue && planned.packet.is_err());
        stuck
            && matches!(self.matter, Matter::Document(_))
            && decided.failed_message.is_some()
            && self.pack.country().history_custom_action.is_some()
    }

    pub(super) fn is_asked(&self) -> bool {
        matches!(self.matter, Matter::Asked(_))
    }
}

impl Engine {
    /// Reads and decides a batch on all cores, in its order: there is no trigger whose answer would wait for it.
    pub(super) async fn read_all(
        &self,
        mut arrivals: Vec<Arrival>,
        pack: &Arc<Pack>,
    ) -> Vec<Result<(Intake, Decided), IngestError>> {
        let mut tasks = Vec::new();
        while !arrivals.is_empty() {
            let rest = arrivals.split_off(arrivals.len().min(TOGETHER));
            let some = std::mem::replace(&mut arrivals, rest);
            let (engine, pack, count) = (self.clone(), Arc::clone(pack), some.len());
            let task = tokio::spawn(async move {
                some.into_iter().map(|arrival| read(arrival, &pack, &engine)).collect::<Vec<_>>()
            });
            tasks.push((task, count));
        }
        let mut all = Vec::new();
        for (task, count) in tasks {
            match task.await.map_err(JoinError::try_into_panic) {
                Ok(some) => all.extend(some),
                Err(Ok(panic)) => std::panic::resume_unwind(panic),
                // The process ends: each keeps its place.
                Err(Err(_)) => {
                    let gone = || Err(IngestError::Journal(JournalError::Interrupted));
                    all.extend(std::iter::repeat_with(gone).take(count));
                }
            }
        }
        all
    }

    /// With what the rule writes held against the form of OpenCRVS.
    pub(super) async fn looked_up(&self, (mut intake, mut decided): (Intake, Decided)) -> (Intake, Decided) {
        if !decided.writing.declaration.is_empty() {
            intake.forbidden = self.not_to_write(&decided.event_type, &decided.writing.declaration).await;
            decided.leave_out(&intake.forbidden);
        }
        (intake, decided)
    }
}

pub(super) fn read(
    arrival: Arrival,
    pack: &Arc<Pack>,
    engine: &Engine,
) -> Result<(Intake, Decided), IngestError> {
    let matter = Matter::Document(Box::new(decide::read(&arrival, pack)?));
    let intake = Intake { arrival, matter, pack: Arc::clone(pack), forbidden: BTreeMap::new() };
    let decided = intake.decide(engine, 0, Holder::Nobody)?;
    Ok((intake, decided))
}
