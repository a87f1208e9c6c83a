//! The terminal that the demo draws on: a screen of its own, given back as it was however the demo ends.

use std::io::{IsTerminal as _, Write as _, stdout};

use terminal_size::{Height, Width, terminal_size};

/// Another screen, no cursor, no wrapping.
const TAKE: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
/// The opposite, in the opposite order.
const GIVE_BACK: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// Holds the terminal until it is dropped.
pub(super) struct Terminal(());

impl Terminal {
    /// Takes the terminal, if standard output is one.
    pub(super) fn take() -> Option<Self> {
        stdout().is_terminal().then(|| {
            write(TAKE);
            Self(())
        })
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (usize, usize) {
        let Self(()) = self;
        terminal_size().map_or((80, 24), |(Width(columns), Height(rows))| (columns.into(), rows.into()))
    }

    /// Shows these lines from the top, in place of what was there.
    pub(super) fn show(&self, lines: &[String]) {
        let Self(()) = self;
        // Each line is cleared as it is written, then the rest of the screen: no flicker. No line end after the last,
        // which would scroll a full screen.
        write(&format!("\x1b[H{}\x1b[K\x1b[J", lines.join("\x1b[K\r\n")));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        write(GIVE_BACK);
    }
}

fn write(text: &str) {
    let mut out = stdout().lock();
    // A terminal that went away is no reason to end the day.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
