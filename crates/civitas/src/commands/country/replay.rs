//! `civitas country replay`: what a pack would have decided about what has happened.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use civitas_kafka::TopicReader;
use civitas_rules::Pack;
use clap::{Args, ValueEnum};

use super::style::say;
use crate::pack;
use crate::replay::journal::{self, Source};
use crate::replay::judge::Judge;
use crate::replay::pool::{self, Feed};
use crate::replay::progress::Progress;
use crate::replay::report::{self, Deny, Side};
use crate::replay::tally::{SAMPLES, Tally};
use crate::replay::{DENIED, Item, files, topic};

/// Judge past civil events again by a pack, and show what comes out otherwise.
///
/// A past civil event is an action that was put to the country: one that was requested, whatever became of it. It is
/// judged as of itself, on the actions before it.
///
/// Exit codes: 0 done, and the policy denies nothing; 1 it could not be done, or documents could not be judged while
/// a policy wants an answer; 2 the command line is wrong; 3 the policy denies what was found.
#[derive(Debug, Args)]
pub struct Replay {
    /// Folder of the pack to try
    pack: PathBuf,
    #[command(flatten)]
    sources: Sources,
    /// Folder of a pack whose decisions are the old ones; without it, the journal's own are
    #[arg(long, value_name = "PACK")]
    against: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Where past civil events come from.
#[derive(Debug, Args)]
pub(super) struct Sources {
    /// Files and folders of event documents: JSON, a list, one per line, bodies of a reindex, also gzipped; `-` reads
    /// standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The decisions of the configured journal
    #[arg(long)]
    journal: bool,
    /// The events on this topic of the configured broker, from its beginning to where it ends now
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
}

/// How a run is reported, and when it fails.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// When the run fails with exit code 3
    #[arg(long, value_enum, default_value_t = Deny::None)]
    deny: Deny,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Event ids that are shown of each change
    #[arg(long, value_name = "N", default_value_t = SAMPLES)]
    samples: usize,
    /// Threads that judge; one per core if left out
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

/// Form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

impl Sources {
    /// Whether none is named.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && !self.journal && self.topic.is_none()
    }
}

impl Output {
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Whether a policy other than "never" was asked for.
    pub(super) fn has_policy(&self) -> bool {
        self.deny != Deny::None
    }
}

pub(super) fn run(replay: &Replay, file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    if replay.sources.is_empty() {
        bail!("no source is named: give files or folders, `--journal` or `--topic NAME`");
    }
    let new = pack::load(&replay.pack)?;
    let old = replay.against.as_ref().map(|folder| pack::load(folder)).transpose()?;
    let tally = tally(&replay.sources, &replay.output, &new, old.as_ref(), file)?;
    let new_side = side(&replay.pack, &new);
    let old_side = match (&replay.against, &old) {
        (Some(folder), Some(old)) => Some(side(folder, old)),
        _ if replay.sources.journal => {
            Some(Side { pack: "as recorded in the journal".to_owned(), digest: None })
        }
        _ => None,
    };
    match replay.output.format {
        Format::Json => say(&format!("{:#}\n", report::json(&tally, old_side.as_ref(), &new_side))),
        Format::Text => say(&report::text(&tally, old_side.as_ref(), &new_side)),
    }
    verdict(&replay.output, &tally)
}

pub(super) fn side(folder: &std::path::Path, pack: &Pack) -> Side {
    Side { pack: folder.display().to_string(), digest: Some(pack.digest().to_owned()) }
}

/// The exit code by the policy.
pub(super) fn verdict(output: &Output, tally: &Tally) -> anyhow::Result<ExitCode> {
    if output.deny.denies(tally) {
        let what = match output.deny {
            Deny::IssuedChanged => "decisions changed for identifiers that are issued already",
            Deny::Changed | Deny::None => "decisions changed",
        };
        eprintln!("denied: {what}");
        return Ok(ExitCode::from(DENIED));
    }
    if output.has_policy() && tally.unreadable > 0 {
        bail!("{} could not be judged, so nothing can be promised about them", tally.unreadable);
    }
    Ok(ExitCode::SUCCESS)
}

/// Judges everything that the sources hold.
pub(super) fn tally(
    sources: &Sources,
    output: &Output,
    new: &Pack,
    old: Option<&Pack>,
    file: Option<PathBuf>,
) -> anyhow::Result<Tally> {
    if output.has_policy() && old.is_none() && (sources.topic.is_some() || !sources.files.is_empty()) {
        bail!("files and topics tell no old decisions: name the old pack with `--against`");
    }
    if output.deny == Deny::IssuedChanged && sources.topic.is_some() {
        bail!(
            "a topic does not tell what MOSIP has issued: use the journal, finished documents, or `--deny changed`"
        );
    }
    let (paths, bytes) = files::list(&sources.files)?;
    let mut reader: Option<(TopicReader, &str)> = None;
    if let Some(name) = &sources.topic {
        reader = Some((topic::open(&journal::configuration(file.clone())?, name)?, name));
    }
    let source = if sources.journal { Some(Source::open(file)?) } else { None };
    let progress = Progress::new();
    let keep = output.samples;
    let mut judge = Judge::new(new, old, keep, &progress);
    judge.sealer = source.as_ref().map(Source::sealer);
    let feed = |to: &mut Feed<'_, Item>| {
        if let Some(source) = &source {
            source.feed(to)?;
        }
        if let Some((reader, name)) = &mut reader {
            topic::feed(reader, name, to)?;
        }
        if !paths.is_empty() {
            to.progress.begin("files", bytes);
            files::feed(&paths, to)?;
        }
        Ok(())
    };
    let jobs = output.jobs.unwrap_or_else(pool::cores);
    let tally = pool::run(
        jobs,
        &progress,
        feed,
        |number, item, tally: &mut Tally| judge.judge(number, item, tally),
        |whole, part| whole.merge(part, keep),
    );
    drop(judge);
    if let Some(source) = source {
        source.close();
    }
    tally
}
