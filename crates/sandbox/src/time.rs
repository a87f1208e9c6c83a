//! The sandbox's sense of time: a clock that is passed in, and a speed.
//!
//! Everything that happens in the *world* (the reprocessor's three minutes, the
//! hub's back-off, a registrar's day) is divided by the speed. Faults are not:
//! a fault is meant for the caller, whose time-outs run in real time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Where the sandbox reads the current instant.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A clock and how many times faster than real life the world turns.
#[derive(Clone)]
pub(crate) struct Pace {
    clock: Clock,
    speed: f64,
}

impl Pace {
    pub(crate) fn new(clock: Clock, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { clock, speed }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The instant as both systems print it: UTC with milliseconds.
    pub(crate) fn iso(&self) -> String {
        iso(self.now())
    }

    /// World time as real time.
    pub(crate) fn real(&self, world: Duration) -> Duration {
        world.div_f64(self.speed)
    }

    /// Waits for a stretch of world time; returns at once for zero.
    pub(crate) async fn pass(&self, world: Duration) {
        let real = self.real(world);
        if !real.is_zero() {
            tokio::time::sleep(real).await;
        }
    }
}

/// `2026-06-01T09:01:00.000Z`.
pub(crate) fn iso(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A range of durations in milliseconds; a draw is uniform over it.
///
/// Serialised as `[min, max]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(from = "(u64, u64)", into = "(u64, u64)")]
pub struct Spread {
    /// Shortest, in milliseconds.
    pub min_ms: u64,
    /// Longest, in milliseconds.
    pub max_ms: u64,
}

impl Spread {
    /// From the shortest to the longest; swapped ends are put right.
    pub const fn ms(min_ms: u64, max_ms: u64) -> Self {
        if min_ms <= max_ms { Self { min_ms, max_ms } } else { Self { min_ms: max_ms, max_ms: min_ms } }
    }

    /// From the shortest to the longest, in seconds.
    pub const fn secs(min: u64, max: u64) -> Self {
        Self::ms(min * 1000, max * 1000)
    }

    /// No time at all.
    pub const ZERO: Self = Self::ms(0, 0);
}

impl From<(u64, u64)> for Spread {
    fn from((min, max): (u64, u64)) -> Self {
        Self::ms(min, max)
    }
}

impl From<Spread> for (u64, u64) {
    fn from(spread: Spread) -> Self {
        (spread.min_ms, spread.max_ms)
    }
}
