//! What people write who know another language of rules, and how it is written here.

use crate::catalogue::Kind;

/// Keys of a rule, which end up inside of its condition when they are indented too far.
pub(crate) const RULE_KEYS: [&str; 8] =
    ["do", "send", "respond", "deadline", "if_unknown", "mode", "reason", "after"];

/// Words for comparisons, and what they compare.
const COMPARISONS: [(&[&str], Comparison); 5] = [
    (&["<=", "≤", "=<", "age_at_most", "at_most", "max_age", "max", "up_to"], Comparison::AtMost),
    (&[">=", "≥", "=>", "min_age", "min"], Comparison::AtLeast),
    (
        &["<", "younger_than", "under", "below", "age_under", "age_less_than", "smaller_than"],
        Comparison::Below,
    ),
    (
        &[">", "older_than", "over", "above", "age_above", "age_over", "more_than", "greater_than"],
        Comparison::Above,
    ),
    (&["==", "=", "is", "equal", "eq"], Comparison::Same),
];

#[derive(Clone, Copy)]
enum Comparison {
    AtMost,
    AtLeast,
    Below,
    Above,
    Same,
}

/// What to write for a word that other languages have: `<`, `<= 10 years`, `age_at_most`.
///
/// A near miss such as `age_at_least` for `age_at_most` would turn a rule around, so these are
/// answered by what they mean and not by how they are spelt.
pub(crate) fn instead_of(text: &str, kind: Option<&Kind>) -> Option<String> {
    // `age < 10 years`, as one key.
    let text = text.strip_prefix("age ").unwrap_or(text).trim();
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let stuck = text.trim_start_matches(['<', '>', '=', '≤', '≥']);
    let (word, rest) = if stuck.len() < text.len() && word.len() > text.len() - stuck.len() {
        (&text[..text.len() - stuck.len()], stuck)
    } else {
        (word, rest)
    };
    let (_, comparison) = COMPARISONS.iter().find(|(words, _)| words.contains(&word))?;
    let is_age = rest.ends_with(|c: char| c.is_alphabetic()) || rest.is_empty();
    let value = |fallback: &str| if rest.is_empty() { fallback.to_owned() } else { rest.trim().to_owned() };
    Some(match (kind, comparison) {
        (_, Comparison::Same) => format!("write `{{ equals: {} }}`", value("…")),
        (Some(Kind::Date) | None, Comparison::Below) if is_age => {
            format!("write `{{ age_below: {} }}`: true until the day before that birthday", value("10 years"))
        }
        (Some(Kind::Date) | None, Comparison::AtLeast) if is_age => {
            format!("write `{{ age_at_least: {} }}`: true from that birthday on", value("10 years"))
        }
        (Some(Kind::Date) | None, Comparison::AtMost) if is_age => match one_more(rest) {
            Some(next) => format!("write `{{ age_below: {next} }}`: true until the day before that birthday"),
            None => "write `{ age_below: 11 years }` for up to and including ten: true until the day before that birthday".to_owned(),
        },
        (Some(Kind::Date) | None, Comparison::Above) if is_age => match one_more(rest) {
            Some(next) => format!("write `{{ age_at_least: {next} }}`: true from that birthday on"),
            None => "write `{ age_at_least: 11 years }` for older than ten: true from that birthday on".to_owned(),
        },
        (Some(Kind::Date), Comparison::Below | Comparison::AtMost) => {
            format!("write `{{ before: {} }}`, which leaves that day itself out", value("2026-01-01"))
        }
        (Some(Kind::Date), _) => {
            format!("write `{{ after: {} }}`, which leaves that day itself out", value("2026-01-01"))
        }
        (_, Comparison::Below) => format!("write `{{ less_than: {} }}`", value("…")),
        (_, Comparison::AtLeast) => format!("write `{{ at_least: {} }}`", value("…")),
        (_, Comparison::AtMost) => format!("write `not: {{ field: {{ at_least: … }} }}` with the next number after {}", value("it")),
        (_, Comparison::Above) => format!("write `{{ at_least: … }}` with the next number after {}", value("it")),
    })
}

