//! The sections of `civitas.yaml` as types. What each key means, its unit, range and default are written in
//! `civitas.default.yaml`, which is also where the defaults are taken from: there is no second place.

mod dispatch;
mod identity;
mod kafka;
mod mosip;
mod opencrvs;
mod server;
mod telemetry;

pub use self::{dispatch::*, identity::*, kafka::*, mosip::*, opencrvs::*, server::*, telemetry::*};
