//! The journal: civil events, decisions, operations, confirmations, deliveries and the audit log in SQL.
//!
//! The source of truth of the engine. One text of queries runs on SQLite and on PostgreSQL; writes are
//! committed in groups ([`Journal::write`]); personal data is sealed with AES-256-GCM, bound to table, column
//! and row ([`SealingKeys`]); each transition and its audit leaf are one transaction ([`Tx::append_audit`]).
//!
//! One table, one module. Functions that read take a [`Session`], to which both [`Tx`] and [`Reader`]
//! dereference; functions that write take a [`Tx`].

#[macro_use]
mod text_enum;

mod backend;
mod connection;
mod error;
mod journal;
mod migrations;
mod ordinals;
#[cfg(test)]
mod plans;
mod private;
mod seal;
mod session;
mod sql;
mod turn;
mod witness;
mod writer;

pub mod audit_leaves;
pub mod circuits;
pub mod civil_events;
pub mod confirmations;
pub mod data_shares;
pub mod deciders;
pub mod history;
pub mod inbox;
pub mod leases;
pub mod lookthroughs;
pub mod notes;
pub mod operations;
pub mod outbox;
pub mod predecessor;
pub mod queue;
pub mod reindexed;
pub mod rule_sets;
pub mod sightings;
pub mod subscriptions;

pub use backend::Backend;
pub use civitas_audit::{NewLeaf, WouldHave};
pub use error::{DatabaseFault, JournalError};
pub use journal::{Journal, JournalOptions};
pub use private::Private;
pub use seal::{KeyError, SealError, Sealer, SealingKeys};
pub use session::{Lease, Reader, RecordKey, Session, Tx};
pub use writer::BoxFuture;

use std::sync::Arc;

/// Fills a buffer with unpredictable bytes; passed in so that tests can be reproducible.
pub type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;
