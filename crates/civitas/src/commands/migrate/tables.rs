//! Brings the journal's tables up to date. `serve` does so too; this is for those who separate the two.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};

use crate::assembly;
use crate::config::{self, Layers};

/// Runs the command.
pub(super) async fn run(file: Option<PathBuf>) -> anyhow::Result<()> {
    let config = config::load(&Layers::of_process(file)).map_err(|problems| anyhow!("{problems}"))?;
    let journal = assembly::open_journal(&config).await?;
    journal.migrate().await.context("the journal's tables cannot be brought up to date")?;
    println!("The journal's tables are up to date.");
    Ok(())
}
