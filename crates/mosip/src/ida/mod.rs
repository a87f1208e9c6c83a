//! Demographic authentication by MOSIP's ID Auth (IDA): is this the person whose number this is?
//!
//! A request is sealed and signed when it is sent, never before: IDA takes none that is older than a minute. What was
//! compared and what came of it is in no log and no error; of a mismatch only the names of the attributes are told.
//! IDA answers HTTP 200 to everything that it understood, so [`Verdict`] and [`VerifyError`] keep apart what was
//! found about a person, and what is the matter with the way to IDA: the second is never told as the first.

mod answer;
mod client;
mod codes;
mod person;
mod request;

pub use answer::{NotMatched, Refused, Verdict};
pub use client::{Fill, Ida, IdaSettings, VerifyError};
pub use codes::AuthClass;
pub use person::{Person, full_name};
pub use request::{Generation, IdType, RequestEntropy, SealError, Sealed, seal};
