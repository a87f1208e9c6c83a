//! What cannot be done for less: one private operation with an RSA key of 2048 bits, by OpenSSL.

use std::time::Duration;

use civitas_tests::measure::{Spread, thread_cpu};
use openssl::rsa::{Padding, Rsa};

const RUNS: usize = 5;
const OPERATIONS: u32 = 300;

/// CPU milliseconds of one operation, on one thread.
pub(crate) fn private_operation() -> Spread {
    let key = Rsa::generate(2048).expect("a key");
    let mut sealed = vec![0; 256];
    key.public_encrypt(&[7; 32], &mut sealed, Padding::PKCS1_OAEP).expect("sealed");
    let mut opened = vec![0; 256];
    let runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let began = thread_cpu();
            for _ in 0..OPERATIONS {
                key.private_decrypt(&sealed, &mut opened, Padding::PKCS1_OAEP).expect("opened");
            }
            millis(thread_cpu().saturating_sub(began)) / f64::from(OPERATIONS)
        })
        .collect();
    Spread::of(&runs)
}

/// A duration in milliseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
