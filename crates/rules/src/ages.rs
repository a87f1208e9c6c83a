//! Ages and local dates beside those of another calendar library, and a table that people can check.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike as _, Months, NaiveDate, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, json};

use crate::age::{Age, Unit};
use crate::decision::Facts;
use crate::files::country::LeapBirthday::{self, February28, March1};
use crate::reference::FieldRef;
use crate::term::{Scene, Term, Test};
use crate::truth::Truth;

/// Zones that go wrong first: the ends of the world, halves and quarters of hours, clocks that are
/// moved at midnight, and days that never were.
const ZONES: &[&str] = &[
    "UTC",
    "Africa/Lusaka",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Asuncion",
    "America/Havana",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Etc/GMT+12",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Fakaofo",
    "Pacific/Kiritimati",
    "Pacific/Kwajalein",
    "Pacific/Marquesas",
];

fn chrono_of(date: Date) -> NaiveDate {
    let part = |value: i8| u32::try_from(value).expect("a part of a date");
    NaiveDate::from_ymd_opt(date.year().into(), part(date.month()), part(date.day())).expect("a date")
}

fn jiff_of(date: NaiveDate) -> Date {
    let part = |value: u32| i8::try_from(value).expect("a part of a date");
    Date::new(i16::try_from(date.year()).expect("a year"), part(date.month()), part(date.day()))
        .expect("a date")
}

fn is_leap_day(date: NaiveDate) -> bool {
    (date.month(), date.day()) == (2, 29)
}

/// Whether somebody is below an age, in chrono's own terms: full years that have passed, the day after so many
/// months or days. Only that the leap birthday may be 28 February is said here, since no library knows it.
fn below(age: Age, born: NaiveDate, today: NaiveDate, leap: LeapBirthday) -> Option<bool> {
    if born > today {
        return None;
    }
    let count = u32::from(age.count);
    Some(match age.unit {
        Unit::Years => {
            let early = leap == February28
                && is_leap_day(born)
                && (today.month(), today.day()) == (2, 28)
                && !today.leap_year();
            today.years_since(born).expect("not before the birth") + u32::from(early) < count
        }
        Unit::Months => born.checked_add_months(Months::new(count)).is_none_or(|reached| today < reached),
        Unit::Weeks => (today - born).num_weeks() < i64::from(count),
        Unit::Days => (today - born).num_days() < i64::from(count),
    })
}

fn agree(age: Age, born: NaiveDate, today: NaiveDate) {
    for leap in [February28, March1] {
        let ours = age.is_below(jiff_of(born), jiff_of(today), leap);
        assert_eq!(ours, below(age, born, today, leap), "born {born}, on {today}, {age}, {leap:?}");
    }
}

fn days(from: (i32, u32, u32), to: (i32, u32, u32)) -> impl Iterator<Item = NaiveDate> + Clone {
    let date = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).expect("a date");
    let last = date(to);
    date(from).iter_days().take_while(move |day| *day <= last)
}

/// Every birth of a leap year and every day of the two years from its start: 267,546 pairs, each asked about the
/// ages that are near.
#[test]
fn every_birth_of_a_leap_year_on_every_day_of_two_years() {
    let mut pairs = 0;
    for born in days((2016, 1, 1), (2016, 12, 31)) {
        for today in days((2016, 1, 1), (2017, 12, 31)) {
            pairs += 1;
            let months = (today.year() - born.year()) * 12 + today.month0().cast_signed()
                - born.month0().cast_signed();
            let count = |number: i64| u16::try_from(number.max(0)).expect("small");
            let passed = (today - born).num_days();
            let ages = [
                (Unit::Years, count(i64::from(today.year() - born.year()))),
                (Unit::Months, count(i64::from(months))),
                (Unit::Weeks, count(passed / 7)),
                (Unit::Days, count(passed)),
            ];
            let (unit, number) = ages[pairs % 4];
            agree(Age { count: number, unit }, born, today);
            // One of the two neighbours as well, in turn.
            agree(
                Age { count: if pairs % 3 == 0 { number + 1 } else { number.saturating_sub(1) }, unit },
                born,
                today,
            );
        }
    }
    assert_eq!(pairs, 267_546);
}

