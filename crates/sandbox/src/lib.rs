//! Stand-ins for OpenCRVS and MOSIP that behave as the real systems do, traps
//! included, with faults on demand.
//!
//! Nothing here knows the engine. [`Sandbox::start`] runs both systems on two
//! ports; a test or the `civitas sandbox` command then clicks as a registrar
//! would, sets faults, and reads the ledger, which knows what really happened.
//!
//! ```no_run
//! # async fn demo(http: reqwest::Client, clock: civitas_sandbox::Clock) -> Result<(), civitas_sandbox::StartError> {
//! use civitas_sandbox::{Sandbox, SandboxOptions, Submission};
//!
//! let sandbox = Sandbox::start(SandboxOptions::instant(7), http, clock).await?;
//! sandbox.opencrvs().set_country_config("http://localhost:3040");
//! let record = sandbox.opencrvs().create("birth");
//! let click = sandbox.opencrvs().submit(record, Submission::new("DECLARE")).await;
//! assert!(sandbox.violations().is_empty());
//! # let _ = click; Ok(()) }
//! ```

mod admin;
mod entropy;
mod faults;
mod jwt;
mod keys;
mod options;
mod sandbox;
mod time;
mod wire;

pub mod generator;
pub mod mosip;
pub mod opencrvs;

pub use faults::{DeliveryFaults, ESignetFault, Faults, IdentityFaults, Outage, OutcomeFaults, RouteFaults};
pub use keys::{KeyError, SandboxKeys};
pub use mosip::Mosip;
pub use opencrvs::{
    Click, Clicked, Declaration, Document, Exchange, Feed, OpenCrvs, Reindexed, Submission, TriggerLoss,
};
pub use options::{
    ESignetOptions, Handed, HubOptions, IdaOptions, MosipClient, MosipOptions, OpenCrvsOptions, Regime,
    SandboxOptions, ShareOptions, SharedIdentifier, SystemClient, Trigger, VcProof,
};
pub use sandbox::{Sandbox, StartError};
pub use time::{Clock, Spread};
