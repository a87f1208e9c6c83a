//! `civitas queue`: the records that wait for MOSIP or for a person, and what a person can do about them.
//!
//! Works on the journal alone: MOSIP, OpenCRVS, the broker and the server may all be down.

mod act;
mod list;
mod show;

use std::path::PathBuf;

use anyhow::anyhow;
use civitas_engine::queue::Queue as Desk;
use clap::Subcommand;

use crate::assembly;
use crate::config::{self, Layers};

/// Records that wait for MOSIP or for a person.
#[derive(Debug, Subcommand)]
pub enum Queue {
    /// List what waits, oldest first
    List(list::List),
    /// Show one record: what was decided and why, where it stands, its timeline
    Show(show::Show),
    /// Do the current step again, now, with the same packet
    Retry(act::Act),
    /// Let the record go on in OpenCRVS without MOSIP's answer
    Release(act::Act),
    /// Send the record back to the registrar
    Reject(act::Act),
}

/// Runs the command.
pub async fn run(queue: &Queue, file: Option<PathBuf>) -> anyhow::Result<()> {
    let config = config::load(&Layers::of_process(file)).map_err(|problems| anyhow!("{problems}"))?;
    let journal = assembly::open_journal(&config).await?;
    let desk = Desk::new(journal.clone(), assembly::clock());
    let result = match queue {
        Queue::List(list) => list::run(list, &desk).await,
        Queue::Show(show) => show::run(show, &desk).await,
        Queue::Retry(act) => act::run(act, civitas_engine::queue::Act::Retry, &desk).await,
        Queue::Release(act) => act::run(act, civitas_engine::queue::Act::Release, &desk).await,
        Queue::Reject(act) => act::run(act, civitas_engine::queue::Act::Reject, &desk).await,
    };
    journal.close().await;
    result
}
