//! Values worth trying for a field: on and beside every bound, in and out of every list, and none at all.

use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::age::{Age, Unit};
use crate::cases::Case;
use crate::catalogue::{Form, Kind};
use crate::country::LeapBirthday;
use crate::reference::FieldRef;
use crate::term::{Bound, Literal, Term, Test};

/// One change of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Move {
    pub(super) field: FieldRef,
    /// The value; none takes it out.
    pub(super) value: Option<Value>,
    /// Whether the action makes the change, or it stands in the record before.
    pub(super) by_action: bool,
}

impl Move {
    pub(super) fn make(&self, case: &mut Case) {
        if !self.by_action {
            put(Arc::make_mut(&mut case.before), &self.field, self.value.as_ref());
        }
        put(Arc::make_mut(&mut case.after), &self.field, self.value.as_ref());
    }
}

fn put(map: &mut Map<String, Value>, field: &FieldRef, value: Option<&Value>) {
    let Some((last, way)) = field.parts.split_last() else {
        match value {
            Some(value) => map.insert(field.field.clone(), value.clone()),
            None => map.remove(&field.field),
        };
        return;
    };
    let mut inner = map.entry(field.field.clone()).or_insert_with(|| json!({}));
    for part in way {
        if !inner.is_object() {
            *inner = json!({});
        }
        let Some(map) = inner.as_object_mut() else { return };
        inner = map.entry(part.clone()).or_insert_with(|| json!({}));
    }
    if !inner.is_object() {
        *inner = json!({});
    }
    if let Some(map) = inner.as_object_mut() {
        match value {
            Some(value) => map.insert(last.clone(), value.clone()),
            None => map.remove(last),
        };
    }
}

/// What the moves are made for.
pub(super) struct Ground<'a> {
    pub(super) form: &'a Form,
    pub(super) today: Date,
    pub(super) leap: LeapBirthday,
    /// Values that cases have are good ones to try.
    pub(super) cases: &'a [Case],
}

