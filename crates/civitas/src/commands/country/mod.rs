//! `civitas country`: what a country's team does with its pack.

mod check;
mod diff;
mod explain;
mod form_fields;
mod help;
mod import;
mod import_locations;
mod new;
mod problems;
mod reload;
mod replay;
mod sarif;
mod schema;
mod style;
mod test;
mod why;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use civitas_rules::Diagnostics;
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
    /// Run the pack's own cases, and say what they do not show
    Test(test::Test),
    /// Say what is decided for a document or a record of the journal, and why
    Explain(explain::Explain),
    /// Make locations.csv from OpenCRVS's own list of places, and say what changed
    ImportLocations(import_locations::ImportLocations),
    /// Write the form fields of identification with MOSIP, for the country configuration
    FormFields(form_fields::FormFields),
    /// Judge past civil events again, and show what comes out otherwise
    Replay(replay::Replay),
    /// Show what changed from one pack to another
    Diff(diff::Diff),
    /// Print the JSON Schema of a pack file
    Schema(schema::Schema),
    /// Have a running engine take the pack in its folder, without a restart
    Reload(reload::Reload),
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
pub fn run(country: &Country, file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    match country {
        Country::New(new) => new::run(new),
        Country::ImportFields(import) => import::run(import),
        Country::Check(check) => Ok(check::run(check)),
        Country::Test(test) => Ok(test::run(test)),
        Country::Explain(explain) => explain::run(explain, file),
        Country::ImportLocations(import) => import_locations::run(import),
        Country::FormFields(fields) => form_fields::run(fields),
        Country::Replay(replay) => replay::run(replay, file),
        Country::Diff(diff) => diff::run(diff, file),
        Country::Schema(schema) => schema::run(schema),
        Country::Reload(reload) => reload::run(reload, file),
        Country::Help(help) => help::run(help),
    }
}
