//! `make fuzz`: the pack loader, the archive and the evaluation on inputs that are nearly packs.
//!
//! ```text
//! fuzz [--minutes 10] [--seed 1]     works on inputs for so much CPU time
//! fuzz --once <file>                 works on one kept input
//! ```
//!
//! The work is done by a child process, so that nothing an input does ends the run: a panic, an
//! overflown stack, a hang (two seconds for one input) or a hunger for memory (256 MiB for one
//! input) is counted, made small, and kept in `crates/rules/fuzz/corpus`, whose files every
//! `make test` loads again. Input `n` of a seed is always the same.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what fails here ends the run")]

mod bombs;
mod corpus;
mod mutate;
mod target;
mod work;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use work::{End, Report};

/// What the command line says.
struct Options {
    seed: u64,
    time: Duration,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--work", seed, from, seconds, folder] => {
            work::run(
                seed.parse().unwrap(),
                from.parse().unwrap(),
                seconds.parse().unwrap(),
                Path::new(folder),
            );
            ExitCode::SUCCESS
        }
        ["--once", file] => {
            work::once(&corpus::read(Path::new(file)));
            ExitCode::SUCCESS
        }
        ["--bomb", name] => {
            work::bomb(name);
            ExitCode::SUCCESS
        }
        words => match options(words) {
            Ok(options) => lead(&options),
            Err(problem) => {
                eprintln!("{problem}\nusage: fuzz [--minutes 10] [--seed 1] | fuzz --once <file>");
                ExitCode::FAILURE
            }
        },
    }
}

fn options(words: &[&str]) -> Result<Options, String> {
    let mut options = Options { seed: 1, time: Duration::from_mins(1) };
    for pair in words.chunks(2) {
        let [name, value] = pair else { return Err(format!("{} wants a number", pair[0])) };
        let number: f64 = value.parse().map_err(|_| format!("{value} is not a number"))?;
        match *name {
            "--minutes" if number > 0.0 => options.time = Duration::from_secs_f64(number * 60.0),
            "--seed" if number >= 0.0 => {
                options.seed = value.parse().map_err(|_| format!("{value} is not a seed"))?;
            }
            other => return Err(format!("{other} {value} means nothing here")),
        }
    }
    Ok(options)
}

/// Starts workers until the time is over, and keeps what they fall over.
fn lead(options: &Options) -> ExitCode {
    let folder = tempfile();
    let mut whole = Report::default();
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut next = 0;
    let micros = u64::try_from(options.time.as_micros()).unwrap_or(u64::MAX);
    println!("bombs: each within two seconds and 256 MiB");
    let mut failed = 0;
    for name in work::bomb_names() {
        let (end, took, peak) = work::start_bomb(&name, &folder);
        println!("  {:<8} {:>6.0} ms {:>5} MiB  {name}", end.word(), took.as_secs_f64() * 1e3, peak / 1024);
        failed += usize::from(end != End::Well);
    }
    while whole.micros < micros {
        let left = (micros - whole.micros).div_ceil(1_000_000);
        let (report, end) = work::start(options.seed, next, left, &folder);
        next += report.inputs;
        whole.add(report);
        if end == End::Well {
            continue;
        }
        let input = work::input(options.seed, next);
        next += 1;
        let small = work::smaller(input, end, &folder);
        let path = work::keep(end.word(), &small);
        println!("{} at input {}: {}", end.word(), next - 1, path.display());
        found.insert(path.display().to_string(), path);
    }
    drop(std::fs::remove_dir_all(&folder));
    println!("{whole}");
    println!("{} inputs were kept in {}", found.len(), corpus::folder().display());
    if found.is_empty() && failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tempfile() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("civitas-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
