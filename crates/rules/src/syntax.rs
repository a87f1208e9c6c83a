//! What was probably done wrong in a file that is not YAML.
//!
//! A YAML parser says where it could not go on, which is often a line or two after the mistake. It
//! knows nothing of what people do: tabs, a missing space, a bracket left open. This looks at the
//! lines around the place, and says what to change.

/// An explanation: where (1-based line and column), how wide, what, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Slip {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) width: usize,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Slip {
    fn new(
        line: usize,
        column: usize,
        width: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { line, column, width, message: message.into(), help: help.into() }
    }
}

/// Characters that look like a space or like nothing.
const LOOKALIKES: [char; 9] = [
    '\u{a0}', '\u{1680}', '\u{2002}', '\u{2003}', '\u{2007}', '\u{2009}', '\u{200b}', '\u{202f}', '\u{3000}',
];

/// Lines whose indentation holds a tab.
pub(crate) fn tabs(text: &str) -> Vec<Slip> {
    in_indentation(
        text,
        |c| c == '\t',
        |line, column| {
            Slip::new(
                line,
                column,
                1,
                "the indentation has a tab",
                "YAML counts spaces: put two spaces for each level, and let the editor write spaces for the tab key",
            )
        },
    )
}

/// Lines whose indentation holds a space that is none.
pub(crate) fn lookalikes(text: &str) -> Vec<Slip> {
    in_indentation(
        text,
        |c| LOOKALIKES.contains(&c),
        |line, column| {
            Slip::new(
                line,
                column,
                1,
                "the indentation has a character that looks like a space and is none",
                "it comes with text copied from a web page or a word processor: delete it and type a space",
            )
        },
    )
}

fn in_indentation(text: &str, is: impl Fn(char) -> bool, slip: impl Fn(usize, usize) -> Slip) -> Vec<Slip> {
    let lines = text.lines().enumerate().filter_map(|(number, line)| {
        let mut indentation = line.chars().take_while(|c| c.is_whitespace() || LOOKALIKES.contains(c));
        let column = indentation.position(&is)?;
        let content = line.trim_start_matches(|c: char| c.is_whitespace() || LOOKALIKES.contains(&c));
        // Empty lines and comments are left alone: YAML does not mind.
        (!content.is_empty() && !content.starts_with('#')).then(|| slip(number + 1, column + 1))
    });
    lines.take(5).collect()
}

/// Places where the file was not UTF-8: what could not be read stands as a replacement character.
pub(crate) fn unreadable(text: &str) -> Vec<Slip> {
    let lines = text.lines().enumerate().filter_map(|(number, line)| {
        let column = line.chars().position(|c| c == char::REPLACEMENT_CHARACTER)?;
        Some(Slip::new(
            number + 1,
            column + 1,
            1,
            "this character is not UTF-8",
            "save the file as UTF-8; editors call it the file's encoding",
        ))
    });
    lines.take(5).collect()
}

/// What the parser's complaint about a place probably means.
pub(crate) fn explain(text: &str, complaint: &str, line: usize, column: usize) -> Option<Slip> {
    let lines: Vec<&str> = text.lines().collect();
    let at = |number: usize| lines.get(number.checked_sub(1)?).copied();
    let here = at(line).unwrap_or_default();
    if complaint.contains("multiple YAML documents") {
        let number = lines.iter().skip(1).position(|line| line.trim_end() == "---")? + 2;
        return Some(Slip::new(
            number,
            1,
            3,
            "a second document starts here",
            "a file of the pack is one document: take the line `---` out",
        ));
    }
    let starts = here.chars().nth(column.saturating_sub(1));
    if let (true, Some(sign)) =
        (complaint.contains("unexpected character") || complaint.contains("unknown anchor"), starts)
    {
        let width =
            here.chars().skip(column.saturating_sub(1)).take_while(|c| !matches!(c, ',' | '}' | ']')).count();
        return Some(Slip::new(
            line,
            column,
            width,
            format!("a text cannot start with `{sign}`"),
            "put the text in quotes",
        ));
    }
    if let Some(slip) = open_quote(&lines, line) {
        return Some(slip);
    }
    if let Some(slip) = open_bracket(&lines, line) {
        return Some(slip);
    }
    if let Some(slip) = missing_space(&lines, line) {
        return Some(slip);
    }
    if complaint.contains("mapping values are not allowed")
        && let Some(slip) = colon_in_text(here, line)
    {
        return Some(slip);
    }
    indentation(&lines, line)
}

