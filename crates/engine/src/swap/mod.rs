//! The country pack read anew while the engine runs: read whole, compiled and type-checked, its own cases run,
//! archived, swapped. Whatever fails on the way leaves the rule set that runs in force, and is said.
//!
//! Asked for by a change of the folder ([`Engine::watch_pack`]), by a signal or by a call ([`Engine::reload_pack`]).
//! Reading files is the binary's business: it hands in a [`PackSource`].

mod attempt;
mod deciders;
mod examine;
mod restart;
mod status;
mod watch;

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use civitas_rules::PackFiles;
use jiff::Timestamp;
use tokio::sync::Mutex as Turn;

pub use self::{
    examine::{Examined, Refused, examine},
    status::{Ask, Attempt, DeciderView, Outcome, PackProblem, PackView, Took, Trigger},
};
use crate::Engine;

/// Reads the pack's folder once; the error is for people. It blocks.
pub type PackSource = Arc<dyn Fn() -> Look + Send + Sync>;

/// What a look at the folder gave: its files, or why it cannot be read.
pub type Look = Result<PackFiles, String>;

/// How the folder is watched.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    /// How often it is looked at.
    pub every: Duration,
    /// How long its content must stay the same before it is taken.
    pub settle: Duration,
}

/// What the engine remembers of swaps.
pub(crate) struct Swaps {
    source: OnceLock<PackSource>,
    /// One attempt at a time.
    turn: Turn<()>,
    state: Mutex<State>,
}

struct State {
    /// Since when this process runs its rule set.
    since: Timestamp,
    last: Option<Attempt>,
    /// The content that was tried last: only another one is a change.
    tried: Option<Look>,
    /// Whether this process has said that it decides.
    decides: bool,
    /// The digest that the metric shows.
    shown: Option<String>,
}

impl Swaps {
    pub(crate) fn new(now: Timestamp) -> Self {
        let state = State { since: now, last: None, tried: None, decides: false, shown: None };
        Swaps { source: OnceLock::new(), turn: Turn::new(()), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Says where the pack is read anew, and what was found there at the start. Once; later calls change nothing.
    pub fn read_packs_from(&self, source: PackSource, found: Look) {
        if self.swaps().source.set(source).is_ok() {
            self.swaps().state().tried = Some(found);
        }
    }

    /// What runs here, and what became of the last attempt to change it.
    pub fn pack_view(&self) -> PackView {
        let pack = self.pack();
        let state = self.swaps().state();
        PackView {
            instance: self.options().instance.clone(),
            digest: pack.digest().to_owned(),
            country: pack.country().code.clone(),
            since: state.since,
            on_trial: pack.rules_on_trial().map(str::to_owned).collect(),
            last: state.last.clone(),
        }
    }
}
