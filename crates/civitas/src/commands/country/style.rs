//! Colours in the terminal, where somebody looks at one.

use std::io::{IsTerminal as _, Write as _};

use clap::ValueEnum;

/// The codes of what was expected and of what was found instead.
pub(super) const EXPECTED: &str = "32";
pub(super) const FOUND: &str = "31";

/// Writes to standard output. A reader that has seen enough, such as `head`, is no error.
pub(super) fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style(bool);

impl Style {
    /// What the choice means for standard output.
    pub(super) fn of(color: Color) -> Self {
        let asked_for_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => !asked_for_none && std::io::stdout().is_terminal(),
        })
    }

    pub(super) const PLAIN: Self = Self(false);

    fn with(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A text in the colour of that code, whose middle stands out from what it shares with another one.
    pub(super) fn middle(self, code: &str, text: &str, other: &str) -> String {
        if !self.0 {
            return text.to_owned();
        }
        let bytes = |same: (char, char)| if same.0 == same.1 { Some(same.0.len_utf8()) } else { None };
        let lead: usize = text.chars().zip(other.chars()).map_while(bytes).sum();
        let (rest, others) = (&text[lead..], &other[lead..]);
        let tail: usize = rest.chars().rev().zip(others.chars().rev()).map_while(bytes).sum();
        let (middle, tail) = rest.split_at(rest.len() - tail);
        let inner = if middle.is_empty() { String::new() } else { format!("\x1b[1;4m{middle}\x1b[22;24m") };
        self.with(code, &format!("{}{inner}{tail}", &text[..lead]))
    }

    /// What only says where something stands.
    pub(super) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Errors.
    pub(super) fn red(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// Warnings.
    pub(super) fn yellow(self, text: &str) -> String {
        self.with("1;33", text)
    }

    /// Frames and what is beside the point.
    pub(super) fn blue(self, text: &str) -> String {
        self.with("34", text)
    }

    /// What to do.
    pub(super) fn green(self, text: &str) -> String {
        self.with("32", text)
    }
}

#[cfg(test)]
impl Style {
    /// Coloured, whatever the terminal.
    pub(super) const COLORED: Self = Self(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_stands_out() {
        assert_eq!(
            Style::COLORED.middle(FOUND, "ab é cd", "ab e cd"),
            "\x1b[31mab \x1b[1;4mé\x1b[22;24m cd\x1b[0m"
        );
        assert_eq!(Style::COLORED.middle(FOUND, "aa", "aaa"), "\x1b[31maa\x1b[0m");
        assert_eq!(Style::PLAIN.middle(FOUND, "a", "b"), "a");
    }
}
