//! Faults on demand: what may go wrong, how often, and the layer that makes it so.

mod layer;
mod model;

pub(crate) use layer::{Flavour, inject};
pub use model::{DeliveryFaults, Faults, Outage, OutcomeFaults, RouteFaults};

use crate::entropy::{Dice, lock};
use std::sync::Mutex;

/// The faults in force, and the seeded dice that decide each one.
pub(crate) struct FaultBox {
    faults: Mutex<Faults>,
    pub(crate) dice: Dice,
}

impl FaultBox {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        Self { faults: Mutex::new(faults), dice: Dice::new(seed, 0xFA) }
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

    pub(crate) fn route(&self, name: &str) -> Option<RouteFaults> {
        lock(&self.faults).route(name).cloned()
    }
}
