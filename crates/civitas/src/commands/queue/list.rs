//! `civitas queue list`.

use anyhow::{Context as _, anyhow};
use civitas_engine::State;
use civitas_engine::queue::{Filter, Queue, QueueRow};
use civitas_rules::Operation;
use clap::Args;
use comfy_table::ContentArrangement;
use comfy_table::presets::NOTHING;

use crate::clock;
use crate::words::{ago, count};

/// List what waits, oldest first.
#[derive(Debug, Args)]
pub struct List {
    /// Only this state, such as stalled, awaiting or confirmed; without it, what is frozen or stalled
    #[arg(long)]
    state: Option<String>,
    /// Only this operation, such as `create_uin`
    #[arg(long)]
    operation: Option<String>,
    /// Only this cause, such as `deadline_passed`
    #[arg(long)]
    cause: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(list: &List, queue: &Queue) -> anyhow::Result<()> {
    let state = list.state.as_deref().map(state).transpose()?;
    let operation = list.operation.as_deref().map(operation).transpose()?;
    let filtered = state.is_some() || operation.is_some() || list.cause.is_some();
    let filter = Filter { state, operation, cause: list.cause.clone(), limit: list.limit };
    let rows = queue.list(&filter).await.context("the queue cannot be read")?;
    if list.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else if rows.is_empty() && filtered {
        println!("Nothing is like that.");
    } else {
        print!("{}", table(&rows, clock::now()));
        if rows.len() >= list.limit as usize {
            println!("There may be more: --limit shows them.");
        }
    }
    Ok(())
}

fn state(word: &str) -> anyhow::Result<State> {
    let known = || State::ALL.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(", ");
    State::from_word(word)
        .ok_or_else(|| anyhow!("no operation can be in state `{word}`; the states are {}", known()))
}

fn operation(word: &str) -> anyhow::Result<String> {
    let known = || Operation::ALL.iter().map(|operation| operation.as_str()).collect::<Vec<_>>().join(", ");
    let found = Operation::ALL.iter().find(|operation| operation.as_str() == word);
    found
        .map(|operation| operation.as_str().to_owned())
        .ok_or_else(|| anyhow!("`{word}` is no operation; the operations are {}", known()))
}

fn table(rows: &[QueueRow], now: jiff::Timestamp) -> String {
    if rows.is_empty() {
        return "Nothing waits.\n".to_owned();
    }
    let mut table = comfy_table::Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["record", "action", "operation", "state", "waits for", "deadline", "held up by"]);
    for row in rows {
        table.add_row([
            row.tracking_id.clone(),
            format!("{} {}", row.event_type, row.action_type),
            row.operation.clone(),
            row.state.clone(),
            ago(row.since, now),
            match row.deadline_at {
                Some(deadline) if deadline < now => format!("{} ago", ago(deadline, now)),
                Some(deadline) => format!("in {}", ago(now, deadline)),
                None => "-".to_owned(),
            },
            row.cause.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        ]);
    }
    let shown = count(rows.len() as u64, "record");
    format!("{}\n\n{shown} shown; `civitas queue show RECORD` tells more.\n", table.trim_fmt())
}

#[cfg(test)]
mod tests {
    use civitas_engine::Cause;

    use super::*;

    #[test]
    fn a_row_says_how_long_it_waits_and_why() {
        let row = QueueRow {
            event_id: uuid::Uuid::nil(),
            action_id: uuid::Uuid::nil(),
            tracking_id: "7KQ2ZB".into(),
            event_type: "birth".into(),
            action_type: "REGISTER".into(),
            operation: "create_uin".into(),
            frozen: true,
            aid: None,
            state: "stalled".into(),
            cause: Some(Cause::new("deadline_passed")),
            advice: None,
            sentence: String::new(),
            since: "2026-06-01T00:00:00Z".parse().unwrap(),
            deadline_at: Some("2026-06-15T00:00:00Z".parse().unwrap()),
            next_action_at: None,
            attempts: 0,
        };
        let text = table(&[row], "2026-06-15T02:30:00Z".parse().unwrap());
        let line = text.lines().find(|line| line.contains("7KQ2ZB")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let expected = "7KQ2ZB birth REGISTER create_uin stalled 14 d 2 h 2 h 30 min ago deadline_passed";
        assert_eq!(words.join(" "), expected);
        assert_eq!(table(&[], jiff::Timestamp::UNIX_EPOCH), "Nothing waits.\n");
    }

    #[test]
    fn an_unknown_state_is_answered_with_the_known_ones() {
        let error = state("sleeping").unwrap_err().to_string();
        assert!(error.contains("the states are planned, "), "{error}");
        let error = operation("create_uni").unwrap_err().to_string();
        assert!(error.contains("the operations are create_uin, "), "{error}");
    }
}
