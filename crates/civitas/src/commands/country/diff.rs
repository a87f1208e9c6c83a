//! `civitas country diff`: what changed from one pack to another, and what that does to what has happened.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use civitas_rules::{Change, Comparison, Entry, Line};
use clap::Args;
use serde_json::json;

use super::replay::{Format, Output, Sources, side, tally, verdict};
use super::style::say;
use crate::pack;
use crate::replay::report;
use crate::words::count;

/// Show what changed from one pack to another: rules by id, packets, fields and the rest, in canonical form, so that
/// comments and layout are no change. With sources, also which past civil events come out otherwise.
///
/// Exit codes are those of `replay`; that the packs differ is no failure.
#[derive(Debug, Args)]
pub struct Diff {
    /// Folder of the old pack
    old: PathBuf,
    /// Folder of the new pack
    new: PathBuf,
    #[command(flatten)]
    sources: Sources,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(diff: &Diff, file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    if diff.output.has_policy() && diff.sources.is_empty() {
        bail!("`--deny` is about past civil events: name files, `--journal` or `--topic`");
    }
    let (old, new) = (pack::load(&diff.old)?, pack::load(&diff.new)?);
    let comparison = Comparison::of(&old, &new);
    let found = if diff.sources.is_empty() {
        None
    } else {
        Some(tally(&diff.sources, &diff.output, &new, Some(&old), file)?)
    };
    let (old_side, new_side) = (side(&diff.old, &old), side(&diff.new, &new));
    match diff.output.format() {
        Format::Json => {
            let replay = found.as_ref().map(|tally| report::json(tally, Some(&old_side), &new_side));
            let report = json!({
                "old": old_side, "new": new_side, "same": comparison.is_same(),
                "entries": comparison.entries, "replay": replay,
            });
            say(&format!("{report:#}\n"));
        }
        Format::Text => {
            say(&text(&comparison));
            if let Some(tally) = &found {
                say(&format!("\n{}", report::text(tally, Some(&old_side), &new_side)));
            }
        }
    }
    match &found {
        Some(tally) => verdict(&diff.output, tally),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn text(comparison: &Comparison) -> String {
    if comparison.is_same() {
        return format!("Both are rule set {}.\n", comparison.new);
    }
    let mut text = String::new();
    for entry in &comparison.entries {
        text.push_str(&entry_text(entry));
        text.push('\n');
    }
    let of = |change: Change| comparison.entries.iter().filter(|entry| entry.change == change).count() as u64;
    let counts: Vec<String> = [
        (Change::Added, "added"),
        (Change::Removed, "removed"),
        (Change::Changed, "changed"),
        (Change::Moved, "moved"),
    ]
    .into_iter()
    .filter(|(change, _)| of(*change) > 0)
    .map(|(change, word)| format!("{} {word}", of(change)))
    .collect();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{}: {}\nrule set {} is now {}",
        count(comparison.entries.len() as u64, "difference"),
        counts.join(", "),
        comparison.old,
        comparison.new
    );
    text
}

fn entry_text(entry: &Entry) -> String {
    let word = match entry.change {
        Change::Added => "added",
        Change::Removed => "removed",
        Change::Changed => "changed",
        Change::Moved => "moved among the rules",
    };
    let mut text = format!("{}: {} {} {word}\n", entry.file, entry.kind, entry.name);
    if entry.change == Change::Moved {
        return text;
    }
    for (at, line) in entry.lines.iter().enumerate() {
        match line {
            Line::Old(line) => _ = writeln!(text, "  - {line}"),
            Line::New(line) => _ = writeln!(text, "  + {line}"),
            Line::Same(line) if is_near(&entry.lines, at) => _ = writeln!(text, "    {line}"),
            // One mark for each stretch that is left out.
            Line::Same(_) if at == 0 || is_near(&entry.lines, at - 1) => text.push_str("    …\n"),
            Line::Same(_) => {}
        }
    }
    text
}

/// Whether a line stands within three lines of a change.
fn is_near(lines: &[Line], at: usize) -> bool {
    let near = &lines[at.saturating_sub(3)..lines.len().min(at + 4)];
    near.iter().any(|line| !matches!(line, Line::Same(_)))
}
