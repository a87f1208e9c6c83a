//! A clock that runs as fast as it is told, so that days of waiting are seconds of a test.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use civitas_engine::Clock;
use jiff::{SignedDuration, Timestamp};

/// The clock. Clones share it.
#[derive(Debug, Clone)]
pub struct Warp(Arc<Mutex<Pace>>);

#[derive(Debug)]
struct Pace {
    base: Timestamp,
    since: Instant,
    speed: f64,
}

impl Pace {
    fn now(&self) -> Timestamp {
        let world = self.since.elapsed().mul_f64(self.speed);
        let world = SignedDuration::try_from(world).unwrap_or(SignedDuration::MAX);
        self.base.checked_add(world).unwrap_or(Timestamp::MAX)
    }
}

impl Warp {
    /// Starts at an instant, at a speed: seconds of the world per second.
    pub fn new(start: Timestamp, speed: f64) -> Self {
        Warp(Arc::new(Mutex::new(Pace { base: start, since: Instant::now(), speed })))
    }

    /// Runs at another speed from now on.
    pub fn run_at(&self, speed: f64) {
        let mut pace = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (pace.base, pace.since, pace.speed) = (pace.now(), Instant::now(), speed);
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now()
    }

    /// As the engine takes it.
    pub fn clock(&self) -> Clock {
        let warp = self.clone();
        Arc::new(move || warp.now())
    }

    /// Waits until the world's clock shows this instant.
    pub async fn until(&self, instant: Timestamp) {
        while self.now() < instant {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
