//! How large a pack may be.
//!
//! A wrong folder, a generated file or a hostile one must end in a clear error, within bounded time
//! and memory. Each limit is far above what a country writes: the largest file of a shipped pack is
//! 14 KiB, its deepest value lies nine levels down.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use crate::codes::Code;
use crate::diagnostics::Diagnostic;

/// Bytes of one file.
pub(crate) const FILE_BYTES: usize = 1024 * 1024;
/// Bytes of all files together.
pub(crate) const PACK_BYTES: usize = 16 * 1024 * 1024;
/// Files of a pack.
pub(crate) const PACK_FILES: usize = 1_000;
/// Values inside values. An archived rule set lies one level deeper and must stay readable as JSON (127).
pub(crate) const DEPTH: usize = 48;
/// Values of one file: texts, numbers, lists, maps, and keys.
pub(crate) const FILE_VALUES: usize = 100_000;
/// Values of all files together.
pub(crate) const PACK_VALUES: usize = 500_000;
/// Values that aliases (`*name`) repeat in one file.
pub(crate) const REPEATED_VALUES: usize = 5_000;
/// Bytes of one text.
pub(crate) const TEXT_BYTES: usize = 8 * 1024;
/// Bytes of one key.
pub(crate) const KEY_BYTES: usize = 256;
/// Bytes of a packet's text template.
pub(crate) const TEMPLATE_BYTES: usize = 2 * 1024;
/// Terms of all rules together, named conditions unfolded.
pub(crate) const TERMS: usize = 50_000;
/// Values of all cases together, their records filled in.
pub(crate) const CASE_VALUES: usize = 500_000;
/// Problems that are looked for.
pub(crate) const PROBLEMS: usize = 500;
/// Steps that a value of the ID schema may take to be checked in one place.
pub(crate) const SCHEMA_STEPS: usize = 10_000;
/// Patterns of an ID schema.
pub(crate) const SCHEMA_PATTERNS: usize = 500;
/// Memory of one compiled pattern of an ID schema.
pub(crate) const SCHEMA_PATTERN_BYTES: usize = 1024 * 1024;
/// Memory of one compiled pattern of the rules, tried from small to large.
const PATTERN_BYTES: [usize; 3] = [64 * 1024, 512 * 1024, 4 * 1024 * 1024];
/// Memory of all compiled patterns of the rules.
const PATTERNS_BYTES: usize = 64 * 1024 * 1024;

/// Whether so much is wrong that looking for more helps nobody.
pub(crate) fn enough(out: &[Diagnostic]) -> bool {
    out.len() >= PROBLEMS
}

/// Says so, and keeps as many as are worth reading.
pub(crate) fn cut(out: &mut Vec<Diagnostic>) {
    if enough(out) {
        out.truncate(PROBLEMS);
        out.push(
            Diagnostic::of_file(
                Code::P036,
                "pack",
                format!("more than {PROBLEMS} problems; the rest was not looked for"),
            )
            .help("many problems often have one cause: is this the right file?"),
        );
    }
}

/// What the rules of a pack have used up.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    terms: usize,
    patterns: BTreeMap<String, Regex>,
    pattern_bytes: usize,
}

impl Spent {
    /// One more term; false when there are too many. True again never.
    pub(crate) fn term(&mut self) -> bool {
        self.terms += 1;
        self.terms <= TERMS
    }

    /// Whether the last term was the first one too many: the one to report.
    pub(crate) fn just_ran_out(&self) -> bool {
        self.terms == TERMS + 1
    }

    /// Compiles a pattern, or hands out the one that was compiled before.
    pub(crate) fn pattern(&mut self, pattern: &str) -> Result<Regex, regex::Error> {
        if let Some(known) = self.patterns.get(pattern) {
            return Ok(known.clone());
        }
        let mut last = regex::Error::CompiledTooBig(0);
        for bytes in PATTERN_BYTES {
            if self.pattern_bytes + bytes > PATTERNS_BYTES {
                return Err(regex::Error::CompiledTooBig(PATTERNS_BYTES - self.pattern_bytes));
            }
            match RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(bytes).nest_limit(100).build() {
                Ok(regex) => {
                    self.pattern_bytes += bytes;
                    self.patterns.insert(pattern.to_owned(), regex.clone());
                    return Ok(regex);
                }
                Err(error @ regex::Error::CompiledTooBig(_)) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}
