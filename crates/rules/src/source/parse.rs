//! From the text of a file to what it says, or to what is wrong with it as it is written.

use serde_saphyr::Error as YamlError;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::DuplicateKeyPolicy;

use super::places::{Odd, mark_of};
use super::reading::Reading;
use super::{Document, Mark, places};
use crate::codes::Code;
use crate::diagnostics::Diagnostic;
use crate::limits::{self, DEPTH, FILE_BYTES, FILE_VALUES, KEY_BYTES, REPEATED_VALUES};
use crate::syntax::{self, Slip};

impl Document {
    /// Reads YAML. Duplicate keys are reported, one diagnostic each; broken syntax ends the file.
    pub(crate) fn yaml(name: &str, text: &str, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut document = Self::of_size(name, text, out)?;
        let unreadable = syntax::unreadable(document.text());
        if !unreadable.is_empty() {
            out.extend(unreadable.into_iter().map(|slip| document.slip(Code::P011, slip)));
            return None;
        }
        match Reading::yaml(document.text()) {
            Ok((value, reading)) => {
                document.value = value;
                document.values = reading.values;
                document.is_usable(&reading, out).then_some(document)
            }
            Err(error) => {
                document.not_read(&error, out);
                None
            }
        }
    }

    /// Reads JSON; places come from reading the same text as YAML, which JSON is a part of.
    pub(crate) fn json(name: &str, text: &str, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut document = Self::of_size(name, text, out)?;
        match Reading::json(document.text()) {
            Ok((value, reading)) => {
                document.value = value;
                document.values = reading.values;
                document.is_usable(&reading, out).then_some(document)
            }
            Err(error) => {
                let mark = Mark { line: error.line(), column: error.column(), width: 1 };
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or("not JSON").to_owned();
                out.push(if message.starts_with("recursion limit") {
                    document.point(Code::P031, mark, too_deep()).help(TOO_MUCH)
                } else {
                    document.point(Code::P003, mark, message)
                });
                None
            }
        }
    }

    /// A document that is not read yet, if it is no larger than a file of a pack may be.
    fn of_size(name: &str, text: &str, out: &mut Vec<Diagnostic>) -> Option<Self> {
        if text.len() > FILE_BYTES {
            let message = format!("{} bytes; a file of a pack has at most {FILE_BYTES}", text.len());
            out.push(Diagnostic::of_file(Code::P030, name, message).help(TOO_MUCH));
            return None;
        }
        // Some editors begin a file with a byte-order mark, once or twice; it is no part of the text.
        Some(Self::bare(name, without_mark(without_mark(text)), serde_json::Value::Null))
    }

    /// Reports what is odd about the file as it is written; whether it can be used.
    fn is_usable(&mut self, reading: &Reading, out: &mut Vec<Diagnostic>) -> bool {
        if !reading.is_odd() {
            return true;
        }
        match places::of(self.text()) {
            Ok(found) => {
                // Nobody has looked anything up before.
                let _ = self.text.marks.set(found.marks);
                self.report(found.odd, out)
            }
            Err(error) => match too_much(&error) {
                Some((code, message)) => {
                    let mark = error.location().map(mark_of).unwrap_or_default();
                    out.push(self.point(code, mark, message).help(TOO_MUCH));
                    false
                }
                // JSON that the YAML reader takes for something else is JSON all the same, without places.
                None if reading.values > FILE_VALUES => {
                    out.push(self.point(Code::P032, Mark::default(), too_many()).help(TOO_MUCH));
                    false
                }
                None => {
                    let long =
                        reading.long.map(|(bytes, most)| (Mark::default(), Odd::TooLong { bytes, most }));
                    self.report(long.into_iter().collect(), out)
                }
            },
        }
    }

    /// Reports what was found while the file was taken apart; whether the file can be used.
    fn report(&self, problems: Vec<(Mark, Odd)>, out: &mut Vec<Diagnostic>) -> bool {
        let mut usable = true;
        for (mark, odd) in problems {
            if limits::enough(out) {
                return false;
            }
            out.push(match odd {
                Odd::Repeated(key) => self
                    .point(Code::P004, mark, format!("`{key}` is given twice"))
                    .help("keep one of the two; the other would be lost"),
                Odd::TooLong { bytes, most } => {
                    usable = false;
                    let what = if most == KEY_BYTES { "a key" } else { "a text" };
                    self.point(Code::P033, mark, format!("{what} of {bytes} bytes; at most {most} are read"))
                        .help(TOO_MUCH)
                }
            });
        }
        usable
    }

