//! A record that two rules both match, made up and then evaluated: what is said to overlap does.

use std::fmt::Write as _;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::domain::{Cell, Domain};
use super::set::Set;
use super::space::{Cube, Space, Variable};
use crate::catalogue::{Form, Kind};
use crate::decision::Facts;
use crate::files::country::LeapBirthday;
use crate::reference::FieldRef;
use crate::term::{Scene, Term};
use crate::truth::Truth;

const SOME_DAY: Date = Date::constant(2026, 6, 1);
/// Days on which ages in days and in years part.
const LEAP_DAYS: [Date; 4] = [
    Date::constant(2024, 2, 29),
    Date::constant(2024, 3, 1),
    Date::constant(2025, 2, 28),
    Date::constant(2025, 3, 1),
];
const MOST_TRIES: usize = 400;

/// A made-up record.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness {
    values: Vec<(FieldRef, Option<Value>)>,
    changes: Vec<(FieldRef, bool)>,
    today: Option<Date>,
}

impl Witness {
    /// A record of the cube for which every one of `terms` is true; none if none was found. A
    /// choice of the form has one of its options.
    pub(super) fn of(
        space: &Space<'_>,
        cube: &Cube,
        terms: &[&Term],
        form: Option<&Form>,
        leap: LeapBirthday,
    ) -> Option<Self> {
        let mut witness = Self::default();
        let mut dates = Vec::new();
        for (variable, cells) in cube {
            match &space.variables[*variable] {
                Variable::Change(field) => witness.changes.push(((*field).clone(), cells.contains(1))),
                Variable::Value(field, domain) => match plain(domain, cells, options_of(form, field)) {
                    Some(value) => witness.values.push(((*field).clone(), value)),
                    None => dates.push((*field, domain, cells)),
                },
            }
        }
        if dates.is_empty() {
            return witness.proves(terms, SOME_DAY, leap).then_some(witness);
        }
        let days = days_worth_trying(&dates);
        for today in days {
            let choices: Option<Vec<_>> = dates
                .iter()
                .map(|(field, domain, cells)| {
                    let fits =
                        |date: &Date| domain.cell_of(*date, today).is_some_and(|cell| cells.contains(cell));
                    let born = domain.births(today).into_iter().find(fits)?;
                    Some(((*field).clone(), Some(json!(born.to_string()))))
                })
                .collect();
            let Some(choices) = choices else { continue };
            let mut found = witness.clone();
            found.values.extend(choices);
            found.today = Some(today);
            if found.proves(terms, today, leap) {
                return Some(found);
            }
        }
        None
    }

    fn proves(&self, terms: &[&Term], today: Date, leap: LeapBirthday) -> bool {
        let mut after = Map::new();
        let mut values: Vec<&(FieldRef, Option<Value>)> = self.values.iter().collect();
        values.sort_by_key(|(field, _)| field.parts.len());
        for (field, value) in values {
            if let Some(value) = value {
                put(&mut after, field, value.clone());
            }
        }
        let mut before = after.clone();
        for (field, _) in self.changes.iter().filter(|(_, changed)| *changed) {
            if field.get(&after).is_some() {
                before.remove(&field.field);
            } else {
                put(&mut before, field, json!("something else"));
            }
        }
        let Ok(at) = TimeZone::UTC.to_timestamp(today.at(12, 0, 0, 0)) else { return false };
        let facts = Facts { event: "", action: "", custom_action: None, before: &before, after: &after, at };
        let zone = TimeZone::UTC;
        let scene = Scene::new(&facts, &zone, leap);
        terms.iter().all(|term| term.eval(&scene) == Truth::True)
    }

    /// The record in words: `child.nid is absent, child.dob is 2020-01-01`.
    pub(super) fn words(&self) -> String {
        let mut text = String::new();
        let comma = |text: &mut String| {
            if !text.is_empty() {
                text.push_str(", ");
            }
        };
        for (field, value) in &self.values {
            comma(&mut text);
            let _ = match value {
                None => write!(text, "{field} is absent"),
                Some(Value::String(value)) => write!(text, "{field} is {value}"),
                Some(Value::Object(_)) => write!(text, "{field} is present"),
                Some(value) => write!(text, "{field} is {value}"),
            };
        }
        for (field, changed) in &self.changes {
            comma(&mut text);
            let _ = write!(text, "{field} {}", if *changed { "changes" } else { "does not change" });
        }
        if let Some(today) = self.today {
            let _ = write!(text, ", on {today}");
        }
        text
    }
}

