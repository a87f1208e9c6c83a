//! Instants and spans as people read them in a terminal.

use jiff::Timestamp;

/// `2026-06-01 09:01:00`, UTC.
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The time from one instant to another by its largest unit and the next.
pub fn ago(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// `1 error`, `2 errors`: a number and its noun.
pub fn count(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// [`count`] of what may be many: `1,203 decisions`.
pub fn many(number: u64, noun: &str) -> String {
    count(number, noun).replacen(&number.to_string(), &grouped(number), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_by_their_largest_units() {
        let from: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let of = |seconds: i64| ago(from, Timestamp::from_second(from.as_second() + seconds).unwrap());
        assert_eq!(
            [of(-1), of(42), of(61), of(7260), of(90_000)],
            ["0 s", "42 s", "1 min", "2 h 1 min", "1 d 1 h"]
        );
        assert_eq!([count(0, "day"), count(1, "day"), count(2, "day")], ["0 days", "1 day", "2 days"]);
        assert_eq!(instant(from), "2026-06-01 00:00:00");
        assert_eq!([grouped(0), grouped(999), grouped(1_234_567)], ["0", "999", "1,234,567"]);
        assert_eq!([many(1, "day"), many(1203, "day")], ["1 day", "1,203 days"]);
    }
}
