//! `civitas country check`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use civitas_rules::{Diagnostics, Pack, Severity};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::problems::Shown;
use super::sarif;
use super::style::{Color, Style, say};
use crate::pack;
use crate::words::count;

/// Exit codes, as `--help` says them.
const EXIT_CODES: &str = "Exit codes:\n  0  nothing is wrong, or only warnings\n  1  errors; with --deny-warnings also warnings\n  2  the command line is wrong, or the folder cannot be read";

/// Report everything that is wrong with a pack, at once.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Check {
    /// Folder of the pack
    pack: PathBuf,
    /// How the report is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Fail on warnings, too
    #[arg(long)]
    deny_warnings: bool,
    /// Colours; `auto` uses them on a terminal unless `NO_COLOR` is set
    #[arg(long, value_enum, default_value_t)]
    color: Color,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For scripts
    Json,
    /// SARIF 2.1.0, for editors and code review
    Sarif,
}

pub(super) fn run(check: &Check) -> ExitCode {
    let files = match pack::read(&check.pack) {
        Ok(files) => files,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::from(2);
        }
    };
    let loaded = pack::compile(&files);
    let problems = match &loaded {
        Ok(pack) => pack.warnings(),
        Err(problems) => problems,
    };
    let format = if check.json { Format::Json } else { check.format };
    match format {
        Format::Text => say(&text(check, &loaded, problems)),
        Format::Json => say(&format!("{:#}\n", data(check, &loaded, problems))),
        Format::Sarif => say(&format!("{:#}\n", sarif::log(&check.pack, problems))),
    }
    let refused = loaded.is_err() || check.deny_warnings && !problems.is_empty();
    if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn text(check: &Check, loaded: &Result<Pack, Diagnostics>, problems: &Diagnostics) -> String {
    let style = Style::of(check.color);
    let mut text = String::new();
    for problem in problems {
        let _ = writeln!(text, "{}", Shown { problem, folder: &check.pack, style });
    }
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count() as u64;
    let warnings = problems.len() as u64 - errors;
    let folder = check.pack.display();
    let mut codes: Vec<&str> = problems.iter().map(|problem| problem.code.as_str()).collect();
    codes.dedup();
    let explained = match codes.first() {
        Some(code) => format!("; `civitas country help {code}` explains the first"),
        None => String::new(),
    };
    let last = match loaded {
        Ok(pack) => {
            let country = pack.country();
            format!(
                "{folder}: {}, {}, OpenCRVS {}, {}{explained}\nrule set {}\n",
                country.code,
                count(pack.rule_ids().count() as u64, "rule"),
                country.opencrvs.as_str(),
                count(warnings, "warning"),
                pack.digest(),
            )
        }
        Err(_) => {
            format!("{folder}: {}, {}{explained}\n", count(errors, "error"), count(warnings, "warning"))
        }
    };
    text + &last
}

fn data(check: &Check, loaded: &Result<Pack, Diagnostics>, problems: &Diagnostics) -> Value {
    let digest = loaded.as_ref().ok().map(Pack::digest);
    let listed: Vec<Value> = problems
        .iter()
        .map(|problem| {
            let mut value = json!(problem);
            value["title"] = json!(problem.code.title());
            value["path"] = json!(check.pack.join(&problem.file).to_string_lossy());
            value
        })
        .collect();
    json!({ "ok": loaded.is_ok(), "digest": digest, "problems": listed })
}
