//! `make bench`: Civitas's figures, measured here, each beside its limit or its peer.
//!
//! ```text
//! bench [rules] [large] [replay] [ingest] [loops] [latency] [swap] [credentials] [packets] [backfill]
//! ```
//!
//! Nothing is judged: the aims stand in the tables, and the exit code is 0 whatever they say. The whole takes
//! minutes. Tables go to the terminal; `bench.json` and `bench.md` into `$CIVITAS_CACHE`, or into the build folder.

#![expect(clippy::expect_used, reason = "a bench that cannot go on says why and ends")]

mod backfill;
mod country;
mod credentials;
mod database;
mod documents;
mod floor;
mod ingest;
mod large;
mod latency;
mod loops;
mod packets;
mod plain;
mod replay;
mod report;
mod rules;
mod swap;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use civitas_tests::measure::Machine;
use clap::Parser as _;

const NAMES: [&str; 10] =
    ["rules", "large", "replay", "ingest", "loops", "latency", "swap", "credentials", "packets", "backfill"];

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    // The engine of a run is this program, started again: what `civitas serve` is, built the same way.
    if arguments.first().is_some_and(|first| first == "civitas") {
        return civitas::cli::run(civitas::cli::Cli::parse_from(arguments));
    }
    if let Some(unknown) = arguments.iter().find(|name| !NAMES.contains(&name.as_str())) {
        eprintln!("no figure is called {unknown}: {}", NAMES.join(", "));
        return ExitCode::FAILURE;
    }
    if arguments.is_empty() {
        arguments = NAMES.map(str::to_owned).to_vec();
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure(&arguments));
    ExitCode::SUCCESS
}

async fn measure(names: &[String]) {
    let machine = Machine::here();
    println!("{}\n", report::heading(&machine));
    let keys = world::Keys::make();
    let mut figures = Vec::new();
    for name in names {
        let measured = match name.as_str() {
            "rules" => vec![rules::run()],
            "large" => large::run(),
            "replay" => vec![replay::run()],
            "ingest" => vec![ingest::run().await],
            "loops" => vec![loops::run(&keys).await],
            "swap" => vec![swap::run(&keys).await],
            "credentials" => vec![credentials::run().await],
            "packets" => vec![packets::run()],
            "backfill" => vec![backfill::run().await],
            _ => vec![latency::run(&keys).await],
        };
        for figure in measured {
            println!("{}", figure.text());
            figures.push(figure);
        }
    }
    match report::write(&folder(), &machine, &figures) {
        Ok([json, text]) => println!("Also in {} and {}", json.display(), text.display()),
        Err(error) => eprintln!("the report could not be written: {error}"),
    }
}

/// The cache if one is named, else where this program was built.
fn folder() -> PathBuf {
    let built = || std::env::current_exe().ok()?.parent().map(std::path::Path::to_path_buf);
    std::env::var_os("CIVITAS_CACHE").map(PathBuf::from).or_else(built).unwrap_or_default()
}
