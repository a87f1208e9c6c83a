//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::builder::OsStringValueParser;
use clap::{Parser, Subcommand};

use crate::commands;

/// The engine between civil registration (OpenCRVS) and a national identity platform (MOSIP).
#[derive(Debug, Parser)]
#[command(name = "civitas", version, max_term_width = 100)]
pub struct Cli {
    /// Configuration file; without it, civitas.yaml in the working folder if there is one
    // An empty variable, as compose files leave one, names no file.
    #[arg(long, global = true, env = "CIVITAS_CONFIG", value_name = "FILE", value_parser = OsStringValueParser::new())]
    config: Option<OsString>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the engine
    Serve(commands::serve::Serve),
    /// Try everything that the engine depends on, and say what to do about what fails
    Doctor(commands::doctor::Doctor),
    /// Records that wait for MOSIP or for a person
    #[command(subcommand)]
    Queue(commands::queue::Queue),
    /// Check, test and explain a country pack
    #[command(subcommand)]
    Country(commands::country::Country),
    /// Judge past registrations by the present pack, and plan the operations that it asks for
    Backfill(commands::backfill::Backfill),
    /// Make registration packets, and look into them
    #[command(subcommand)]
    Packet(commands::packet::Packet),
    /// The configuration
    #[command(subcommand)]
    Config(commands::config::Config),
    /// Keys of this instance
    #[command(subcommand)]
    Keys(commands::keys::Keys),
    /// Bring the journal's tables up to date, or take over from the mediator before
    Migrate(commands::migrate::Migrate),
    /// Play a day of a small country against stand-ins, and show what happens
    Demo(commands::demo::Demo),
    /// Run stand-ins for OpenCRVS and MOSIP
    Sandbox(commands::sandbox::Sandbox),
    /// Write the JSON Schemas of topics, pack files and configuration
    Schemas(commands::schemas::Schemas),
    /// Write the reference of the country pack
    Reference(commands::reference::Reference),
    /// Write the OpenAPI description of the server
    Openapi(commands::openapi::OpenApi),
}

/// Runs the command; an error is said on standard error, without a backtrace.
pub fn run(cli: Cli) -> ExitCode {
    match dispatch(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let file = cli.config.filter(|file| !file.is_empty()).map(PathBuf::from);
    let done = |()| ExitCode::SUCCESS;
    match cli.command {
        // Starts its own runtime, after the exporter of traces.
        Command::Serve(serve) => commands::serve::run(&serve, file).map(done),
        Command::Demo(demo) => commands::demo::run(&demo).map(done),
        Command::Doctor(doctor) => wait(commands::doctor::run(&doctor, file)),
        Command::Queue(queue) => wait(commands::queue::run(&queue, file)).map(done),
        Command::Country(country) => commands::country::run(&country, file),
        Command::Backfill(backfill) => commands::backfill::run(&backfill, file).map(done),
        Command::Packet(packet) => commands::packet::run(&packet),
        Command::Config(config) => commands::config::run(&config, file).map(done),
        Command::Keys(keys) => commands::keys::run(&keys, file).map(done),
        Command::Migrate(migrate) => wait(commands::migrate::run(&migrate, file)).map(done),
        Command::Sandbox(sandbox) => wait(commands::sandbox::run(&sandbox)).map(done),
        Command::Schemas(schemas) => commands::schemas::run(&schemas).map(done),
        Command::Reference(reference) => commands::reference::run(&reference).map(done),
        Command::Openapi(openapi) => commands::openapi::run(&openapi).map(done),
    }
}

fn wait<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Runtime::new().context("the asynchronous runtime cannot start")?;
    runtime.block_on(future)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_act_needs_a_reason() {
        let error = Cli::try_parse_from(["civitas", "queue", "release", "7KQ2ZB"]).unwrap_err().to_string();
        assert!(error.contains("--reason <REASON>"), "{error}");
        assert!(Cli::try_parse_from(["civitas", "serve", "--only", "server,reconciler"]).is_ok());
        assert!(Cli::try_parse_from(["civitas", "serve", "--only", "kitchen"]).is_err());
    }
}
