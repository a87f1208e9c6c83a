//! What is concluded, held against every record of a small world.

use std::sync::OnceLock;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use regex::Regex;
use serde_json::{Map, Value, json};

use super::space::{Face, Space};
use super::terms::{TermCheck, shared};
use super::tree::Node;
use super::witness::Witness;
use crate::age::{Age, read_date};
use crate::decision::Facts;
use crate::files::country::LeapBirthday;
use crate::reference::FieldRef;
use crate::source::{Document, Path};
use crate::term::{Bound, Literal, Scene, Term, Test};
use crate::truth::Truth;

fn field(id: &str, parts: &[&str]) -> FieldRef {
    FieldRef {
        field: id.to_owned(),
        parts: parts.iter().map(|part| (*part).to_owned()).collect(),
        slot: None,
    }
}

fn text(text: &str) -> Literal {
    Literal::Text(text.to_owned())
}

fn pattern(pattern: &str) -> Test {
    Test::Matches(Regex::new(&format!("^(?:{pattern})$")).unwrap())
}

/// A field and one of the tests that may be asked of it.
fn asked() -> impl Strategy<Value = Term> {
    let day = |text: &str| Bound::On(read_date(text).unwrap());
    let age = |text: &str| Age::parse(text).unwrap();
    let word = vec![
        Test::Present,
        Test::Absent,
        Test::Equals(text("a")),
        Test::Equals(text("")),
        Test::In(vec![text("a"), text("b")]),
        Test::In(vec![text("a"), Literal::Bool(true)]),
        pattern("[ab]"),
        pattern("[0-9]+"),
    ];
    let date = vec![
        Test::Present,
        Test::Absent,
        Test::Before(Bound::Today),
        Test::After(Bound::Today),
        Test::Before(day("2020-02-29")),
        Test::After(day("2020-02-29")),
        Test::After(day("2020-02-28")),
        Test::Equals(text("2020-02-29")),
        Test::AgeBelow(age("0 days")),
        Test::AgeBelow(age("1 year")),
        Test::AgeAtLeast(age("1 year")),
        Test::AgeBelow(age("12 months")),
        Test::AgeAtLeast(age("365 days")),
        Test::AgeBelow(age("366 days")),
        Test::AgeAtLeast(age("2 years")),
    ];
    let number = vec![
        Test::LessThan(1.0),
        Test::AtLeast(1.0),
        Test::AtLeast(2.0),
        Test::Equals(Literal::Number(1.0)),
        Test::Equals(Literal::Bool(true)),
        Test::Present,
    ];
    let of = |field: FieldRef, tests: Vec<Test>| {
        prop::sample::select(tests).prop_map(move |test| Term::Test { field: field.clone(), test })
    };
    let changed = prop::sample::select(vec![
        vec![field("w", &[])],
        vec![field("o", &[])],
        vec![field("o", &["p"])],
        vec![field("w", &[]), field("o", &["p"])],
    ])
    .prop_map(|fields| Term::Changed { group: None, fields });
    prop_oneof![
        3 => of(field("w", &[]), word.clone()),
        4 => of(field("d", &[]), date),
        2 => of(field("n", &[]), number),
        1 => of(field("o", &[]), word.clone()),
        1 => of(field("o", &["p"]), word),
        1 => changed,
    ]
}

fn condition() -> impl Strategy<Value = Term> {
    asked().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(Term::All),
            2 => prop::collection::vec(inner.clone(), 1..3).prop_map(Term::Any),
            1 => inner.clone().prop_map(|term| Term::Not(Box::new(term))),
            1 => inner.prop_map(|term| Term::Named { name: "named".to_owned(), term: Box::new(term) }),
        ]
    })
}

/// Values of each field that between them show every difference that the tests can tell.
fn world() -> &'static [Record] {
    static WORLD: OnceLock<Vec<Record>> = OnceLock::new();
    WORLD.get_or_init(records)
}

/// Before, after, and the day of the action.
type Record = (Map<String, Value>, Map<String, Value>, Date);

fn records() -> Vec<Record> {
    let words = [Value::Null, json!("a"), json!("b"), json!("c"), json!("12"), json!(true), json!({})];
    let dates = [
        "",
        "x",
        "2018-03-01",
        "2019-02-28",
        "2020-02-27",
        "2020-02-28",
        "2020-02-29",
        "2020-03-01",
        "2021-03-01",
    ];
    let numbers = [Value::Null, json!(0), json!(1), json!(1.5), json!(2), json!(true), json!("a")];
    let objects = [
        Value::Null,
        json!("a"),
        json!({}),
        json!({ "p": "a" }),
        json!({ "p": "12" }),
        json!({ "p": "", "q": 1 }),
    ];
    let days = ["2019-02-28", "2020-02-28", "2020-02-29", "2021-02-27", "2021-02-28", "2021-03-01"];
    let mut all = Vec::new();
    // Not every combination of five fields: each pair of fields in all of theirs.
    for (i, word) in words.iter().enumerate() {
        for (j, date) in dates.iter().enumerate() {
            for (k, day) in days.iter().enumerate() {
                for (l, object) in objects.iter().enumerate() {
                    let number = &numbers[(i + j + k + l) % numbers.len()];
                    let after = Map::from_iter([
                        ("w".to_owned(), word.clone()),
                        ("d".to_owned(), json!(date)),
                        ("n".to_owned(), number.clone()),
                        ("o".to_owned(), object.clone()),
                    ]);
                    let mut before = after.clone();
                    if (i + k) % 2 == 0 {
                        before.insert("w".to_owned(), json!("before"));
                    }
                    if (j + k) % 2 == 0 {
                        before.insert("o".to_owned(), objects[(l + j) % objects.len()].clone());
                    }
                    all.push((before, after, read_date(day).unwrap()));
                }
            }
        }
    }
    all
}

