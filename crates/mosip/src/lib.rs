//! The MOSIP side of Civitas: its wire formats and the clients of its services.
//!
//! A packet goes out in two calls, [`Mosip::create_packet`] and [`Mosip::trigger`], or is built here ([`packet`]),
//! announced and uploaded; what became of it is heard from
//! three sides: the hub's deliveries ([`websub`]), the status ([`Mosip::workflow_status`]) and the credential
//! ([`credential`]). MOSIP answers HTTP 200 to most failures, forgets events, and repeats others; each module says
//! which of these it takes care of and which it leaves to its caller through [`Class`].
//!
//! Nothing here reads a clock, keeps a queue or retries by itself, with one exception: a token that a service no
//! longer accepts is renewed once and the call made once more. Private-key operations (opening a credential,
//! signing) take about half a millisecond of processor time and are plain functions: call them off the async workers.
//!
//! `Debug` and error texts hold ids, codes and counts, never field values, tokens or secrets.

mod aid;
mod breaker;
mod client;
pub mod codes;
pub mod credential;
pub mod data_share;
mod encoding;
mod error;
pub mod esignet;
mod gate;
pub mod ida;
mod jose;
pub mod keys;
mod limits;
pub mod packet;
mod stage;
mod status;
pub mod websub;

pub use aid::{Aid, AidError, check_station};
pub use breaker::{Admission, Breaking, Circuit};
pub use client::{
    Announcement, AuthCheck, Changed, CredentialRequest, Credentials, Endpoints, Found, HubAnswer, Identity,
    IdentityKey, IdentityStatus, Mosip, Notification, PacketReceipt, StageRecord, StatusChange, SubPacket,
    Subscription, Trigger, Triggered, Upload, UploadStatus, Uploaded, Vid, WorkflowStatus,
    credential_request_id, reason,
};
pub use codes::advice;
pub use error::{CallError, Class, Service};
pub use gate::ServiceHealth;
pub use limits::{Limit, Limits};
pub use packet::{CreatePacket, IdSchema};
pub use stage::stage_in_words;
pub use status::{RequestStatus, Status};
