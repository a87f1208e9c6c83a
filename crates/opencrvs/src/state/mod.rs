//! What a list of actions amounts to: declaration, status, flags; now, and once the pending action is accepted.
//!
//! Ports of OpenCRVS's own reducers, exact to their oddities, since a country's forms and workqueues are computed by
//! the originals and a difference would show as a wrong decision.

mod flags;
mod fold;
mod merge;
mod origin;
mod past;
mod prospective;
mod status;

pub use merge::{deep_merge, drop_nulls};
pub use origin::{Origin, Origins};
pub use past::Past;
pub use prospective::{Anomaly, NoProspect, Prospective};
pub use status::EventStatus;
