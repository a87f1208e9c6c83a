//! Bounds moved by their smallest step, and words exchanged for their opposites.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};

use crate::age::{Age, Unit, read_date};
use crate::country::LeapBirthday;

/// Ages just beside `text`: a unit less, a unit more, and the two that differ on the birthday itself.
pub(super) fn ages(text: &str) -> Vec<String> {
    let Some(age) = Age::parse(text) else { return Vec::new() };
    let beside = |count: Option<u16>| count.map(|count| Age { count, unit: age.unit }.to_string());
    let mut out: Vec<String> =
        [beside(age.count.checked_sub(1)), beside(age.count.checked_add(1))].into_iter().flatten().collect();
    if let Some((least, most)) = days(age) {
        // An age in days that ends a day before any birthday, and one that never ends on it.
        let days = |count: u16| Age { count, unit: Unit::Days }.to_string();
        out.extend(least.checked_sub(1).map(days));
        out.extend(most.checked_add(1).map(days));
    }
    out.retain(|other| Age::parse(other).is_some());
    out.dedup();
    out
}

/// The fewest and most days that the age takes, for births over eight years.
fn days(age: Age) -> Option<(u16, u16)> {
    let lengths = |leap| {
        date(2000, 1, 1).series(1.day()).take(8 * 366).filter_map(move |born: Date| {
            let reached = age.reached_on(born, leap)?;
            u16::try_from(born.until(reached).ok()?.get_days()).ok()
        })
    };
    let all = || lengths(LeapBirthday::February28).chain(lengths(LeapBirthday::March1));
    Some((all().min()?, all().max()?))
}

/// The day before and the day after.
pub(super) fn dates(text: &str) -> Vec<String> {
    read_date(text)
        .into_iter()
        .flat_map(|date| [date.yesterday(), date.tomorrow()])
        .flatten()
        .map(|date| date.to_string())
        .collect()
}

/// The number a step lower and a step higher; the step is its last decimal.
pub(super) fn numbers(text: &str) -> Vec<String> {
    let Ok(number) = text.parse::<f64>() else { return Vec::new() };
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let step = step_of(text);
    [number - step, number + step].iter().map(|number| format!("{number:.decimals$}")).collect()
}

/// The last decimal of a number as it is written: 1 for `10`, 0.1 for `2.5`.
pub(crate) fn step_of(text: &str) -> f64 {
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    format!("1e-{decimals}").parse().unwrap_or(1.0)
}

/// The predicate that is true exactly where the other one is false.
pub(super) fn opposite(predicate: &str) -> Option<&'static str> {
    Some(match predicate {
        "present" => "absent",
        "absent" => "present",
        "age_below" => "age_at_least",
        "age_at_least" => "age_below",
        "less_than" => "at_least",
        "at_least" => "less_than",
        _ => return None,
    })
}

/// An operation that could be meant by mistake.
pub(super) fn other_act(act: &str) -> &'static str {
    match act {
        "create_uin" => "update_biographics",
        "flag_deceased" | "reactivate_id" => "deactivate_id",
        "deactivate_id" => "flag_deceased",
        _ => "create_uin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_move_by_their_smallest_step() {
        assert_eq!(ages("10 years"), ["9 years", "11 years", "3651 days", "3654 days"]);
        assert_eq!(ages("1 month"), ["0 months", "2 months", "27 days", "32 days"]);
        assert_eq!(ages("30 days"), ["29 days", "31 days", "29 days", "31 days"]);
        assert_eq!(dates("2026-03-01"), ["2026-02-28", "2026-03-02"]);
        assert_eq!(numbers("2.50"), ["2.49", "2.51"]);
        assert_eq!(numbers("10"), ["9", "11"]);
    }
}
