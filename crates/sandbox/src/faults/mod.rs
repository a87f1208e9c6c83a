//! Faults on demand: what may go wrong, how often, and the layer that makes it so.

mod layer;
mod model;

pub(crate) use layer::{Flavour, inject};
pub use model::{DeliveryFaults, ESignetFault, Faults, IdentityFaults, Outage, OutcomeFaults, RouteFaults};

use crate::entropy::{Dice, lock};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// The faults in force, and the seeded dice that decide each one.
pub(crate) struct FaultBox {
    faults: Mutex<Faults>,
    pub(crate) dice: Dice,
    /// When the bursts end that were begun, by route.
    bursts: Mutex<HashMap<&'static str, Instant>>,
    arrivals: Arrivals,
}

/// When calls came, by route: a count for each tenth of a second since the start.
struct Arrivals {
    since: Instant,
    counts: Mutex<HashMap<&'static str, Vec<u32>>>,
}

impl FaultBox {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        Self {
            faults: Mutex::new(faults),
            dice: Dice::new(seed, 0xFA),
            bursts: Mutex::default(),
            arrivals: Arrivals { since: Instant::now(), counts: Mutex::default() },
        }
    }

    /// Counts a call of a route.
    pub(crate) fn arrived(&self, route: &'static str) {
        let place = usize::try_from(self.arrivals.since.elapsed().as_millis() / 100).unwrap_or(usize::MAX);
        let mut counts = lock(&self.arrivals.counts);
        let counts = counts.entry(route).or_default();
        if counts.len() <= place {
            counts.resize(place + 1, 0);
        }
        counts[place] += 1;
    }

    /// The calls of a route in each tenth of a second of real time since the start.
    pub(crate) fn arrivals(&self, route: &str) -> Vec<u32> {
        lock(&self.arrivals.counts).get(route).cloned().unwrap_or_default()
    }

    /// Whether this call falls into a burst of answers of nothing, or begins one.
    pub(crate) fn in_burst(&self, name: &'static str, route: &RouteFaults) -> bool {
        let (mut bursts, now) = (lock(&self.bursts), Instant::now());
        if bursts.get(name).is_some_and(|end| now < *end) {
            return true;
        }
        let begins = self.dice.chance(route.null_burst_rate);
        if begins {
            bursts.insert(name, now + Duration::from_millis(route.null_burst_ms));
        }
        begins
    }

    pub(crate) fn get(&self) -> Faults {
        lock(&self.faults).clone()
    }

    pub(crate) fn set(&self, faults: Faults) {
        *lock(&self.faults) = faults;
    }

    pub(crate) fn deliveries(&self) -> DeliveryFaults {
        lock(&self.faults).deliveries.clone()
    }

    pub(crate) fn outcomes(&self) -> OutcomeFaults {
        lock(&self.faults).outcomes.clone()
    }

    pub(crate) fn identity(&self) -> IdentityFaults {
        lock(&self.faults).identity.clone()
    }

    pub(crate) fn route(&self, name: &str) -> Option<RouteFaults> {
        lock(&self.faults).route(name).cloned()
    }
}
