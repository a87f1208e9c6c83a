//! Fitting the demo's text into a terminal: lists share the rows that are left, lines are cut and never wrapped.

/// Rows of the two lists together that `rows` of a terminal leave beside `fixed` others: first, second.
/// The first gets what the second does not need, and the other way round; each at least one.
pub(super) fn share(rows: usize, fixed: usize, first: usize, second: usize) -> (usize, usize) {
    let left = rows.saturating_sub(fixed).max(2);
    let half = left / 2;
    let second_part = second.clamp(1, half.max(left.saturating_sub(first)).max(1));
    let first_part = first.clamp(1, left.saturating_sub(second_part).max(1));
    (first_part, second_part)
}

/// The line, cut to so many columns; an ellipsis says that there is more.
pub(super) fn cut(line: &str, columns: usize) -> String {
    if line.chars().count() <= columns {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(columns.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_share_what_is_left_and_leave_it_to_each_other() {
        assert_eq!(share(24, 14, 6, 6), (5, 5));
        assert_eq!(share(24, 14, 6, 1), (6, 1), "nothing waits: the decisions get the rows");
        assert_eq!(share(24, 14, 2, 12), (2, 8));
        assert_eq!(share(60, 14, 12, 12), (12, 12));
        assert_eq!(share(8, 14, 6, 6), (1, 1), "a tiny terminal shows something of each");
        assert_eq!(share(24, 14, 0, 0), (1, 1));
    }

    #[test]
    fn a_line_is_cut_to_the_width_and_says_so() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("UIN requested", 5), "UIN…");
        assert_eq!(cut("naïveté", 4), "naï…");
        assert_eq!(cut("x", 0), "…");
    }
}
