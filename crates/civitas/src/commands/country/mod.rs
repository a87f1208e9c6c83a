//! `civitas country`: what a country's team does with its pack.

mod check;
mod explain;
mod help;
mod problems;
mod sarif;
mod schema;
mod style;
mod test;

use std::path::Path;
use std::process::ExitCode;

use civitas_rules::Diagnostics;
use clap::Subcommand;

/// Check, test and explain a country pack.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum Country {
    /// Report everything that is wrong with a pack, at once
    Check(check::Check),
    /// Run the pack's own cases
    Test(test::Test),
    /// Say what the pack decides for an event document, and why
    Explain(explain::Explain),
    /// Print the JSON Schema of a pack file
    Schema(schema::Schema),
    /// Say what a diagnostic's code means
    Help(help::Help),
}

/// Every problem in plain text, with the folder before the file.
pub(crate) fn plain(folder: &Path, problems: &Diagnostics) -> String {
    let style = style::Style::PLAIN;
    let shown = problems.iter().map(|problem| problems::Shown { problem, folder, style }.to_string());
    shown.fold(String::new(), |all, one| all + &one + "\n")
}

/// Runs the command.
pub fn run(country: &Country) -> anyhow::Result<ExitCode> {
    match country {
        Country::Check(check) => Ok(check::run(check)),
        Country::Test(test) => test::run(test),
        Country::Explain(explain) => explain::run(explain),
        Country::Schema(schema) => schema::run(schema),
        Country::Help(help) => help::run(help),
    }
}
