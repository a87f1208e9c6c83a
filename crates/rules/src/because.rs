//! Why a rule does not match, by the names of its terms: what cases say under `because`.

use std::collections::BTreeSet;

use crate::explain::Verdict;
use crate::term::Term;
use crate::truth::Truth;

/// A term that made the outcome, and what made it come out so.
pub(crate) struct Reason {
    name: String,
    inner: Vec<Reason>,
}

impl Reason {
    /// Whether `names` has it, or something inside it.
    fn is_told(&self, names: &BTreeSet<&str>) -> bool {
        names.contains(self.name.as_str()) || self.inner.iter().any(|reason| reason.is_told(names))
    }

    fn has(&self, name: &str) -> bool {
        self.name == name || self.inner.iter().any(|reason| reason.has(name))
    }
}

/// The terms that made the outcome.
pub(crate) fn reasons(term: &Term, verdict: &Verdict) -> Vec<Reason> {
    let plain = |name: String| vec![Reason { name, inner: Vec::new() }];
    match term {
        Term::All(terms) | Term::Any(terms) => {
            let parts = terms.iter().zip(&verdict.parts).filter(|(_, part)| part.outcome == verdict.outcome);
            let settled_by_one = matches!((term, verdict.outcome), (Term::Any(_), Truth::True));
            let shown = if settled_by_one { 1 } else { usize::MAX };
            parts.take(shown).flat_map(|(term, part)| reasons(term, part)).collect()
        }
        Term::Not(inner) => verdict.parts.first().map(|part| reasons(inner, part)).unwrap_or_default(),
        Term::Named { name, term } => {
            let inner = verdict.parts.first().map(|part| reasons(term, part)).unwrap_or_default();
            vec![Reason { name: name.clone(), inner }]
        }
        Term::Changed { group: Some(group), .. } => plain(group.clone()),
        Term::Changed { fields, .. } => fields.iter().flat_map(|field| plain(field.to_string())).collect(),
        Term::Test { field, .. } => plain(field.to_string()),
    }
}

/// Whether `names` tell exactly these reasons: each of them, at one level or another, and nothing else.
pub(crate) fn told(reasons: &[Reason], names: &BTreeSet<&str>) -> bool {
    reasons.iter().all(|reason| reason.is_told(names))
        && names.iter().all(|name| reasons.iter().any(|reason| reason.has(name)))
}

/// The reasons in a row.
pub(crate) fn listed(reasons: &[Reason]) -> String {
    let mut names: Vec<&str> = reasons.iter().map(|reason| reason.name.as_str()).collect();
    names.dedup();
    names.join(", ")
}

/// Every name that a reason of the term can have.
pub(crate) fn names(term: &Term, out: &mut BTreeSet<String>) {
    match term {
        Term::All(terms) | Term::Any(terms) => terms.iter().for_each(|term| names(term, out)),
        Term::Not(term) => names(term, out),
        Term::Named { name, term } => {
            out.insert(name.clone());
            names(term, out);
        }
        Term::Changed { group: Some(group), .. } => {
            out.insert(group.clone());
        }
        Term::Changed { fields, .. } => out.extend(fields.iter().map(ToString::to_string)),
        Term::Test { field, .. } => {
            out.insert(field.to_string());
        }
    }
}