/// Births at the ends of months over two centuries, the days around each birthday.
#[test]
fn births_at_the_ends_of_months_over_two_centuries() {
    let ends = [(1, 1), (1, 29), (1, 30), (1, 31), (2, 27), (2, 28), (2, 29), (3, 1), (8, 31), (12, 31)];
    let mut pairs = 0;
    for year in 1896..=2104 {
        for born in ends.iter().filter_map(|(month, day)| NaiveDate::from_ymd_opt(year, *month, *day)) {
            for (unit, count) in [
                (Unit::Years, 1_u16),
                (Unit::Years, 4),
                (Unit::Years, 10),
                (Unit::Years, 16),
                (Unit::Years, 18),
                (Unit::Years, 100),
                (Unit::Months, 1),
                (Unit::Months, 13),
                (Unit::Months, 6),
                (Unit::Weeks, 6),
                (Unit::Days, 30),
            ] {
                let age = Age { count, unit };
                let near = match unit {
                    Unit::Years => born.checked_add_months(Months::new(u32::from(count) * 12)),
                    Unit::Months => born.checked_add_months(Months::new(u32::from(count))),
                    Unit::Weeks => born.checked_add_signed(TimeDelta::weeks(i64::from(count))),
                    Unit::Days => born.checked_add_signed(TimeDelta::days(i64::from(count))),
                };
                for shift in -2..=2 {
                    pairs += 1;
                    agree(age, born, near.expect("in range") + TimeDelta::days(shift));
                }
            }
        }
    }
    assert!(pairs > 100_000, "{pairs}");
}

fn zone(name: &str) -> (TimeZone, Tz) {
    (TimeZone::get(name).expect("a zone"), name.parse().expect("a zone"))
}

fn local(at: i64, zone: Tz) -> NaiveDate {
    let utc: DateTime<Utc> = Utc.timestamp_opt(at, 0).single().expect("an instant");
    utc.with_timezone(&zone).date_naive()
}

/// Whether the child is below the age at the instant, as a rule asks it.
fn asked(age: Age, born: NaiveDate, at: i64, zone: &TimeZone, leap: LeapBirthday) -> Truth {
    let after = Map::from_iter([("child.dob".to_owned(), json!(born.to_string()))]);
    let before = Map::new();
    let at = Timestamp::from_second(at).expect("an instant");
    let facts =
        Facts { event: "birth", action: "REGISTER", custom_action: None, before: &before, after: &after, at };
    let field = FieldRef { field: "child.dob".to_owned(), parts: Vec::new(), slot: None };
    Term::Test { field, test: Test::AgeBelow(age) }.eval(&Scene::new(&facts, zone, leap))
}

/// Around each local midnight of years in which zones changed their clocks, offsets or days.
#[test]
fn the_day_is_that_of_the_place_around_every_midnight() {
    let years = [(1993, 8, 1, 9, 1), (2011, 12, 1, 12, 31), (2018, 1, 1, 12, 31), (2026, 1, 1, 12, 31)];
    let mut instants = 0_u32;
    for name in ZONES {
        let (ours, theirs) = zone(name);
        for (year, month, day, last_month, last_day) in years {
            for date in days((year, month, day), (year, last_month, last_day)) {
                let midnight = date.and_hms_opt(0, 0, 0).expect("midnight");
                let offset = theirs.offset_from_utc_datetime(&midnight).fix().local_minus_utc();
                let near = midnight.and_utc().timestamp() - i64::from(offset);
                for shift in [-3600, -1800, -1, 0, 1800, 3600] {
                    instants += 1;
                    let at = near + shift;
                    let today = ours.to_datetime(Timestamp::from_second(at).expect("an instant")).date();
                    assert_eq!(chrono_of(today), local(at, theirs), "{name} at {at}");
                }
            }
        }
    }
    assert!(instants > 100_000, "{instants}");
}

