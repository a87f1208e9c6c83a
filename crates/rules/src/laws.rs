//! Laws of evaluation, over arbitrary conditions and arbitrary records.

mod logic;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::age::Age;
use crate::decision::Facts;
use crate::explain::Verdict;
use crate::files::country::LeapBirthday;
use crate::reference::FieldRef;
use crate::term::{Bound, Literal, Scene, Slots, Term, Test};
use crate::truth::Truth;

const FIELDS: [&str; 4] = ["child.nid", "child.dob", "child.name", "mother.verified"];

fn field() -> impl Strategy<Value = FieldRef> {
    (prop::sample::select(&FIELDS[..]), prop::option::of(prop::sample::select(vec!["surname", "data"])))
        .prop_map(|(field, part)| FieldRef {
            field: field.to_owned(),
            parts: part.map(str::to_owned).into_iter().collect(),
            slot: None,
        })
}

/// Tests whose outcome can only become known by more facts, never another.
fn monotone() -> impl Strategy<Value = Test> {
    let word = prop::sample::select(vec!["verified", "2020-02-29", "x"]);
    let literal = prop_oneof![
        word.prop_map(|text| Literal::Text(text.to_owned())),
        Just(Literal::Number(3.0)),
        any::<bool>().prop_map(Literal::Bool),
    ];
    let age = prop::sample::select(vec!["10 years", "1 month", "0 days"])
        .prop_map(|text| Age::parse(text).expect("an age"));
    prop_oneof![
        literal.clone().prop_map(Test::Equals),
        prop::collection::vec(literal, 1..3).prop_map(Test::In),
        Just(Test::Matches(Regex::new("^(?:[a-z]+)$").expect("a pattern"))),
        Just(Test::Before(Bound::Today)),
        Just(Test::After(Bound::On(jiff::civil::date(2020, 2, 28)))),
        age.clone().prop_map(Test::AgeBelow),
        age.prop_map(Test::AgeAtLeast),
        Just(Test::LessThan(3.0)),
        Just(Test::AtLeast(3.0)),
    ]
}

fn any_test() -> impl Strategy<Value = Test> {
    prop_oneof![4 => monotone(), 1 => Just(Test::Present), 1 => Just(Test::Absent)]
}

fn term(test: impl Strategy<Value = Test> + 'static, with_changes: bool) -> impl Strategy<Value = Term> {
    let test = (field(), test).prop_map(|(field, test)| Term::Test { field, test }).boxed();
    let leaf = if with_changes {
        let changed =
            prop::collection::vec(field(), 1..3).prop_map(|fields| Term::Changed { group: None, fields });
        prop_oneof![4 => test, 1 => changed].boxed()
    } else {
        test
    };
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Term::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Term::Any),
            inner.clone().prop_map(|term| Term::Not(Box::new(term))),
            inner.prop_map(|term| Term::Named { name: "named".to_owned(), term: Box::new(term) }),
        ]
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["", "verified", "2020-02-29", "2030-01-01", "2019-13-01"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            (inner.clone(), inner).prop_map(|(a, b)| json!({ "surname": a, "data": b })),
        ]
    })
}

fn record() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((prop::sample::select(&FIELDS[..]), value()), 0..5)
        .prop_map(|entries| entries.into_iter().map(|(field, value)| (field.to_owned(), value)).collect())
}

