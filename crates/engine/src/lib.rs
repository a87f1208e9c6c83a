//! The engine: takes civil events in, decides by the country's rules, makes MOSIP act, hears its answer, and tells
//! OpenCRVS.
//!
//! What it promises: an operation is in the journal before the first byte goes to MOSIP; a civil event yields one
//! decision and at most one operation with one AID, however often and by whatever path it comes; operations of a
//! record, and of a person, run in order; every operation that is not finished has a next action and its time.
//!
//! Work lies in tables of the journal, and desks claim it: the sender (operations to MOSIP), the inbox (deliveries
//! of the hub), the confirmer (accept and reject to OpenCRVS), the asker (what nobody answered). Each piece of
//! work is leased, so that several processes share it, and each move is one transaction with its audit leaf.
//!
//! Not here: HTTP routes, Kafka, SQL text.

mod answers;
mod arrival;
pub mod backfill;
mod cause;
mod completed;
mod computing;
mod confirm;
mod decide;
mod desk;
mod dispatch;
mod documents;
mod engine;
mod entry;
mod error;
mod forms;
mod gather;
mod health;
mod history;
mod hub;
mod identified;
mod identities;
mod ingest;
mod moves;
mod moving;
mod noter;
mod options;
mod outbox;
pub mod queue;
mod records;
mod requests;
mod schedule;
pub mod swap;
pub mod takeover;
mod together;
pub mod verify;

pub use self::{
    answers::{DeliverError, Delivered},
    arrival::{Answer, Arrival, IngestError, Values},
    cause::{Cause, DELIVERIES as DELIVERY_CAUSES, OWN as OWN_CAUSES},
    decide::opencrvs_version,
    documents::Documents,
    engine::Engine,
    entry::QueueEntry,
    error::EngineError,
    health::{Outside, ServiceView, TopicView},
    history::Note,
    hub::IntentAnswer,
    identified::{Identified, Way},
    options::{Channel, Clock, IdRepository, Options, PacketsName, Ports, Route, Subscriptions, UploadRoute},
    queue::Queue,
    records::{Records, RecordsView, StuckView},
    requests::{CountryRequest, RequestError, Route as RequestRoute},
    schedule::{Backoff, Polling},
};
pub use civitas_audit::WouldHave;
pub use civitas_journal::JournalError;
pub use civitas_journal::{
    civil_events::Origin,
    operations::State,
    outbox::{Message as OutboxMessage, Topic as OutboxTopic},
};
