//! Looking through OpenCRVS for records that wait there and not here, or here and not there.
//!
//! OpenCRVS calls us once. A trigger that is lost, or answered by something in between with a 5xx, leaves the record
//! frozen for good; so does a journal that was restored to what it was before. And a record may be let go in OpenCRVS by
//! somebody else while its operation runs here. Nobody tells us of any of these, so one process at a time looks:
//! a *search* for what OpenCRVS says waits, compared with the journal (`compare`); what differs is noted, and after a
//! while read, one record at a time (`read`), since every read leaves a READ in the record's history.
//!
//! OpenCRVS does not index a record whose trigger failed, so that the search shows it as it was before: declared, and in
//! the registrar's hand. Records that stand still like that are noted too, less often.

mod compare;
mod fed;
mod read;
mod search;
mod view;

use std::{collections::BTreeSet, time::Duration};

use civitas_journal::{
    JournalError,
    lookthroughs::{self, Lookthrough},
    sightings,
};
use civitas_opencrvs::CallError;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

pub use self::view::{RecordsView, StuckView};
use crate::{Engine, EngineError, schedule::later};

/// The cause of an operation whose record OpenCRVS let go.
pub(crate) const RELEASED: &str = "released_in_opencrvs";

/// Role of the process that looks.
const LEASE: &str = "records";

/// How OpenCRVS is looked through.
#[derive(Debug, Clone)]
pub struct Records {
    /// Whether it is.
    pub enabled: bool,
    /// Types of actions whose triggers come to us; others are somebody else's.
    pub actions: BTreeSet<String>,
    /// How often OpenCRVS is searched.
    pub every: Duration,
    /// How long a difference must last before the record is read.
    pub grace: Duration,
    /// How often records in registrars' hands are searched; `None`: never.
    pub sweep_every: Option<Duration>,
    /// How long one of them must have stood still before it is read.
    pub still_for: Duration,
    /// How far back they are looked for.
    pub window: Duration,
    /// At most so many reads in a minute.
    pub reads_per_minute: u32,
}

impl Records {
    /// Not at all.
    pub fn off() -> Self {
        Self {
            enabled: false,
            actions: BTreeSet::new(),
            every: Duration::MAX,
            grace: Duration::MAX,
            sweep_every: None,
            still_for: Duration::MAX,
            window: Duration::ZERO,
            reads_per_minute: 1,
        }
    }
}

/// Why looking stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    /// OpenCRVS did not answer as it should.
    #[error("opencrvs could not be looked through")]
    Call(#[from] CallError),
    /// Ours.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<JournalError> for LookError {
    fn from(error: JournalError) -> Self {
        Self::Engine(error.into())
    }
}

impl Engine {
    /// Looks through OpenCRVS, until `stop`.
    pub(crate) async fn keep_looking_through(&self, stop: CancellationToken) {
        if !self.options().records.enabled {
            return;
        }
        let (mut failures, mut rest_until) = (0, None::<Timestamp>);
        while !stop.is_cancelled() {
            if rest_until.is_none_or(|until| until <= self.now()) {
                rest_until = match self.look(&stop).await {
                    Ok(()) => {
                        failures = 0;
                        None
                    }
                    Err(error) => {
                        failures += 1;
                        let retry_after = match &error {
                            LookError::Call(error) => error.retry_after,
                            LookError::Engine(_) => None,
                        };
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "OpenCRVS could not be looked through");
                        Some(later(self.now(), self.backoff(failures, retry_after)))
                    }
                };
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.options().idle_poll) => {}
            }
        }
    }

    /// Searches if it is time, then reads what is due.
    async fn look(&self, stop: &CancellationToken) -> Result<(), LookError> {
        if !self.looks_through().await? {
            return Ok(());
        }
        if self.is_time_to_search().await? {
            let searched = self.search_through().await;
            self.note_end(&searched).await?;
            searched?;
        }
        let options = &self.options().records;
        let distance = Duration::from_mins(1) / options.reads_per_minute.max(1);
        while !stop.is_cancelled() {
            let due = {
                let mut reader = self.journal().read().await?;
                sightings::next_due(&mut reader, self.now()).await?
            };
            let Some(due) = due else { break };
            self.read_sighted(due).await?;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(distance) => {}
            }
            if self.is_time_to_search().await? || !self.looks_through().await? {
                break;
            }
        }
        Ok(())
    }

    async fn is_time_to_search(&self) -> Result<bool, LookError> {
        let last = {
            let mut reader = self.journal().read().await?;
            lookthroughs::get(&mut reader).await?
        };
        let every = self.options().records.every;
        // One that did not end well is begun again: its process died, or OpenCRVS did. The distance is from the end, so that
        // reads have their turn however long a search takes.
        let ended = last.filter(|last| last.cause.is_none()).and_then(|last| last.ended_at);
        Ok(ended.is_none_or(|ended| later(ended, every) <= self.now()))
    }

    /// Whether this process is the one that looks.
    async fn looks_through(&self) -> Result<bool, LookError> {
        Ok(self.plays(LEASE).await?)
    }

    /// Changes what the journal knows of the last look, in a transaction of its own.
    async fn change_lookthrough<F>(&self, change: F) -> Result<Lookthrough, LookError>
    where
        F: Fn(&mut Lookthrough) + Send + Sync + 'static,
    {
        let now = self.now();
        let change = std::sync::Arc::new(change);
        let changed = self
            .journal()
            .write(move |tx| {
                let change = std::sync::Arc::clone(&change);
                Box::pin(async move {
                    let known = lookthroughs::get(tx).await?;
                    let mut row = known.unwrap_or_else(|| Lookthrough::new(now));
                    change(&mut row);
                    lookthroughs::put(tx, &row).await?;
                    Ok::<_, JournalError>(row)
                })
            })
            .await?;
        Ok(changed)
    }

    async fn note_end(&self, searched: &Result<(), LookError>) -> Result<(), LookError> {
        let now = self.now();
        let cause = match searched {
            Ok(()) => None,
            // The call's own text names what to do; it holds no personal data.
            Err(LookError::Call(error)) => Some(format!("{}: {error}", error.cause.as_str())),
            Err(LookError::Engine(_)) => Some("journal_unavailable".to_owned()),
        };
        self.change_lookthrough(move |row| {
            row.ended_at = Some(now);
            row.cause.clone_from(&cause);
        })
        .await?;
        Ok(())
    }
}
