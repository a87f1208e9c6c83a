//! The door to the engine, as narrow as HTTP needs it, so that every failure behind it can be tested here.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use civitas_engine::JournalError;
use civitas_engine::queue::{
    ActError, ActRequest, Acted, Filter, Overview, QueueError, QueueRow, RecordView, Transaction,
};
use civitas_engine::swap::{Ask, Attempt, DeciderView, PackView, Trigger};
use civitas_engine::{
    Answer, Arrival, CountryRequest, DeliverError, Engine, EngineError, Identified, IngestError,
    IntentAnswer, Outside, RequestError,
};
use civitas_mosip::websub::Intent;
use uuid::Uuid;

use crate::compat::ClaimPolicy;

/// The name in the audit log of a caller who showed no known token.
const STRANGER: &str = "unknown";

/// A boxed future: the door is a trait object.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What OpenCRVS and MOSIP bring.
pub trait Intake: Send + Sync + 'static {
    /// Takes one civil event in; durable once answered.
    fn trigger(&self, arrival: Arrival) -> Reply<'_, Result<Answer, IngestError>>;

    /// Takes an operation in that a country configuration asks for; durable once answered.
    fn request(&self, request: CountryRequest) -> Reply<'_, Result<(), RequestError>>;

    /// Keeps records of the reindex feed; durable once answered.
    fn reindexed(&self, records: Vec<(Uuid, Vec<u8>)>) -> Reply<'_, Result<(), JournalError>>;

    /// Checks and keeps one delivery of the hub; durable once answered.
    fn deliver(&self, raw: Vec<u8>, signature: Option<String>) -> Reply<'_, Result<(), DeliverError>>;

    /// Answers a verification of intent.
    fn intent(&self, intent: Intent) -> Reply<'_, IntentAnswer>;

    /// Writes what was found about a person into the audit log; durable once answered.
    fn identified(&self, identified: Identified) -> Reply<'_, Result<(), EngineError>>;

    /// Counts a refused act and writes it into the audit log: each one of an operator, and of strangers no more than
    /// the log can bear. `what` holds no secret and no personal data.
    fn denied(&self, operator: Option<String>, what: String) -> Reply<'_, ()>;
}

/// The engine, with the time that a trigger may wait for the journal.
#[derive(Clone)]
pub struct Live {
    /// The engine.
    pub engine: Engine,
    /// After this a trigger is surely not recorded, and is answered so.
    pub patience: Duration,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Live").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Intake for Live {
    fn trigger(&self, arrival: Arrival) -> Reply<'_, Result<Answer, IngestError>> {
        Box::pin(self.engine.trigger(arrival, self.patience))
    }

    fn request(&self, request: CountryRequest) -> Reply<'_, Result<(), RequestError>> {
        Box::pin(self.engine.request(request, self.patience))
    }

    fn reindexed(&self, records: Vec<(Uuid, Vec<u8>)>) -> Reply<'_, Result<(), JournalError>> {
        Box::pin(self.engine.keep_reindexed(records, self.patience))
    }

    fn deliver(&self, raw: Vec<u8>, signature: Option<String>) -> Reply<'_, Result<(), DeliverError>> {
        Box::pin(async move { self.engine.deliver(&raw, signature.as_deref()).await.map(drop) })
    }

    fn intent(&self, intent: Intent) -> Reply<'_, IntentAnswer> {
        Box::pin(async move { self.engine.verify_intent(&intent).await })
    }

    fn identified(&self, identified: Identified) -> Reply<'_, Result<(), EngineError>> {
        Box::pin(async move { self.engine.record_identified(identified).await })
    }

    fn denied(&self, operator: Option<String>, what: String) -> Reply<'_, ()> {
        Box::pin(async move {
            match operator {
                Some(name) => self.engine.record_denial_of(&name, &what).await,
                None => self.engine.record_denial(STRANGER, &what).await,
            }
        })
    }
}

/// The queue and the records, for people.
pub trait Desk: Send + Sync + 'static {
    /// What decides here, and what became of the last attempt to change it.
    fn pack(&self) -> PackView;

    /// How the country reads what e-Signet proves.
    fn claim_policy(&self) -> ClaimPolicy;

    /// The processes that decide on this journal.
    fn deciders(&self) -> Reply<'_, Result<Vec<DeciderView>, QueueError>>;

    /// Reads the pack's folder anew in this operator's name. `None` where this process reads none.
    fn reload(&self, operator: String, reason: Option<String>) -> Reply<'_, Option<Attempt>>;

    /// How things stand, with so many waiting operations and decisions.
    fn overview(&self, rows: u32) -> Reply<'_, Result<Overview, QueueError>>;

    /// How the way to MOSIP stands.
    fn outside(&self) -> Reply<'_, Result<Outside, QueueError>>;

    /// Operations, oldest first.
    fn list(&self, filter: Filter) -> Reply<'_, Result<Vec<QueueRow>, QueueError>>;

    /// Operations that are not finished, oldest first, as mosip-api lists them.
    fn transactions(&self) -> Reply<'_, Result<Vec<Transaction>, QueueError>>;

    /// One record by event id, tracking id or AID.
    fn show(&self, record: String) -> Reply<'_, Result<Option<RecordView>, QueueError>>;

    /// Acts on a record.
    fn act(&self, request: ActRequest) -> Reply<'_, Result<Acted, ActError>>;
}

impl Desk for Live {
    fn pack(&self) -> PackView {
        self.engine.pack_view()
    }

    fn claim_policy(&self) -> ClaimPolicy {
        let pack = self.engine.pack();
        let languages = pack.country().languages.iter().map(|language| language.code.clone());
        ClaimPolicy { languages: languages.collect(), esignet: pack.identity().esignet.clone() }
    }

    fn deciders(&self) -> Reply<'_, Result<Vec<DeciderView>, QueueError>> {
        Box::pin(async move { self.engine.queue().deciders().await })
    }

    fn reload(&self, operator: String, reason: Option<String>) -> Reply<'_, Option<Attempt>> {
        Box::pin(async move {
            self.engine.reload_pack(Ask { trigger: Trigger::Operator, actor: operator, reason }).await
        })
    }

    fn overview(&self, rows: u32) -> Reply<'_, Result<Overview, QueueError>> {
        Box::pin(async move { self.engine.queue().overview(rows).await })
    }

    fn outside(&self) -> Reply<'_, Result<Outside, QueueError>> {
        Box::pin(async move { self.engine.queue().outside().await })
    }

    fn list(&self, filter: Filter) -> Reply<'_, Result<Vec<QueueRow>, QueueError>> {
        Box::pin(async move { self.engine.queue().list(&filter).await })
    }

    fn transactions(&self) -> Reply<'_, Result<Vec<Transaction>, QueueError>> {
        Box::pin(async move { self.engine.queue().transactions().await })
    }

    fn show(&self, record: String) -> Reply<'_, Result<Option<RecordView>, QueueError>> {
        Box::pin(async move { self.engine.queue().show(&record).await })
    }

    fn act(&self, request: ActRequest) -> Reply<'_, Result<Acted, ActError>> {
        Box::pin(async move { self.engine.queue().act(request).await })
    }
}