fn is_content(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#')
}

/// The last lines with content before a line, nearest first, with their numbers.
fn before<'l>(lines: &'l [&'l str], line: usize) -> impl Iterator<Item = (usize, &'l str)> {
    let upper = line.saturating_sub(1).min(lines.len());
    lines[..upper]
        .iter()
        .enumerate()
        .rev()
        .map(|(index, line)| (index + 1, *line))
        .filter(|(_, line)| is_content(line))
}

/// `id:young` or `-child.nid`: a space is missing after a colon or a hyphen.
fn missing_space(lines: &[&str], line: usize) -> Option<Slip> {
    let here = lines.get(line.checked_sub(1)?).map(|text| (line, *text));
    for (number, text) in here.into_iter().chain(before(lines, line).take(2)) {
        let indent = text.len() - text.trim_start().len();
        let mut rest = text.trim_start();
        let hyphen = rest
            .strip_prefix('-')
            .filter(|after| after.starts_with(|c: char| c.is_alphanumeric() || c == '{'));
        if hyphen.is_some() {
            return Some(Slip::new(
                number,
                indent + 1,
                1,
                "a space is missing after the hyphen",
                "an item of a list starts with a hyphen and a space: `- `",
            ));
        }
        rest = rest.strip_prefix("- ").map_or(rest, str::trim_start);
        let Some((key, value)) = rest.split_once(':') else { continue };
        let plain =
            !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '#'));
        if plain && value.starts_with(|c: char| !c.is_whitespace() && c != ':') {
            let column = text.chars().count() - rest.chars().count() + key.chars().count() + 1;
            return Some(Slip::new(
                number,
                column,
                1,
                "a space is missing after the colon",
                format!("write `{key}: {value}`", value = value.trim_end()),
            ));
        }
    }
    None
}

/// A quote that was opened on a line and not closed there.
fn open_quote(lines: &[&str], line: usize) -> Option<Slip> {
    let here = lines.get(line.checked_sub(1)?).map(|text| (line, *text));
    here.into_iter().chain(before(lines, line).take(2)).find_map(|(number, text)| {
        let column = unclosed_quote(text)?;
        Some(Slip::new(
            number,
            column,
            1,
            "this quote is not closed",
            "put the same quote at the end of the text",
        ))
    })
}

/// The column of a quote that starts a text and has no partner on the line.
fn unclosed_quote(line: &str) -> Option<usize> {
    let mut open: Option<(char, usize)> = None;
    let mut last = ' ';
    let mut escaped = false;
    for (index, c) in line.chars().enumerate() {
        match open {
            Some(('"', _)) if c == '\\' && !escaped => {
                escaped = true;
                continue;
            }
            Some((quote, _)) if c == quote && !escaped => open = None,
            None if c == '#' && last == ' ' => break,
            // Within a word a quote is an apostrophe.
            None if matches!(c, '"' | '\'') && matches!(last, ' ' | '[' | '{' | ',' | ':') => {
                open = Some((c, index + 1));
            }
            _ => {}
        }
        escaped = false;
        last = c;
    }
    open.map(|(_, column)| column)
}

/// A bracket of the lines before that nothing closes.
fn open_bracket(lines: &[&str], line: usize) -> Option<Slip> {
    let here = lines.get(line.checked_sub(1)?).map(|text| (line, *text));
    here.into_iter().chain(before(lines, line).take(3)).find_map(|(number, text)| {
        let mut open: Vec<(char, usize)> = Vec::new();
        let mut quote = None;
        let mut last = ' ';
        for (index, c) in text.chars().enumerate() {
            match (quote, c) {
                (Some(q), c) if c == q => quote = None,
                // Within a word a quote is an apostrophe, and a `#` addresses a part.
                (None, '"' | '\'') if !last.is_alphanumeric() => quote = Some(c),
                (None, '#') if last == ' ' => break,
                (None, '{' | '[') => open.push((c, index + 1)),
                (None, '}' | ']') => _ = open.pop(),
                _ => {}
            }
            last = c;
        }
        let (bracket, column) = open.pop()?;
        let partner = if bracket == '{' { '}' } else { ']' };
        Some(Slip::new(
            number,
            column,
            1,
            format!("this `{bracket}` is not closed"),
            format!("put `{partner}` where it ends"),
        ))
    })
}

