//! What a field can hold, as far as the rules can tell.
//!
//! The tests that the rules make of one field cut its possible values into *cells*: each test
//! says the same of every value in a cell. Where that cannot be had, a cell allows more outcomes
//! than there are, never fewer, so that what is called impossible is impossible.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use regex::Regex;
use serde_json::{Map, Value, json};

use super::ages;
use crate::age::{Age, Unit, read_date};
use crate::decision::Facts;
use crate::files::country::LeapBirthday;
use crate::term::{Bound, Literal, Scene, Test};

/// More cells than this say nothing that a country could still follow.
const MOST_CELLS: usize = 4096;
/// So many different ages on one field are compared.
const MOST_AGES: usize = 64;
/// Up to so many patterns on one field, every combination of fitting and not fitting is a cell.
const MOST_PATTERNS: usize = 6;
const ONE_DAY: Age = Age { count: 1, unit: Unit::Days };

/// A cell: values of which every test says the same.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Absent,
    /// Represented by this value: a boolean, a number, a text that a rule names, an object.
    Value(Value),
    /// A text that no rule names, and whether it fits each pattern; `None` where any may be.
    Text(Option<Vec<bool>>),
    /// A date: the stretch of the calendar that it lies in, and its place relative to today.
    Date {
        stretch: usize,
        born: Place,
    },
    /// Too many cells were needed: any value, of which any test may say anything.
    Anything,
}

/// Where a date lies relative to today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Future,
    /// Today or before; whether somebody born then is below each of the ages.
    Past(Vec<bool>),
}

/// The outcomes that a test can have on a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcomes {
    pub(super) holds: bool,
    pub(super) fails: bool,
    pub(super) unknown: bool,
}

impl Outcomes {
    const ANY: Self = Self { holds: true, fails: true, unknown: true };
    const UNKNOWN: Self = Self { holds: false, fails: false, unknown: true };

    fn decided(holds: bool) -> Self {
        Self { holds, fails: !holds, unknown: false }
    }
}

/// The cells of one field.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    pub(super) cells: Vec<Cell>,
    pub(super) patterns: Vec<Regex>,
    pub(super) texts: Vec<String>,
    /// The dates that cut the calendar into stretches: before the first, the first, and so on.
    pub(super) dates: Vec<Date>,
    pub(super) ages: Vec<Age>,
    pub(super) has_dates: bool,
    /// The field is asked what a list holds: nothing is concluded about such a field.
    is_list: bool,
    leap: LeapBirthday,
}

impl Domain {
    /// The cells that these tests make.
    pub(super) fn of(tests: &[&Test], leap: LeapBirthday) -> Self {
        let mut domain = Self {
            cells: Vec::new(),
            patterns: Vec::new(),
            texts: Vec::new(),
            dates: Vec::new(),
            ages: Vec::new(),
            has_dates: false,
            is_list: false,
            leap,
        };
        let mut numbers = Vec::new();
        for test in tests {
            domain.collect(test, &mut numbers);
        }
        domain.texts.sort_unstable();
        domain.texts.dedup();
        // An empty text is an absent one.
        domain.texts.retain(|text| !text.is_empty());
        if domain.has_dates {
            domain.dates.extend(domain.texts.iter().filter_map(|text| read_date(text)));
            domain.texts.retain(|text| read_date(text).is_none());
        }
        domain.dates.sort_unstable();
        domain.dates.dedup();
        domain.cells = domain.all(&numbers);
        if domain.is_list || domain.cells.len() > MOST_CELLS {
            domain.cells = vec![Cell::Absent, Cell::Anything];
        }
        domain
    }

    fn collect(&mut self, test: &Test, numbers: &mut Vec<f64>) {
        match test {
            Test::Present | Test::Absent => {}
            Test::Contains(_) => self.is_list = true,
            Test::Equals(literal) => self.literal(literal, numbers),
            Test::In(literals) => literals.iter().for_each(|literal| self.literal(literal, numbers)),
            Test::Matches(pattern) => {
                if !self.patterns.iter().any(|known| known.as_str() == pattern.as_str()) {
                    self.patterns.push(pattern.clone());
                }
            }
            Test::Before(Bound::On(date)) | Test::After(Bound::On(date)) => {
                self.has_dates = true;
                self.dates.push(*date);
            }
            // Before today is: a day old or more.
            Test::Before(Bound::Today) => self.age(ONE_DAY),
            Test::After(Bound::Today) => self.has_dates = true,
            Test::AgeBelow(age) | Test::AgeAtLeast(age) => self.age(*age),
            Test::LessThan(number) | Test::AtLeast(number) => numbers.push(*number),
        }
    }

