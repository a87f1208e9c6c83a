//! What a back-fill would do, for people and programs; and files that only their owner reads.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use civitas_engine::backfill::Verdict;
use civitas_rules::Pack;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::Tally;
use crate::words::{grouped, instant, many};

pub(super) fn as_text(
    tally: &Tally,
    known: usize,
    fresh: usize,
    pack: &Pack,
    at: Timestamp,
    took: f64,
) -> String {
    let mut parts = vec![format!(
        "Rule set {} of {}, at {} UTC.\n{} in {took:.1} s.\n\n",
        &pack.digest()[..12],
        pack.country().code,
        instant(at),
        many(tally.read, "document")
    )];
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["event", "comes to", "by", "records"]);
    for ((event, verdict), count) in &tally.cells {
        let (what, by) = words(verdict);
        table.add_row([event.clone(), what, by, grouped(*count)]);
    }
    parts.push(format!("{table}\n\n"));
    if tally.reindexed > 0 {
        parts.push(format!(
            "{} of the documents are of the reindex feed, which drops erased fields: what a correction erased is \
             there again, and records may be missing. A check against `event.get` of some is worth its READ rows.\n",
            grouped(tally.reindexed)
        ));
    }
    for fault in tally.unreadable.iter().take(10) {
        parts.push(format!("unreadable: {fault}\n"));
    }
    if tally.unreadable.len() > 10 {
        parts.push(format!("… and {} more\n", tally.unreadable.len() - 10));
    }
    parts.push(format!(
        "Known to the journal: {}. To be planned: {}.\n",
        grouped(known as u64),
        grouped(fresh as u64)
    ));
    parts.concat()
}

fn words(verdict: &Verdict) -> (String, String) {
    match verdict {
        Verdict::Asks { operation, rule } => (operation.to_string(), rule.clone()),
        Verdict::Nothing(what) => ((*what).to_owned(), String::new()),
        Verdict::Undecided(missing) => ("undecided".to_owned(), format!("lacks {missing}")),
        Verdict::Waiting => ("waits for an answer".to_owned(), "the engine's business".to_owned()),
        Verdict::NotRegistered(status) => ("not registered".to_owned(), (*status).to_owned()),
    }
}

pub(super) fn as_json(
    tally: &Tally,
    known: usize,
    fresh: usize,
    ruleset: &str,
    at: Timestamp,
) -> serde_json::Value {
    let cells: Vec<_> = tally
        .cells
        .iter()
        .map(|((event, verdict), count)| {
            let (what, by) = words(verdict);
            json!({ "event": event, "comes_to": what, "by": by, "records": count })
        })
        .collect();
    json!({
        "ruleset": ruleset, "at": at, "documents": tally.read, "of_the_reindex_feed": tally.reindexed,
        "unreadable": tally.unreadable.len(), "matrix": cells, "known": known, "to_be_planned": fresh,
    })
}

/// A file for its owner only.
pub(super) fn private(path: &Path) -> anyhow::Result<BufWriter<std::fs::File>> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    Ok(BufWriter::new(file.with_context(|| format!("cannot write {}", path.display()))?))
}

pub(super) fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "jsonl")
}

pub(super) fn write_report(to: &Path, tally: &Tally, known: &HashSet<Uuid>) -> anyhow::Result<()> {
    let mut file = private(to)?;
    if !is_json(to) {
        writeln!(file, "event_id,action_id,tracking_id,operation,known")?;
    }
    for (key, operation, tracking_id) in &tally.asked {
        let known = known.contains(&key.event_id);
        if is_json(to) {
            let line = json!({
                "event_id": key.event_id, "action_id": key.action_id, "tracking_id": tracking_id,
                "operation": operation.as_str(), "known": known,
            });
            writeln!(file, "{line}")?;
        } else {
            let tracking = cell(tracking_id);
            writeln!(file, "{},{},{tracking},{operation},{known}", key.event_id, key.action_id)?;
        }
    }
    file.flush().with_context(|| format!("cannot write {}", to.display()))
}

/// A text as a cell of a CSV, which no spreadsheet takes for a formula.
pub(super) fn cell(text: &str) -> String {
    let text =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
