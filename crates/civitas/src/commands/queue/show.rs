//! `civitas queue show`.

use std::fmt::Write as _;

use anyhow::{Context as _, anyhow};
use civitas_engine::queue::{ActionView, ConfirmationView, Queue, RecordView};
use clap::Args;
use comfy_table::ContentArrangement;
use comfy_table::presets::NOTHING;
use jiff::Timestamp;

use crate::clock;
use crate::words::{ago, count, instant};

/// Show one record.
#[derive(Debug, Args)]
pub struct Show {
    /// Event id, tracking id or AID
    record: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(show: &Show, queue: &Queue) -> anyhow::Result<()> {
    let found = queue.show(&show.record).await.context("the record cannot be read")?;
    let record = found.ok_or_else(|| {
        anyhow!("no record `{}` is in the journal; name it by event id, tracking id or AID", show.record)
    })?;
    if show.json {
        println!("{}", serde_json::to_string_pretty(&record)?);
    } else {
        print!("{}", text(&record, clock::now()));
    }
    Ok(())
}

fn text(record: &RecordView, now: Timestamp) -> String {
    let mut text = format!("Record {} ({}, {})\n", record.tracking_id, record.event_type, record.event_id);
    for action in &record.actions {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{}\n  {}\n", action.action_type, action.sentence);
        for (name, value) in facts(action, now) {
            let _ = writeln!(text, "  {name:<16} {value}");
        }
    }
    let mut table = comfy_table::Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    for line in &record.timeline {
        let moved = match (&line.from, &line.to) {
            (Some(from), Some(to)) => format!("{from} → {to}"),
            (None, Some(to)) => format!("→ {to}"),
            _ => String::new(),
        };
        table.add_row([
            instant(line.at),
            line.kind.clone(),
            moved,
            line.actor.clone(),
            line.reason.clone().unwrap_or_default(),
        ]);
    }
    let _ = write!(text, "\nTimeline (times in UTC)\n{}\n", table.trim_fmt());
    text
}

fn confirmation(told: &ConfirmationView, now: Timestamp) -> String {
    let mut text = format!("{}: {}", told.verdict, told.state);
    if told.attempts > 0 {
        text.push_str(", ");
        text.push_str(&count(told.attempts.into(), "failed attempt"));
    }
    if let Some(next) = told.next_action_at {
        let _ = write!(text, ", again in {}", ago(now, next));
    }
    text
}

fn facts(action: &ActionView, now: Timestamp) -> Vec<(&'static str, String)> {
    let rule = action.rule.as_deref().unwrap_or("none matched");
    let digest: String = action.ruleset.chars().take(12).collect();
    let mut facts = vec![
        ("came in", format!("{} by {}", instant(action.received_at), action.origin)),
        ("decision", format!("{} (rule: {rule}; rule set {digest})", action.effect)),
        ("answered", action.answer.clone()),
    ];
    let tried = action.would_have.iter();
    facts.extend(
        tried.map(|tried| ("on trial", format!("{} would have decided: {}", tried.rule, tried.effect))),
    );
    if let Some(operation) = &action.operation {
        let entry = &operation.entry;
        facts.push((
            "state",
            format!("{}, {} after the decision", entry.state, ago(entry.since, operation.updated_at)),
        ));
        facts.extend(entry.aid.clone().map(|aid| ("AID", aid)));
        facts.extend(operation.triggered_at.map(|at| ("started at MOSIP", instant(at))));
        facts.extend(entry.next_action_at.map(|at| ("next by itself", format!("in {}", ago(now, at)))));
        facts.extend(entry.deadline_at.map(|at| ("deadline", instant(at))));
        facts.extend(entry.cause.as_ref().map(|cause| ("held up by", cause.to_string())));
        facts.extend(entry.advice.clone().map(|advice| ("what to do", advice)));
    }
    if let Some(told) = &action.confirmation {
        facts.push(("tell OpenCRVS", confirmation(told, now)));
        let operation = action.operation.as_ref().and_then(|operation| operation.entry.cause.as_ref());
        // A confirmation that stalls hands its cause to the operation, where it was said already.
        let said = operation.map(ToString::to_string);
        facts.extend(
            told.cause.clone().filter(|cause| Some(cause) != said.as_ref()).map(|cause| ("because", cause)),
        );
    }
    facts
}
