//! Compiled conditions and their evaluation.
//!
//! Everything that can be resolved is resolved when the pack is loaded; evaluation walks a tree,
//! looks fields up and allocates nothing. It is total: whatever stands in a record, the outcome is
//! one of three values.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use regex::Regex;
use serde::Serialize;
use serde_json::Value;

use crate::age::{Age, read_date};
use crate::decision::Facts;
use crate::files::country::LeapBirthday;
use crate::reference::{FieldRef, same};
use crate::truth::Truth;

/// A condition, ready to be evaluated.
#[derive(Clone, Debug)]
pub(crate) enum Term {
    All(Vec<Term>),
    Any(Vec<Term>),
    Not(Box<Term>),
    Named { name: String, term: Box<Term> },
    Changed { group: Option<String>, fields: Vec<FieldRef> },
    Test { field: FieldRef, test: Test },
}

/// What is asked of one field.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Present,
    Absent,
    Equals(Literal),
    In(Vec<Literal>),
    /// Of a list: whether one of its items is this, or has it as its `option`.
    Contains(Literal),
    Matches(Regex),
    Before(Bound),
    After(Bound),
    AgeBelow(Age),
    AgeAtLeast(Age),
    LessThan(f64),
    AtLeast(f64),
}

/// A value in a rule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Number(f64),
    Bool(bool),
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Bool(value) => write!(f, "{value}"),
        }
    }
}

/// A date in a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    /// The date of the action in the country's time zone.
    Today,
    On(Date),
}

/// Why a field does not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It is missing.
    Missing,
    /// Its value is not of the expected kind, or is a birth after the action.
    Unreadable,
}

/// The facts, and what is derived from their instant at most once.
pub(crate) struct Scene<'a> {
    facts: &'a Facts<'a>,
    zone: &'a TimeZone,
    leap: LeapBirthday,
    today: OnceCell<Date>,
    /// Values that were looked up: several rules ask about the same few fields.
    values: [Cell<Kept<'a>>; SLOTS],
}

/// What is known of a field's value.
#[derive(Clone, Copy)]
enum Kept<'a> {
    Unasked,
    Is(Option<&'a Value>),
}

/// How many fields of one event have a slot.
const SLOTS: usize = 16;

/// Gives the first fields that the rules of one event ask about a place to be kept in.
#[derive(Debug, Default)]
pub(crate) struct Slots(HashMap<String, u8>);

impl Slots {
    pub(crate) fn give(&mut self, term: &mut Term) {
        match term {
            Term::All(terms) | Term::Any(terms) => terms.iter_mut().for_each(|term| self.give(term)),
            Term::Not(term) | Term::Named { term, .. } => self.give(term),
            Term::Changed { fields, .. } => fields.iter_mut().for_each(|field| self.place(field)),
            Term::Test { field, .. } => self.place(field),
        }
    }

    fn place(&mut self, field: &mut FieldRef) {
        let (name, next) = (field.to_string(), self.0.len());
        field.slot = self.0.get(&name).copied();
        if field.slot.is_none() && next < SLOTS {
            field.slot = u8::try_from(next).ok();
            self.0.extend(field.slot.map(|slot| (name, slot)));
        }
    }
}

impl<'a> Scene<'a> {
    pub(crate) fn new(facts: &'a Facts<'a>, zone: &'a TimeZone, leap: LeapBirthday) -> Self {
        Self {
            facts,
            zone,
            leap,
            today: OnceCell::new(),
            values: [const { Cell::new(Kept::Unasked) }; SLOTS],
        }
    }

