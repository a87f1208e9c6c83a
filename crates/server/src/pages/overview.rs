//! `GET /`: counts by state, what waits and for how long, the last decisions with their why.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use civitas_engine::queue::{LastDecision, Overview, QueueRow};
use civitas_engine::swap::{DeciderView, PackView};
use http::HeaderMap;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Frame, admit, ago, refused, render, shown};
use crate::api;
use crate::certificates::{self, CertificateView};
use crate::health;
use crate::state::App;

/// Rows of each table.
const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    rules: Rules,
    /// Certificates that somebody has to see to.
    certificates: Vec<CertificateRow>,
    troubles: Vec<String>,
    counts: Vec<Count>,
    waiting: Vec<WaitingRow>,
    more: bool,
    decisions: Vec<DecisionRow>,
}

/// The rule set that decides, and what an operator should know about it.
struct Rules {
    digest: String,
    short: String,
    since: Timestamp,
    shown_since: String,
    on_trial: Vec<String>,
    /// The last attempt, where it left this rule set in force.
    refused: Option<Refusal>,
    /// Processes that decide by another one.
    others: Vec<String>,
}

struct Refusal {
    why: &'static str,
    at: Timestamp,
    shown_at: String,
    problems: Vec<String>,
    more: usize,
}

impl Rules {
    fn of(view: PackView, deciders: &[DeciderView]) -> Self {
        let short = |digest: &str| digest.chars().take(12).collect::<String>();
        let others = deciders.iter().filter(|decider| decider.ruleset != view.digest);
        let others = others.map(|decider| format!("{} by {}", decider.instance, short(&decider.ruleset)));
        Self {
            short: short(&view.digest),
            since: view.since,
            shown_since: shown(view.since),
            others: others.collect(),
            refused: view.refused().map(|last| Refusal {
                why: last.outcome.sentence(),
                at: last.at,
                shown_at: shown(last.at),
                problems: last.problems.iter().map(ToString::to_string).collect(),
                more: last.more,
            }),
            on_trial: view.on_trial,
            digest: view.digest,
        }
    }
}

struct CertificateRow {
    whose: &'static str,
    subject: String,
    short: String,
    ends: Timestamp,
    shown_ends: String,
    state: String,
    advice: &'static str,
}

impl CertificateRow {
    fn of(view: CertificateView) -> Self {
        let ours = view.purpose == "partner";
        let state = match view.standing {
            "ended" => "ended".to_owned(),
            "not_yet" => "not valid yet".to_owned(),
            _ if view.days_left == 1 => "ends in 1 day".to_owned(),
            _ => format!("ends in {} days", view.days_left),
        };
        Self {
            whose: if ours { "Our partner certificate" } else { "MOSIP’s signing certificate" },
            subject: view.subject,
            short: view.thumbprint.chars().take(16).collect(),
            ends: view.not_after,
            shown_ends: shown(view.not_after),
            state,
            advice: if ours {
                "Have a new one uploaded to MOSIP’s partner management, and list it in front of this one."
            } else {
                "Get MOSIP’s new one, and list it beside this one."
            },
        }
    }
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
    let found = async { Ok((app.desk.overview(ROWS).await?, app.desk.deciders().await?)) };
    match found.await {
        Ok((overview, deciders)) => render(&page(&app, overview, &deciders, (app.clock)())),
        Err(error) => refused(&app, &api::unreadable(&error)),
    }
}

fn page(app: &App, overview: Overview, deciders: &[DeciderView], now: Timestamp) -> Page {
    let Overview { counts, waiting, decisions, outside, .. } = overview;
    Page {
        frame: Frame::new(app, now),
        rules: Rules::of(app.desk.pack(), deciders),
        certificates: certificates::views(app)
            .into_iter()
            .filter(|view| view.worrying)
            .map(CertificateRow::of)
            .collect(),
        troubles: health::sentences(&outside),
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
