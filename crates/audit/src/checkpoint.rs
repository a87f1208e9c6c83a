//! What somebody keeps in order to check the log later.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Hash;

/// Size and root of the log at some moment. Whoever holds one can detect any later change to those leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoint {
    /// How many leaves.
    pub size: u64,
    /// Root hash over them.
    pub root: Hash,
}