fn outcomes(term: &Term, leap: LeapBirthday, world: &[Record]) -> Vec<Truth> {
    world
        .iter()
        .map(|(before, after, today)| {
            let at = TimeZone::UTC.to_timestamp(today.at(9, 0, 0, 0)).unwrap();
            let facts = Facts { event: "", action: "", custom_action: None, before, after, at };
            term.eval(&Scene::new(&facts, &TimeZone::UTC, leap))
        })
        .collect()
}

/// A face, and which outcomes belong to it.
type Outcome = (Face, fn(Truth) -> bool);

const FACES: [Outcome; 4] = [
    (Face::True, |truth| truth == Truth::True),
    (Face::False, |truth| truth == Truth::False),
    (Face::NotTrue, |truth| truth != Truth::True),
    (Face::NotFalse, |truth| truth != Truth::False),
];

fn leap() -> impl Strategy<Value = LeapBirthday> {
    prop::sample::select(vec![LeapBirthday::February28, LeapBirthday::March1])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// What is called impossible never happens, of either outcome and of two conditions together.
    #[test]
    fn nothing_that_happens_is_called_impossible(a in condition(), b in condition(), leap in leap()) {
        let world = world();
        let space = Space::of([&a, &b], leap);
        let (of_a, of_b) = (outcomes(&a, leap, world), outcomes(&b, leap, world));
        for (face, is) in FACES {
            let Ok(cubes) = space.cubes(&a, face, &[]) else { continue };
            if cubes.is_empty() {
                prop_assert!(!of_a.iter().any(|truth| is(*truth)), "{face:?} of {a:?}");
            }
            for (other, also) in FACES {
                let Ok(theirs) = space.cubes(&b, other, &[]) else { continue };
                if space.both(&cubes, &theirs).is_ok_and(|both| both.is_empty()) {
                    let both = of_a.iter().zip(&of_b).any(|(a, b)| is(*a) && also(*b));
                    prop_assert!(!both, "{face:?} of {a:?} and {other:?} of {b:?}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// What is concluded from a term's fields alone is what its cubes say.
    #[test]
    fn a_term_that_stands_alone_changes_something(terms in prop::collection::vec(condition(), 2..4), leap in leap()) {
        let places: Vec<Value> = terms.iter().map(|_| json!(true)).collect();
        let whole = Term::All(terms);
        let space = Space::of([&whole], leap);
        let can_be = |face| !space.cubes(&whole, face, &[]).is_ok_and(|cubes| cubes.is_empty());
        if can_be(Face::True) && can_be(Face::NotTrue) {
            let document = Document::bare("rules.yaml", "", Value::Null);
            let root = Node::of(&whole, &json!({ "all": places }), Path::default());
            let mut out = Vec::new();
            let check =
                TermCheck { space: &space, document: &document, root: &root, three_valued: false, out: &mut out };
            let shared = shared(&root.children);
            for child in root.children.iter().filter(|child| check.stands_alone(child, &shared)) {
                prop_assert!(check.changes_something(&[std::ptr::from_ref(child.term)]), "{:?}", child.term);
            }
        }
    }
}

/// Where the world has a record that both match, one is found to show it with, or nearly always.
#[test]
fn overlaps_can_be_shown() {
    let mut runner = TestRunner::deterministic();
    let world = world();
    let leap = LeapBirthday::February28;
    let (mut there, mut shown) = (0, 0);
    for _ in 0..200 {
        let a = condition().new_tree(&mut runner).unwrap().current();
        let b = condition().new_tree(&mut runner).unwrap().current();
        let pairs = outcomes(&a, leap, world).into_iter().zip(outcomes(&b, leap, world));
        if !pairs.into_iter().any(|both| both == (Truth::True, Truth::True)) {
            continue;
        }
        there += 1;
        let space = Space::of([&a, &b], leap);
        let (Ok(left), Ok(right)) = (space.cubes(&a, Face::True, &[]), space.cubes(&b, Face::True, &[]))
        else {
            continue;
        };
        let both = space.both(&left, &right).unwrap_or_default();
        shown +=
            usize::from(both.iter().any(|cube| Witness::of(&space, cube, &[&a, &b], None, leap).is_some()));
    }
    assert!(there >= 40, "only {there} pairs overlap");
    assert!(shown * 100 >= there * 98, "{shown} of {there} were shown");
}
