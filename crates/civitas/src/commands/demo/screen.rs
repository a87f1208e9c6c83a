//! What the demo shows: how many of what, the last decisions with their why, what waits and for how long.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use civitas_engine::Queue;
use civitas_engine::queue::{LastDecision, Overview};
use civitas_sandbox::generator::DayReport;
use tokio_util::sync::CancellationToken;

use super::layout::{cut, share};
use super::terminal::Terminal;
use super::world::Counters;
use super::{Addresses, Demo};
use crate::words::ago;

/// Rows of each list, where the terminal is high enough.
const ROWS: u32 = 12;
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
    exit: bool,
    pack: PathBuf,
    phase: Arc<Mutex<String>>,
}

impl Screen {
    pub(super) fn new(demo: &Demo, addresses: Addresses, configuration: PathBuf) -> Self {
        let database = demo
            .database
            .clone()
            .unwrap_or_else(|| format!("SQLite, {}", demo.folder.join("journal.db").display()));
        let day = format!("the offices are open: {} records within {} s", demo.records, demo.seconds);
        Self {
            addresses,
            folder: demo.folder.clone(),
            configuration,
            database,
            kafka: !demo.brokers.is_empty(),
            exit: demo.exit,
            pack: demo.pack.clone(),
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

    /// Waits until nothing goes on by itself, or long enough.
    pub(super) async fn settle(&self, queue: &Queue, stop: &CancellationToken) {
        let settled = async {
            loop {
                match queue.overview(1).await {
                    Ok(overview) if open(&overview) == stalled(&overview) => return stalled(&overview),
                    _ => tokio::time::sleep(FRAME).await,
                }
            }
        };
        let end = if self.exit { "" } else { " Ctrl-C ends the demo" };
        tokio::select! {
            stalled = settled => self.phase(match stalled {
                0 => format!("the day is over; every record has its answer.{end}"),
                1 => format!("the day is over; 1 record is stalled, a person's turn.{end}"),
                stalled => format!("the day is over; {stalled} records are stalled, a person's turn.{end}"),
            }),
            () = tokio::time::sleep(SETTLING) => self.phase(format!("the day is over; some records still wait.{end}")),
            () = stop.cancelled() => {}
        }
    }

    /// Draws until `stop`.
    pub(super) async fn show(self, queue: Queue, counters: Counters, stop: CancellationToken) {
        let terminal = Terminal::take();
        let pause = if terminal.is_some() { FRAME } else { LINE };
        let mut last = false;
        while !last {
            last = stop.is_cancelled();
            if let Ok(overview) = queue.overview(ROWS).await {
                match &terminal {
                    Some(terminal) => terminal.show(&self.frame(&overview, &counters, terminal.size())),
                    None => println!("{}", self.line(&overview, &counters)),
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn now(&self) -> String {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One line, for logs and pipes.
    fn line(&self, overview: &Overview, counters: &Counters) -> String {
        let mut line =
            format!("{} | OpenCRVS: {} | operations: {}", self.now(), counters.text(), counts(overview));
        if let Some(decision) = overview.decisions.first() {
            line.push_str(" | last: ");
            line.push_str(&said(decision));
        }
        line
    }

    /// The lines of a terminal of so many columns and rows.
    fn frame(
        &self,
        overview: &Overview,
        counters: &Counters,
        (columns, rows): (usize, usize),
    ) -> Vec<String> {
        let path = if self.kafka {
            "OpenCRVS ─ Kafka ─ Civitas ─ MOSIP"
        } else {
            "OpenCRVS ─ Civitas ─ MOSIP"
        };
        let mut above = vec![format!("Civitas demo: {path}"), self.now(), String::new()];
        above.push(format!("  OpenCRVS    {}", counters.text()));
        above.push(format!("  operations  {}", counts(overview)));
        let mut below = vec![String::new()];
        below.extend(self.served());
        below.extend(self.kept());
        // An empty line and a title before each list.
        let fixed = above.len() + 4 + below.len();
        let (decisions, waiting) = share(rows, fixed, overview.decisions.len(), overview.waiting.len());

        let mut lines = above;
        lines.extend([String::new(), "last decisions".to_owned()]);
        lines.extend(
            overview.decisions.iter().take(decisions).map(|decision| format!("  {}", said(decision))),
        );
        lines.extend([String::new(), "waiting longest".to_owned()]);
        if overview.waiting.is_empty() {
            lines.push("  nothing waits".to_owned());
        }
        lines.extend(overview.waiting.iter().take(waiting).map(|row| {
            let since = ago(row.since, overview.at);
            let cause = row.cause.as_ref().map(ToString::to_string).unwrap_or_default();
            let (operation, state) = (row.operation.replace('_', " "), row.state.replace('_', " "));
            format!("  {}  {operation:<18} {state:<14} {since:<8} {cause}", row.tracking_id)
                .trim_end()
                .to_owned()
        }));
        lines.extend(below);
        lines.truncate(rows);
        lines.iter().map(|line| cut(line, columns)).collect()
    }

    /// What can be opened while the demo runs.
    fn served(&self) -> [String; 3] {
        let engine = self.addresses.engine;
        let token = self.folder.join("engine-keys/operator.token");
        [
            format!("  overview    http://{engine}/  (any name, the token as password)"),
            format!("  token       {}", token.display()),
            format!("  API         http://{engine}/api/openapi.json"),
        ]
    }

    /// What also remains afterwards.
    fn kept(&self) -> [String; 3] {
        [
            format!("  queue       {} queue list --config {}", program(), self.configuration.display()),
            format!("  journal     {}", self.database),
            format!("  log         {}", self.folder.join("civitas.log").display()),
        ]
    }

    /// After the end: what came of it, and what to look at.
    pub(super) fn farewell(&self, overview: &Overview) {
        let left = match open(overview) {
            0 => "every operation has ended".to_owned(),
            1 => "1 is still open; the next start takes it up".to_owned(),
            open => format!("{open} are still open; the next start takes them up"),
        };
        let (program, configuration) = (program(), self.configuration.display());
        println!("\nStopped in order. Operations: {}; {left}.", counts(overview));
        println!("\nWhat to look at next:");
        if let Some(decision) = overview.decisions.first() {
            let record = &decision.tracking_id;
            println!("  a record    {program} queue show {record} --config {configuration}");
        }
        println!("{}", self.kept().join("\n"));
        println!("  the rules   {0}/rules.yaml, then {program} country test {0}", self.pack.display());
        println!(
            "  all again   the same command goes on from here; remove {} to begin anew",
            self.folder.display()
        );
    }
}

/// This program, as the user called it.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "civitas".to_owned())
}

fn said(decision: &LastDecision) -> String {
    let what = format!("{} {}", decision.event_type, decision.action_type);
    format!("{}  {what:<14}  {}", decision.tracking_id, decision.sentence)
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

fn stalled(overview: &Overview) -> u64 {
    overview.counts.operations.get("stalled").copied().unwrap_or_default()
}
