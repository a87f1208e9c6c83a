//! `civitas backfill`: what the present pack would ask of MOSIP about registrations of the past, and asking for it.

mod outcomes;
mod show;

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use civitas_engine::Engine;
use civitas_engine::backfill::{self, Judged, Planning, Verdict};
use civitas_journal::civil_events::Origin;
use civitas_journal::{RecordKey, operations, reindexed};
use civitas_opencrvs::EventDocument;
use civitas_rules::{Operation, Pack};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use uuid::Uuid;

use crate::replay::journal::{Source, configuration};
use crate::replay::pool::{self, Feed};
use crate::replay::progress::Progress;
use crate::replay::{Item, files};
use crate::words::grouped;
use crate::{assembly, clock, pack};

/// Records that are planned in one transaction.
const BATCH: usize = 250;
/// Rows that are read at a time.
const PAGE: u32 = 200;

/// Judge past registrations by the present pack, and plan the operations that it asks for.
///
/// A record is judged as it stands, at this moment. Without `--apply` nothing is planned. What is planned is sent at
/// `--rate` by the engine that runs on the same journal; OpenCRVS is told nothing, since nothing of these records waits:
/// `--outcomes` writes what came of them.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct Backfill {
    /// Files and folders of event documents: JSON, a list, one per line, bodies of a reindex, also gzipped
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The records that /reindex kept in the journal
    #[arg(long)]
    spool: bool,
    /// Folder of the pack; without it, the configuration's
    #[arg(long, value_name = "PACK")]
    pack: Option<PathBuf>,
    /// Instant at which records are judged; now if left out
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write a line for each record that is asked about: CSV, or JSON lines if the name ends in .jsonl
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Threads that judge; one per core if left out
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Plan the operations, once their number was typed
    #[arg(long)]
    apply: bool,
    /// Do not ask for the number
    #[arg(long, requires = "apply")]
    yes: bool,
    /// Operations that are sent in a second
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// Write what became of everything that back-fills planned; needs no source
    #[arg(long, value_name = "FILE", conflicts_with_all = ["apply", "spool", "files"])]
    outcomes: Option<PathBuf>,
    /// With the identifiers that MOSIP issued; the audit log tells of it
    #[arg(long, requires = "outcomes")]
    with_identifiers: bool,
    /// Forget the records that /reindex kept
    #[arg(long, conflicts_with_all = ["apply", "spool", "files", "outcomes"])]
    clear_spool: bool,
}

/// Form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// What records come to, counted; and those that something is asked about.
#[derive(Default)]
struct Tally {
    read: u64,
    reindexed: u64,
    unreadable: Vec<String>,
    cells: BTreeMap<(String, Verdict), u64>,
    asked: Vec<(RecordKey, Operation, String)>,
}

impl Tally {
    fn merge(&mut self, other: Tally) {
        self.read += other.read;
        self.reindexed += other.reindexed;
        self.unreadable.extend(other.unreadable);
        self.asked.extend(other.asked);
        for (cell, count) in other.cells {
            *self.cells.entry(cell).or_default() += count;
        }
    }

    fn count(&mut self, judged: Judged) {
        if let Some((key, operation)) = judged.asks() {
            self.asked.push((key, operation, judged.tracking_id));
        }
        *self.cells.entry((judged.event_type, judged.verdict)).or_default() += 1;
    }
}

