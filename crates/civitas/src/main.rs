//! `civitas`.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    civitas::cli::run(civitas::cli::Cli::parse())
}
