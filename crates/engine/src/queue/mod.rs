//! The queue "awaiting external validation", as an integrator works on it: list, show, retry, release, reject.
//!
//! Works on the journal alone, so that the command line can act while MOSIP or the server is down. An act is a
//! transition like any other: with a reason, an actor and an audit leaf; the engine does what follows from it.

mod act;
mod list;
mod show;

use civitas_journal::Journal;

pub use self::{
    act::{Act, ActError, ActRequest, Acted},
    list::{Counts, Filter, LastDecision, Overview, QueueRow, Transaction},
    show::{ActionView, ConfirmationView, OperationView, RecordView, TimelineEntry},
};
use crate::{Clock, Engine};

/// The queue over a journal.
#[derive(Clone)]
pub struct Queue {
    journal: Journal,
    clock: Clock,
    engine: Option<Engine>,
}

/// The queue could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the journal could not be read")]
pub struct QueueError(#[from] civitas_journal::JournalError);

impl Queue {
    /// A queue over this journal.
    pub fn new(journal: Journal, clock: Clock) -> Self {
        Queue { journal, clock, engine: None }
    }

    /// The same within a running engine, whose desks hear of acts at once.
    pub(crate) fn within(mut self, engine: Engine) -> Self {
        self.engine = Some(engine);
        self
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        (self.clock)()
    }

    fn ring(&self) {
        if let Some(engine) = &self.engine {
            let bells = engine.bells();
            bells.sender.ring();
            bells.confirmer.ring();
            bells.outbox.ring();
        }
    }
}
