//! The OpenCRVS stand-in: an event store with core's own semantics.
//!
//! A record is a list of actions; a click inserts one as Requested and asks the
//! country config once; the answer's status code decides. What is not answered
//! stays frozen until someone accepts or rejects it.

mod accept;
mod action;
mod authorise;
mod config;
mod core;
mod fields;
mod get;
mod ledger;
mod procedure;
mod record;
mod reindex;
mod reject;
mod routes;
mod search;
mod store;
mod submit;
mod token_endpoint;
mod tokens;
mod trpc;

pub use action::{Actor, Declaration, Document, Status, StoredAction};
pub use reindex::{Feed, Reindexed};
pub use submit::{Click, Clicked, Submission};

pub(crate) use self::core::{Core, OFFICE, REGISTRAR};
pub(crate) use config::FORMS;
#[cfg(test)]
pub(crate) use fields::unknown as unknown_field;
pub(crate) use routes::{FAULT_NAMES, fault_name, router};
pub(crate) use store::Store;
pub(crate) use tokens::Tokens;

use crate::entropy::lock;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// What becomes of a trigger on its way to the country config and back. Nothing is ever sent again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TriggerLoss {
    /// It arrives, and so does its reply.
    #[default]
    None,
    /// It never arrives.
    Request,
    /// It arrives; its reply does not.
    Reply,
    /// Something in between answers with this status, and the country config never sees it.
    Answered(u16),
}

/// A call and its answer, with the bodies as they travelled.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// `trigger REGISTER`, or the procedure: `event.actions.register.accept`, `event.search`.
    pub call: String,
    /// What was sent.
    pub sent: Value,
    /// HTTP status of the answer; none if there was none.
    pub status: Option<u16>,
    /// What was answered; null where it is no success.
    pub answered: Value,
}

/// Handle to the OpenCRVS stand-in. Cheap to clone.
#[derive(Clone)]
pub struct OpenCrvs {
    pub(crate) core: Arc<Core>,
    pub(crate) url: String,
}

impl OpenCrvs {
    /// Base URL: the gateway (`{url}/events/…`), the auth service (`{url}/token`,
    /// `{url}/.well-known`) and the config (`{url}/config/events`).
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where triggers go from now on, without a trailing path.
    pub fn set_country_config(&self, url: &str) {
        *lock(&self.core.country_config) = Some(url.to_owned());
    }

    /// Opens a new record: CREATE and an assignment to the registrar.
    pub fn create(&self, kind: &str) -> Uuid {
        let core = &self.core;
        let actor = Actor::from(&core.registrar());
        let at = core.pace.iso();
        let transaction = format!("tmp-{}", core.uuid());
        let create = actor.sign(core.uuid(), "CREATE", Status::Accepted, &transaction, &at);
        let mut assign = actor.sign(core.uuid(), "ASSIGN", Status::Accepted, &transaction, &at);
        assign.assigned_to = Some(actor.id.clone());
        let searchable = core.searchable_at();
        loop {
            let id = core.uuid();
            let document = Document {
                id,
                kind: kind.to_owned(),
                tracking_id: crate::generator::tracking_id(core.uuid().as_u64_pair().0),
                created_at: at.clone(),
                updated_at: at.clone(),
                actions: vec![create.clone(), assign.clone()],
            };
            if core.store.rows().import(document, Some(searchable)) {
                return id;
            }
        }
    }

    /// Keeps every exchange from now on.
    pub fn keep_exchanges(&self) {
        lock(&self.core.exchanges).get_or_insert_default();
    }

