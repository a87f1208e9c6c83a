//! The stand-ins from outside, over HTTP: the tables of the references, case by case.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod clients;
mod confirm;
mod day;
mod faults;
mod flow;
mod hub;
mod identity;
mod idrepo;
mod keys;
mod packets;
mod relay;
mod stage;
mod submit;
mod tokens;
