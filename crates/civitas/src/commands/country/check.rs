//! `civitas country check`.

use std::path::PathBuf;
use std::process::ExitCode;

use civitas_rules::{Diagnostics, Pack, Severity};
use clap::Args;
use serde_json::json;

use crate::pack;
use crate::words::count;

/// Report everything that is wrong with a pack, at once.
#[derive(Debug, Args)]
pub struct Check {
    /// Folder of the pack
    pack: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(check: &Check) -> anyhow::Result<ExitCode> {
    let files = pack::read(&check.pack)?;
    let loaded = pack::compile(&files);
    let problems = match &loaded {
        Ok(pack) => pack.warnings(),
        Err(problems) => problems,
    };
    if check.json {
        let digest = loaded.as_ref().ok().map(Pack::digest);
        let report = json!({ "ok": loaded.is_ok(), "digest": digest, "problems": problems.iter().collect::<Vec<_>>() });
        println!("{report:#}");
    } else {
        report(check, &loaded, problems);
    }
    Ok(if loaded.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn report(check: &Check, loaded: &Result<Pack, Diagnostics>, problems: &Diagnostics) {
    for problem in problems {
        println!("{problem}");
    }
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count() as u64;
    let warnings = problems.len() as u64 - errors;
    match loaded {
        Ok(pack) => {
            let country = pack.country();
            println!(
                "{}: {}, {}, OpenCRVS {}, {}\nrule set {}",
                check.pack.display(),
                country.code,
                count(pack.rule_ids().count() as u64, "rule"),
                country.opencrvs.as_str(),
                count(warnings, "warning"),
                pack.digest(),
            );
        }
        Err(_) => println!(
            "{}: {}, {}; `civitas country help CODE` explains each",
            check.pack.display(),
            count(errors, "error"),
            count(warnings, "warning"),
        ),
    }
}
