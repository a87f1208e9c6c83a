//! `civitas country`: what a country's team does with its pack.

mod check;
mod explain;
mod help;
mod import;
mod new;
mod schema;
mod test;

use std::process::ExitCode;

use clap::Subcommand;

/// Check, test and explain a country pack.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum Country {
    /// Write a pack to start from
    New(new::New),
    /// Take the fields of the forms over from OpenCRVS, and say what changed
    ///
    /// Exit code 0: nothing changed, or the pack passes its check with what changed. Exit code 1: something changed
    /// (with --check), or the pack no longer passes its check, or nothing could be imported.
    ImportFields(import::ImportFields),
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

/// Runs the command.
pub fn run(country: &Country) -> anyhow::Result<ExitCode> {
    match country {
        Country::New(new) => new::run(new),
        Country::ImportFields(import) => import::run(import),
        Country::Check(check) => check::run(check),
        Country::Test(test) => test::run(test),
        Country::Explain(explain) => explain::run(explain),
        Country::Schema(schema) => schema::run(schema),
        Country::Help(help) => help::run(help),
    }
}
