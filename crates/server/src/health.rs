//! `GET /health/live` and `GET /health/ready`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use civitas_engine::queue::Filter;
use civitas_engine::swap::PackView;
use civitas_engine::{Outside, RecordsView};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::certificates::{self, CertificateView};
use crate::pages::shown;
use crate::state::App;

/// How the process is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, or what is missing.
    status: &'static str,
    /// The rule set that decides here. A pack that was refused does not make the process unhealthy: the one before
    /// goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    ruleset: Option<RuleSet>,
    /// The certificates that it works by. One that ends does not make the process unready: see to it in time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<CertificateView>,
    /// What is the matter outside, on the way to MOSIP or with records in OpenCRVS, each in a sentence. It does not make the process unhealthy: work is
    /// taken, and goes out when MOSIP answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    troubles: Vec<String>,
}

/// The rule set that decides.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleSet {
    /// SHA-256 of its canonical form.
    digest: String,
    /// Since when it decides here.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The last attempt to take a changed pack.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_reload: Option<LastReload>,
}

/// An attempt to take a changed pack.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LastReload {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `swapped`, `unchanged`, or why the pack was refused: `unreadable`, `invalid`, `cases_failed`,
    /// `restart_needed`, `journal_failed`.
    outcome: &'static str,
    /// The first problems, each with file, line and column.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

impl RuleSet {
    fn of(view: PackView) -> Self {
        let last_reload = view.last.map(|last| LastReload {
            at: last.at,
            outcome: last.outcome.as_str(),
            problems: last.problems.iter().map(ToString::to_string).collect(),
        });
        RuleSet { digest: view.digest, since: view.since, last_reload }
    }
}

/// Whether the process runs at all.
#[utoipa::path(get, path = "/health/live", tag = "Operation",
    responses((status = 200, description = "It runs", body = Health)))]
pub(crate) async fn live() -> Json<Health> {
    Json(Health { status: "ok", ruleset: None, certificates: Vec::new(), troubles: Vec::new() })
}

/// Whether it can take work: the journal answers, and no stop was asked for.
#[utoipa::path(get, path = "/health/ready", tag = "Operation",
    responses((status = 200, description = "It takes work", body = Health),
              (status = 503, description = "It does not, or not any more", body = Health)))]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let ruleset = Some(RuleSet::of(app.desk.pack()));
    let certificates = certificates::views(&app);
    let outside = app.desk.outside().await;
    let troubles = outside.as_ref().map(sentences).unwrap_or_default();
    let status = if app.stop.is_cancelled() {
        "stopping"
    } else if app.desk.list(Filter { limit: 1, ..Filter::default() }).await.is_err() {
        "journal unavailable"
    } else {
        return Json(Health { status: "ok", ruleset, certificates, troubles }).into_response();
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status, ruleset, certificates, troubles }))
        .into_response()
}

/// What is the matter outside.
pub(crate) fn sentences(outside: &Outside) -> Vec<String> {
    let services = outside.services.iter().map(|service| {
        let how = match service.circuit.as_str() {
            "recovering" => "answers again and is given work slowly",
            _ => "fails and is left alone",
        };
        format!("{} {how}, since {}, says {}", service.service, shown(service.since), service.instance)
    });
    let topics = outside.topics.iter().filter_map(|topic| {
        let since = shown(topic.silent_since?);
        let (name, missed) = (&topic.topic, topic.missed);
        Some(format!("the hub is silent on {name} since {since}: {missed} answers did not come"))
    });
    services.chain(topics).chain(of_records(&outside.records)).collect()
}

/// What is the matter with the records of OpenCRVS.
fn of_records(records: &RecordsView) -> impl Iterator<Item = String> {
    let cause = records.cause.as_ref().map(|cause| {
        format!("OpenCRVS could not be looked through for records that wait unknown to us: {cause}")
    });
    let released = (records.released > 0).then(|| {
        let released = records.released;
        format!("{released} operations wait for records that were let go in OpenCRVS; they are in the queue as stalled")
    });
    let ending = (records.tokens_ending > 0).then(|| {
        let ending = records.tokens_ending;
        format!(
            "{ending} records wait whose trigger's token ends within a day, or did, and nothing else can answer them: \
             release or reject them before, or move to OpenCRVS 2.0"
        )
    });
    let stuck = records.stuck.iter().filter(|stuck| stuck.seen != "not_frozen").map(|stuck| {
        let cause = stuck.cause.as_ref().map(ToString::to_string).unwrap_or_default();
        let advice = stuck.advice.as_deref().unwrap_or_default();
        format!("record {} waits in OpenCRVS and not here: {cause}; {advice}", stuck.tracking_id)
    });
    cause.into_iter().chain(released).chain(ending).chain(stuck).collect::<Vec<_>>().into_iter()
}