/// Runs the command.
pub fn run(arguments: &Backfill, file: Option<PathBuf>) -> anyhow::Result<()> {
    if let Some(to) = &arguments.outcomes {
        return outcomes::outcomes(to, arguments.with_identifiers, file);
    }
    if arguments.clear_spool {
        return outcomes::clear(file);
    }
    if arguments.files.is_empty() && !arguments.spool {
        bail!("no source is named: give files or folders, or `--spool`");
    }
    if arguments.apply && arguments.files.iter().any(|file| file.as_os_str() == "-") {
        bail!("standard input can be read once only: give a file to `--apply`");
    }
    let folder = match &arguments.pack {
        Some(folder) => folder.clone(),
        None => configuration(file.clone())?.pack.as_path().to_owned(),
    };
    let pack = pack::load(&folder)?;
    let source = Source::open(file.clone())?;
    source
        .runtime
        .block_on(source.journal.migrate())
        .context("the journal's tables cannot be brought up to date")?;
    let at = arguments.at.unwrap_or_else(clock::now);
    let began = clock::now();
    let mut tally = judge(arguments, &source, &pack, at)?;
    if tally.read == 0 {
        bail!(
            "there is nothing to judge: {}",
            if arguments.spool {
                "the spool is empty; it holds what OpenCRVS's reindex has posted to /reindex"
            } else {
                "no event document is in what was named"
            }
        );
    }
    // Several versions of a record are one.
    tally.asked.sort_unstable_by_key(|(key, _, _)| (key.event_id, key.action_id));
    tally.asked.dedup_by_key(|(key, _, _)| key.event_id);
    let known = known(&source, &tally.asked)?;
    let fresh: Vec<&(RecordKey, Operation, String)> =
        tally.asked.iter().filter(|(key, _, _)| !known.contains(&key.event_id)).collect();
    let took = clock::now().duration_since(began).as_secs_f64();
    match arguments.format {
        Format::Json => println!("{:#}", show::as_json(&tally, known.len(), fresh.len(), pack.digest(), at)),
        Format::Text => print!("{}", show::as_text(&tally, known.len(), fresh.len(), &pack, at, took)),
    }
    if let Some(to) = &arguments.report {
        show::write_report(to, &tally, &known)?;
    }
    if !arguments.apply {
        source.close();
        return Ok(());
    }
    if fresh.is_empty() {
        println!("Nothing is left to plan.");
        source.close();
        return Ok(());
    }
    if !arguments.yes {
        confirmed(fresh.len())?;
    }
    let wanted: HashSet<Uuid> = fresh.iter().map(|(key, _, _)| key.event_id).collect();
    let planning = apply(arguments, &source, &pack, at, &wanted, file)?;
    println!(
        "Planned: {}. Known: {}. Nothing any more: {}. Unreadable: {}. At {} a second they are sent within {}.",
        grouped(planning.planned),
        grouped(planning.known),
        grouped(planning.nothing),
        grouped(planning.unreadable),
        arguments.rate,
        within(planning.planned, arguments.rate),
    );
    source.close();
    Ok(())
}

fn within(planned: u64, rate: u32) -> String {
    let minutes = planned.div_ceil(u64::from(rate) * 60);
    if minutes < 120 { format!("{minutes} min") } else { format!("{} h", minutes.div_ceil(60)) }
}

/// Hands on every document of the sources.
fn feed(arguments: &Backfill, source: &Source, to: &mut Feed<'_, Item>) -> anyhow::Result<()> {
    if arguments.spool {
        let total = source.runtime.block_on(async {
            let mut reader = source.journal.read().await?;
            reindexed::count(&mut reader).await
        })?;
        to.progress.begin("spool", total);
        let mut after = Uuid::nil();
        loop {
            let page = source.runtime.block_on(async {
                let mut reader = source.journal.read().await?;
                reindexed::page(&mut reader, after, PAGE).await
            })?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            for (id, sealed) in page {
                to.progress.advance(1);
                let place = files::Place::named(&format!("spool: {id}"));
                let item = match sealed.open(source.sealer()) {
                    Ok(bytes) => Item::Document { place, bytes: bytes.as_bytes().to_vec() },
                    Err(_) => Item::Fault { place, what: "a row that the configured keys do not open" },
                };
                let weight = item.weight();
                to.push(item, weight)?;
            }
        }
    }
    let (paths, bytes) = files::list(&arguments.files)?;
    if !paths.is_empty() {
        to.progress.begin("files", bytes);
        files::feed(&paths, to)?;
    }
    Ok(())
}

