//! Seeded randomness. The same seed and the same order of draws give the same
//! day; draws by concurrent requests interleave as the requests do.

use crate::time::Spread;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Locks, also after a holder panicked: the sandbox's state is plain data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A shared seeded generator.
pub(crate) struct Dice(Mutex<StdRng>);

impl Dice {
    /// `purpose` keeps the streams of different parts apart.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        Self(Mutex::new(rng(seed, purpose)))
    }

    /// Starts another stream: after a restart the first one would repeat its ids.
    pub(crate) fn reseed(&self, seed: u64, purpose: u64) {
        *lock(&self.0) = rng(seed.rotate_left(17), purpose);
    }

    /// True with probability `rate` (0 to 1). A zero rate draws nothing.
    pub(crate) fn chance(&self, rate: f64) -> bool {
        rate > 0.0 && (rate >= 1.0 || lock(&self.0).random_bool(rate))
    }

    pub(crate) fn draw(&self, spread: Spread) -> Duration {
        if spread.min_ms == spread.max_ms {
            return Duration::from_millis(spread.min_ms);
        }
        Duration::from_millis(lock(&self.0).random_range(spread.min_ms..=spread.max_ms))
    }

    pub(crate) fn uuid(&self) -> Uuid {
        uuid(&mut *lock(&self.0))
    }

    pub(crate) fn fill(&self, bytes: &mut [u8]) {
        lock(&self.0).fill_bytes(bytes);
    }

    /// `count` decimal digits, the first one not zero.
    pub(crate) fn digits(&self, count: usize) -> String {
        digits(&mut *lock(&self.0), count)
    }
}

/// A generator for one purpose.
pub(crate) fn rng(seed: u64, purpose: u64) -> StdRng {
    StdRng::seed_from_u64(seed ^ purpose.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// A version 4 UUID out of a generator.
pub(crate) fn uuid(rng: &mut impl Rng) -> Uuid {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// Decimal digits, the first one between 1 and 9.
pub(crate) fn digits(rng: &mut impl Rng, count: usize) -> String {
    (0..count)
        .map(|place| {
            char::from(b'0' + if place == 0 { rng.random_range(1..10) } else { rng.random_range(0..10) })
        })
        .collect()
}
