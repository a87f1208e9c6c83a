//! Colours of a report.

use std::io::IsTerminal as _;

use clap::ValueEnum;

/// When a report is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

/// Colours a text, or leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint(bool);

impl Paint {
    pub(super) fn new(colour: Colour) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(match colour {
            Colour::Auto => std::io::stdout().is_terminal() && !plain,
            Colour::Always => true,
            Colour::Never => false,
        })
    }

    pub(super) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// A text whose middle stands out from what it shares with another one.
    pub(super) fn middle(self, colour: &str, text: &str, other: &str) -> String {
        if !self.0 {
            return text.to_owned();
        }
        let same = |a: char, b: char| a == b;
        let lead: usize = text
            .chars()
            .zip(other.chars())
            .take_while(|(a, b)| same(*a, *b))
            .map(|(a, _)| a.len_utf8())
            .sum();
        let (rest, others) = (&text[lead..], &other[lead..]);
        let tail: usize = rest
            .chars()
            .rev()
            .zip(others.chars().rev())
            .take_while(|(a, b)| same(*a, *b))
            .map(|(a, _)| a.len_utf8())
            .sum();
        let (middle, tail) = rest.split_at(rest.len() - tail);
        let inner = if middle.is_empty() { String::new() } else { format!("\x1b[1;4m{middle}\x1b[22;24m") };
        self.with(colour, &format!("{}{inner}{tail}", &text[..lead]))
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The codes of what was expected and of what was found.
pub(super) const EXPECTED: &str = "32";
pub(super) const FOUND: &str = "31";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_stands_out() {
        assert_eq!(
            Paint(true).middle("31", "ab é cd", "ab e cd"),
            "\x1b[31mab \x1b[1;4mé\x1b[22;24m cd\x1b[0m"
        );
        assert_eq!(Paint(true).middle("31", "aa", "aaa"), "\x1b[31maa\x1b[0m");
        assert_eq!(Paint(false).middle("31", "a", "b"), "a");
    }
}
