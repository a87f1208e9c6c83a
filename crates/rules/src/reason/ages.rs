//! Which of two ages is reached first.
//!
//! Ages in months and years differ in days by the date of birth: ten years are 3,652 or 3,653
//! days. The Gregorian calendar repeats itself every 400 years, so least and most are exact.

use jiff::civil::Date;

use crate::age::{Age, Unit};
use crate::files::country::LeapBirthday;

const CYCLE_MONTHS: u32 = 4800;
const CYCLE_DAYS: u32 = 146_097;

/// The fewest and the most days after birth on which the age is reached.
pub(super) fn days(age: Age, leap: LeapBirthday) -> (u32, u32) {
    let count = u32::from(age.count);
    match age.unit {
        Unit::Days => (count, count),
        Unit::Weeks => (7 * count, 7 * count),
        Unit::Months => months(count, false),
        Unit::Years => months(12 * count, leap == LeapBirthday::March1),
    }
}

fn months(count: u32, moves_leap_day: bool) -> (u32, u32) {
    let whole = count / CYCLE_MONTHS * CYCLE_DAYS;
    let count = count % CYCLE_MONTHS;
    let firsts: Vec<u32> = first_days();
    let at = |month: u32| firsts[(month % CYCLE_MONTHS) as usize] + month / CYCLE_MONTHS * CYCLE_DAYS;
    let (mut least, mut most) = (u32::MAX, 0);
    for month in 0..CYCLE_MONTHS {
        let apart = at(month + count) - at(month);
        let length = at(month + 1) - at(month);
        let there = at(month + count + 1) - at(month + count);
        // A day that the later month lacks moves to that month's end; a leap day may move past it.
        let short = length.saturating_sub(there);
        let moved = moves_leap_day && length == 29 && short == 1;
        least = least.min(if moved { apart } else { apart - short });
        most = most.max(apart);
    }
    (whole + least, whole + most)
}

/// Days from the start of the cycle to the first of each of its months.
fn first_days() -> Vec<u32> {
    let mut firsts = Vec::with_capacity(CYCLE_MONTHS as usize);
    let mut sum = 0;
    for year in 2000..2400 {
        for month in 1..=12 {
            firsts.push(sum);
            sum += Date::new(year, month, 1).map_or(30, |date| u32::from(date.days_in_month().unsigned_abs()));
        }
    }
    firsts
}

/// Whether everybody reaches `a` no later than `b`.
pub(super) fn is_no_later(a: Age, b: Age, leap: LeapBirthday) -> bool {
    let in_months = |age: Age| match age.unit {
        Unit::Months => Some((u32::from(age.count), false)),
        // On a leap day of birth, years may be reached a day after the same number of months.
        Unit::Years => Some((12 * u32::from(age.count), leap == LeapBirthday::March1 && age.count > 0)),
        Unit::Days | Unit::Weeks => None,
    };
    match (in_months(a), in_months(b)) {
        (Some(a), Some(b)) => a <= b,
        _ => days(a, leap).1 <= days(b, leap).0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 14] = [
        "0 days", "0 years", "1 day", "7 days", "1 week", "28 days", "31 days", "1 month", "12 months",
        "1 year", "365 days", "3652 days", "10 years", "120 months",
    ];

    /// Against every date of birth of a cycle, sampled densely around leap days.
    #[test]
    fn the_order_is_that_of_the_calendar() {
        let births: Vec<Date> = (1896..1912)
            .flat_map(|year| (1..=12).flat_map(move |month| (1..=31).filter_map(move |day| Date::new(year, month, day).ok())))
            .collect();
        for leap in [LeapBirthday::February28, LeapBirthday::March1] {
            for a in ALL.map(|text| Age::parse(text).unwrap()) {
                let span = |age: Age, born: Date| {
                    let reached = age.reached_on(born, leap).unwrap();
                    u32::try_from(born.duration_until(reached).as_hours() / 24).unwrap()
                };
                let found: Vec<u32> = births.iter().map(|born| span(a, *born)).collect();
                let (least, most) = days(a, leap);
                assert!(found.iter().all(|days| (least..=most).contains(days)), "{a}: {least} to {most}");
                for b in ALL.map(|text| Age::parse(text).unwrap()) {
                    let holds = births.iter().all(|born| span(a, *born) <= span(b, *born));
                    if is_no_later(a, b, leap) {
                        assert!(holds, "{a} and {b}");
                    } else {
                        let witness = births.iter().any(|born| span(a, *born) > span(b, *born));
                        assert!(witness, "{a} and {b} are in order and not found so");
                    }
                }
            }
        }
        assert_eq!(days(Age::parse("10 years").unwrap(), LeapBirthday::February28), (3651, 3653));
        assert_eq!(days(Age::parse("400 years").unwrap(), LeapBirthday::February28).1, CYCLE_DAYS);
    }
}