    fn age(&mut self, age: Age) {
        self.has_dates = true;
        if !self.ages.contains(&age) {
            self.ages.push(age);
        }
    }

    fn literal(&mut self, literal: &Literal, numbers: &mut Vec<f64>) {
        match literal {
            Literal::Text(text) => self.texts.push(text.clone()),
            Literal::Number(number) => numbers.push(*number),
            Literal::Bool(_) => {}
        }
    }

    fn all(&self, numbers: &[f64]) -> Vec<Cell> {
        let mut cells = vec![Cell::Absent];
        cells.extend(self.texts.iter().map(|text| Cell::Value(json!(text))));
        cells.extend([Cell::Value(json!(true)), Cell::Value(json!(false))]);
        cells.extend(stretches_of(numbers).into_iter().map(|number| Cell::Value(json!(number))));
        if self.ages.len() > MOST_AGES {
            return vec![Cell::Absent, Cell::Anything];
        }
        if self.has_dates {
            // Patterns are not asked of dates; if they were, nothing would be concluded from them.
            cells.push(Cell::Text(None));
            let places = self.places();
            if places.len() * (2 * self.dates.len() + 1) > MOST_CELLS {
                return vec![Cell::Absent, Cell::Anything];
            }
            for stretch in (0..=2 * self.dates.len()).filter(|stretch| self.date_in(*stretch).is_some()) {
                cells.extend(places.iter().map(|born| Cell::Date { stretch, born: born.clone() }));
            }
        } else if self.patterns.len() <= MOST_PATTERNS {
            let combinations = 0..1_usize << self.patterns.len();
            cells.extend(combinations.map(|bits| {
                Cell::Text(Some((0..self.patterns.len()).map(|index| bits >> index & 1 == 1).collect()))
            }));
        } else {
            cells.push(Cell::Text(None));
        }
        cells.push(Cell::Value(json!({})));
        cells
    }

    /// Every place that a date can have: whoever is below an age is below each later one.
    fn places(&self) -> Vec<Place> {
        let ages = &self.ages;
        let no_later = ages::no_later(ages, self.leap);
        let fits = |below: &[bool], next: bool| {
            let new = below.len();
            // Nobody is below an age that is reached at birth.
            !(next && ages[new].count == 0)
                && below.iter().enumerate().all(|(old, is_below)| {
                    let (earlier, later) = (no_later[old][new], no_later[new][old]);
                    if *is_below { next || !earlier } else { !next || !later }
                })
        };
        let mut found: Vec<Vec<bool>> = vec![Vec::new()];
        for _ in ages {
            found = found
                .into_iter()
                .flat_map(|below| {
                    [true, false]
                        .into_iter()
                        .filter(|next| fits(&below, *next))
                        .map(|next| {
                            let mut longer = below.clone();
                            longer.push(next);
                            longer
                        })
                        .collect::<Vec<_>>()
                })
                .collect();
            if found.len() > MOST_CELLS {
                break;
            }
        }
        [Place::Future].into_iter().chain(found.into_iter().map(Place::Past)).collect()
    }

    /// A date of the stretch; none where it holds no date that can be written.
    pub(super) fn date_in(&self, stretch: usize) -> Option<Date> {
        let (first, last) = (Date::constant(0, 1, 1), Date::constant(9999, 12, 31));
        if stretch % 2 == 1 {
            return self.dates.get(stretch / 2).copied();
        }
        let after = match (stretch / 2).checked_sub(1) {
            Some(index) => self.dates[index].tomorrow().ok()?,
            None => first,
        };
        let before = match self.dates.get(stretch / 2) {
            Some(date) => date.yesterday().ok()?,
            None => last,
        };
        match (stretch, after <= before) {
            (_, false) => None,
            // The open ends are represented near the dates that people write.
            (0, true) => Some(before.min(Date::constant(2020, 1, 1))),
            (_, true) => Some(after),
        }
    }

