//! `civitas config default|check|show`.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Subcommand;

use crate::config::{self, Layers};

/// The configuration.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Print the built-in default, which documents every key
    Default,
    /// Read the configuration as the engine would, and say what is wrong with it
    Check,
    /// Print what is in force and where each value comes from, without secrets
    Show,
}

/// Runs the command.
pub fn run(command: &Config, file: Option<PathBuf>) -> anyhow::Result<()> {
    let layers = Layers::of_process(file);
    match command {
        Config::Default => print!("{}", config::DEFAULT),
        Config::Check => {
            config::load(&layers).map_err(|problems| anyhow!("{problems}"))?;
            let read = layers.path().map_or_else(
                || "the built-in default and the environment".to_owned(),
                |path| path.display().to_string(),
            );
            println!("{read}: fine. `civitas doctor` tries what it names.");
        }
        Config::Show => {
            print!("{}", config::show(&layers).map_err(|problems| anyhow!("{problems}"))?);
        }
    }
    Ok(())
}
