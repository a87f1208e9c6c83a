//! The laws of three-valued logic, over conditions whose every term can be true, false or unknown.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::decision::Facts;
use crate::explain::Verdict;
use crate::files::country::LeapBirthday;
use crate::reference::FieldRef;
use crate::term::{Literal, Scene, Term, Test};
use crate::truth::Truth;

const FIELDS: usize = 5;

/// What a field holds; a term on it is unknown when it is missing, null, or of another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Missing,
    Null,
    Unreadable,
    False,
    True,
}

type Record = [Held; FIELDS];

impl Held {
    /// 0 false, 1 unknown, 2 true.
    fn level(self) -> u8 {
        match self {
            Held::False => 0,
            Held::True => 2,
            _ => 1,
        }
    }
}

fn held() -> impl Strategy<Value = Held> {
    prop::sample::select(vec![
        Held::Missing,
        Held::Null,
        Held::Unreadable,
        Held::False,
        Held::True,
        Held::False,
        Held::True,
    ])
}

fn record() -> impl Strategy<Value = Record> {
    prop::array::uniform5(held())
}

fn name(field: usize) -> String {
    format!("section.f{field}")
}

fn leaf(field: usize) -> Term {
    let field = FieldRef { field: name(field), parts: Vec::new(), slot: None };
    Term::Test { field, test: Test::Equals(Literal::Bool(true)) }
}

fn always() -> Term {
    Term::Not(Box::new(never()))
}

/// Nothing changes between a record and itself.
fn never() -> Term {
    Term::Changed { group: None, fields: vec![FieldRef { field: name(0), parts: Vec::new(), slot: None }] }
}

fn not(term: Term) -> Term {
    Term::Not(Box::new(term))
}

fn term() -> impl Strategy<Value = Term> {
    (0..FIELDS).prop_map(leaf).prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Term::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Term::Any),
            inner.clone().prop_map(not),
            inner.prop_map(|term| Term::Named { name: "named".to_owned(), term: Box::new(term) }),
        ]
    })
}

