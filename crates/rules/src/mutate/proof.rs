//! What can be said about rules without trying records: by this, changes that change nothing are not made.

use crate::age::Unit;
use crate::files::rules::{IfUnknown, Mode};
use crate::reference::FieldRef;
use crate::ruleset::Rule;
use crate::term::{Bound, Literal, Term, Test};

/// The tests that hold whenever the term does.
pub(crate) fn musts(term: &Term) -> Vec<(&FieldRef, &Test)> {
    match term {
        Term::All(terms) => terms.iter().flat_map(musts).collect(),
        Term::Any(terms) if terms.len() == 1 => terms.iter().flat_map(musts).collect(),
        Term::Named { term, .. } => musts(term),
        Term::Test { field, test } => vec![(field, test)],
        Term::Any(_) | Term::Not(_) | Term::Changed { .. } => Vec::new(),
    }
}

/// Whether the outcome can be unknown for any record.
pub(crate) fn can_be_unknown(term: &Term) -> bool {
    match term {
        Term::All(terms) | Term::Any(terms) => terms.iter().any(can_be_unknown),
        Term::Not(term) | Term::Named { term, .. } => can_be_unknown(term),
        Term::Changed { .. } => false,
        Term::Test { test, .. } => !is_presence(test),
    }
}

/// Whether any test of the term is one that `wanted` asks about.
pub(crate) fn has_test(term: &Term, wanted: fn(&Test) -> bool) -> bool {
    match term {
        Term::All(terms) | Term::Any(terms) => terms.iter().any(|term| has_test(term, wanted)),
        Term::Not(term) | Term::Named { term, .. } => has_test(term, wanted),
        Term::Changed { .. } => false,
        Term::Test { test, .. } => wanted(test),
    }
}

/// Whether the test depends on the day of the action.
pub(crate) fn needs_today(test: &Test) -> bool {
    matches!(
        test,
        Test::AgeBelow(_) | Test::AgeAtLeast(_) | Test::Before(Bound::Today) | Test::After(Bound::Today)
    )
}

/// Whether the test is about birthdays.
pub(crate) fn needs_birthday(test: &Test) -> bool {
    matches!(test, Test::AgeBelow(age) | Test::AgeAtLeast(age) if age.unit == Unit::Years)
}

fn is_presence(test: &Test) -> bool {
    matches!(test, Test::Present | Test::Absent)
}

/// Whether the test holds only for a value that is there and is no blank text.
pub(crate) fn implies_value(test: &Test) -> bool {
    let blank = |literal: &Literal| matches!(literal, Literal::Text(text) if text.trim().is_empty());
    match test {
        Test::Present | Test::Absent | Test::Matches(_) => false,
        Test::Equals(literal) => !blank(literal),
        Test::In(literals) => !literals.iter().any(blank),
        _ => true,
    }
}

/// Whether two rules are never both for one step.
pub(crate) fn other_step(a: &Rule, b: &Rule) -> bool {
    let custom = a.custom_action.is_some() && b.custom_action.is_some() && a.custom_action != b.custom_action;
    a.event != b.event || a.action != b.action || custom
}

/// Whether no record can make both rules settle the matter, so that their order has no meaning.
pub(crate) fn disjoint(a: &Rule, b: &Rule) -> bool {
    if a.mode == Mode::Off || b.mode == Mode::Off || other_step(a, b) {
        return true;
    }
    let (Some(left), Some(right)) = (&a.term, &b.term) else { return false };
    let holds = |rule: &Rule| rule.if_unknown == IfUnknown::Hold;
    let right = musts(right);
    musts(left).iter().any(|(field, one)| {
        right.iter().any(|(other, two)| {
            field == other
                && exclude(one, two)
                // A test of presence is never unknown; any other is, where the value is missing, and then
                // a rule that holds settles the matter too.
                && match (is_presence(one), is_presence(two)) {
                    (true, true) => true,
                    (true, false) => !holds(b),
                    (false, true) => !holds(a),
                    (false, false) => !(holds(a) && holds(b)),
                }
        })
    })
}

/// Whether no value satisfies both tests.
fn exclude(one: &Test, two: &Test) -> bool {
    use Test as T;
    let (a, b) = (one, two);
    match (a, b) {
        (T::Present, T::Absent) | (T::Absent, T::Present) => true,
        (T::Absent, other) | (other, T::Absent) => !is_presence(other),
        (T::AgeBelow(below), T::AgeAtLeast(from)) | (T::AgeAtLeast(from), T::AgeBelow(below)) => {
            below.unit == from.unit && below.count <= from.count
        }
        (T::LessThan(below), T::AtLeast(from)) | (T::AtLeast(from), T::LessThan(below)) => below <= from,
        (T::Before(Bound::On(end)), T::After(Bound::On(start)))
        | (T::After(Bound::On(start)), T::Before(Bound::On(end))) => end <= start,
        (T::Before(Bound::Today), T::After(Bound::Today))
        | (T::After(Bound::Today), T::Before(Bound::Today)) => true,
        _ => match (values(a), values(b)) {
            (Some(left), Some(right)) => !left.iter().any(|value| right.contains(value)),
            _ => false,
        },
    }
}

fn values(test: &Test) -> Option<&[Literal]> {
    match test {
        Test::Equals(literal) => Some(std::slice::from_ref(literal)),
        Test::In(literals) => Some(literals),
        _ => None,
    }
}