/// A rule's answer is that of the other library: its local date, its age.
#[test]
fn a_rule_asks_about_the_age_at_the_place() {
    let ten = Age { count: 10, unit: Unit::Years };
    for name in ZONES {
        let (ours, theirs) = zone(name);
        for birthday in
            [(2001, 12, 30), (2008, 2, 29), (2008, 11, 4), (2016, 3, 27), (2016, 9, 6), (2016, 10, 25)]
        {
            let born = NaiveDate::from_ymd_opt(birthday.0, birthday.1, birthday.2).expect("a date");
            let near = born + Months::new(120);
            let around = near.and_hms_opt(0, 0, 0).expect("midnight").and_utc().timestamp();
            for quarter in -120..=120 {
                for second in [-1, 0] {
                    let at = around + quarter * 900 + second;
                    for leap in [February28, March1] {
                        let expected = below(ten, born, local(at, theirs), leap).expect("born before");
                        assert_eq!(
                            asked(ten, born, at, &ours, leap),
                            expected.into(),
                            "{name} {born} {at} {leap:?}"
                        );
                    }
                }
            }
        }
    }
}

/// Why it is telling, born, instant, zone, age.
const TABLE: &[(&str, &str, &str, &str, &str)] = &[
    ("the evening before the birthday", "2016-06-01", "2026-05-31T21:59:59Z", "Africa/Lusaka", "10 years"),
    ("local midnight of the birthday", "2016-06-01", "2026-05-31T22:00:00Z", "Africa/Lusaka", "10 years"),
    ("the day is over in UTC, not here", "2016-06-01", "2026-06-01T00:00:00Z", "America/Lima", "10 years"),
    (
        "five hours later it is over here too",
        "2016-06-01",
        "2026-06-01T05:00:00Z",
        "America/Lima",
        "10 years",
    ),
    ("the first place on earth", "2016-06-01", "2026-05-31T10:00:00Z", "Pacific/Kiritimati", "10 years"),
    ("the last place, one second early", "2016-06-01", "2026-06-01T11:59:59Z", "Etc/GMT+12", "10 years"),
    ("the last place on earth", "2016-06-01", "2026-06-01T12:00:00Z", "Etc/GMT+12", "10 years"),
    ("a zone of three quarters", "2016-06-01", "2026-05-31T18:14:59Z", "Asia/Kathmandu", "10 years"),
    (
        "a zone of three quarters, midnight",
        "2016-06-01",
        "2026-05-31T18:15:00Z",
        "Asia/Kathmandu",
        "10 years",
    ),
    ("leap day, 27 February", "2016-02-29", "2026-02-27T12:00:00Z", "UTC", "10 years"),
    ("leap day, 28 February", "2016-02-29", "2026-02-28T12:00:00Z", "UTC", "10 years"),
    ("leap day, 1 March", "2016-02-29", "2026-03-01T00:00:00Z", "UTC", "10 years"),
    ("leap day in a leap year, the day before", "2016-02-29", "2028-02-28T12:00:00Z", "UTC", "12 years"),
    ("leap day in a leap year", "2016-02-29", "2028-02-29T00:00:00Z", "UTC", "12 years"),
    ("leap day, century without one", "2096-02-29", "2100-02-28T12:00:00Z", "UTC", "4 years"),
    ("leap day, century with one", "1996-02-29", "2000-02-28T12:00:00Z", "UTC", "4 years"),
    ("born on 28 February of a leap year", "2016-02-28", "2026-02-28T00:00:00Z", "UTC", "10 years"),
    ("born on 1 March", "2016-03-01", "2026-02-28T23:59:59Z", "UTC", "10 years"),
    ("a month from 31 January, last day before", "2026-01-31", "2026-02-27T12:00:00Z", "UTC", "1 month"),
    ("a month from 31 January", "2026-01-31", "2026-02-28T00:00:00Z", "UTC", "1 month"),
    ("a month from 31 January of a leap year", "2028-01-31", "2028-02-29T00:00:00Z", "UTC", "1 month"),
    ("a month from 29 February", "2028-02-29", "2028-03-28T12:00:00Z", "UTC", "1 month"),
    ("twelve months from 29 February", "2028-02-29", "2029-02-28T12:00:00Z", "UTC", "12 months"),
    ("one year from 29 February", "2028-02-29", "2029-02-28T12:00:00Z", "UTC", "1 year"),
    ("six weeks, the day before", "2026-05-20", "2026-06-30T12:00:00Z", "UTC", "6 weeks"),
    ("six weeks", "2026-05-20", "2026-07-01T00:00:00Z", "UTC", "6 weeks"),
    ("thirty days, the day before", "2026-05-20", "2026-06-18T12:00:00Z", "UTC", "30 days"),
    ("thirty days", "2026-05-20", "2026-06-19T00:00:00Z", "UTC", "30 days"),
    ("the day of the birth", "2026-06-01", "2026-06-01T00:00:00Z", "UTC", "1 day"),
    ("nobody is below nothing", "2026-06-01", "2026-06-01T00:00:00Z", "UTC", "0 days"),
    ("born tomorrow, here", "2026-06-01", "2026-05-31T21:00:00Z", "Africa/Lusaka", "10 years"),
    (
        "Samoa had no 30 December 2011: the eve",
        "2001-12-30",
        "2011-12-30T09:59:59Z",
        "Pacific/Apia",
        "10 years",
    ),
    ("one second later it is the 31st", "2001-12-30", "2011-12-30T10:00:00Z", "Pacific/Apia", "10 years"),
    (
        "clocks go forward at midnight: the eve",
        "2008-11-04",
        "2018-11-04T02:59:59Z",
        "America/Sao_Paulo",
        "10 years",
    ),
    ("the day begins at one o'clock", "2008-11-04", "2018-11-04T03:00:00Z", "America/Sao_Paulo", "10 years"),
    (
        "clocks go back at midnight: 23:30 again",
        "2008-02-18",
        "2018-02-18T02:30:00Z",
        "America/Sao_Paulo",
        "10 years",
    ),
    (
        "the day begins after the second 23:59",
        "2008-02-18",
        "2018-02-18T03:00:00Z",
        "America/Sao_Paulo",
        "10 years",
    ),
];

