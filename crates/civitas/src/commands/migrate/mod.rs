//! `civitas migrate`: the journal's tables, and what a country brings along from the mediator before.

mod mosip_api;
mod tables;

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Bring the journal's tables up to date, or take over from the mediator before.
#[derive(Debug, Args)]
pub struct Migrate {
    #[command(subcommand)]
    from: Option<From>,
}

#[derive(Debug, Subcommand)]
enum From {
    /// Write a configuration out of mosip-api's environment, and take its open transactions over
    MosipApi(mosip_api::MosipApi),
}

/// Runs the command.
pub async fn run(migrate: &Migrate, file: Option<PathBuf>) -> anyhow::Result<()> {
    match &migrate.from {
        None => tables::run(file).await,
        Some(From::MosipApi(mosip_api)) => mosip_api::run(mosip_api).await,
    }
}
