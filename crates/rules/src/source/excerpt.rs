//! A line of a file as a problem shows it.

/// A line, or what is around a place in a long one.
pub(super) struct Excerpt {
    pub(super) text: String,
    /// 1-based column at which the excerpt begins.
    pub(super) column: usize,
}

impl Excerpt {
    /// Characters of a line that is shown whole, bytes of one that need not be counted.
    const WHOLE: usize = 200;
    /// Characters before the place, and in all, of the piece of a longer line.
    const BEFORE: usize = 60;
    const AROUND: usize = 120;

    pub(super) fn of(line: &str, column: usize) -> Self {
        if line.len() <= Self::WHOLE || line.chars().nth(Self::WHOLE).is_none() {
            return Self { text: line.to_owned(), column: 1 };
        }
        let skipped = column.saturating_sub(1 + Self::BEFORE);
        let mut rest = line.chars().skip(skipped);
        let mut text: String = rest.by_ref().take(Self::AROUND).collect();
        // An ellipsis takes the place of one character, so that columns stay where they are.
        if skipped > 0 {
            let first = text.chars().next().map_or(0, char::len_utf8);
            text.replace_range(..first, "…");
        }
        if rest.next().is_some() {
            text.pop();
            text.push('…');
        }
        Self { text, column: skipped + 1 }
    }
}
