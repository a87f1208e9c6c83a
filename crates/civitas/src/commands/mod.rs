//! One verb, one file.

pub mod backfill;
pub mod config;
pub mod country;
pub mod demo;
pub mod doctor;
mod generated;
pub mod keys;
pub mod keys_show;
pub mod migrate;
pub mod openapi;
pub mod packet;
pub mod queue;
pub mod reference;
pub mod sandbox;
pub mod schemas;
pub mod serve;
mod wiring;
