//! What OpenCRVS's reindex feed tells of records that wait: it shows also those that no search shows, since OpenCRVS does
//! not index a record whose trigger failed.
//!
//! Nothing but that is taken from it. It loses explicit nulls, and is of a moment before, so a record is read before
//! anything follows; but not one whose trigger arrives meanwhile, or that waits here too, since every read is a line in
//! its history.

use civitas_journal::{
    JournalError, RecordKey, Session, Tx,
    civil_events::{self, CivilEvent},
    confirmations::{self, ConfirmationState},
    operations::{self, Respond},
    reindexed,
    sightings::{self, Kind, Sighting, SightingState},
};
use civitas_opencrvs::{ActionStatus, EventDocument};
use jiff::Timestamp;
use uuid::Uuid;

use super::LookError;
use crate::{Engine, schedule::later};

/// A record of the feed with an action that waits.
pub(crate) struct Fed {
    key: RecordKey,
    tracking_id: String,
    event_type: String,
}

impl Engine {
    /// Those of the records in which an action waits whose triggers come to us.
    pub(crate) fn waiting_in(&self, records: &[(Uuid, Vec<u8>)]) -> Vec<Fed> {
        if !self.options().records.enabled {
            return Vec::new();
        }
        records.iter().filter_map(|(_, bytes)| self.waits(bytes)).collect()
    }

    fn waits(&self, bytes: &[u8]) -> Option<Fed> {
        let document = EventDocument::parse_only(bytes, |_| false).ok()?;
        let actions = &self.options().records.actions;
        let waiting = document
            .actions
            .iter()
            .filter(|action| action.status == ActionStatus::Requested && actions.contains(&action.kind))
            .rfind(|action| !document.is_answered(action.id))?;
        Some(Fed {
            key: RecordKey::new(document.id, waiting.id),
            tracking_id: document.tracking_id.clone(),
            event_type: document.kind.clone(),
        })
    }

    /// Notes those that wait there and not here, in the transaction that keeps the batch. What was seen of a record
    /// before stands.
    pub(crate) async fn note_fed(
        &self,
        tx: &mut Tx,
        waiting: &[Fed],
        now: Timestamp,
    ) -> Result<(), JournalError> {
        for fed in waiting {
            let known = civil_events::get(tx, fed.key).await?;
            // What came in lately is of after the feed's moment, as a rule.
            let lately =
                |event: &CivilEvent| later(event.event.received_at, self.options().records.grace) > now;
            if known.as_ref().is_some_and(lately)
                || waits_here(tx, fed.key).await?
                || sightings::get(tx, fed.key.event_id).await?.is_some()
            {
                continue;
            }
            let sighting = Sighting {
                event_id: fed.key.event_id,
                tracking_id: fed.tracking_id.clone(),
                event_type: fed.event_type.clone(),
                kind: Kind::Fed,
                state: SightingState::Open,
                cause: None,
                cause_detail: None,
                first_seen: now,
                last_seen: now,
                next_read_at: later(now, self.options().records.grace),
                reads: 0,
            };
            sightings::note(tx, &[sighting]).await?;
        }
        Ok(())
    }

    /// Whether what waited in the feed has come in since, or waits here by now, so that there is nothing to read.
    pub(super) async fn came_by_itself(
        &self,
        sighting: &Sighting,
        known: &[CivilEvent],
    ) -> Result<bool, LookError> {
        let mut reader = self.journal().read().await?;
        // A feed that was cleared meanwhile says nothing.
        let Some(document) = reindexed::get(&mut reader, sighting.event_id).await? else { return Ok(false) };
        let Some(fed) = self.waits(document.as_bytes()) else { return Ok(true) };
        let came = known
            .iter()
            .any(|event| event.event.key == fed.key && event.event.received_at >= sighting.first_seen);
        Ok(came || waits_here(&mut reader, fed.key).await?)
    }
}

/// Whether the record waits in the journal too, or its answer is on its way.
async fn waits_here(session: &mut Session, key: RecordKey) -> Result<bool, JournalError> {
    let lane = operations::by_event(session, key.event_id).await?;
    let waits = |operation: &operations::Operation| {
        !operation.done && operation.respond == Respond::AwaitExternalValidation
    };
    if lane.iter().any(waits) {
        return Ok(true);
    }
    let told = confirmations::get(session, key).await?;
    Ok(told.is_some_and(|told| told.state != ConfirmationState::Done))
}
