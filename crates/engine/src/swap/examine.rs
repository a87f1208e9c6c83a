//! Whether a pack may decide: it compiles, and its own cases come out. The same at a start and at a swap.

use std::time::Instant;

use civitas_rules::{CaseFailure, CaseReport, Diagnostics, Pack, Severity};

use super::{Look, Outcome, PackProblem, Took};

/// Problems that are told; whoever mends them looks with `civitas country check`.
const TOLD: usize = 5;

/// A pack that may decide.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The pack.
    pub pack: Pack,
    /// How many cases it has.
    pub cases: usize,
    /// How long compiling and cases took.
    pub took: Took,
}

/// Why a pack may not decide.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", outcome.sentence())]
pub struct Refused {
    /// At which step.
    pub outcome: Outcome,
    /// Digest of the rule set, where it compiles.
    pub found: Option<String>,
    /// The first problems.
    pub problems: Vec<PackProblem>,
    /// How many more there are.
    pub more: usize,
    /// How many cases were run.
    pub cases: Option<usize>,
    /// How long it took.
    pub took: Took,
}

impl Refused {
    pub(super) fn new(outcome: Outcome, mut problems: Vec<PackProblem>) -> Self {
        let more = problems.len().saturating_sub(TOLD);
        problems.truncate(TOLD);
        Refused { outcome, found: None, problems, more, cases: None, took: Took::default() }
    }
}

/// Compiles what was read and runs the pack's own cases. CPU work.
pub fn examine(look: &Look) -> Result<Examined, Refused> {
    let files = look.as_ref().map_err(|why| unreadable(why))?;
    let begun = Instant::now();
    let loaded = Pack::load_with(files, &crate::Documents);
    let mut took = Took { compile: millis(begun), ..Took::default() };
    let pack = loaded.map_err(|problems| Refused { took, ..invalid(&problems) })?;
    let begun = Instant::now();
    let report = pack.run_cases();
    took.cases = millis(begun);
    if report.is_ok() {
        return Ok(Examined { cases: report.total, pack, took });
    }
    let found = Some(pack.digest().to_owned());
    Err(Refused { found, cases: Some(report.total), took, ..cases_failed(&report) })
}

pub(super) fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

fn unreadable(why: &str) -> Refused {
    let whole = PackProblem { file: String::new(), line: 0, column: 0, code: None, message: why.to_owned() };
    Refused::new(Outcome::Unreadable, vec![whole])
}

fn invalid(problems: &Diagnostics) -> Refused {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let told = errors.map(|problem| PackProblem {
        file: problem.file.clone(),
        line: problem.line,
        column: problem.column,
        code: Some(problem.code.to_string()),
        message: problem.message.clone(),
    });
    Refused::new(Outcome::Invalid, told.collect())
}

fn cases_failed(report: &CaseReport) -> Refused {
    let told = report.failures.iter().map(|failure| PackProblem {
        file: failure.file.clone(),
        line: failure.line,
        column: 0,
        code: None,
        message: format!("case `{}`: {}", failure.name, differences(failure)),
    });
    Refused::new(Outcome::CasesFailed, told.collect())
}

/// What differs. The values of a packet stay where they are: a case may be made of somebody's data.
fn differences(failure: &CaseFailure) -> String {
    let said = failure.differences.iter().map(|difference| match difference.what.as_str() {
        "rule" | "do" | "would_have" | "respond" | "deadline" | "missing" | "packet.process" => {
            let (expected, found) = (&difference.expected, &difference.found);
            format!("{} is {found}, not {expected}", difference.what)
        }
        what => format!("{what} differs"),
    });
    said.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) mod tests {
    use civitas_rules::PackFiles;

    use super::*;

    pub(in crate::swap) fn shipped() -> PackFiles {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../country-config/farajaland");
        let mut files = PackFiles::default();
        let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
        for folder in [root.clone(), root.join("cases"), root.join("documents")] {
            for entry in std::fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.path().is_file()) {
                let name = entry.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                files.0.insert(name, read(&entry.path()));
            }
        }
        files
    }

    fn edited(file: &str, from: &str, to: &str) -> Refused {
        let mut files = shipped();
        let text = files.0.get_mut(file).unwrap();
        assert!(text.contains(from), "{file} has no `{from}`");
        *text = text.replacen(from, to, 1);
        examine(&Ok(files)).unwrap_err()
    }

    #[test]
    fn a_pack_that_compiles_and_passes_its_cases_may_decide() {
        let examined = examine(&Ok(shipped())).unwrap();
        assert!(examined.cases > 0 && examined.took.compile > 0.0 && examined.took.cases > 0.0);
    }

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        let refused = edited("rules.yaml", "child.dob: { age_below", "child.bod: { age_below");
        assert_eq!(refused.outcome, Outcome::Invalid);
        let first = refused.problems[0].to_string();
        assert!(first.starts_with("rules.yaml:") && first.contains("child.bod"), "{first}");
        let refused = edited("rules.yaml", "10 years", "9 years");
        assert_eq!(refused.outcome, Outcome::CasesFailed);
        assert!(refused.found.is_some() && refused.cases.is_some());
        let first = refused.problems[0].to_string();
        assert!(first.starts_with("cases/") && first.contains("sentence.en differs"), "{first}");
        let refused = examine(&Err("the folder is gone".to_owned())).unwrap_err();
        assert_eq!(
            (refused.outcome, refused.problems[0].to_string().as_str()),
            (Outcome::Unreadable, "the folder is gone")
        );
    }

    #[test]
    fn values_of_a_failing_case_are_not_repeated() {
        let failure = CaseFailure {
            file: "cases/birth.yaml".to_owned(),
            line: 3,
            name: "a name".to_owned(),
            sentence: String::new(),
            differences: [("do", "create_uin", "none"), ("packet.fields.fullName", "Amina", "Aminah")]
                .map(|(what, expected, found)| civitas_rules::Difference {
                    what: what.to_owned(),
                    expected: expected.to_owned(),
                    found: found.to_owned(),
                })
                .into(),
        };
        assert_eq!(differences(&failure), "do is none, not create_uin, packet.fields.fullName differs");
    }
}
