//! What OpenCRVS says waits, beside what the journal says does.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use civitas_journal::{
    confirmations,
    operations::{Respond, State},
    queue::{self, Entry, Filter},
    sightings::{self, Kind, Sighting, SightingState},
};
use civitas_opencrvs::EventIndex;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::LookError;
use crate::{Engine, schedule::later};

/// Operations read at a time.
const ROWS: u32 = 1000;

/// What of the journal waits for OpenCRVS, or OpenCRVS for it.
struct Waiting {
    /// Operations that freeze their record.
    operations: Vec<Entry>,
    /// Records with such an operation, or with an answer that OpenCRVS does not have.
    records: HashSet<Uuid>,
}

impl Engine {
    /// Searches, compares, and notes what differs.
    pub(super) async fn search_through(&self) -> Result<(), LookError> {
        let began = self.now();
        let last = self
            .change_lookthrough(move |row| {
                row.began_at = began;
                row.ended_at = None;
            })
            .await?;
        let frozen = self.search_frozen().await?;
        let sweep = self.options().records.sweep_every;
        let sweep = sweep.is_some_and(|every| last.swept_at.is_none_or(|at| later(at, every) <= began));
        let in_hand = if sweep { Some(self.search_in_hand().await?) } else { None };
        // After the searches: what has come in meanwhile is known by now.
        let waiting = self.waiting_here().await?;

        let mut seen = Vec::new();
        for record in frozen.records.values().filter(|record| !waiting.records.contains(&record.id)) {
            seen.push(self.sighting(record, Kind::Frozen, began));
        }
        if let Some(in_hand) = &in_hand {
            let new = |record: &&EventIndex| {
                !waiting.records.contains(&record.id) && !frozen.records.contains_key(&record.id)
            };
            seen.extend(
                in_hand.records.values().filter(new).map(|record| self.sighting(record, Kind::InHand, began)),
            );
        }
        if frozen.complete {
            seen.extend(self.not_frozen(&waiting, &frozen.records, began));
        }
        let swept = in_hand.as_ref().is_some_and(|found| found.complete);
        self.note_sightings(seen, began, frozen.complete, swept).await?;
        let count = u32::try_from(frozen.records.len()).unwrap_or(u32::MAX);
        self.change_lookthrough(move |row| {
            if frozen.complete {
                row.completed_at = Some(began);
                row.frozen = count;
            }
            if swept {
                row.swept_at = Some(began);
            }
        })
        .await?;
        self.show_differences().await
    }

    async fn waiting_here(&self) -> Result<Waiting, LookError> {
        let mut reader = self.journal().read().await?;
        let mut records = confirmations::untold(&mut reader).await?;
        let wanted = Filter {
            done: Some(false),
            respond: Some(Respond::AwaitExternalValidation),
            ..Filter::default()
        };
        let (mut operations, mut after) = (Vec::new(), 0);
        loop {
            let page = queue::list(&mut reader, &wanted, after, ROWS).await?;
            let Some(last) = page.last() else { break };
            after = last.ordinal;
            operations.extend(page);
        }
        records.extend(operations.iter().map(|entry| entry.key.event_id));
        Ok(Waiting { operations, records })
    }

    fn sighting(&self, record: &EventIndex, kind: Kind, now: Timestamp) -> Sighting {
        // Who stands still has done so for long already.
        let wait =
            if kind == Kind::InHand { std::time::Duration::ZERO } else { self.options().records.grace };
        Sighting {
            event_id: record.id,
            tracking_id: record.tracking_id.clone(),
            event_type: record.kind.clone(),
            kind,
            state: SightingState::Open,
            cause: None,
            cause_detail: None,
            first_seen: now,
            last_seen: now,
            next_read_at: later(now, wait),
            reads: 0,
        }
    }

    /// Operations whose record should be frozen and is not said to be. One that is answered already is the confirmer's;
    /// one that is new may not be searchable yet.
    fn not_frozen<'a>(
        &'a self,
        waiting: &'a Waiting,
        frozen: &'a HashMap<Uuid, EventIndex>,
        now: Timestamp,
    ) -> impl Iterator<Item = Sighting> + 'a {
        let options = &self.options().records;
        let grace = SignedDuration::try_from(options.grace).unwrap_or_default();
        let settled = now.checked_sub(grace).unwrap_or(now);
        let mine = move |entry: &&Entry| {
            entry.state != State::Issued
                && entry.created_at <= settled
                && options.actions.contains(&entry.action_type)
                && !frozen.contains_key(&entry.key.event_id)
        };
        waiting.operations.iter().filter(mine).map(move |entry| Sighting {
            event_id: entry.key.event_id,
            tracking_id: entry.tracking_id.clone(),
            event_type: entry.event_type.clone(),
            kind: Kind::NotFrozen,
            state: SightingState::Open,
            cause: None,
            cause_detail: None,
            first_seen: now,
            last_seen: now,
            next_read_at: later(now, options.grace),
            reads: 0,
        })
    }

    /// What was not seen again differs no more.
    async fn note_sightings(
        &self,
        seen: Vec<Sighting>,
        began: Timestamp,
        complete: bool,
        swept: bool,
    ) -> Result<(), LookError> {
        let seen = Arc::new(seen);
        self.journal()
            .write(move |tx| {
                let seen = Arc::clone(&seen);
                Box::pin(async move {
                    sightings::note(tx, &seen).await?;
                    if complete {
                        sightings::forget(tx, Kind::Frozen, began).await?;
                        sightings::forget(tx, Kind::NotFrozen, began).await?;
                    }
                    if swept {
                        sightings::forget(tx, Kind::InHand, began).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(())
    }
}