fn on<T>(record: Record, ask: impl FnOnce(&Scene<'_>) -> T) -> T {
    let mut after = Map::new();
    for (field, held) in record.iter().enumerate() {
        let value = match held {
            Held::Missing => continue,
            Held::Null => Value::Null,
            Held::Unreadable => json!("true"),
            Held::False => json!(false),
            Held::True => json!(true),
        };
        after.insert(name(field), value);
    }
    let facts = Facts {
        event: "e",
        action: "A",
        custom_action: None,
        before: &after,
        after: &after,
        at: Timestamp::UNIX_EPOCH,
    };
    ask(&Scene::new(&facts, &TimeZone::UTC, LeapBirthday::February28))
}

fn eval(term: &Term, record: Record) -> Truth {
    on(record, |scene| term.eval(scene))
}

/// The outcome by arithmetic: `all` is the smallest, `any` the largest, `not` the distance from the top.
fn by_numbers(term: &Term, record: Record) -> u8 {
    let each = |terms: &[Term]| terms.iter().map(|term| by_numbers(term, record)).collect::<Vec<_>>();
    match term {
        Term::All(terms) => each(terms).into_iter().min().unwrap_or(2),
        Term::Any(terms) => each(terms).into_iter().max().unwrap_or(0),
        Term::Not(inner) => 2 - by_numbers(inner, record),
        Term::Named { term, .. } => by_numbers(term, record),
        Term::Changed { .. } => 0,
        Term::Test { field, .. } => {
            let number: usize = field.field.trim_start_matches("section.f").parse().expect("a number");
            record[number].level()
        }
    }
}

fn level(truth: Truth) -> u8 {
    match truth {
        Truth::False => 0,
        Truth::Unknown => 1,
        Truth::True => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn outcomes_are_those_of_the_arithmetic(term in term(), record in record()) {
        prop_assert_eq!(level(eval(&term, record)), by_numbers(&term, record));
    }

    /// Stopping as soon as it is settled, and looking at everything, come to the same.
    #[test]
    fn a_short_look_and_a_long_one_agree(term in term(), record in record()) {
        on(record, |scene| {
            prop_assert_eq!(term.eval(scene), Verdict::of(&term, scene).outcome);
            Ok(())
        })?;
    }

    #[test]
    fn grouping_does_not_matter(a in term(), b in term(), c in term(), record in record()) {
        for join in [Term::All as fn(Vec<Term>) -> Term, Term::Any] {
            let flat = eval(&join(vec![a.clone(), b.clone(), c.clone()]), record);
            let left = eval(&join(vec![join(vec![a.clone(), b.clone()]), c.clone()]), record);
            let right = eval(&join(vec![a.clone(), join(vec![b.clone(), c.clone()])]), record);
            prop_assert_eq!(flat, left);
            prop_assert_eq!(flat, right);
        }
    }

    #[test]
    fn order_does_not_matter(terms in prop::collection::vec(term(), 1..5).prop_flat_map(|terms| (Just(terms.clone()), Just(terms).prop_shuffle())), record in record()) {
        let (as_written, shuffled) = terms;
        prop_assert_eq!(eval(&Term::All(as_written.clone()), record), eval(&Term::All(shuffled.clone()), record));
        prop_assert_eq!(eval(&Term::Any(as_written), record), eval(&Term::Any(shuffled), record));
    }

    #[test]
    fn what_is_always_or_never_so_counts_for_nothing_or_for_all(a in term(), record in record()) {
        let outcome = eval(&a, record);
        prop_assert_eq!(eval(&Term::All(vec![a.clone(), always()]), record), outcome);
        prop_assert_eq!(eval(&Term::Any(vec![a.clone(), never()]), record), outcome);
        prop_assert_eq!(eval(&Term::All(vec![a.clone(), never()]), record), Truth::False);
        prop_assert_eq!(eval(&Term::Any(vec![a.clone(), always()]), record), Truth::True);
        prop_assert_eq!(eval(&Term::All(vec![a.clone(), a.clone()]), record), outcome);
        prop_assert_eq!(eval(&Term::Any(vec![a.clone(), a.clone()]), record), outcome);
        prop_assert_eq!(eval(&not(not(a)), record), outcome);
    }

    #[test]
    fn de_morgan_distribution_and_absorption(a in term(), b in term(), c in term(), record in record()) {
        let all = |terms: Vec<&Term>| Term::All(terms.into_iter().cloned().collect());
        let any = |terms: Vec<&Term>| Term::Any(terms.into_iter().cloned().collect());
        let same = |one: &Term, other: &Term| {
            prop_assert_eq!(eval(one, record), eval(other, record));
            Ok(())
        };
        same(&not(all(vec![&a, &b])), &any(vec![&not(a.clone()), &not(b.clone())]))?;
        same(&not(any(vec![&a, &b])), &all(vec![&not(a.clone()), &not(b.clone())]))?;
        same(&all(vec![&a, &any(vec![&b, &c])]), &any(vec![&all(vec![&a, &b]), &all(vec![&a, &c])]))?;
        same(&any(vec![&a, &all(vec![&b, &c])]), &all(vec![&any(vec![&a, &b]), &any(vec![&a, &c])]))?;
        same(&all(vec![&a, &any(vec![&a, &b])]), &a)?;
        same(&any(vec![&a, &all(vec![&a, &b])]), &a)?;
    }

    /// Whatever becomes known, and as whatever: a settled outcome stays as it was.
    #[test]
    fn what_is_settled_stays_settled(term in term(), record in record(), later in record()) {
        let outcome = eval(&term, record);
        let mut filled = record;
        for (held, later) in filled.iter_mut().zip(later) {
            if held.level() == 1 {
                *held = later;
            }
        }
        if outcome != Truth::Unknown {
            prop_assert_eq!(eval(&term, filled), outcome);
        }
    }

    /// The fields that are named as missing are missing, and knowing them is enough.
    #[test]
    fn what_is_named_as_missing_is_what_is_missing(term in term(), record in record(), answers in prop::array::uniform5(any::<bool>())) {
        let mut missing = Vec::new();
        on(record, |scene| term.undecided(scene, &mut missing));
        prop_assert_eq!(missing.is_empty(), eval(&term, record) != Truth::Unknown);
        let distinct: BTreeSet<&String> = missing.iter().collect();
        prop_assert_eq!(distinct.len(), missing.len());
        let mut answered = record;
        for field in 0..FIELDS {
            if missing.contains(&name(field)) {
                prop_assert_eq!(record[field].level(), 1);
                answered[field] = if answers[field] { Held::True } else { Held::False };
            }
        }
        prop_assert_ne!(eval(&term, answered), Truth::Unknown);
    }

    /// `in` is `any` of `equals`, whatever the types of the words and in whatever order.
    #[test]
    fn in_is_any_of_equals(
        words in prop::collection::vec(prop_oneof![
            prop::sample::select(vec!["a", "b", "1", "true"]).prop_map(|text| Literal::Text(text.to_owned())),
            Just(Literal::Number(1.0)),
            any::<bool>().prop_map(Literal::Bool),
        ], 1..4),
        value in prop::sample::select(vec![json!(null), json!("a"), json!("1"), json!(1), json!(1.5), json!(true), json!([]), json!({})]),
    ) {
        let field = FieldRef { field: "x.data".to_owned(), parts: Vec::new(), slot: None };
        let after = Map::from_iter([("x.data".to_owned(), value)]);
        let facts = Facts { event: "e", action: "A", custom_action: None, before: &after, after: &after, at: Timestamp::UNIX_EPOCH };
        let zone = TimeZone::UTC;
        let scene = Scene::new(&facts, &zone, LeapBirthday::February28);
        let equals = |word: &Literal| Term::Test { field: field.clone(), test: Test::Equals(word.clone()) };
        let any = Term::Any(words.iter().map(equals).collect());
        let one_of = Term::Test { field: field.clone(), test: Test::In(words.clone()) };
        prop_assert_eq!(one_of.eval(&scene), any.eval(&scene));
    }
}