/// `10 years` → `11 years`.
fn one_more(age: &str) -> Option<String> {
    let (count, unit) = age.trim().split_once(' ')?;
    Some(format!("{} {unit}", count.parse::<u16>().ok()?.checked_add(1)?))
}

/// A value as it is written for a field of the kind: what people call yes and no is true and false.
pub(crate) fn value<'w>(word: &'w str, kind: Option<&Kind>) -> &'w str {
    match (kind, word.to_lowercase().as_str()) {
        (Some(Kind::Bool), "yes" | "y" | "on") => "true",
        (Some(Kind::Bool), "no" | "n" | "off") => "false",
        _ => word,
    }
}

/// How a date is written, with the date that was probably meant.
pub(crate) fn date(text: &str) -> String {
    let digits: Vec<&str> = text.split(['/', '.', '-', ' ']).collect();
    let meant = match digits.as_slice() {
        [whole] if whole.len() == 8 && whole.bytes().all(|b| b.is_ascii_digit()) => {
            Some(format!("{}-{}-{}", &whole[..4], &whole[4..6], &whole[6..]))
        }
        [year, month, day] if year.len() == 4 => Some(format!("{year}-{month:0>2}-{day:0>2}")),
        [day, month, year] if year.len() == 4 => {
            let (one, other) =
                (format!("{year}-{month:0>2}-{day:0>2}"), format!("{year}-{day:0>2}-{month:0>2}"));
            let is_date = |text: &str| crate::age::read_date(text).is_some();
            match (is_date(&one), is_date(&other)) {
                (true, true) if one != other => {
                    return format!("write YYYY-MM-DD, which leaves no doubt: `{one}` or `{other}`");
                }
                (false, _) => Some(other),
                _ => Some(one),
            }
        }
        _ => None,
    };
    match meant.filter(|meant| crate::age::read_date(meant).is_some()) {
        Some(meant) => format!("write YYYY-MM-DD: `{meant}`"),
        None => "write YYYY-MM-DD; with before and after also `today`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_never_turned_around() {
        let date = Kind::Date;
        let of = |text: &str| instead_of(text, Some(&date)).unwrap_or_default();
        assert!(of("< 10 years").starts_with("write `{ age_below: 10 years }`"));
        assert!(of("<10 years").starts_with("write `{ age_below: 10 years }`"));
        assert!(of("<= 10 years").starts_with("write `{ age_below: 11 years }`"));
        assert!(of("> 10 years").starts_with("write `{ age_at_least: 11 years }`"));
        assert!(of(">= 10 years").starts_with("write `{ age_at_least: 10 years }`"));
        assert!(of("age < 10 years").starts_with("write `{ age_below: 10 years }`"));
        assert!(of("age_at_most").contains("age_below: 11 years"));
        assert!(of("< 2026-01-01").starts_with("write `{ before: 2026-01-01 }`"));
        assert_eq!(instead_of("<", Some(&Kind::Number)).as_deref(), Some("write `{ less_than: … }`"));
        assert_eq!(instead_of("verified", Some(&date)), None);
        assert_eq!(instead_of("age_bellow", Some(&date)), None);
    }

    #[test]
    fn dates_are_turned_into_how_they_are_written_here() {
        assert!(super::date("20260101").ends_with("`2026-01-01`"));
        assert!(super::date("1/2/2026").ends_with("`2026-02-01` or `2026-01-02`"));
        assert!(super::date("31/1/2026").ends_with("`2026-01-31`"));
        assert!(super::date("1/31/2026").ends_with("`2026-01-31`"));
        assert!(super::date("2026/2/1").ends_with("`2026-02-01`"));
        assert!(super::date("2026-02-30").ends_with("`today`"));
        assert!(super::date("ééééé/é/é").ends_with("`today`"));
    }
}