    /// What the test can say of the cell's values.
    pub(super) fn outcomes(&self, cell: &Cell, test: &Test) -> Outcomes {
        match (cell, test) {
            (Cell::Absent, Test::Present) => Outcomes::decided(false),
            (Cell::Absent, Test::Absent) => Outcomes::decided(true),
            (Cell::Absent, _) => Outcomes::UNKNOWN,
            (_, Test::Present) => Outcomes::decided(true),
            (_, Test::Absent) => Outcomes::decided(false),
            // Patterns are not asked of dates; were they, nothing would be concluded.
            (Cell::Anything, _) | (Cell::Date { .. }, Test::Matches(_)) => Outcomes::ANY,
            (Cell::Value(value), _) => said(value, test),
            (Cell::Text(fits), Test::Matches(pattern)) => {
                let known = self.patterns.iter().position(|known| known.as_str() == pattern.as_str());
                match (fits, known) {
                    (Some(fits), Some(index)) => Outcomes::decided(fits[index]),
                    _ => Outcomes::ANY,
                }
            }
            (Cell::Text(_), _) => said(&json!(self.unnamed()), test),
            (Cell::Date { born, .. }, Test::Before(Bound::Today)) => match born {
                Place::Future => Outcomes::decided(false),
                Place::Past(_) => self.is_below(born, ONE_DAY, false),
            },
            (Cell::Date { born, .. }, Test::After(Bound::Today)) => Outcomes::decided(*born == Place::Future),
            (Cell::Date { born, .. }, Test::AgeBelow(age)) => self.is_below(born, *age, true),
            (Cell::Date { born, .. }, Test::AgeAtLeast(age)) => self.is_below(born, *age, false),
            (Cell::Date { stretch, .. }, _) => match self.date_in(*stretch) {
                Some(date) => said(&json!(date.to_string()), test),
                None => Outcomes::ANY,
            },
        }
    }

    fn is_below(&self, born: &Place, age: Age, wanted: bool) -> Outcomes {
        let known = self.ages.iter().position(|known| *known == age);
        match (born, known) {
            (Place::Future, _) => Outcomes::UNKNOWN,
            (Place::Past(below), Some(index)) => Outcomes::decided(below[index] == wanted),
            (Place::Past(_), None) => Outcomes::ANY,
        }
    }

    /// A text that no rule names and that is no date.
    fn unnamed(&self) -> String {
        let longest = self.texts.iter().map(String::len).max().unwrap_or_default();
        "-".repeat(longest.max(11) + 1)
    }

    /// The cell of a date, seen from a day.
    pub(super) fn cell_of(&self, date: Date, today: Date) -> Option<usize> {
        let stretch = match self.dates.binary_search(&date) {
            Ok(index) => 2 * index + 1,
            Err(index) => 2 * index,
        };
        let below: Option<Vec<bool>> =
            self.ages.iter().map(|age| age.is_below(date, today, self.leap)).collect();
        let born = match below {
            Some(below) if date <= today => Place::Past(below),
            _ => Place::Future,
        };
        self.cells.iter().position(
            |cell| matches!(cell, Cell::Date { stretch: s, born: b } if *s == stretch && *b == born),
        )
    }

    /// Dates of birth that are worth trying on a day: around each age and each date that is named.
    pub(super) fn births(&self, today: Date) -> Vec<Date> {
        let around = |date: Date| [Some(date), date.yesterday().ok(), date.tomorrow().ok()];
        let by_age = self.ages.iter().filter_map(|age| {
            let count = i32::from(age.count);
            today
                .checked_sub(match age.unit {
                    Unit::Days => count.days(),
                    Unit::Weeks => count.weeks(),
                    Unit::Months => count.months(),
                    Unit::Years => count.years(),
                })
                .ok()
        });
        let dates = self.dates.iter().copied();
        let stretches = (0..=2 * self.dates.len()).filter_map(|stretch| self.date_in(stretch));
        [today].into_iter().chain(by_age).chain(dates).flat_map(around).flatten().chain(stretches).collect()
    }
}

/// A number for each stretch between and at the numbers that are compared with.
fn stretches_of(numbers: &[f64]) -> Vec<f64> {
    let mut numbers = numbers.to_vec();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    let (Some(first), Some(last)) = (numbers.first().copied(), numbers.last().copied()) else {
        return vec![1.0];
    };
    let below = if first - 1.0 < first { first - 1.0 } else { first.next_down() };
    let above = if last + 1.0 > last { last + 1.0 } else { last.next_up() };
    let between = numbers.windows(2).map(|pair| {
        let middle = f64::midpoint(pair[0], pair[1]);
        // Between neighbours there is none, and the middle falls on one of them.
        if middle > pair[0] && middle < pair[1] { middle } else { pair[0] }
    });
    let mut all: Vec<f64> = [below, above].into_iter().filter(|n| n.is_finite()).chain(between).collect();
    all.extend(&numbers);
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

/// What evaluation itself says of a value whose outcome does not depend on the day.
fn said(value: &Value, test: &Test) -> Outcomes {
    let nothing = Map::new();
    let facts = Facts {
        event: "",
        action: "",
        custom_action: None,
        before: &nothing,
        after: &nothing,
        at: Timestamp::UNIX_EPOCH,
    };
    let zone = TimeZone::UTC;
    let scene = Scene::new(&facts, &zone, LeapBirthday::default());
    scene.judge(Some(value), test).map_or(Outcomes::UNKNOWN, Outcomes::decided)
}