    /// The value that the record will have.
    fn value(&self, field: &FieldRef) -> Option<&'a Value> {
        let Some(slot) = field.slot.and_then(|slot| self.values.get(usize::from(slot))) else {
            return field.get(self.facts.after);
        };
        if let Kept::Is(value) = slot.get() {
            return value;
        }
        let value = field.get(self.facts.after);
        slot.set(Kept::Is(value));
        value
    }

    fn today(&self) -> Date {
        *self.today.get_or_init(|| self.zone.to_datetime(self.facts.at).date())
    }

    pub(crate) fn has_changed(&self, field: &FieldRef) -> bool {
        !same(field.get(self.facts.before), self.value(field))
    }

    /// Evaluates `test` on the value that the record will have.
    pub(crate) fn test(&self, field: &FieldRef, test: &Test) -> Result<bool, Cause> {
        self.judge(self.value(field), test)
    }

    /// Evaluates `test` on a value.
    pub(crate) fn judge(&self, value: Option<&Value>, test: &Test) -> Result<bool, Cause> {
        match test {
            Test::Present => return Ok(value.is_some()),
            Test::Absent => return Ok(value.is_none()),
            _ => {}
        }
        let value = value.ok_or(Cause::Missing)?;
        match test {
            Test::Present | Test::Absent => Ok(value.is_null()),
            Test::Equals(literal) => equals(value, literal),
            Test::In(literals) => one_of(value, literals),
            Test::Contains(literal) => contains(value, literal),
            Test::Matches(pattern) => {
                value.as_str().map(|text| pattern.is_match(text)).ok_or(Cause::Unreadable)
            }
            Test::Before(bound) => Ok(date(value)? < self.date_of(*bound)),
            Test::After(bound) => Ok(date(value)? > self.date_of(*bound)),
            Test::AgeBelow(age) => self.is_below(*age, value),
            Test::AgeAtLeast(age) => self.is_below(*age, value).map(|below| !below),
            Test::LessThan(bound) => Ok(number(value)? < *bound),
            Test::AtLeast(bound) => Ok(number(value)? >= *bound),
        }
    }

    fn is_below(&self, age: Age, value: &Value) -> Result<bool, Cause> {
        age.is_below(date(value)?, self.today(), self.leap).ok_or(Cause::Unreadable)
    }

    fn date_of(&self, bound: Bound) -> Date {
        match bound {
            Bound::Today => self.today(),
            Bound::On(date) => date,
        }
    }
}

fn date(value: &Value) -> Result<Date, Cause> {
    value.as_str().and_then(read_date).ok_or(Cause::Unreadable)
}

fn number(value: &Value) -> Result<f64, Cause> {
    value.as_f64().ok_or(Cause::Unreadable)
}

/// Uploaded files are maps that say under `option` what they show; other lists hold plain values.
fn contains(value: &Value, literal: &Literal) -> Result<bool, Cause> {
    let items = value.as_array().ok_or(Cause::Unreadable)?;
    Ok(items.iter().any(|item| equals(item.get("option").unwrap_or(item), literal) == Ok(true)))
}

#[expect(clippy::float_cmp, reason = "both sides come out of decimal text; equal text is meant")]
fn equals(value: &Value, literal: &Literal) -> Result<bool, Cause> {
    match (value, literal) {
        (Value::String(value), Literal::Text(text)) => Ok(value == text),
        (Value::Bool(value), Literal::Bool(literal)) => Ok(value == literal),
        (Value::Number(_), Literal::Number(literal)) => Ok(number(value)? == *literal),
        _ => Err(Cause::Unreadable),
    }
}

/// Whether the value equals any of the literals; like `any`, it is so as soon as one does.
fn one_of(value: &Value, literals: &[Literal]) -> Result<bool, Cause> {
    let mut outcome = Ok(false);
    for literal in literals {
        match equals(value, literal) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(cause) => outcome = Err(cause),
        }
    }
    outcome
}

impl Term {
    /// The outcome, stopping as soon as it is settled.
    pub(crate) fn eval(&self, scene: &Scene<'_>) -> Truth {
        match self {
            Self::All(terms) => settle(terms, scene, Truth::True, Truth::False, Truth::and),
            Self::Any(terms) => settle(terms, scene, Truth::False, Truth::True, Truth::or),
            Self::Not(term) => !term.eval(scene),
            Self::Named { term, .. } => term.eval(scene),
            Self::Changed { fields, .. } => fields.iter().any(|field| scene.has_changed(field)).into(),
            Self::Test { field, test } => scene.test(field, test).map_or(Truth::Unknown, Truth::from),
        }
    }

    /// The fields whose absence or unreadable value leaves the condition undecided.
    pub(crate) fn undecided(&self, scene: &Scene<'_>, out: &mut Vec<String>) {
        if self.eval(scene) != Truth::Unknown {
            return;
        }
        match self {
            Self::All(terms) | Self::Any(terms) => {
                for term in terms {
                    term.undecided(scene, out);
                }
            }
            Self::Not(term) | Self::Named { term, .. } => term.undecided(scene, out),
            Self::Changed { .. } => {}
            Self::Test { field, .. } => {
                let field = field.to_string();
                if !out.contains(&field) {
                    out.push(field);
                }
            }
        }
    }
}

fn settle(
    terms: &[Term],
    scene: &Scene<'_>,
    start: Truth,
    end: Truth,
    join: fn(Truth, Truth) -> Truth,
) -> Truth {
    let mut outcome = start;
    for term in terms {
        outcome = join(outcome, term.eval(scene));
        if outcome == end {
            break;
        }
    }
    outcome
}
