//! `civitas country test`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use civitas_rules::CaseReport;
use clap::Args;
use serde_json::json;

use crate::pack;

/// Run the pack's own cases.
#[derive(Debug, Args)]
pub struct Test {
    /// Folder of the pack
    pack: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(test: &Test) -> anyhow::Result<ExitCode> {
    let report = pack::load(&test.pack)?.run_cases();
    if test.json {
        let failures: Vec<_> = report
            .failures
            .iter()
            .map(|failure| {
                let differences: Vec<_> = failure
                    .differences
                    .iter()
                    .map(|one| json!({ "what": one.what, "expected": one.expected, "found": one.found }))
                    .collect();
                json!({
                    "file": failure.file, "line": failure.line, "name": failure.name,
                    "sentence": failure.sentence, "differences": differences,
                })
            })
            .collect();
        println!("{:#}", json!({ "total": report.total, "passed": report.passed(), "failures": failures }));
    } else {
        print!("{}", text(&report));
    }
    Ok(if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(report: &CaseReport) -> String {
    let mut text = String::new();
    for failure in &report.failures {
        let _ = writeln!(text, "FAILED {}:{} {}", failure.file, failure.line, failure.name);
        for one in &failure.differences {
            let _ =
                writeln!(text, "  {}\n    expected {}\n    found    {}", one.what, one.expected, one.found);
        }
        let _ = writeln!(text, "  because: {}\n", failure.sentence);
    }
    let _ = writeln!(text, "{} of {} cases passed", report.passed(), report.total);
    text
}

#[cfg(test)]
mod tests {
    use civitas_rules::{CaseFailure, Difference};

    use super::*;

    #[test]
    fn a_failure_shows_both_sides_and_the_why() {
        let failure = CaseFailure {
            file: "cases/birth.yaml".into(),
            line: 12,
            name: "a newborn".into(),
            sentence: "Nothing sent to MOSIP".into(),
            differences: vec![Difference {
                what: "effect".into(),
                expected: "create_uin".into(),
                found: "none".into(),
            }],
        };
        assert_eq!(
            text(&CaseReport { total: 3, failures: vec![failure] }),
            "FAILED cases/birth.yaml:12 a newborn\n  effect\n    expected create_uin\n    found    none\n  \
             because: Nothing sent to MOSIP\n\n2 of 3 cases passed\n"
        );
    }
}
