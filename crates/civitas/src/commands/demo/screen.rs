//! What the demo shows: how many of what, the last decisions with their why, what waits and for how long.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _, stdout};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use civitas_engine::Queue;
use civitas_engine::queue::Overview;
use civitas_sandbox::generator::DayReport;
use tokio_util::sync::CancellationToken;

use super::world::Counters;
use super::{Addresses, Demo};
use crate::words::ago;

/// Rows of each list.
const ROWS: u32 = 6;
/// Between two frames on a terminal, and between two lines elsewhere.
const FRAME: Duration = Duration::from_millis(500);
const LINE: Duration = Duration::from_secs(5);
/// A day whose last records do not end by themselves is not waited for longer than this.
const SETTLING: Duration = Duration::from_secs(60);

/// The screen; clones draw the same one.
#[derive(Clone)]
pub(super) struct Screen {
    addresses: Addresses,
    folder: PathBuf,
    configuration: PathBuf,
    database: String,
    kafka: bool,
    phase: Arc<Mutex<String>>,
}

impl Screen {
    pub(super) fn new(demo: &Demo, addresses: Addresses, configuration: PathBuf) -> Self {
        let database = demo
            .database
            .clone()
            .unwrap_or_else(|| format!("SQLite, {}", demo.folder.join("journal.db").display()));
        let day = format!("{} records are declared within {} s", demo.records, demo.seconds);
        Self {
            addresses,
            folder: demo.folder.clone(),
            configuration,
            database,
            kafka: !demo.brokers.is_empty(),
            phase: Arc::new(Mutex::new(day)),
        }
    }

    fn phase(&self, phase: String) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    /// The day is over; the records that still wait are followed to their end.
    pub(super) fn played(&self, report: &DayReport) {
        let clicks: u64 = report.clicks.values().sum();
        self.phase(format!("the offices have closed after {clicks} clicks; MOSIP is still answering"));
    }

    /// Waits until nothing is open, or long enough.
    pub(super) async fn settle(&self, queue: &Queue, stop: &CancellationToken) {
        let settled = async {
            loop {
                match queue.overview(1).await {
                    Ok(overview) if open(&overview) == 0 => return,
                    _ => tokio::time::sleep(FRAME).await,
                }
            }
        };
        tokio::select! {
            () = settled => self.phase("the day is over; every record has its answer. Ctrl-C ends the demo".into()),
            () = tokio::time::sleep(SETTLING) => self.phase("the day is over; some records still wait. Ctrl-C ends the demo".into()),
            () = stop.cancelled() => {}
        }
    }

    /// Draws until `stop`.
    pub(super) async fn show(self, queue: Queue, counters: Counters, stop: CancellationToken) {
        let terminal = stdout().is_terminal();
        let pause = if terminal { FRAME } else { LINE };
        while !stop.is_cancelled() {
            if let Ok(overview) = queue.overview(ROWS).await {
                let text =
                    if terminal { self.frame(&overview, &counters) } else { self.line(&overview, &counters) };
                let mut out = stdout().lock();
                // A terminal that went away is no reason to end the day.
                let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn frame(&self, overview: &Overview, counters: &Counters) -> String {
        // Home, then each line is cleared as it is written, then the rest: no flicker.
        format!("\x1b[H{}\x1b[J", self.text(overview, counters).replace('\n', "\x1b[K\n"))
    }

    fn line(&self, overview: &Overview, counters: &Counters) -> String {
        let decided = overview.decisions.first().map_or("", |decision| decision.sentence.as_str());
        format!("{}  |  {}  |  {decided}\n", counters.text(), counts(overview))
    }

    fn text(&self, overview: &Overview, counters: &Counters) -> String {
        let phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let path = if self.kafka {
            "OpenCRVS ─ Kafka ─ Civitas ─ MOSIP"
        } else {
            "OpenCRVS ─ Civitas ─ MOSIP"
        };
        let mut text = format!("Civitas demo: {path}\n{phase}\n\n");
        let _ = writeln!(text, "  OpenCRVS    {}", counters.text());
        let _ = writeln!(text, "  operations  {}", counts(overview));
        text.push_str("\nlast decisions\n");
        for decision in &overview.decisions {
            let what = format!("{} {}", decision.event_type, decision.action_type);
            let _ = writeln!(text, "  {}  {what:<26} {}", decision.tracking_id, decision.sentence);
        }
        text.push_str("\nwaiting longest\n");
        if overview.waiting.is_empty() {
            text.push_str("  nothing waits\n");
        }
        for row in &overview.waiting {
            let since = ago(row.since, overview.at);
            let cause = row.cause.as_ref().map(|cause| format!("  {cause}")).unwrap_or_default();
            let _ = writeln!(
                text,
                "  {}  {:<18} {:<15} {since}{cause}",
                row.tracking_id, row.operation, row.state
            );
        }
        let _ = writeln!(text, "\n{}", self.whereabouts());
        text
    }

    fn whereabouts(&self) -> String {
        let engine = self.addresses.engine;
        let token = self.folder.join("engine-keys/operator.token");
        format!(
            "  overview    http://{engine}/  (token: {})\n  API         http://{engine}/api/openapi.json\n  \
             journal     {}\n  queue       civitas queue list --config {}\n  log         {}",
            token.display(),
            self.database,
            self.configuration.display(),
            self.folder.join("civitas.log").display(),
        )
    }

    /// After the end: what came of it, and what to look at.
    pub(super) fn farewell(&self, overview: &Overview) {
        let open = open(overview);
        let left = if open == 0 {
            "every operation has ended".to_owned()
        } else {
            format!("{open} are still open; the next start takes them up")
        };
        println!("\nStopped in order. Operations: {}; {left}.", counts(overview));
        println!("What to look at next:\n{}", self.whereabouts());
        println!("  a record    civitas queue show <tracking id> --config {}", self.configuration.display());
        println!(
            "  the rules   country-config/farajaland/rules.yaml, then civitas country test country-config/farajaland"
        );
    }
}

fn counts(overview: &Overview) -> String {
    let counts = &overview.counts.operations;
    if counts.is_empty() {
        return "none yet".to_owned();
    }
    counts
        .iter()
        .map(|(state, count)| format!("{count} {}", state.replace('_', " ")))
        .collect::<Vec<_>>()
        .join(", ")
}

fn open(overview: &Overview) -> u64 {
    let ended = ["confirmed", "processed", "sent", "released", "rejected"];
    overview
        .counts
        .operations
        .iter()
        .filter(|(state, _)| !ended.contains(&state.as_str()))
        .map(|(_, n)| n)
        .sum()
}
