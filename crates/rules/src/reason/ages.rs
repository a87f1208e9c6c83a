//! Which of two ages is reached first.
//!
//! Ages in months and years differ in days by the date of birth: ten years are 3,652 or 3,653
//! days. The Gregorian calendar repeats itself every 400 years, so least and most are exact.

use jiff::civil::Date;

use crate::age::{Age, Unit};
use crate::files::country::LeapBirthday;

const CYCLE_MONTHS: u32 = 4800;
const CYCLE_DAYS: u32 = 146_097;

/// For each two of the ages whether everybody reaches the first no later than the second.
pub(super) fn no_later(ages: &[Age], leap: LeapBirthday) -> Vec<Vec<bool>> {
    let is_plain = |age: &Age| matches!(age.unit, Unit::Days | Unit::Weeks);
    // Among months and years, and among days and weeks, counting is enough.
    let mixed = ages.iter().any(is_plain) && !ages.iter().all(is_plain);
    let firsts = if mixed { first_days() } else { Vec::new() };
    let days: Vec<(u32, u32)> = ages
        .iter()
        .map(|age| if mixed || is_plain(age) { days(*age, leap, &firsts) } else { (0, 0) })
        .collect();
    let compare = |a: usize, b: usize| match (in_months(ages[a], leap), in_months(ages[b], leap)) {
        (Some(a), Some(b)) => a <= b,
        _ => days[a].1 <= days[b].0,
    };
    (0..ages.len()).map(|a| (0..ages.len()).map(|b| compare(a, b)).collect()).collect()
}

/// The months of an age in months or years, and whether it may be reached a day later than that:
/// by somebody born on a leap day, where the birthday is on 1 March.
fn in_months(age: Age, leap: LeapBirthday) -> Option<(u32, bool)> {
    let count = u32::from(age.count);
    match age.unit {
        Unit::Months => Some((count, false)),
        Unit::Years => Some((12 * count, leap == LeapBirthday::March1 && count > 0)),
        Unit::Days | Unit::Weeks => None,
    }
}

/// The fewest and the most days after birth on which the age is reached.
fn days(age: Age, leap: LeapBirthday, firsts: &[u32]) -> (u32, u32) {
    let count = u32::from(age.count);
    match age.unit {
        Unit::Days => (count, count),
        Unit::Weeks => (7 * count, 7 * count),
        Unit::Months => months(count, false, firsts),
        Unit::Years => months(12 * count, leap == LeapBirthday::March1, firsts),
    }
}

fn months(count: u32, moves_leap_day: bool, firsts: &[u32]) -> (u32, u32) {
    let whole = count / CYCLE_MONTHS * CYCLE_DAYS;
    let count = count % CYCLE_MONTHS;
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
            sum +=
                Date::new(year, month, 1).map_or(30, |date| u32::from(date.days_in_month().unsigned_abs()));
        }
    }
    firsts
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 14] = [
        "0 days",
        "0 years",
        "1 day",
        "7 days",
        "1 week",
        "28 days",
        "31 days",
        "1 month",
        "12 months",
        "1 year",
        "365 days",
        "3652 days",
        "10 years",
        "120 months",
    ];

    /// Against every date of birth of a cycle, sampled densely around leap days.
    #[test]
    fn the_order_is_that_of_the_calendar() {
        let births: Vec<Date> = (1896..1912)
            .flat_map(|year| {
                (1..=12)
                    .flat_map(move |month| (1..=31).filter_map(move |day| Date::new(year, month, day).ok()))
            })
            .collect();
        for leap in [LeapBirthday::February28, LeapBirthday::March1] {
            let ages = ALL.map(|text| Age::parse(text).unwrap());
            let (order, firsts) = (no_later(&ages, leap), first_days());
            for (i, a) in ages.into_iter().enumerate() {
                let span = |age: Age, born: Date| {
                    let reached = age.reached_on(born, leap).unwrap();
                    u32::try_from(born.duration_until(reached).as_hours() / 24).unwrap()
                };
                let found: Vec<u32> = births.iter().map(|born| span(a, *born)).collect();
                let (least, most) = days(a, leap, &firsts);
                assert!(found.iter().all(|days| (least..=most).contains(days)), "{a}: {least} to {most}");
                for (j, b) in ages.into_iter().enumerate() {
                    let holds = births.iter().all(|born| span(a, *born) <= span(b, *born));
                    if order[i][j] {
                        assert!(holds, "{a} and {b}");
                    } else {
                        let witness = births.iter().any(|born| span(a, *born) > span(b, *born));
                        assert!(witness, "{a} and {b} are in order and not found so");
                    }
                }
            }
        }
        let of = |text: &str| days(Age::parse(text).unwrap(), LeapBirthday::February28, &first_days());
        assert_eq!(of("10 years"), (3651, 3653));
        assert_eq!(of("400 years"), (CYCLE_DAYS, CYCLE_DAYS));
    }
}