fn judge(arguments: &Backfill, source: &Source, pack: &Pack, at: Timestamp) -> anyhow::Result<Tally> {
    let fields = pack.fields_of_rules();
    let progress = Progress::new();
    let work = |_, item: Item, tally: &mut Tally| {
        tally.read += 1;
        match item {
            Item::Document { place, bytes } => {
                match EventDocument::parse_only(&bytes, |field| fields.contains(field)) {
                    Ok(document) => {
                        tally.reindexed += u64::from(crate::replay::judge::is_reindexed(&bytes));
                        tally.count(backfill::judge(&document, pack, at));
                        progress.judged(1);
                    }
                    Err(error) => tally.unreadable.push(format!("{place}: {error}")),
                }
            }
            Item::Fault { place, what } => tally.unreadable.push(format!("{place}: {what}")),
            Item::Recorded(_) | Item::Message(_) => {}
        }
    };
    let jobs = arguments.jobs.unwrap_or_else(pool::cores);
    pool::run(jobs, &progress, |to: &mut Feed<'_, Item>| feed(arguments, source, to), work, Tally::merge)
}

fn known(source: &Source, asked: &[(RecordKey, Operation, String)]) -> anyhow::Result<HashSet<Uuid>> {
    let mut known = HashSet::new();
    source.runtime.block_on(async {
        let mut reader = source.journal.read().await.context("the journal cannot be read")?;
        for chunk in asked.chunks(1000) {
            let keys: Vec<(RecordKey, Operation)> =
                chunk.iter().map(|(key, operation, _)| (*key, *operation)).collect();
            known.extend(backfill::known(&mut reader, &keys).await?);
        }
        Ok(known)
    })
}

/// Asks for the number, so that nobody plans a hundred thousand operations by a slip.
fn confirmed(count: usize) -> anyhow::Result<()> {
    print!("Type the number of operations ({count}) to plan them: ");
    io::stdout().flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let typed: String = line.chars().filter(char::is_ascii_digit).collect();
    if typed == count.to_string() { Ok(()) } else { bail!("not confirmed; nothing was planned") }
}

fn apply(
    arguments: &Backfill,
    source: &Source,
    pack: &Pack,
    at: Timestamp,
    wanted: &HashSet<Uuid>,
    file: Option<PathBuf>,
) -> anyhow::Result<Planning> {
    let config = configuration(file)?;
    let engine: Engine =
        source.runtime.block_on(assembly::engine(&config, source.journal.clone(), pack.clone()))?;
    let handle = source.runtime.handle().clone();
    let first = first_due(source)?;
    let place = AtomicU64::new(0);
    let due = || {
        let place = place.fetch_add(1, Ordering::Relaxed);
        let after = Duration::from_millis(place * 1000 / u64::from(arguments.rate));
        first.checked_add(after).unwrap_or(first)
    };
    let (stop, failure) = (AtomicBool::new(false), Mutex::new(None));
    let plan = |documents: Vec<Vec<u8>>, planning: &mut Planning| {
        if documents.is_empty() || stop.load(Ordering::Relaxed) {
            return;
        }
        match handle.block_on(engine.plan_past(documents, at, due)) {
            Ok(part) => add(planning, part),
            Err(error) => {
                stop.store(true, Ordering::Relaxed);
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    };
    let progress = Progress::new();
    let work = |_, item: Item, waiting: &mut (Vec<Vec<u8>>, Planning)| {
        let Item::Document { bytes, .. } = item else { return };
        let Ok(named) = serde_json::from_slice::<Named>(&bytes) else { return };
        if wanted.contains(&named.id) {
            waiting.0.push(bytes);
        }
        progress.judged(1);
        if waiting.0.len() >= BATCH {
            plan(std::mem::take(&mut waiting.0), &mut waiting.1);
        }
    };
    let jobs = arguments.jobs.unwrap_or_else(pool::cores);
    let (rest, mut planning) = pool::run(
        jobs,
        &progress,
        |to: &mut Feed<'_, Item>| feed(arguments, source, to),
        work,
        |whole, part| {
            whole.0.extend(part.0);
            add(&mut whole.1, part.1);
        },
    )?;
    for batch in rest.chunks(BATCH) {
        plan(batch.to_vec(), &mut planning);
    }
    drop(engine);
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        None => Ok(planning),
        Some(error) => Err(anyhow::Error::from(error).context(format!(
            "the journal stopped taking operations after {}; the same command goes on from there",
            planning.planned
        ))),
    }
}

#[derive(serde::Deserialize)]
struct Named {
    id: Uuid,
}

fn add(whole: &mut Planning, part: Planning) {
    whole.planned += part.planned;
    whole.known += part.known;
    whole.nothing += part.nothing;
    whole.unreadable += part.unreadable;
}

/// Now, or after what an earlier run planned and is not sent yet.
fn first_due(source: &Source) -> anyhow::Result<Timestamp> {
    let now = clock::now();
    let last = source.runtime.block_on(async {
        let mut reader = source.journal.read().await?;
        operations::last_planned(&mut reader, Origin::Backfill).await
    })?;
    Ok(last.map_or(now, |last| last.max(now)))
}
