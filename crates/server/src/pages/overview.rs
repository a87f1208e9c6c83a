//! `GET /`: counts by state, what waits and for how long, the last decisions with their why.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use civitas_engine::queue::{LastDecision, Overview, QueueRow};
use http::HeaderMap;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Frame, admit, ago, refused, render, shown};
use crate::api;
use crate::state::App;

/// Rows of each table.
const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    ruleset: String,
    ruleset_start: String,
    counts: Vec<Count>,
    waiting: Vec<WaitingRow>,
    more: bool,
    decisions: Vec<DecisionRow>,
}

struct Count {
    state: String,
    number: u64,
}

struct WaitingRow {
    event_id: Uuid,
    name: String,
    operation: String,
    state: String,
    waits: String,
    deadline: String,
    cause: Option<String>,
    advice: Option<String>,
    stalled: bool,
}

struct DecisionRow {
    event_id: Uuid,
    name: String,
    action: String,
    effect: String,
    sentence: String,
    at: Timestamp,
    shown_at: String,
}

/// The overview.
pub(crate) async fn overview(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Err(response) = admit(&app, &headers, "overview page").await {
        return response;
    }
    match app.desk.overview(ROWS).await {
        Ok(overview) => render(&page(&app, overview, (app.clock)())),
        Err(error) => refused(&app, &api::unreadable(&error)),
    }
}

fn page(app: &App, overview: Overview, now: Timestamp) -> Page {
    let Overview { counts, waiting, decisions, .. } = overview;
    let ruleset = app.desk.ruleset();
    Page {
        frame: Frame::new(app, now),
        ruleset_start: ruleset.chars().take(12).collect(),
        ruleset,
        counts: counts.operations.into_iter().map(|(state, number)| Count { state, number }).collect(),
        more: waiting.len() >= ROWS as usize,
        waiting: waiting.into_iter().map(|row| waiting_row(row, now)).collect(),
        decisions: decisions.into_iter().map(decision_row).collect(),
    }
}

fn waiting_row(entry: QueueRow, now: Timestamp) -> WaitingRow {
    WaitingRow {
        event_id: entry.event_id,
        name: entry.tracking_id,
        operation: entry.operation.replace('_', " "),
        stalled: entry.state == "stalled",
        state: entry.state.replace('_', " "),
        waits: ago(entry.since, now),
        deadline: match entry.deadline_at {
            Some(deadline) if deadline < now => format!("{} ago", ago(deadline, now)),
            Some(deadline) => format!("in {}", ago(now, deadline)),
            None => "none".to_owned(),
        },
        cause: entry.cause.map(|cause| cause.to_string()),
        advice: entry.advice,
    }
}

fn decision_row(line: LastDecision) -> DecisionRow {
    DecisionRow {
        event_id: line.event_id,
        name: line.tracking_id,
        action: format!("{} {}", line.event_type, line.action_type),
        effect: line.effect.replace('_', " "),
        sentence: line.sentence,
        at: line.at,
        shown_at: shown(line.at),
    }
}
