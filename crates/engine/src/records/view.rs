//! How looking through OpenCRVS stands, for people.

use std::time::Duration;

use civitas_journal::{
    civil_events, lookthroughs,
    queue::{self, Filter},
    sightings::{self, Kind, SightingState},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{LookError, RELEASED};
use crate::{Cause, Engine, Queue, queue::QueueError, schedule::later};

/// How long before its end a token is spoken of: a registrar may still be asked to register anew.
const ENDS_SOON: Duration = Duration::from_hours(24);
/// Records that are listed one by one.
const LISTED: u32 = 20;
/// Operations that are counted at most.
const COUNTED: u32 = 10_000;

/// A record that OpenCRVS and the journal disagree about, and that a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StuckView {
    /// The record.
    pub event_id: Uuid,
    /// The tracking id that registrars know.
    pub tracking_id: String,
    /// `frozen`: it waits in OpenCRVS and not here. `not_frozen`: the other way round. `in_hand`: it stands still there. `fed`: its
    /// reindex feed says that it waits.
    pub seen: String,
    /// Why it cannot be mended.
    pub cause: Option<Cause>,
    /// What a person can do about it.
    pub advice: Option<String>,
    /// When it was seen first.
    pub since: Timestamp,
}

/// How the records of OpenCRVS compare with the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RecordsView {
    /// When OpenCRVS was last searched to the end; none before the first time, or where it is switched off.
    pub looked_through_at: Option<Timestamp>,
    /// Why the last search did not get through.
    pub cause: Option<String>,
    /// Records that OpenCRVS said wait, by then.
    pub frozen: u32,
    /// Records that wait there and not here, and are still to be read.
    pub unknown: u64,
    /// Operations here whose record was let go there.
    pub released: u64,
    /// Records that the engine cannot mend: the oldest of them.
    pub stuck: Vec<StuckView>,
    /// Records that wait and that only a token can answer which ends within a day, or did (OpenCRVS 1.9).
    pub tokens_ending: u64,
    /// Searches made in all.
    pub searches: u32,
    /// Records read in all; each read left a READ in the record's history.
    pub reads: u32,
}

impl RecordsView {
    /// Whether anything here wants a person's eye.
    pub fn is_troubled(&self) -> bool {
        self.cause.is_some() || self.released > 0 || self.tokens_ending > 0 || !self.stuck.is_empty()
    }
}

impl Queue {
    /// How the records of OpenCRVS compare with the journal.
    pub async fn records(&self) -> Result<RecordsView, QueueError> {
        let mut reader = self.journal().read().await?;
        let last = lookthroughs::get(&mut reader).await?;
        let counts = sightings::counts(&mut reader).await?;
        let stuck = sightings::stuck(&mut reader, LISTED).await?;
        let wanted = Filter { done: Some(false), cause: Some(RELEASED.to_owned()), ..Filter::default() };
        let released = queue::list(&mut reader, &wanted, 0, COUNTED).await?.len();
        let unknown =
            counts.iter().filter(|(kind, state, _)| (*kind, *state) == (Kind::Frozen, SightingState::Open));
        let tokens_ending = civil_events::tokens_ending(&mut reader, later(self.now(), ENDS_SOON)).await?;
        let mut view = RecordsView {
            tokens_ending,
            unknown: unknown.map(|(.., n)| n).sum(),
            released: released as u64,
            stuck: stuck
                .into_iter()
                .map(|row| {
                    let cause = row.cause.map(|code| Cause { code, detail: row.cause_detail });
                    StuckView {
                        event_id: row.event_id,
                        tracking_id: row.tracking_id,
                        seen: row.kind.as_str().to_owned(),
                        advice: cause.as_ref().map(|cause| cause.advice().to_owned()),
                        cause,
                        since: row.first_seen,
                    }
                })
                .collect(),
            ..RecordsView::default()
        };
        if let Some(last) = last {
            view.looked_through_at = last.completed_at;
            view.cause = last.cause;
            view.frozen = last.frozen;
            view.searches = last.searches;
            view.reads = last.reads;
        }
        Ok(view)
    }
}

impl Engine {
    /// The metrics of it.
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats; records are far below 2^53")]
    pub(super) async fn show_differences(&self) -> Result<(), LookError> {
        let mut reader = self.journal().read().await?;
        let counts = sightings::counts(&mut reader).await?;
        for kind in [Kind::Frozen, Kind::InHand, Kind::NotFrozen, Kind::Fed] {
            for state in [SightingState::Open, SightingState::Stuck] {
                let count: u64 =
                    counts.iter().filter(|(k, s, _)| (*k, *s) == (kind, state)).map(|(.., n)| n).sum();
                metrics::gauge!("civitas_records_differing", "seen" => kind.as_str(), "state" => state.as_str())
                    .set(count as f64);
            }
        }
        Ok(())
    }
}
