//! Civil-calendar ages and lengths of time.
//!
//! An age changes at the start of the birthday in the country's time zone: somebody born on
//! 2016-06-01 is below ten years through 2026-05-31 and ten years old from 2026-06-01 on.

use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, Span};

use crate::files::country::LeapBirthday;

/// A unit of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Days,
    Weeks,
    Months,
    Years,
}

/// An age that a person reaches on one date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Age {
    pub(crate) count: u16,
    pub(crate) unit: Unit,
}

impl Age {
    /// Reads `10 years`, `1 month`, `6 weeks`, `90 days`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (count, unit) = split(text)?;
        let unit = match unit {
            "day" | "days" => Unit::Days,
            "week" | "weeks" => Unit::Weeks,
            "month" | "months" => Unit::Months,
            "year" | "years" => Unit::Years,
            _ => return None,
        };
        Some(Self { count, unit })
    }

    /// The date on which somebody born on `born` reaches this age; `None` past the calendar's end.
    pub(crate) fn reached_on(self, born: Date, leap: LeapBirthday) -> Option<Date> {
        let span = match self.unit {
            Unit::Days => Span::new().days(self.count),
            Unit::Weeks => Span::new().weeks(self.count),
            Unit::Months => Span::new().months(self.count),
            Unit::Years => return birthday(born, self.count, leap),
        };
        born.checked_add(span).ok()
    }

    /// Whether somebody born on `born` is below this age on `today`; `None` if born later.
    pub(crate) fn is_below(self, born: Date, today: Date, leap: LeapBirthday) -> Option<bool> {
        (born <= today).then(|| self.reached_on(born, leap).is_none_or(|birthday| today < birthday))
    }
}

/// The birthday on which somebody is so many years old.
fn birthday(born: Date, years: u16, leap: LeapBirthday) -> Option<Date> {
    let year = born.year().checked_add(i16::try_from(years).ok()?)?;
    if born.month() != 2 || born.day() != 29 {
        return Date::new(year, born.month(), born.day()).ok();
    }
    let instead = match leap {
        LeapBirthday::February28 => (2, 28),
        LeapBirthday::March1 => (3, 1),
    };
    Date::new(year, 2, 29).or_else(|_| Date::new(year, instead.0, instead.1)).ok()
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Days => "day",
            Unit::Weeks => "week",
            Unit::Months => "month",
            Unit::Years => "year",
        };
        write!(f, "{} {unit}{}", self.count, if self.count == 1 { "" } else { "s" })
    }
}

/// Reads a deadline: `30 minutes`, `12 hours`, `14 days`, `2 weeks`.
pub(crate) fn read_duration(text: &str) -> Option<SignedDuration> {
    let (count, unit) = split(text)?;
    let hours = |per: i64| SignedDuration::from_hours(i64::from(count) * per);
    match unit {
        "minute" | "minutes" => Some(SignedDuration::from_mins(i64::from(count))),
        "hour" | "hours" => Some(hours(1)),
        "day" | "days" => Some(hours(24)),
        "week" | "weeks" => Some(hours(24 * 7)),
        _ => None,
    }
    .filter(|duration| !duration.is_zero())
}

fn split(text: &str) -> Option<(u16, &str)> {
    let (count, unit) = text.split_once(' ')?;
    if !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((count.parse().ok().filter(|count| *count <= 9_000)?, unit))
}

