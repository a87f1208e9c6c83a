//! Keeping the platform over a restart: packets, rows, identities, hub.

use super::desk::{Desk, Raw};
use super::hub::{self, Hub};
use super::registry::Registry;
use super::state::Mosip;
use super::{issuance, pipeline};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Everything but tokens, faults and what was in flight.
#[derive(Serialize, Deserialize)]
pub(crate) struct Snapshot {
    desk: Desk,
    registry: Registry,
    hub: hub::Snapshot,
}

pub(crate) fn take(mosip: &Mosip) -> Snapshot {
    let registry = mosip.registry().clone();
    let desk = mosip.desk().clone();
    Snapshot { desk, registry, hub: mosip.hub.snapshot() }
}

/// Takes up a snapshot: unfinished flows and requests go on from their start.
pub(crate) fn restore(mosip: &Arc<Mosip>, snapshot: Snapshot) {
    let Snapshot { mut desk, registry, hub } = snapshot;
    let mut unfinished = Vec::new();
    for (aid, row) in &mut desk.workflows {
        if matches!(row.status, Raw::Resumable | Raw::Processing | Raw::Reprocess) {
            row.status = Raw::Resumable;
            row.trail.clear();
            unfinished.push(aid.clone());
        }
    }
    let waiting = |status: &str| matches!(status, "NEW" | "RETRY");
    let requests: Vec<String> =
        desk.requests.iter().filter(|(_, row)| waiting(&row.status)).map(|(id, _)| id.clone()).collect();
    mosip.dice.reseed(mosip.seed ^ u64::try_from(desk.order.len()).unwrap_or(0), 0x05);
    *mosip.desk() = desk;
    *mosip.registry() = registry;
    Hub::restore(mosip, hub);
    for aid in unfinished {
        mosip.spawn(pipeline::process(Arc::clone(mosip), aid));
    }
    for id in requests {
        issuance::resume(mosip, id);
    }
}
