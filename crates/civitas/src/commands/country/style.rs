//! Colours in the terminal, where somebody looks at one.

use std::io::{IsTerminal as _, Write as _};

use clap::ValueEnum;

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
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
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
