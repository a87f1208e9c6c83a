//! The main job, end to end, over real sockets: triggers in, MOSIP made to act, records closed.
//!
//! One file per theme. Each test has its own sandbox, engine, server and journal, so that all may run at once.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

mod audit;
mod backfill;
mod bad_input;
mod callbacks;
mod confirmations;
mod conformance;
mod corpus;
mod deadline;
mod declared;
mod doctor;
mod documents;
mod found;
mod happy;
mod identity;
mod keys;
mod locked;
mod mosip;
mod mosip_api;
mod notes;
mod once;
mod opencrvs;
mod operations;
mod order;
mod outage;
mod privacy;
mod queue;
mod reload;
mod replay;
mod shares;
mod subscriptions;
mod support;
mod swap;
mod uploads;
