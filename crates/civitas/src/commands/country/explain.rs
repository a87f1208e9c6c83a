//! `civitas country explain`: what is decided for an event document or a record of the journal, and why, without
//! anything being sent; and whether a recorded decision still comes out of the archive.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use civitas_engine::verify::{Archive, Evidence};
use civitas_journal::history;
use civitas_opencrvs::EventDocument;
use civitas_rules::Pack;
use clap::Args;
use serde_json::{Value, json};

use super::style::say;
use super::why::Why;
use crate::pack;
use crate::replay::journal::Source;
use crate::replay::progress::Progress;
use crate::replay::verify::{self, Wrong};
use crate::replay::{DENIED, pool};

/// Say what is decided for an event document or a record of the journal, and why.
///
/// Exit codes: 0 said, and what was verified agrees; 1 it could not be done; 2 the command line is wrong; 3 a recorded
/// decision does not agree with what the archived rule set decides.
#[derive(Debug, Args)]
pub struct Explain {
    /// Folder of the pack; for a record of the journal, the rule set that decided it if left out
    #[arg(required_unless_present_any = ["record", "all"])]
    pack: Option<PathBuf>,
    /// File with an OpenCRVS event document as JSON; `-` reads standard input
    #[arg(required_unless_present_any = ["record", "all"], conflicts_with_all = ["record", "all"])]
    document: Option<PathBuf>,
    /// A record of the configured journal, by event id or tracking id
    #[arg(long, value_name = "ID")]
    record: Option<String>,
    /// Take the record's decisions again from the archived rule sets: they must agree bit for bit
    #[arg(long, conflicts_with = "document")]
    verify: bool,
    /// With --verify: every decision of the journal
    #[arg(long, requires = "verify", conflicts_with_all = ["record", "pack"])]
    all: bool,
    /// Type of the action; without it the one that waits, and all of a record of the journal
    #[arg(long)]
    action: Option<String>,
    /// Language of the words, one of the pack's; without it sentences are in all of them
    #[arg(long)]
    language: Option<String>,
    /// Threads that verify; one per core if left out
    #[arg(long, value_name = "N", requires = "all")]
    jobs: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(explain: &Explain, file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    if explain.all {
        let source = Source::open(file)?;
        let verified = verify_all(explain, &source);
        source.close();
        return verified;
    }
    if let Some(record) = &explain.record {
        let source = Source::open(file)?;
        let explained = of_record(explain, record, &source);
        source.close();
        return explained;
    }
    let (Some(folder), Some(document)) = (&explain.pack, &explain.document) else {
        bail!("name a pack and a document, or a record of the journal with `--record`");
    };
    let pack = load(explain, folder)?;
    let bytes = read(document)?;
    let document =
        EventDocument::parse(&bytes).map_err(|error| anyhow!("{}: {error}", document.display()))?;
    let why = Why::of_type(&pack, &document, explain.action.as_deref())?;
    if explain.json {
        say(&format!("{:#}\n", why.json(explain.language.as_deref())));
    } else {
        say(&why.text(explain.language.as_deref()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The pack of a folder, if it has the language.
fn load(explain: &Explain, folder: &Path) -> anyhow::Result<Pack> {
    let pack = pack::load(folder)?;
    has_language(explain, &pack)?;
    Ok(pack)
}

fn has_language(explain: &Explain, pack: &Pack) -> anyhow::Result<()> {
    let Some(wanted) = &explain.language else { return Ok(()) };
    let known: Vec<&str> = pack.country().languages.iter().map(|known| known.code.as_str()).collect();
    if !known.contains(&wanted.as_str()) {
        bail!("the pack has no language `{wanted}`; it has {}", known.join(", "));
    }
    Ok(())
}

fn read(document: &Path) -> anyhow::Result<Vec<u8>> {
    if document.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(document).with_context(|| format!("cannot read {}", document.display()))
}

fn verify_all(explain: &Explain, source: &Source) -> anyhow::Result<ExitCode> {
    let jobs = explain.jobs.unwrap_or_else(pool::cores);
    let verified = verify::all(source, jobs, &Progress::new())?;
    if explain.json {
        say(&format!("{:#}\n", verified.json()));
    } else {
        say(&verified.text());
    }
    Ok(if verified.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(DENIED) })
}

fn of_record(explain: &Explain, record: &str, source: &Source) -> anyhow::Result<ExitCode> {
    let mut evidence = source.runtime.block_on(async {
        let mut reader = source.journal.read().await?;
        let recorded = history::by_record(&mut reader, record).await?;
        Evidence::gather(&mut reader, &mut Archive::default(), recorded).await
    })?;
    if evidence.is_empty() {
        bail!("no record `{record}` is in the journal; name it by event id or tracking id");
    }
    if let Some(action) = &explain.action {
        let had: Vec<String> = evidence.iter().map(|one| one.recorded.action_type.clone()).collect();
        evidence.retain(|one| one.recorded.action_type == *action);
        if evidence.is_empty() {
            bail!("record {record} has no decision on {action}; it has {}", had.join(", "));
        }
    }
    let other = explain.pack.as_ref().map(|folder| load(explain, folder)).transpose()?;
    let mut wrong = 0;
    let mut reports = Vec::new();
    for (number, one) in (1..).zip(&evidence) {
        let found = explain.verify.then(|| one.verify(source.sealer()));
        let found = found.map(|found| Wrong::of(number, one, found));
        wrong += usize::from(found.as_ref().is_some_and(|wrong| !wrong.found.is_empty()));
        let report = report(explain, one, other.as_ref(), found.as_ref(), source)?;
        if explain.json {
            reports.push(report);
        } else if let Value::String(text) = report {
            if number > 1 {
                say("\n");
            }
            say(&text);
        }
    }
    if explain.json {
        say(&format!("{:#}\n", Value::from(reports)));
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(DENIED) })
}

/// One recorded decision with its explanation: JSON, or the text as a string.
fn report(
    explain: &Explain,
    evidence: &Evidence,
    other: Option<&Pack>,
    verified: Option<&Wrong>,
    source: &Source,
) -> anyhow::Result<Value> {
    let recorded = &evidence.recorded;
    let language = explain.language.as_deref();
    let why = explained(explain, evidence, other, source);
    let why = match (why, verified) {
        (Ok(why), _) => Some(why),
        // What is wrong is said by the verification, also where nothing can be explained any more.
        (Err(_), Some(wrong)) if !wrong.found.is_empty() => None,
        (Err(error), _) => return Err(error),
    };
    let why = why.as_ref().map(|why| why.with(|why| (why.json(language), why.text(language))));
    let (why_json, why_text) = why.transpose()?.unzip();
    if explain.json {
        let mut value = why_json.unwrap_or_else(|| json!({ "event_id": recorded.key.event_id }));
        value["recorded"] = json!({
            "ruleset": recorded.ruleset, "rule": recorded.rule, "effect": recorded.effect,
            "answer": recorded.answer, "sentence": recorded.sentence,
        });
        if let Some(wrong) = verified {
            value["verified"] = json!({ "agrees": wrong.found.is_empty(), "found": wrong.found });
        }
        return Ok(value);
    }
    let mut text = why_text.unwrap_or_default();
    let digest: String = recorded.ruleset.chars().take(12).collect();
    let rule = recorded.rule.as_deref().unwrap_or("none matched");
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "\nRecorded: {}, answered {}, rule {rule}, rule set {digest}",
        recorded.effect, recorded.answer
    );
    match verified {
        None => {}
        Some(wrong) if wrong.found.is_empty() => {
            text.push_str("Verified: the archived rule set decides the same, bit for bit\n");
        }
        Some(wrong) => {
            text.push_str("Verified: it does NOT agree with its record\n");
            text.push_str(&wrong.text());
        }
    }
    Ok(Value::from(text))
}

/// A document out of the journal with the pack that explains it.
struct Explained {
    pack: Pack,
    document: EventDocument,
    action_id: uuid::Uuid,
}

impl Explained {
    fn with<T>(&self, say: impl Fn(&Why<'_>) -> T) -> anyhow::Result<T> {
        Ok(say(&Why::of(&self.pack, &self.document, self.action_id)?))
    }
}

fn explained(
    explain: &Explain,
    evidence: &Evidence,
    other: Option<&Pack>,
    source: &Source,
) -> anyhow::Result<Explained> {
    let recorded = &evidence.recorded;
    let pack = match (other, &evidence.pack) {
        (Some(other), _) => other.clone(),
        (None, Ok(archived)) => Pack::clone(archived),
        (None, Err(why)) => {
            bail!("rule set {} cannot be used: {why}; `--verify` says what is wrong", recorded.ruleset)
        }
    };
    has_language(explain, &pack)?;
    let bytes = recorded.document.open(source.sealer()).context("the record's document does not open")?;
    let document = EventDocument::parse(bytes.as_bytes()).map_err(|error| anyhow!("{error}"))?;
    Ok(Explained { pack, document, action_id: recorded.key.action_id })
}