/// A value of a cell that needs no calendar; `None` where only dates will do.
#[expect(clippy::option_option, reason = "a value that is absent is a value that was found")]
fn plain(domain: &Domain, cells: &Set, options: Option<&[String]>) -> Option<Option<Value>> {
    let is_option = |value: &Value| {
        options.is_none_or(|options| {
            value.as_str().is_some_and(|text| options.iter().any(|option| option == text))
        })
    };
    let chosen = |cell: &Cell| match cell {
        Cell::Absent => Some(None),
        Cell::Value(value) => is_option(value).then(|| Some(value.clone())),
        Cell::Text(fits) => sample(domain, fits.as_deref(), options).map(|text| Some(json!(text))),
        Cell::Date { .. } | Cell::Anything => None,
    };
    let wanted = || domain.cells.iter().enumerate().filter(|(number, _)| cells.contains(*number));
    // A date is what a reader expects of a field that is asked for its age.
    if domain.has_dates && wanted().any(|(_, cell)| matches!(cell, Cell::Date { .. })) {
        return wanted().any(|(_, cell)| matches!(cell, Cell::Absent)).then_some(None);
    }
    // And a text of a field of which texts are asked.
    let texts = |cell: &&Cell| !matches!(cell, Cell::Value(Value::Bool(_) | Value::Number(_)));
    let listed: Vec<&Cell> = wanted().map(|(_, cell)| cell).collect();
    listed.iter().copied().filter(texts).chain(listed.iter().copied()).find_map(chosen)
}

/// A text that no rule names and that fits these patterns and no other.
fn sample(domain: &Domain, fits: Option<&[bool]>, options: Option<&[String]>) -> Option<String> {
    let fits = fits.unwrap_or_default();
    let repeated = ["1", "0", "a", "A", "x"].into_iter().flat_map(|text| (1..=20).map(|n| text.repeat(n)));
    let made_up = repeated.chain(["A1".to_owned(), "a b".to_owned(), "-".to_owned()]);
    let listed = options.unwrap_or_default().iter().cloned();
    listed.chain(made_up.filter(|_| options.is_none())).find(|text| {
        !domain.texts.contains(text)
            && domain.patterns.iter().zip(fits).all(|(pattern, fits)| pattern.is_match(text) == *fits)
    })
}

/// The options of a choice.
fn options_of<'f>(form: Option<&'f Form>, field: &FieldRef) -> Option<&'f [String]> {
    match form?.fields.get(&field.field)? {
        Kind::Choice(options) if field.parts.is_empty() => Some(options),
        _ => None,
    }
}

fn days_worth_trying(dates: &[(&FieldRef, &Domain, &Set)]) -> Vec<Date> {
    let mut days = vec![SOME_DAY];
    days.extend(LEAP_DAYS);
    for (_, domain, _) in dates {
        for date in &domain.dates {
            days.extend([Some(*date), date.yesterday().ok(), date.tomorrow().ok()].into_iter().flatten());
            for age in &domain.ages {
                let reached = age.reached_on(*date, LeapBirthday::default());
                days.extend(
                    reached
                        .into_iter()
                        .flat_map(|day| [Some(day), day.yesterday().ok(), day.tomorrow().ok()])
                        .flatten(),
                );
            }
        }
    }
    days.truncate(MOST_TRIES);
    days
}

/// Writes a value, or a part of one.
fn put(facts: &mut Map<String, Value>, field: &FieldRef, value: Value) {
    let Some((last, way)) = field.parts.split_last() else {
        facts.insert(field.field.clone(), value);
        return;
    };
    let mut place = facts.entry(field.field.clone()).or_insert_with(|| json!({}));
    for step in way {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[step.as_str()];
    }
    if !place.is_object() {
        *place = json!({});
    }
    place[last.as_str()] = value;
}
