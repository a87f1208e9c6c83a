//! The report for people.

use std::fmt::Write as _;

use civitas_rules::{CaseFailure, Coverage, MissingCases, Mutant, MutationReport};

use super::super::style::{EXPECTED, FOUND, Style};
use super::{Outcome, Test};
use crate::words::count;

pub(super) fn report(outcome: &Outcome, asked: &Test, style: Style) -> String {
    let mut text = String::new();
    for failure in &outcome.cases.failures {
        failed(&mut text, failure, asked, style);
    }
    if let Some(missing) = &outcome.missing {
        uncovered(&mut text, missing, style);
    }
    if let Some(report) = &outcome.mutation {
        for mutant in &report.survived {
            survived(&mut text, mutant, style);
        }
    }
    let cases = &outcome.cases;
    let line = format!("{} of {} passed", cases.passed(), count(cases.total as u64, "case"));
    let _ = writeln!(text, "{}", if cases.is_ok() { style.green(&line) } else { style.red(&line) });
    if let Some(coverage) = &outcome.coverage {
        let _ = writeln!(text, "{}", covered(coverage, asked.coverage));
    }
    match &outcome.mutation {
        Some(report) => {
            let line = score(report);
            let whole = report.survived.is_empty();
            let _ = writeln!(text, "{}", if whole { style.green(&line) } else { style.red(&line) });
        }
        None if asked.mutate => {
            let _ = writeln!(text, "mutation: not tried while a case fails");
        }
        None => {}
    }
    text
}

fn failed(text: &mut String, failure: &CaseFailure, asked: &Test, style: Style) {
    let _ = writeln!(text, "{} {}", style.red("FAILED"), style.bold(&failure.name));
    let _ = writeln!(
        text,
        "  {}",
        style.dim(&format!("{}:{}", asked.pack.join(&failure.file).display(), failure.line))
    );
    let width = failure.differences.iter().map(|one| one.what.chars().count()).max().unwrap_or_default();
    for one in &failure.differences {
        let expected = style.middle(EXPECTED, &one.expected, &one.found);
        let found = style.middle(FOUND, &one.found, &one.expected);
        let _ = writeln!(text, "  {:width$}  expected  {expected}", one.what);
        let _ = writeln!(text, "  {:width$}  found     {found}", "");
    }
    let _ = writeln!(text, "  because: {}\n", failure.sentence);
}

fn uncovered(text: &mut String, missing: &MissingCases, style: Style) {
    let mut file = "";
    for case in &missing.cases {
        if case.file != file {
            file = &case.file;
            let _ = writeln!(text, "{}\n", style.bold(&format!("Missing in {file}, to paste at its end:")));
        }
        let indent: String = case.yaml.chars().take_while(|c| *c == ' ').collect();
        for shows in &case.shows {
            let _ = writeln!(text, "{}", style.dim(&format!("{indent}# shows: {shows}")));
        }
        let _ = writeln!(text, "{}", case.yaml);
    }
    if !missing.not_found.is_empty() {
        let _ = writeln!(
            text,
            "{}",
            style.bold("Shown by no case, and no record was found that would; perhaps none can:")
        );
        for goal in &missing.not_found {
            let _ = writeln!(text, "  {goal}");
        }
        text.push('\n');
    }
}

fn survived(text: &mut String, mutant: &Mutant, style: Style) {
    let _ = writeln!(
        text,
        "{} {}:{} {}",
        style.red("UNNOTICED"),
        mutant.file,
        mutant.line,
        style.bold(&mutant.what)
    );
    for line in mutant.diff().lines() {
        let line = match line.chars().next() {
            Some('+') => style.green(line),
            Some('-') => style.red(line),
            _ => line.to_owned(),
        };
        let _ = writeln!(text, "  {line}");
    }
    text.push('\n');
}

fn covered(coverage: &Coverage, written: bool) -> String {
    let line = format!("{} of {} outcomes and boundaries shown", coverage.covered(), coverage.total);
    if coverage.missing.is_empty() || written {
        line
    } else {
        format!("{line}; --coverage writes out the cases that are missing")
    }
}

fn score(report: &MutationReport) -> String {
    let all = report.killed + report.survived.len();
    let mut line = format!("mutation score {} %: {} of {all} changes noticed", report.score(), report.killed);
    if !report.refused.is_empty() {
        let _ = write!(line, ", {} more refused by the check", report.refused.len());
    }
    if !report.survived.is_empty() {
        line.push_str(
            "\nFor each unnoticed change write the case that tells the two apart; if there is none, the line does nothing.",
        );
    }
    line
}