impl Ground<'_> {
    /// The moves that a term suggests.
    pub(super) fn moves(&self, term: &Term, out: &mut Vec<Move>) {
        match term {
            Term::All(terms) | Term::Any(terms) => terms.iter().for_each(|term| self.moves(term, out)),
            Term::Not(term) | Term::Named { term, .. } => self.moves(term, out),
            Term::Changed { fields, .. } => {
                for field in fields {
                    for value in self.samples(field) {
                        add(out, field, Some(value), true);
                    }
                    // What is taken out has changed too.
                    add(out, field, None, true);
                }
            }
            Term::Test { field, test } => {
                for value in self.beside(field, test) {
                    add(out, field, Some(value), false);
                }
                add(out, field, None, false);
            }
        }
    }

    fn beside(&self, field: &FieldRef, test: &Test) -> Vec<Value> {
        let near = |date: Date| {
            [date.yesterday().ok(), Some(date), date.tomorrow().ok()]
                .into_iter()
                .flatten()
                .map(|date| json!(date.to_string()))
                .collect()
        };
        match test {
            Test::Present | Test::Absent => self.samples(field),
            Test::Matches(pattern) => {
                let seen = self.cases.iter().filter_map(|case| field.get(&case.after).cloned());
                let tries = ["1234567890", "12345", "A1234567", "Sample"].into_iter().map(Value::from);
                let all: Vec<Value> = seen.chain(tries).chain(self.samples(field)).collect();
                let fits = |value: &&Value| value.as_str().is_some_and(|text| pattern.is_match(text));
                let (yes, no) = (all.iter().find(fits), all.iter().find(|value| !fits(value)));
                yes.into_iter().chain(no).cloned().collect()
            }
            Test::Equals(literal) => self.around(field, std::slice::from_ref(literal)),
            Test::Contains(literal) => vec![json!([literal.to_string()]), json!(["another"])],
            Test::In(literals) => self.around(field, literals),
            Test::Before(Bound::Today) | Test::After(Bound::Today) => near(self.today),
            Test::Before(Bound::On(date)) | Test::After(Bound::On(date)) => near(*date),
            Test::AgeBelow(age) | Test::AgeAtLeast(age) => [-1, 0, 1]
                .into_iter()
                .filter_map(|days: i64| self.born(*age, self.today.checked_add(days.days()).ok()?))
                .map(|date| json!(date.to_string()))
                .collect(),
            Test::LessThan(bound) | Test::AtLeast(bound) => {
                let written = bound.to_string();
                let decimals = written.split_once('.').map_or(0, |(_, decimals)| decimals.len());
                let step = crate::mutate::step_of(&written);
                [bound - step, *bound, bound + step]
                    .iter()
                    .filter_map(|number| serde_json::from_str(&format!("{number:.decimals$}")).ok())
                    .collect()
            }
        }
    }

    /// A birthday whose bearer reaches the age on `on`.
    fn born(&self, age: Age, on: Date) -> Option<Date> {
        let span = match age.unit {
            Unit::Days => jiff::Span::new().days(age.count),
            Unit::Weeks => jiff::Span::new().weeks(age.count),
            Unit::Months => jiff::Span::new().months(age.count),
            Unit::Years => jiff::Span::new().years(i16::try_from(age.count).ok()?),
        };
        let near = on.checked_sub(span).ok()?;
        (-4_i64..=4)
            .filter_map(|days| near.checked_add(days.days()).ok())
            .find(|born| age.reached_on(*born, self.leap) == Some(on) && *born <= self.today)
    }

    fn around(&self, field: &FieldRef, literals: &[Literal]) -> Vec<Value> {
        let mut values: Vec<Value> = literals
            .iter()
            .map(|literal| match literal {
                Literal::Text(text) => json!(text),
                Literal::Bool(yes) => json!(yes),
                Literal::Number(number) => {
                    serde_json::from_str(&number.to_string()).unwrap_or_else(|_| json!(number))
                }
            })
            .collect();
        let other = match (self.kind(field), literals.first()) {
            (Some(Kind::Choice(options)), _) => {
                options.iter().map(|option| json!(option)).find(|option| !values.contains(option))
            }
            (_, Some(Literal::Bool(yes))) => Some(json!(!yes)).filter(|value| !values.contains(value)),
            (_, Some(Literal::Number(number))) => Some(json!(number + 1.0)),
            _ => self.samples(field).into_iter().find(|value| !values.contains(value)),
        };
        values.extend(other);
        values
    }

    fn kind(&self, field: &FieldRef) -> Option<Kind> {
        let kind = self.form.fields.get(&field.field)?.clone();
        field.parts.iter().try_fold(kind, |kind, part| kind.part(part))
    }

    /// Two values that the field could have.
    pub(super) fn samples(&self, field: &FieldRef) -> Vec<Value> {
        self.kind(field)
            .map(|kind| [sample(&kind, 0, self.today), sample(&kind, 1, self.today)].to_vec())
            .unwrap_or_default()
    }
}

fn add(out: &mut Vec<Move>, field: &FieldRef, value: Option<Value>, by_action: bool) {
    let made = Move { field: field.clone(), value, by_action };
    if !out.contains(&made) {
        out.push(made);
    }
}

/// A value of the kind, the first or the second.
pub(super) fn sample(kind: &Kind, which: usize, today: Date) -> Value {
    match kind {
        Kind::Text => json!(["Sample", "Other"][which.min(1)]),
        Kind::Choice(options) => {
            options.get(which).or(options.first()).map_or(Value::Null, |word| json!(word))
        }
        Kind::Date => {
            let days = if which == 0 { 30 } else { 29 };
            json!(today.checked_sub(days.days()).unwrap_or(today).to_string())
        }
        Kind::Number => json!(which + 1),
        Kind::Bool => json!(which == 0),
        Kind::Composite(parts) => {
            let inner = parts.iter().map(|(part, kind)| ((*part).to_owned(), sample(kind, which, today)));
            Value::Object(inner.collect())
        }
        Kind::List => json!([{}]),
        Kind::Any | Kind::Place => json!(["sample", "other"][which.min(1)]),
    }
}
