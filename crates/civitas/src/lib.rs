//! Civitas's one binary, as a library: configuration, commands, and how the floors are put together.
//!
//! The places where the process meets the world are single: [`clock`] reads the time, [`entropy`] takes randomness,
//! [`http`] makes clients, [`secrets`] reads what the configuration names by file. Everything below is given these.

pub mod adoption;
pub mod assembly;
pub mod bridge;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod entropy;
pub mod http;
pub mod identity;
pub mod pack;
pub mod partner_keys;
pub mod replay;
pub mod secrets;
mod starting;
pub mod telemetry;
pub mod words;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
