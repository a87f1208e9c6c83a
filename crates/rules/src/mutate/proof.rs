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
    let blank = |literal: &Literal| matches!(literal, Literal::Text(word) if word.trim().is_empty());
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
fn exclude(a: &Test, b: &Test) -> bool {
    use Test as T;
    match (a, b) {
        (T::Present, T::Absent)
        | (T::Absent, T::Present)
        | (T::Before(Bound::Today), T::After(Bound::Today))
        | (T::After(Bound::Today), T::Before(Bound::Today)) => true,
        (T::Absent, other) | (other, T::Absent) => !is_presence(other),
        (T::AgeBelow(below), T::AgeAtLeast(from)) | (T::AgeAtLeast(from), T::AgeBelow(below)) => {
            below.unit == from.unit && below.count <= from.count
        }
        (T::LessThan(below), T::AtLeast(from)) | (T::AtLeast(from), T::LessThan(below)) => below <= from,
        (T::Before(Bound::On(end)), T::After(Bound::On(start)))
        | (T::After(Bound::On(start)), T::Before(Bound::On(end))) => end <= start,
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;
    use crate::age::Age;
    use crate::country::LeapBirthday;
    use crate::decision::{Effect, Facts};
    use crate::term::Scene;
    use crate::truth::Truth;

    fn test() -> impl Strategy<Value = Test> {
        let word = || {
            prop::sample::select(vec!["a", "b", "2016-06-01"]).prop_map(|word| Literal::Text(word.to_owned()))
        };
        let age = || {
            prop::sample::select(vec!["9 years", "10 years", "11 years", "120 months"])
                .prop_map(|text| Age::parse(text).expect("an age"))
        };
        let day =
            || prop::sample::select(vec![1, 2, 3]).prop_map(|day| Bound::On(jiff::civil::date(2016, 6, day)));
        let number = || prop::sample::select(vec![1.0, 2.0]);
        prop_oneof![
            Just(Test::Present),
            Just(Test::Absent),
            word().prop_map(Test::Equals),
            prop::collection::vec(word(), 1..3).prop_map(Test::In),
            age().prop_map(Test::AgeBelow),
            age().prop_map(Test::AgeAtLeast),
            day().prop_map(Test::Before),
            day().prop_map(Test::After),
            Just(Test::Before(Bound::Today)),
            Just(Test::After(Bound::Today)),
            number().prop_map(Test::LessThan),
            number().prop_map(Test::AtLeast),
        ]
    }

    fn rule() -> impl Strategy<Value = Rule> {
        let leaf = (prop::sample::select(vec!["x", "y"]), test()).prop_map(|(field, test)| Term::Test {
            field: FieldRef { field: field.to_owned(), parts: Vec::new(), slot: None },
            test,
        });
        let list = prop::collection::vec(leaf, 1..3);
        let term = (list, any::<bool>())
            .prop_map(|(terms, all)| if all { Term::All(terms) } else { Term::Any(terms) });
        (term, any::<bool>()).prop_map(|(term, holds)| Rule {
            id: "rule".to_owned(),
            name: std::collections::BTreeMap::new(),
            event: "birth".to_owned(),
            action: "REGISTER".to_owned(),
            custom_action: None,
            term: Some(term),
            effect: Effect::Ignore,
            if_unknown: if holds { IfUnknown::Hold } else { IfUnknown::Skip },
            mode: Mode::Enforce,
            audit: std::collections::BTreeMap::new(),
            after: Vec::new(),
            write: Vec::new(),
            despite: Vec::new(),
        })
    }

    fn value() -> impl Strategy<Value = Value> {
        let words = vec!["a", "b", "2016-06-01", "2016-06-02", "2016-05-31", "2015-06-01", "2017-06-02", ""];
        prop_oneof![
            6 => prop::sample::select(words).prop_map(Value::from),
            2 => prop::sample::select(vec![0.5, 1.0, 1.5, 2.0]).prop_map(Value::from),
            1 => Just(Value::Null),
        ]
    }

    fn on<T>(x: &Value, y: &Value, ask: impl FnOnce(&Scene<'_>) -> T) -> T {
        let after = Map::from_iter([("x".to_owned(), x.clone()), ("y".to_owned(), y.clone())]);
        let at: Timestamp = "2026-06-01T09:00:00Z".parse().expect("an instant");
        let (event, action) = ("birth", "REGISTER");
        let facts = Facts { event, action, custom_action: None, before: &after, after: &after, at };
        ask(&Scene::new(&facts, &TimeZone::UTC, LeapBirthday::February28))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn rules_said_to_be_disjoint_never_settle_one_event(a in rule(), b in rule(), x in value(), y in value()) {
            let both = on(&x, &y, |scene| {
                let settles = |rule: &Rule| match rule.eval(scene) {
                    Truth::True => true,
                    Truth::Unknown => rule.if_unknown == IfUnknown::Hold,
                    Truth::False => false,
                };
                settles(&a) && settles(&b)
            });
            prop_assert!(!(both && disjoint(&a, &b)), "{:?}\n{:?}", a, b);
        }

        #[test]
        fn what_must_hold_does_and_what_cannot_be_unknown_never_is(rule in rule(), x in value(), y in value()) {
            let term = rule.term.as_ref().expect("a term");
            on(&x, &y, |scene| {
                let outcome = term.eval(scene);
                prop_assert!(can_be_unknown(term) || outcome != Truth::Unknown);
                for (field, test) in musts(term) {
                    prop_assert!(outcome != Truth::True || scene.test(field, test) == Ok(true));
                }
                Ok(())
            })?;
        }
    }
}