/// Reads `YYYY-MM-DD`, and nothing else.
pub(crate) fn read_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i16> {
        bytes[from..to]
            .iter()
            .try_fold(0_i16, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i16::from(byte - b'0')))
    };
    let small = |value: i16| i8::try_from(value).ok();
    Date::new(number(0, 4)?, small(number(5, 7)?)?, small(number(8, 10)?)?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::TimeZone};

    use super::*;

    fn date(text: &str) -> Date {
        read_date(text).expect("a date")
    }

    /// Born, today, age, and whether below it: with 28 February, with 1 March.
    type Row = (&'static str, &'static str, &'static str, Option<bool>, Option<bool>);

    const TABLE: &[Row] = &[
        ("2016-06-01", "2026-05-31", "10 years", Some(true), Some(true)),
        ("2016-06-01", "2026-06-01", "10 years", Some(false), Some(false)),
        ("2016-06-01", "2026-06-02", "10 years", Some(false), Some(false)),
        ("2026-06-01", "2026-06-01", "10 years", Some(true), Some(true)),
        ("2026-06-02", "2026-06-01", "10 years", None, None),
        // Born on a leap day, birthday in a year without one.
        ("2016-02-29", "2026-02-27", "10 years", Some(true), Some(true)),
        ("2016-02-29", "2026-02-28", "10 years", Some(false), Some(true)),
        ("2016-02-29", "2026-03-01", "10 years", Some(false), Some(false)),
        // Born on a leap day, birthday in a year with one.
        ("2016-02-29", "2028-02-28", "12 years", Some(true), Some(true)),
        ("2016-02-29", "2028-02-29", "12 years", Some(false), Some(false)),
        // The day before and after a leap day are ordinary.
        ("2016-02-28", "2026-02-28", "10 years", Some(false), Some(false)),
        ("2016-03-01", "2026-02-28", "10 years", Some(true), Some(true)),
        ("2016-03-01", "2026-03-01", "10 years", Some(false), Some(false)),
        // 2100 is no leap year.
        ("2096-02-29", "2100-02-28", "4 years", Some(false), Some(true)),
        // Months end where the month ends, under either choice.
        ("2026-01-31", "2026-02-27", "1 month", Some(true), Some(true)),
        ("2026-01-31", "2026-02-28", "1 month", Some(false), Some(false)),
        ("2024-02-29", "2024-03-29", "1 month", Some(false), Some(false)),
        ("2026-05-20", "2026-06-18", "30 days", Some(true), Some(true)),
        ("2026-05-20", "2026-06-19", "30 days", Some(false), Some(false)),
        ("2026-05-20", "2026-07-01", "6 weeks", Some(false), Some(false)),
        // Past the end of the calendar nobody has come of age.
        ("9990-01-01", "9999-12-31", "10 years", Some(true), Some(true)),
        ("2026-01-01", "2026-01-01", "0 days", Some(false), Some(false)),
    ];

    #[test]
    fn ages_follow_the_calendar() {
        for (born, today, age, feb, mar) in TABLE {
            let age = Age::parse(age).expect("an age");
            let below = |leap| age.is_below(date(born), date(today), leap);
            assert_eq!(below(LeapBirthday::February28), *feb, "{born} {today} {age} feb_28");
            assert_eq!(below(LeapBirthday::March1), *mar, "{born} {today} {age} mar_1");
        }
    }

    #[test]
    fn the_birthday_begins_at_local_midnight() {
        let born = date("2016-06-01");
        let ten = Age::parse("10 years").expect("an age");
        for (zone, at, below) in [
            ("UTC", "2026-05-31T23:59:59.999Z", true),
            ("UTC", "2026-06-01T00:00:00Z", false),
            ("Africa/Lusaka", "2026-05-31T21:59:59.999Z", true),
            ("Africa/Lusaka", "2026-05-31T22:00:00Z", false),
            ("Pacific/Auckland", "2026-05-31T11:59:59Z", true),
            ("Pacific/Auckland", "2026-05-31T12:00:00Z", false),
            ("America/Lima", "2026-06-01T04:59:59Z", true),
            ("America/Lima", "2026-06-01T05:00:00Z", false),
            ("Asia/Kathmandu", "2026-05-31T18:14:59Z", true),
            ("Asia/Kathmandu", "2026-05-31T18:15:00Z", false),
        ] {
            let at: Timestamp = at.parse().expect("an instant");
            let today = at.to_zoned(TimeZone::get(zone).expect("a zone")).date();
            assert_eq!(ten.is_below(born, today, LeapBirthday::February28), Some(below), "{zone} {at}");
        }
    }

    #[test]
    fn dates_and_lengths_are_read_strictly() {
        for bad in ["2026-6-1", "2026-02-30", "2026/06/01", "2026-06-01T00:00:00Z", "", "२०२६-०६-०१"]
        {
            assert_eq!(read_date(bad), None, "{bad}");
        }
        for bad in ["10", "ten years", "10 year s", "-1 years", "10  years", "99999 days", "1 fortnight"] {
            assert_eq!(Age::parse(bad), None, "{bad}");
        }
        assert_eq!(read_duration("14 days"), Some(SignedDuration::from_hours(336)));
        assert_eq!(read_duration("0 days"), None);
        assert_eq!(read_duration("1 year"), None);
    }
}