    /// Says why a text could not be read as YAML.
    fn not_read(&self, error: &YamlError, out: &mut Vec<Diagnostic>) {
        let mark = error.location().map(mark_of).unwrap_or_default();
        if let Some((code, message)) = too_much(error) {
            out.push(self.point(code, mark, message).help(TOO_MUCH));
            return;
        }
        let message = error.without_snippet().to_string();
        let message = message.lines().next().unwrap_or("not YAML");
        let message = message.split(" at line ").next().unwrap_or("not YAML").to_owned();
        self.not_yaml(mark, message, out);
    }

    /// Says what is probably wrong with a text that is not YAML, or else what the parser said.
    fn not_yaml(&self, mark: Mark, message: String, out: &mut Vec<Diagnostic>) {
        let (tabs, lookalikes) = (syntax::tabs(self.text()), syntax::lookalikes(self.text()));
        if !tabs.is_empty() || !lookalikes.is_empty() {
            out.extend(tabs.into_iter().map(|slip| self.slip(Code::P010, slip)));
            out.extend(lookalikes.into_iter().map(|slip| self.slip(Code::P012, slip)));
            return;
        }
        out.push(match syntax::explain(self.text(), &message, mark.line, mark.column) {
            Some(slip) => self.slip(Code::P002, slip),
            None => self.point(Code::P002, mark, message),
        });
    }

    fn slip(&self, code: Code, slip: Slip) -> Diagnostic {
        let mark = Mark { line: slip.line, column: slip.column, width: slip.width };
        self.point(code, mark, slip.message).help(slip.help)
    }
}

/// What to do about a file that is too much.
const TOO_MUCH: &str = "no pack comes near this limit: is this the right file, and was it written by hand?";

fn too_many() -> String {
    format!("more than {FILE_VALUES} values in one file")
}

fn too_deep() -> String {
    format!("more than {DEPTH} values inside each other")
}

/// Whether the reader stopped because the file is too much, not because it is wrong.
fn too_much(error: &YamlError) -> Option<(Code, String)> {
    let depth = || (Code::P031, too_deep());
    let values = || (Code::P032, too_many());
    let repeated = || (Code::P032, format!("aliases repeat more than {REPEATED_VALUES} values"));
    match error {
        YamlError::WithSnippet { error, .. } | YamlError::AliasError { error, .. } => too_much(error),
        YamlError::AliasReplayLimitExceeded { .. }
        | YamlError::AliasExpansionLimitExceeded { .. }
        | YamlError::AliasReplayStackDepthExceeded { .. }
        | YamlError::AliasReplayCounterOverflow { .. } => Some(repeated()),
        YamlError::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => Some(depth()),
            BudgetBreach::Events { .. } | BudgetBreach::Nodes { .. } | BudgetBreach::ScalarBytes { .. } => {
                Some(values())
            }
            BudgetBreach::Aliases { .. }
            | BudgetBreach::Anchors { .. }
            | BudgetBreach::MergeKeys { .. }
            | BudgetBreach::AliasAnchorRatio { .. }
            | BudgetBreach::RecordedAnchorEvents { .. }
            | BudgetBreach::RecordedAnchorBytes { .. } => Some(repeated()),
            _ => None,
        },
        // The parser has a limit of its own on what is open at the same time, and no type for it.
        YamlError::Message { msg, .. } | YamlError::ExternalMessage { msg, .. }
            if msg.starts_with("recursion limit") =>
        {
            Some(depth())
        }
        _ => None,
    }
}

/// The text without the byte order mark that some editors put before it.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

pub(super) fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: REPEATED_VALUES,
            max_replay_stack_depth: DEPTH,
            max_alias_expansions_per_anchor: REPEATED_VALUES,
        },
        budget: serde_saphyr::budget! {
            max_depth: DEPTH,
            max_nodes: FILE_VALUES,
            max_events: 3 * FILE_VALUES,
            max_aliases: REPEATED_VALUES,
            max_anchors: REPEATED_VALUES,
            max_merge_keys: REPEATED_VALUES,
            max_recorded_anchor_events: FILE_VALUES,
            max_recorded_anchor_bytes: FILE_BYTES,
            max_documents: 2,
        },
    }
}
