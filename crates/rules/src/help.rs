//! The help pages: what each code means, why it matters, wrong and right.
//!
//! They are the files `docs/diagnostics/<CODE>.md`, compiled in, so that the page that is shown
//! is the page of this build.

use std::fmt::Write as _;

use crate::codes::Code;

/// A help page, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The whole text, Markdown.
    pub markdown: &'static str,
    /// What the problem is.
    pub what: &'static str,
    /// What happens to a record or a person if nobody notices.
    pub why: &'static str,
    /// An example with the problem.
    pub wrong: &'static str,
    /// The same without it.
    pub right: &'static str,
}

impl Page {
    /// The page of a code.
    pub fn of(code: Code) -> Self {
        Self::read(code.page())
    }

    fn read(markdown: &'static str) -> Self {
        let (head, rest) = markdown.split_once("\n## Why it matters\n").unwrap_or((markdown, ""));
        let (why, rest) = rest.split_once("\n## Wrong\n").unwrap_or((rest, ""));
        let (wrong, right) = rest.split_once("\n## Right\n").unwrap_or((rest, ""));
        let what = head.split_once('\n').map_or("", |(_, what)| what);
        Self { markdown, what: what.trim(), why: why.trim(), wrong: fenced(wrong), right: fenced(right) }
    }
}

/// What is between the fences.
fn fenced(text: &'static str) -> &'static str {
    let Some((_, rest)) = text.split_once("```") else { return "" };
    let Some((_, code)) = rest.split_once('\n') else { return "" };
    code.split_once("```").map_or(code, |(code, _)| code)
}

/// What the codes with a first letter are about, in the order of the files.
pub const GROUPS: [(char, &str); 10] = [
    ('P', "the pack and its files"),
    ('S', "the shape of a file"),
    ('N', "country.yaml"),
    ('F', "fields.yaml"),
    ('R', "rules.yaml"),
    ('M', "packets.yaml"),
    ('L', "texts and languages"),
    ('I', "id-schema.json"),
    ('E', "identity.yaml"),
    ('C', "cases/*.yaml"),
];

/// The codes of a group, in order.
pub fn codes_of(letter: char) -> impl Iterator<Item = Code> {
    Code::ALL.iter().copied().filter(move |code| code.as_str().starts_with(letter))
}

/// `docs/diagnostics/README.md`: every page, by file.
pub fn index() -> String {
    let mut text = "# Diagnostics\n\nWhat `civitas country check` can say. `civitas country help CODE` shows the same pages in a terminal.\n\
        An error refuses the pack; a warning is a question to whoever wrote it.\n\n\
        The command ends with 0 where there is nothing or only warnings, with 1 where there are errors (with `--deny-warnings`\n\
        also warnings), and with 2 where the command line is wrong or the folder cannot be read.\n"
        .to_owned();
    for (letter, about) in GROUPS {
        let mut codes = codes_of(letter).peekable();
        if codes.peek().is_none() {
            continue;
        }
        let _ = write!(text, "\n## {letter}: {about}\n\n| code | | |\n|---|---|---|\n");
        for code in codes {
            let severity = if code.is_warning() { "warning" } else { "error" };
            let _ = writeln!(text, "| [{code}]({code}.md) | {severity} | {} |", code.title());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_taken_apart_at_its_headings() {
        let page = Page::read(
            "# R000: a title\nIt is.\n\n## Why it matters\nSo.\n\n## Wrong\n```yaml\na: 1\n```\n## Right\n```yaml\na: 2\n  b: 3\n```\n",
        );
        assert_eq!((page.what, page.why), ("It is.", "So."));
        assert_eq!((page.wrong, page.right), ("a: 1\n", "a: 2\n  b: 3\n"));
    }

    #[test]
    fn every_code_is_in_a_group() {
        let grouped: usize = GROUPS.iter().map(|(letter, _)| codes_of(*letter).count()).sum();
        assert_eq!(grouped, Code::ALL.len());
    }
}
