//! `civitas country`: what a country's team does with its pack.

mod check;
mod diff;
mod explain;
mod help;
mod replay;
mod schema;
mod test;
mod why;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

/// Check, test and explain a country pack.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum Country {
    /// Report everything that is wrong with a pack, at once
    Check(check::Check),
    /// Run the pack's own cases
    Test(test::Test),
    /// Say what is decided for a document or a record of the journal, and why
    Explain(explain::Explain),
    /// Judge past civil events again, and show what comes out otherwise
    Replay(replay::Replay),
    /// Show what changed from one pack to another
    Diff(diff::Diff),
    /// Print the JSON Schema of a pack file
    Schema(schema::Schema),
    /// Say what a diagnostic's code means
    Help(help::Help),
}

/// Runs the command.
pub fn run(country: &Country, file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    match country {
        Country::Check(check) => check::run(check),
        Country::Test(test) => test::run(test),
        Country::Explain(explain) => explain::run(explain, file),
        Country::Replay(replay) => replay::run(replay, file),
        Country::Diff(diff) => diff::run(diff, file),
        Country::Schema(schema) => schema::run(schema),
        Country::Help(help) => help::run(help),
    }
}