/// Evaluates on a record at an instant in 2026, the record before being `before`.
fn on<T>(before: &Map<String, Value>, after: &Map<String, Value>, ask: impl FnOnce(&Scene<'_>) -> T) -> T {
    let at: Timestamp = "2026-06-01T09:00:00Z".parse().expect("an instant");
    let facts = Facts { event: "birth", action: "REGISTER", custom_action: None, before, after, at };
    ask(&Scene::new(&facts, &TimeZone::UTC, LeapBirthday::February28))
}

proptest! {
    #[test]
    fn evaluation_is_total_and_deterministic(term in term(any_test(), true), before in record(), after in record()) {
        let once = on(&before, &after, |scene| term.eval(scene));
        let again = on(&before.clone(), &after.clone(), |scene| term.eval(scene));
        prop_assert_eq!(once, again);
    }

    #[test]
    fn what_is_explained_is_what_is_decided(term in term(any_test(), true), before in record(), after in record()) {
        on(&before, &after, |scene| {
            prop_assert_eq!(Verdict::of(&term, scene).outcome, term.eval(scene));
            let mut undecided = Vec::new();
            term.undecided(scene, &mut undecided);
            prop_assert_eq!(undecided.is_empty(), term.eval(scene) != Truth::Unknown);
            Ok(())
        })?;
    }

    /// Values that are kept for the next rule are those that would be looked up.
    #[test]
    fn what_is_kept_is_what_is_there(terms in prop::collection::vec(term(any_test(), true), 1..4), before in record(), after in record()) {
        let mut slots = Slots::default();
        let mut kept = terms.clone();
        for term in &mut kept {
            slots.give(term);
        }
        let looked_up = on(&before, &after, |scene| terms.iter().map(|term| term.eval(scene)).collect::<Vec<_>>());
        let from_slots = on(&before, &after, |scene| kept.iter().map(|term| term.eval(scene)).collect::<Vec<_>>());
        prop_assert_eq!(looked_up, from_slots);
    }

    #[test]
    fn de_morgan(terms in prop::collection::vec(term(any_test(), true), 1..4), before in record(), after in record()) {
        let each: Vec<Term> = terms.iter().cloned().map(|term| Term::Not(Box::new(term))).collect();
        on(&before, &after, |scene| {
            prop_assert_eq!(Term::Not(Box::new(Term::All(terms.clone()))).eval(scene), Term::Any(each.clone()).eval(scene));
            prop_assert_eq!(Term::Not(Box::new(Term::Any(terms.clone()))).eval(scene), Term::All(each.clone()).eval(scene));
            Ok(())
        })?;
    }

    #[test]
    fn order_does_not_matter(terms in prop::collection::vec(term(any_test(), true), 1..4), before in record(), after in record()) {
        let mut turned = terms.clone();
        turned.reverse();
        on(&before, &after, |scene| {
            prop_assert_eq!(Term::All(terms.clone()).eval(scene), Term::All(turned.clone()).eval(scene));
            prop_assert_eq!(Term::Any(terms.clone()).eval(scene), Term::Any(turned.clone()).eval(scene));
            Ok(())
        })?;
    }

    /// A decided outcome does not depend on what is missing: any value for it leaves it as it is.
    #[test]
    fn more_facts_never_turn_a_decided_outcome(term in term(monotone(), false), after in record(), more in record()) {
        let nothing = Map::new();
        let known = on(&nothing, &after, |scene| term.eval(scene));
        let mut filled = more;
        for (field, value) in &after {
            let shown = FieldRef { field: field.clone(), parts: Vec::new(), slot: None };
            if shown.get(&after).is_some() {
                filled.insert(field.clone(), value.clone());
            }
        }
        let later = on(&nothing, &filled, |scene| term.eval(scene));
        if known != Truth::Unknown {
            prop_assert_eq!(known, later);
        }
    }

    #[test]
    fn of_nothing_only_presence_is_known(field in field(), test in monotone()) {
        let nothing = Map::new();
        let asked = Term::Test { field: field.clone(), test };
        on(&nothing, &nothing, |scene| {
            prop_assert_eq!(asked.eval(scene), Truth::Unknown);
            prop_assert_eq!(Term::Test { field: field.clone(), test: Test::Absent }.eval(scene), Truth::True);
            prop_assert_eq!(Term::Changed { group: None, fields: vec![field.clone()] }.eval(scene), Truth::False);
            Ok(())
        })?;
    }

    #[test]
    fn present_and_absent_are_never_unknown(field in field(), after in record()) {
        on(&Map::new(), &after, |scene| {
            let present = Term::Test { field: field.clone(), test: Test::Present }.eval(scene);
            let absent = Term::Test { field: field.clone(), test: Test::Absent }.eval(scene);
            prop_assert_ne!(present, Truth::Unknown);
            prop_assert_eq!(present, !absent);
            Ok(())
        })?;
    }
}
