//! The HTTP surface of Civitas: triggers of OpenCRVS, callbacks of MOSIP's hub, the operator API and two pages.
//!
//! One endpoint, one file. Handlers know nothing of SQL or of MOSIP's packets: they read a request strictly, hand it
//! through [`Intake`] or [`Desk`], and say what came of it. What they promise:
//!
//! - a trigger is answered 200, 202 or 400 (401 for a provably wrong token), after the event is durable, whatever
//!   breaks ([`trigger`](mod@trigger));
//! - a callback is answered 2xx only after its content is durable, and 401 before anything reads an unsigned one;
//! - every error is `{"error":{code, message, advice}}`, and holds no personal data;
//! - nobody reads or acts without a token, and every refused act is recorded.

mod api;
mod auth;
mod body;
mod certificates;
mod compat;
mod failsafe;
mod health;
mod metric;
mod operators;
mod pages;
mod port;
mod reindex;
mod reply;
mod router;
mod run;
mod state;
mod trace;
mod trigger;
mod websub;

pub use api::openapi::openapi_json;
pub use certificates::WatchedCertificate;
pub use compat::{Authentication, ClaimPolicy, Compares, Contract, Identification, MosipApi, Verification};
pub use operators::{Operator, Role};
pub use port::{Desk, Intake, Live, Reply};
pub use reply::{ErrorBody, ErrorDetail};
pub use router::router;
pub use run::serve;
pub use state::{Options, Parts};
pub use trigger::TokenPolicy;
