//! `GET /records/{id}`: what came in, what was decided and why, where it stands, its history.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use civitas_engine::WouldHave;
use civitas_engine::queue::{ActionView, ConfirmationView, OperationView, RecordView, TimelineEntry};
use http::HeaderMap;
use jiff::Timestamp;

use super::{Frame, admit, ago, refused, render, shown};
use crate::api;
use crate::state::App;

#[derive(Template)]
#[template(path = "record.html")]
struct Page {
    frame: Frame,
    name: String,
    event_id: String,
    parts: Vec<Part>,
    timeline: Vec<Row>,
}

struct Part {
    title: String,
    sentence: String,
    stalled: bool,
    facts: Vec<(&'static str, String)>,
}

struct Row {
    at: Timestamp,
    shown_at: String,
    kind: String,
    from: String,
    to: String,
    actor: String,
    reason: String,
}

/// One record.
pub(crate) async fn record(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if let Err(response) = admit(&app, &headers, "record page").await {
        return response;
    }
    match app.desk.show(id.clone()).await {
        Ok(Some(record)) => render(&page(&app, record, (app.clock)())),
        Ok(None) => refused(&app, &api::unknown(&id)),
        Err(error) => refused(&app, &api::unreadable(&error)),
    }
}

fn page(app: &App, record: RecordView, now: Timestamp) -> Page {
    let kind = record.event_type;
    Page {
        frame: Frame::new(app, now),
        name: record.tracking_id,
        event_id: record.event_id.to_string(),
        // The newest first: it is the one that may wait.
        parts: record.actions.into_iter().rev().map(|action| part(&kind, action, now)).collect(),
        timeline: record.timeline.into_iter().map(row).collect(),
    }
}

fn part(event_type: &str, action: ActionView, now: Timestamp) -> Part {
    let stalled = action.operation.as_ref().is_some_and(|operation| operation.entry.state == "stalled");
    let mut facts = Vec::new();
    // How it stands and what to do first; where it came from last.
    let cause = action
        .operation
        .as_ref()
        .and_then(|operation| operation.entry.cause.as_ref())
        .map(ToString::to_string);
    if let Some(operation) = action.operation {
        operation_facts(operation, now, &mut facts);
    }
    if let Some(told) = action.confirmation {
        facts.push(("OpenCRVS is told", confirmation(&told)));
        // A confirmation that stalls hands its cause to the operation, where it was said already.
        facts.extend(
            told.cause
                .filter(|said| cause.as_ref() != Some(said))
                .map(|said| ("It did not get through", said)),
        );
    }
    facts.extend([
        ("Came in", format!("{}, by {}", shown(action.received_at), action.origin)),
        ("Decision", action.effect.replace('_', " ")),
        ("Rule", action.rule.unwrap_or_else(|| "none matched".to_owned())),
        ("Rule set", action.ruleset),
    ]);
    facts.extend(tried(&action.would_have));
    let answer = match action.answer_reason {
        Some(reason) => format!("{}: {reason}", action.answer),
        None => action.answer,
    };
    facts.extend([("First answer to OpenCRVS", answer)]);
    Part { title: format!("{event_type} {}", action.action_type), sentence: action.sentence, stalled, facts }
}

/// What rules on trial would have done.
fn tried(rules: &[WouldHave]) -> Option<(&'static str, String)> {
    let said = rules
        .iter()
        .map(|tried| format!("{} would have decided: {}", tried.rule, tried.effect.replace('_', " ")));
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| ("On trial, without effect", said.join("; ")))
}

fn operation_facts(operation: OperationView, now: Timestamp, facts: &mut Vec<(&'static str, String)>) {
    let entry = operation.entry;
    facts.push(("State", entry.state.replace('_', " ")));
    facts.extend(entry.cause.map(|cause| ("Held up by", cause.to_string())));
    facts.extend(entry.advice.map(|advice| ("What to do", advice)));
    facts.push(("Decided", format!("{} ({} ago)", shown(entry.since), ago(entry.since, now))));
    facts.extend(operation.triggered_at.map(|at| ("Started at MOSIP", shown(at))));
    facts.push(("MOSIP has issued an identifier", if operation.issued { "yes" } else { "no" }.to_owned()));
    facts.extend(entry.next_action_at.map(|at| ("Next action by itself", shown(at))));
    facts.extend(entry.deadline_at.map(|at| ("Deadline", shown(at))));
    facts.extend(entry.aid.map(|aid| ("Application id at MOSIP", aid)));
}

fn confirmation(told: &ConfirmationView) -> String {
    let next = told.next_action_at.map(|at| format!(", again at {}", shown(at))).unwrap_or_default();
    format!("{}: {}{next}", told.verdict, told.state)
}

fn row(line: TimelineEntry) -> Row {
    Row {
        at: line.at,
        shown_at: shown(line.at),
        kind: line.kind,
        from: line.from.unwrap_or_default().replace('_', " "),
        to: line.to.unwrap_or_default().replace('_', " "),
        actor: line.actor,
        reason: line.reason.unwrap_or_default(),
    }
}
