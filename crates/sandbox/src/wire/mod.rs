//! HTTP plumbing of the stand-ins: a server whose connections a fault can cut.

mod hangup;
mod serve;

pub(crate) use hangup::Hangup;
pub(crate) use serve::{Served, serve};