    /// The exchanges that were kept.
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.core.exchanges).clone().unwrap_or_default()
    }

    /// What becomes of triggers from now on.
    pub fn lose_triggers(&self, loss: TriggerLoss) {
        *lock(&self.core.trigger_loss) = loss;
    }

    /// OpenCRVS is restored from a backup in which this record was so. False if there is no such record.
    pub fn restore(&self, document: Document) -> bool {
        let searchable = self.core.searchable_at();
        self.core.store.rows().restore(document, searchable)
    }

    /// The form of an event type loses a field, or gets it back.
    ///
    /// The name of a custom action takes that out instead.
    pub fn form_lacks(&self, field: &str, lacks: bool) {
        let mut lacking = lock(&self.core.lacking);
        if lacks {
            lacking.insert(field.to_owned());
        } else {
            lacking.remove(field);
        }
    }

    /// An old write of the record, of when it had so many actions, reaches the search index last: writes are not
    /// version-checked.
    pub fn index_as_of(&self, event: Uuid, actions: usize) {
        let now = self.core.now();
        if let Some(record) = self.core.store.rows().records.get_mut(&event) {
            record.index(actions, now);
        }
    }

    /// A registrar opens the record: a READ, which re-indexes it.
    pub async fn open(&self, event: Uuid) {
        submit::submit(&self.core, event, Submission::new("READ")).await;
    }

    /// A registrar takes the record into hand.
    pub fn assign(&self, event: Uuid) {
        let actor = Actor::from(&self.core.registrar());
        let id = self.core.uuid();
        let mut assign =
            actor.sign(id, "ASSIGN", Status::Accepted, &self.core.uuid().to_string(), &self.core.pace.iso());
        assign.assigned_to = Some(actor.id.clone());
        let searchable = self.core.searchable_at();
        let mut rows = self.core.store.rows();
        rows.append(event, assign);
        // Encoding a corrupt record fails; the action is in effect all the same.
        let _ = rows.index(event, searchable);
    }

    /// Carries out a registrar's click, the call to the country config included.
    pub async fn submit(&self, event: Uuid, submission: Submission) -> Click {
        submit::submit(&self.core, event, submission).await
    }

    /// Takes a whole document into the store, frozen actions included. False if
    /// its id, tracking id or registration number exists.
    pub fn import(&self, document: Document) -> bool {
        let searchable = self.core.searchable_at();
        self.core.store.rows().import(document, Some(searchable))
    }

    /// A record as it would be sent now.
    pub fn document(&self, event: Uuid) -> Option<Document> {
        self.core.store.rows().records.get(&event).map(|record| record.document.clone())
    }

    /// A record by its tracking id.
    pub fn find(&self, tracking_id: &str) -> Option<Uuid> {
        self.core.store.rows().by_tracking(tracking_id)
    }

    /// All records in the order of their creation.
    pub fn records(&self) -> Vec<Uuid> {
        self.core.store.rows().order.clone()
    }

    /// The unanswered Requested actions of a record: not empty means frozen.
    pub fn pending(&self, event: Uuid) -> Vec<StoredAction> {
        let rows = self.core.store.rows();
        rows.records.get(&event).map(|record| record.pending().cloned().collect()).unwrap_or_default()
    }

    /// Status of a record: `DECLARED`, `REGISTERED`, …
    pub fn status(&self, event: Uuid) -> Option<&'static str> {
        self.core.store.rows().records.get(&event).map(|record| record::status(&record.document.actions))
    }

    /// Flags of a record.
    pub fn flags(&self, event: Uuid) -> Vec<String> {
        let rows = self.core.store.rows();
        rows.records.get(&event).map(|record| record::flags(&record.document.actions)).unwrap_or_default()
    }

    /// The number a record was registered under.
    pub fn registration_number(&self, event: Uuid) -> Option<String> {
        let rows = self.core.store.rows();
        rows.records.get(&event).and_then(|record| record.registration_number().map(str::to_owned))
    }

    /// The bearer that a trigger about this action carries; `None` if it cannot be signed.
    pub async fn trigger_token(&self, event: Uuid, action: Uuid) -> Option<String> {
        submit::trigger_token(&self.core, &self.core.registrar(), event, action).await
    }

    /// The registrar's own token, as the OpenCRVS client holds it; `None` if it cannot be signed.
    pub fn registrar_token(&self) -> Option<String> {
        self.core.tokens.registrar(&self.core.registrar(), self.core.now()).ok()
    }

    /// Sends the reindex feed to the country config.
    pub async fn reindex(&self) -> Reindexed {
        self.reindex_as(Feed::of(self.core.tokens.regime)).await
    }

    /// The same, in batches of another release or with one that is lost.
    pub async fn reindex_as(&self, run: Feed) -> Reindexed {
        reindex::reindex(&self.core, run).await
    }

    /// The truth about every record; with `summary` the counters only.
    pub fn ledger(&self, summary: bool) -> Value {
        ledger::ledger(&self.core, summary)
    }

    /// How many answers of this kind core has given so far: `accept ok`, `reject Conflict`, …
    pub fn confirmations(&self, answer: &str) -> u64 {
        self.core.store.rows().tally.confirmations.get(answer).copied().unwrap_or(0)
    }

    /// Forgets all records and counters.
    pub fn reset(&self) {
        *self.core.store.rows() = store::Rows::default();
    }
}
