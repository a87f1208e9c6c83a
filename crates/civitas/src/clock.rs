//! The one place that reads the system's clock; everything else is given this.

use jiff::Timestamp;

/// The current instant.
#[expect(clippy::disallowed_methods, reason = "the clock that is passed to everything else")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
