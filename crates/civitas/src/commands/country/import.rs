//! `civitas country import-fields`: fields.yaml from OpenCRVS's own event configuration.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use civitas_rules::{
    Diagnostic, Diagnostics, FieldChange, Import, ImportOptions, Pack, PackFiles, Severity, What,
    import_fields,
};
use clap::Args;
use serde_json::Value;

use crate::words::count;
use crate::{http, pack};

const CATALOGUE: &str = "fields.yaml";

/// Take the fields of the forms over from OpenCRVS, and say what changed.
#[derive(Debug, Args)]
pub struct ImportFields {
    /// Folder of the pack
    pack: PathBuf,
    /// The event configuration: a JSON file, `-` for standard input, or the address of the country config
    /// (`/config/events` is added where an address has no path)
    source: String,
    /// Import this event, even if the pack does not have it yet; may be repeated [default: the pack's events]
    #[arg(long)]
    event: Vec<String>,
    /// File with a bearer token for the address
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Write nothing; fail if something changed
    #[arg(long)]
    check: bool,
    /// Write fields.yaml anew, without its comments, instead of changing it line by line
    #[arg(long)]
    rewrite: bool,
}

pub(super) fn run(command: &ImportFields) -> anyhow::Result<ExitCode> {
    let files = pack::read(&command.pack)?;
    let bytes = fetch(command)?;
    let configuration: Value = serde_json::from_slice(&bytes).map_err(|error| {
        anyhow!("{} is not JSON: line {}, column {}", command.source, error.line(), error.column())
    })?;
    let before = Pack::load(&files);
    let language = before.as_ref().ok().and_then(|pack| pack.country().languages.first());
    let options = ImportOptions {
        events: &command.event,
        rewrite: command.rewrite,
        language: language.map(|language| language.code.as_str()),
    };
    let current = files.0.get(CATALOGUE).map(String::as_str);
    let import = import_fields(current, &configuration, &options)?;

    let mut after = files.clone();
    after.0.insert(CATALOGUE.to_owned(), import.text.clone());
    let problems = problems_of(&after);
    let known = problems_of(&files);
    let arisen: Vec<&Diagnostic> = problems.iter().filter(|problem| !is_known(problem, &known)).collect();
    print!("{}", text(&import, &arisen));

    let changed = current != Some(import.text.as_str());
    if !changed {
        println!("{CATALOGUE} is up to date.");
        return Ok(ExitCode::SUCCESS);
    }
    if command.check {
        println!("{CATALOGUE} is out of date: {}. Without --check it is written.", sum(&import));
        return Ok(ExitCode::FAILURE);
    }
    let path = command.pack.join(CATALOGUE);
    std::fs::write(&path, &import.text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {}: {}.", path.display(), sum(&import));
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count() as u64;
    if errors > 0 {
        println!("The pack has {} now; `civitas country check` shows all.", count(errors, "error"));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything that the check says about the files.
fn problems_of(files: &PackFiles) -> Diagnostics {
    match Pack::load(files) {
        Ok(pack) => pack.warnings().clone(),
        Err(problems) => problems,
    }
}

/// The lines of fields.yaml move; the same problem in another line is not a new one.
fn is_known(problem: &Diagnostic, known: &Diagnostics) -> bool {
    known.iter().any(|old| {
        old.code == problem.code
            && old.file == problem.file
            && old.message == problem.message
            && (old.line == problem.line || problem.file == CATALOGUE)
    })
}

fn text(import: &Import, arisen: &[&Diagnostic]) -> String {
    let mut text = String::new();
    let events: BTreeSet<&str> = import
        .changes
        .iter()
        .map(|change| change.event.as_str())
        .chain(import.left_out.iter().map(|left| left.event.as_str()))
        .collect();
    for event in events {
        let _ = writeln!(text, "{event}");
        for change in import.changes.iter().filter(|change| change.event == event) {
            let _ = writeln!(text, "  {} {}  {}", sign(change), change.field, change.what);
            let places = places_of(&change.field, arisen);
            if !places.is_empty() {
                let _ = writeln!(text, "      used at {}", places.join(", "));
            }
        }
        for left in import.left_out.iter().filter(|left| left.event == event) {
            let _ = writeln!(text, "  ? {}  {}: {}; left out", left.field, left.kind, left.reason);
        }
    }
    for (event, fields) in &import.other_events {
        let fields = count(*fields as u64, "field");
        let _ = writeln!(text, "{event}: {fields}, not in this pack; `--event {event}` adds it");
    }
    for event in &import.missing_events {
        let _ = writeln!(text, "{event}: not in the configuration; left as it is");
    }
    if !arisen.is_empty() {
        let _ = writeln!(text, "\nWhat the pack says to this:\n");
        for problem in arisen {
            let _ = writeln!(text, "{problem}");
        }
    } else if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn sign(change: &FieldChange) -> char {
    match change.what {
        What::Added(_) => '+',
        What::Removed(_) => '-',
        What::Type(..) | What::Options(..) => '~',
    }
}

/// Where the pack stumbles over the field.
fn places_of(field: &str, arisen: &[&Diagnostic]) -> Vec<String> {
    let name = format!("`{field}`");
    let part = field.rsplit('.').next().unwrap_or(field);
    let about = |problem: &Diagnostic| {
        problem.message.contains(&name)
            || problem.source.as_deref().is_some_and(|line| line.contains(field))
            || (problem.file == "identity.yaml" && problem.message.contains(&format!("`{part}`")))
    };
    // What runs first, then what tests it.
    let places: BTreeSet<(bool, String, usize)> = arisen
        .iter()
        .filter(|problem| problem.file != CATALOGUE && about(problem))
        .map(|problem| (problem.file.starts_with("cases/"), problem.file.clone(), problem.line))
        .collect();
    places.into_iter().map(|(_, file, line)| format!("{file}:{line}")).collect()
}

/// `2 fields added, 1 removed`.
fn sum(import: &Import) -> String {
    let of = |wanted: char| import.changes.iter().filter(|change| sign(change) == wanted).count() as u64;
    let parts: Vec<String> = [('+', "added"), ('-', "removed"), ('~', "changed")]
        .iter()
        .filter(|(sign, _)| of(*sign) > 0)
        .map(|(sign, verb)| format!("{} {verb}", count(of(*sign), "field")))
        .collect();
    if parts.is_empty() { "the same fields, written anew".to_owned() } else { parts.join(", ") }
}

fn fetch(command: &ImportFields) -> anyhow::Result<Vec<u8>> {
    let source = command.source.as_str();
    if source.starts_with("http://") || source.starts_with("https://") {
        return download(source, command.token_file.as_deref());
    }
    if command.token_file.is_some() {
        bail!("--token-file goes with an address; {source} is a file");
    }
    if source == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(source).with_context(|| format!("cannot read {source}"))
}

fn download(address: &str, token_file: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    let mut url = reqwest::Url::parse(address).with_context(|| format!("`{address}` is not an address"))?;
    if url.path() == "/" {
        url.set_path("/config/events");
    }
    let mut request = http::client(Duration::from_secs(30))?.get(url.clone());
    if let Some(file) = token_file {
        let token =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        request = request.bearer_auth(token.trim());
    }
    let runtime = tokio::runtime::Runtime::new().context("the asynchronous runtime cannot start")?;
    runtime.block_on(async {
        let response = request
            .send()
            .await
            .map_err(|error| anyhow!("{url} does not answer: {}", error.without_url()))?;
        let status = response.status();
        if !status.is_success() {
            let hint = match status.as_u16() {
                401 | 403 => "; give a token with --token-file",
                404 => "; the country config serves it at /config/events",
                _ => "",
            };
            bail!("{url} answers {status}{hint}");
        }
        let bytes =
            response.bytes().await.map_err(|error| anyhow!("{url} breaks off: {}", error.without_url()))?;
        Ok(bytes.to_vec())
    })
}
