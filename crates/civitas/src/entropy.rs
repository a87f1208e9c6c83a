//! The one place that takes randomness from the system; everything else is given this.

use std::sync::Arc;

use civitas_journal::Entropy;

/// Fills a buffer with unpredictable bytes.
#[expect(
    clippy::expect_used,
    reason = "without randomness nothing can be sealed safely; going on would be worse"
)]
pub fn fill(buffer: &mut [u8]) {
    openssl::rand::rand_bytes(buffer).expect("the system's generator of random numbers works");
}

/// The system's generator as a value.
pub fn entropy() -> Entropy {
    Arc::new(fill)
}

/// A random number that seeds the jitter of back-offs.
pub fn seed() -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// Random bytes as hexadecimal digits, two for each byte.
pub fn hexadecimal(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    fill(&mut buffer);
    hex::encode(buffer)
}