#[test]
fn the_most_telling_ages_read_as_the_table_says() {
    let mut table = format!(
        "{:<41} {:<10}  {:<20}  {:<18} {:<10}  {:<9}  {:<7} {:<7}\n",
        "", "born", "at", "in", "it is", "below", "feb_28", "mar_1"
    );
    for (why, born, at, place, age) in TABLE {
        let (ours, theirs) = zone(place);
        let instant: Timestamp = at.parse().expect("an instant");
        let born_on: NaiveDate = born.parse().expect("a date");
        let parsed = Age::parse(age).expect("an age");
        let today = local(instant.as_second(), theirs);
        let answer = |leap| {
            let truth = asked(parsed, born_on, instant.as_second(), &ours, leap);
            let expected = below(parsed, born_on, today, leap).map_or(Truth::Unknown, Truth::from);
            assert_eq!(truth, expected, "{why}");
            match truth {
                Truth::True => "yes",
                Truth::False => "no",
                Truth::Unknown => "unknown",
            }
        };
        let (feb, mar) = (answer(February28), answer(March1));
        let _ = writeln!(
            table,
            "{why:<41} {born:<10}  {at:<20}  {place:<18} {today}  {age:<9}  {feb:<7} {mar:<7}"
        );
    }
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    insta::with_settings!({ snapshot_path => "../tests", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("ages", table.join("\n"));
    });
}
