//! One line on the terminal that says how far it is.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::clock;
use crate::words::grouped;

/// How far a run is. Shared by its threads.
pub struct Progress {
    shown: bool,
    began: Timestamp,
    source: Mutex<String>,
    done: AtomicU64,
    total: AtomicU64,
    judged: AtomicU64,
}

impl Progress {
    /// Shown if standard error is a terminal.
    pub fn new() -> Self {
        Self { shown: std::io::stderr().is_terminal(), ..Self::hidden() }
    }

    /// Never shown.
    pub fn hidden() -> Self {
        Self {
            shown: false,
            began: clock::now(),
            source: Mutex::default(),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            judged: AtomicU64::new(0),
        }
    }

    /// A source is begun; `total` counts what [`Progress::advance`] counts, 0 if nobody knows.
    pub fn begin(&self, source: &str, total: u64) {
        source.clone_into(&mut self.source.lock().unwrap_or_else(PoisonError::into_inner));
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// So much more of the source was read.
    pub fn advance(&self, by: u64) {
        self.done.fetch_add(by, Ordering::Relaxed);
    }

    /// So many more civil events were judged.
    pub fn judged(&self, count: u64) {
        self.judged.fetch_add(count, Ordering::Relaxed);
    }

    /// Draws the line anew.
    pub fn draw(&self) {
        if self.shown {
            // Nobody is helped by an error about a progress bar.
            let _ = write!(std::io::stderr(), "\r\x1b[K{}", self.line(clock::now()));
        }
    }

    /// Takes the line away.
    pub fn clear(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    fn line(&self, now: Timestamp) -> String {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (done, total, judged) = (read(&self.done), read(&self.total), read(&self.judged));
        let millis = u64::try_from(now.duration_since(self.began).as_millis()).unwrap_or(0).max(1);
        let rate = judged.saturating_mul(1000) / millis;
        let bar = match total {
            0 => String::new(),
            total => {
                let share = usize::try_from((done * 20 / total).min(20)).unwrap_or(20);
                format!(
                    "[{}{}] {:>3} %  ",
                    "#".repeat(share),
                    "-".repeat(20 - share),
                    (done * 100 / total).min(100)
                )
            }
        };
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{bar}{} civil events, {}/s  {source}", grouped(judged), grouped(rate))
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_and_how_fast() {
        let progress = Progress::hidden();
        progress.begin("journal", 400);
        progress.advance(100);
        progress.judged(5000);
        let later = progress.began + jiff::SignedDuration::from_secs(2);
        assert_eq!(
            progress.line(later),
            "[#####---------------]  25 %  5,000 civil events, 2,500/s  journal"
        );
        progress.begin("-", 0);
        assert_eq!(progress.line(later), "5,000 civil events, 2,500/s  -");
    }
}
