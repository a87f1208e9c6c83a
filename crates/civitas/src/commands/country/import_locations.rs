//! `civitas country import-locations`.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use civitas_rules::{LocationImport, import_locations};
use clap::Args;

use crate::http;
use crate::pack;
use crate::words::count;

/// How long a server may take for a list of a whole country.
const PATIENCE: Duration = Duration::from_mins(2);

/// As many ids as somebody reads.
const SHOWN: usize = 10;

/// Make locations.csv from OpenCRVS's own list of places, and say what changed.
#[derive(Debug, Args)]
pub struct ImportLocations {
    /// Folder of the pack
    pack: PathBuf,
    /// Lists of places as OpenCRVS answers them, as files or addresses: administrative areas, and facilities or
    /// offices if the pack needs them. `-` is standard input
    #[arg(required = true, value_name = "FILE|URL")]
    exports: Vec<String>,
    /// File with a token for the addresses
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Write nothing; end with 1 if the list is stale
    #[arg(long)]
    check: bool,
}

pub(super) fn run(import: &ImportLocations) -> anyhow::Result<ExitCode> {
    let files = pack::read(&import.pack)?;
    let texts: Vec<String> =
        import.exports.iter().map(|from| fetch(from, import)).collect::<anyhow::Result<_>>()?;
    let outcome = import_locations(&files, &texts)?;
    let path = import.pack.join("locations.csv");
    let fresh = files.0.get("locations.csv") == Some(&outcome.table);
    if !fresh && !import.check {
        fs::write(&path, &outcome.table).with_context(|| format!("cannot write {}", path.display()))?;
    }
    print!("{}", told(&outcome));
    let what = match (fresh, import.check) {
        (true, _) => "is as OpenCRVS has it",
        (false, true) => "is stale",
        (false, false) => "written",
    };
    println!("{}: {}, {what}", path.display(), count(outcome.total as u64, "place"));
    Ok(if import.check && !fresh { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn told(outcome: &LocationImport) -> String {
    let mut text = String::new();
    for (sign, ids, what) in [
        ("+", &outcome.added, "new"),
        ("~", &outcome.changed, "with another name, level or parent"),
        ("?", &outcome.unlisted, "no longer listed by OpenCRVS, kept for old records"),
    ] {
        for id in ids.iter().take(SHOWN) {
            let _ = writeln!(text, "{sign} {id}");
        }
        if ids.len() > SHOWN {
            let _ = writeln!(text, "{sign} … and {} more", ids.len() - SHOWN);
        }
        if !ids.is_empty() {
            let _ = writeln!(text, "  {} {what}", count(ids.len() as u64, "place"));
        }
    }
    text
}

fn fetch(from: &str, import: &ImportLocations) -> anyhow::Result<String> {
    if from == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input as text")?;
        return Ok(text);
    }
    if !from.starts_with("http://") && !from.starts_with("https://") {
        return fs::read_to_string(from).with_context(|| format!("cannot read {from} as text"));
    }
    let token = import
        .token_file
        .as_ref()
        .map(|path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display())))
        .transpose()?;
    let runtime = tokio::runtime::Runtime::new().context("the asynchronous runtime cannot start")?;
    runtime.block_on(async {
        let mut request = http::client(PATIENCE)?.get(from);
        if let Some(token) = &token {
            request = request.bearer_auth(token.trim());
        }
        let answer = request.send().await.with_context(|| format!("cannot reach {from}"))?;
        let status = answer.status();
        if !status.is_success() {
            bail!("{from} answers {status}; `--token-file` names a file with a token for it");
        }
        answer.text().await.with_context(|| format!("the answer of {from} broke off"))
    })
}
