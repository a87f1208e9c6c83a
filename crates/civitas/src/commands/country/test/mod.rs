//! `civitas country test`: a pack's cases, what they do not show, and what they would not notice.

mod junit;
mod text;

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use civitas_rules::{CaseReport, Coverage, MissingCases, Mutant, MutationReport, Pack, PackFiles, mutants};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::plain;
use super::style::{Color, Style, say};
use crate::pack;

/// Run the pack's own cases, and say what they do not show.
#[derive(Debug, Args)]
#[command(after_help = "Exit code: 0 if every case passes; 1 if one fails, or the mutation score is below \
--min-score; 2 if the pack cannot be read or does not pass its check, or no case fits --filter.")]
pub struct Test {
    /// Folder of the pack
    pack: PathBuf,
    /// Run only the cases whose name or file contains this text
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["coverage", "mutate"])]
    filter: Option<String>,
    /// Write out the cases that are missing: outcomes and boundaries that none shows
    #[arg(long)]
    coverage: bool,
    /// Change the rules for the worse, one change at a time, and show the changes that no case notices
    #[arg(long)]
    mutate: bool,
    /// With --mutate: exit 1 if fewer changes than this are noticed, in percent
    #[arg(long, value_name = "PERCENT", requires = "mutate", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_score: Option<u8>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Colours; `auto` uses them on a terminal unless `NO_COLOR` is set
    #[arg(long, value_enum, default_value_t)]
    color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Junit,
}

/// Everything that came out.
struct Outcome {
    cases: CaseReport,
    /// Not of a part of the cases.
    coverage: Option<Coverage>,
    missing: Option<MissingCases>,
    mutation: Option<MutationReport>,
}

pub(super) fn run(test: &Test) -> ExitCode {
    let loaded = pack::read(&test.pack).map_err(|error| format!("{error:#}")).and_then(|files| {
        let problem = |problems| {
            format!("the pack {} cannot be used\n\n{}", test.pack.display(), plain(&test.pack, &problems))
        };
        pack::compile(&files).map(|pack| (files, pack)).map_err(problem)
    });
    let (files, pack) = match loaded {
        Ok(loaded) => loaded,
        Err(problem) => {
            eprintln!("error: {problem}");
            return ExitCode::from(2);
        }
    };
    let outcome = outcome(test, &pack, &files);
    if let (Some(wanted), 0) = (&test.filter, outcome.cases.total) {
        // Nothing that was run proves nothing.
        eprintln!("error: no case has `{wanted}` in its name or file");
        return ExitCode::from(2);
    }
    match test.format {
        Format::Text => say(&text::report(&outcome, test, Style::of(test.color))),
        Format::Json => say(&format!("{:#}\n", as_json(&outcome))),
        Format::Junit => say(&junit::report(&outcome)),
    }
    let enough = match (test.min_score, &outcome.mutation) {
        (Some(least), Some(report)) => report.score() >= usize::from(least),
        (Some(_), None) => false,
        (None, _) => true,
    };
    if outcome.cases.is_ok() && enough { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn outcome(test: &Test, pack: &Pack, files: &PackFiles) -> Outcome {
    if let Some(wanted) = &test.filter {
        let cases = pack.run_some_cases(wanted);
        return Outcome { cases, coverage: None, missing: None, mutation: None };
    }
    let cases = pack.run_cases();
    // A case that fails notices every change, the good ones too.
    let mutation = (test.mutate && cases.is_ok()).then(|| mutate(pack, files));
    Outcome {
        coverage: Some(pack.coverage()),
        missing: test.coverage.then(|| pack.missing_cases(files)),
        mutation,
        cases,
    }
}

fn mutate(pack: &Pack, files: &PackFiles) -> MutationReport {
    let mutants = mutants(pack, files);
    let threads = available_parallelism().map_or(1, NonZero::get);
    let terminal = std::io::stderr().is_terminal();
    let all = mutants.len();
    let shown = AtomicUsize::new(0);
    let report = pack.run_mutants(files, &mutants, threads, &|done| {
        if terminal && shown.fetch_max(done, Ordering::Relaxed) < done {
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "\r{done} of {all} changes tried");
            let _ = out.flush();
        }
    });
    if terminal {
        // The line is taken away again.
        eprint!("\r\x1b[K");
    }
    report
}

fn as_json(outcome: &Outcome) -> serde_json::Value {
    let mutation = outcome.mutation.as_ref().map(|report| {
        let listed = |mutants: &[Mutant]| -> Vec<serde_json::Value> {
            let one = |mutant: &Mutant| {
                json!({ "file": mutant.file, "line": mutant.line, "what": mutant.what, "diff": mutant.diff() })
            };
            mutants.iter().map(one).collect()
        };
        json!({
            "score": report.score(),
            "killed": report.killed,
            "refused": listed(&report.refused),
            "survived": listed(&report.survived),
        })
    });
    json!({
        "ok": outcome.cases.is_ok(),
        "total": outcome.cases.total,
        "passed": outcome.cases.passed(),
        "failures": outcome.cases.failures,
        "coverage": outcome.coverage,
        "missing_cases": outcome.missing,
        "mutation": mutation,
    })
}
