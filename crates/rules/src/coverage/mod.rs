//! Which outcomes and boundaries of the rules the cases show, and which they do not.
//!
//! A goal is one thing that a case can show about a rule or a named condition: an outcome, a value just beside a
//! bound, one part of `any` on its own. A case shows it when evaluation gets as far as the rule, and when the term
//! makes a difference: a rule behind the one that decided shows nothing, nor does a term beside a false one in `all`. What is missing is written out as a case that was run (`search`, `written`).

mod goals;
mod search;
mod values;
mod written;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::pack::{Pack, PackFiles};
use goals::{Goal, goals, shown};

/// What the cases show, and what not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Outcomes and boundaries there are.
    pub total: usize,
    /// Those that no case shows, in the order of the rules.
    pub missing: Vec<String>,
}

impl Coverage {
    /// Outcomes and boundaries that a case shows.
    pub fn covered(&self) -> usize {
        self.total - self.missing.len()
    }
}

/// A case that would show what is missing; it was run and passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingCase {
    /// The file that it goes to, at the end of its `cases`.
    pub file: String,
    /// What it shows.
    pub shows: Vec<String>,
    /// The case as YAML, indented as the file's others.
    pub yaml: String,
}

/// The cases that are missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MissingCases {
    /// Cases to paste.
    pub cases: Vec<MissingCase>,
    /// What no record was found for: it may be impossible, or needs a record that is harder to come by.
    pub not_found: Vec<String>,
}

/// Which goals no case shows.
fn open(pack: &Pack) -> (usize, Vec<Goal>) {
    let inner = pack.inner();
    let all = goals(inner);
    let met: BTreeSet<Goal> = inner.cases.iter().flat_map(|case| shown(inner, &case.facts())).collect();
    (all.len(), all.into_iter().filter(|goal| !met.contains(goal)).collect())
}

/// What the pack's cases show.
pub(crate) fn coverage(pack: &Pack) -> Coverage {
    let (total, missing) = open(pack);
    Coverage { total, missing: missing.iter().map(|goal| goal.text(pack.inner())).collect() }
}

/// The cases that are missing, written out.
pub(crate) fn missing_cases(pack: &Pack, files: &PackFiles) -> MissingCases {
    let (_, mut open) = open(pack);
    let mut found = MissingCases::default();
    let mut taken: BTreeSet<String> = pack.inner().cases.iter().map(|case| case.name.clone()).collect();
    while let Some(goal) = open.first().cloned() {
        let Some((case, shows)) = search::find(pack, files, &goal, &mut taken) else {
            found.not_found.push(goal.text(pack.inner()));
            open.remove(0);
            continue;
        };
        // One case often shows more than what it was looked for.
        let (here, rest): (Vec<Goal>, Vec<Goal>) = open.into_iter().partition(|other| shows.contains(other));
        open = rest;
        let shows = here.iter().map(|goal| goal.text(pack.inner())).collect();
        found.cases.push(MissingCase { file: case.file, shows, yaml: case.yaml });
    }
    found.cases.sort_by(|a, b| a.file.cmp(&b.file));
    found
}
