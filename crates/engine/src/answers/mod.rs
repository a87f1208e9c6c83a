//! MOSIP's answers, by more than one ear: the credential callback, the completed event, the status poll.
//!
//! A callback is authenticated on its raw bytes, made durable, and only then answered; what it says is looked
//! into afterwards. Whichever ear hears first moves the operation; the others confirm it.

mod contradiction;
mod credential;
mod delivery;
mod heard;
mod inbox;
mod late;
mod lookup;
mod poll;
mod readback;
mod share;

pub(crate) use self::delivery::Arrived;
pub use self::delivery::{DeliverError, Delivered};
pub(crate) use self::{heard::Heard, inbox::InboxDesk, poll::Asker};
