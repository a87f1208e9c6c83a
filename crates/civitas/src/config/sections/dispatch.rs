//! The engine's time scales.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::units::{Count, Wait};

/// The engine's time scales.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Dispatch {
    /// Operations at a time.
    pub workers: Count<1, 256>,
    /// Ownership of claimed work.
    pub lease: Wait,
    /// Look for work.
    pub idle_poll: Wait,
    /// Back-off.
    pub backoff: BackoffRange,
    /// Wait after an unknown outcome.
    pub unknown_wait: Wait,
    /// Status polls.
    pub polling: PollingRange,
    /// Deadline where the rule has none.
    pub default_deadline: Wait,
    /// How long send-and-continue is followed.
    pub tracking_window: Wait,
    /// Look at stalled ones.
    pub stalled_check: Wait,
    /// PROCESSED without credential.
    pub credential_grace: Wait,
    /// Credentials of unknown AIDs.
    pub parking: Wait,
}

/// First and longest wait.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BackoffRange {
    /// First.
    pub first: Wait,
    /// Ceiling.
    pub ceiling: Wait,
}

/// Shortest and longest distance.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PollingRange {
    /// Shortest.
    pub shortest: Wait,
    /// Longest.
    pub longest: Wait,
    /// Questions per second.
    pub per_second: Count<0, 10_000>,
}