/// `en: Young: a child`: a second colon in a text without quotes.
fn colon_in_text(text: &str, line: usize) -> Option<Slip> {
    let (key, value) = text.split_once(": ")?;
    let column = key.chars().count() + 3;
    let plain = value.contains(": ") && !value.starts_with(['"', '\'', '{', '[']);
    plain.then(|| {
        Slip::new(
            line,
            column,
            value.trim_end().chars().count(),
            "a text with a colon in it",
            format!("put it in quotes: \"{}\"", value.trim_end()),
        )
    })
}

/// A line whose indentation is that of no line that it could belong to.
fn indentation(lines: &[&str], line: usize) -> Option<Slip> {
    let text = lines.get(line.checked_sub(1)?)?;
    let indent_of = |text: &str| text.len() - text.trim_start_matches(' ').len();
    let indent = indent_of(text);
    let mut levels: Vec<usize> = Vec::new();
    for (_, earlier) in before(lines, line) {
        let level = indent_of(earlier);
        if levels.last().is_none_or(|last| level < *last) {
            levels.push(level);
        }
        // The content of an item stands two columns further in than its hyphen.
        if earlier.trim_start().starts_with("- ") && levels.last() == Some(&level) {
            let inner = level + 2;
            if !levels.contains(&inner) && levels.len() < 8 {
                levels.insert(levels.len() - 1, inner);
            }
        }
        if level == 0 {
            break;
        }
    }
    if text.trim_start().starts_with("- ")
        && let Some((number, first)) =
            before(lines, line).take_while(|(_, earlier)| indent_of(earlier) >= indent).last()
        && !first.trim_start().starts_with("- ")
    {
        let indent = indent_of(first);
        let width = first.trim_end().chars().count().saturating_sub(indent);
        return Some(Slip::new(
            number,
            indent + 1,
            width,
            "a hyphen is missing before this",
            format!("it is the first of several items: write `- {}`", first.trim()),
        ));
    }
    let nearest = *levels.iter().min_by_key(|level| level.abs_diff(indent))?;
    let width = text.trim_end().chars().count().saturating_sub(indent).max(1);
    if levels.contains(&indent) {
        let what = if text.trim_start().starts_with("- ") { "an item of a list" } else { "a key" };
        return Some(Slip::new(
            line,
            indent + 1,
            width,
            format!("{what} does not fit here"),
            "compare its indentation with the lines above: lines that belong together start in the same column",
        ));
    }
    Some(Slip::new(
        line,
        indent + 1,
        width,
        format!("this line is indented by {} and fits none of the lines above", spaces(indent)),
        format!("lines that belong together start in the same column: indent it by {}", spaces(nearest)),
    ))
}

fn spaces(count: usize) -> String {
    format!("{count} space{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_apostrophes_are_told_apart() {
        assert_eq!(unclosed_quote("do: \"create_uin"), Some(5));
        assert_eq!(unclosed_quote("fr: l'enfant"), None);
        assert_eq!(unclosed_quote("en: \"a \\\" b\" # it's \"fine"), None);
        assert_eq!(unclosed_quote("x: 'a"), Some(4));
    }

    #[test]
    fn a_mark_past_the_end_of_the_text_is_survived() {
        for text in ["", "\n", "a:", "é: [", "\u{feff}a: {"] {
            for line in 0..4 {
                for column in 0..5 {
                    let _ = explain(
                        text,
                        "mapping values are not allowed; unexpected character; multiple YAML documents",
                        line,
                        column,
                    );
                }
            }
            assert!(tabs(text).is_empty() && lookalikes(text).is_empty());
        }
    }
}
