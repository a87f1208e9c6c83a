//! `civitas country new`: a pack to start from, that passes its check and its cases.

mod answers;
mod ask;
mod scaffold;
mod texts;

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use civitas_rules::{Pack, PackFiles};
use clap::Args;

use crate::words::count;

/// Write a pack to start from: asks a few questions, or takes the answers from flags.
#[derive(Debug, Args)]
pub struct New {
    /// Folder to write into; it must be empty, or not there yet
    folder: PathBuf,
    #[command(flatten)]
    flags: answers::Flags,
    /// Ask nothing: what no flag says is the default
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(new: &New) -> anyhow::Result<ExitCode> {
    refuse_what_is_there(&new.folder)?;
    let asking = !new.yes && io::stdin().is_terminal();
    let answers = if asking {
        ask::ask(&new.flags, &mut io::stdin().lock(), &mut io::stdout().lock())?
    } else {
        new.flags.answers()?
    };
    let files = scaffold::files(&answers)?;
    let pack = Pack::load(&PackFiles(files.clone()))
        .map_err(|problems| anyhow!("these answers do not make a pack\n\n{problems}"))?;
    write(&new.folder, files.iter().map(|(name, text)| (name.clone(), text.as_str())))?;
    let schemas = civitas_rules::schemas();
    write(&new.folder, schemas.iter().map(|(name, text)| (format!(".schemas/{name}"), text.as_str())))?;
    let report = pack.run_cases();
    println!(
        "wrote {} with {} and {}\n\n  {} says what to do next. Try:\n\n  civitas country check {folder}\n  civitas country test {folder}",
        new.folder.display(),
        count(pack.rule_ids().count() as u64, "rule"),
        count(report.total as u64, "case"),
        new.folder.join("README.md").display(),
        folder = new.folder.display(),
    );
    Ok(ExitCode::SUCCESS)
}

/// A folder with anything in it stays as it is: somebody's work may be there.
fn refuse_what_is_there(folder: &Path) -> anyhow::Result<()> {
    if folder.is_file() {
        bail!("{} is a file; name a folder", folder.display());
    }
    let Ok(mut entries) = fs::read_dir(folder) else { return Ok(()) };
    if entries.next().is_some() {
        bail!("{} is not empty; a new pack goes into a folder of its own", folder.display());
    }
    Ok(())
}

fn write<'t>(folder: &Path, files: impl Iterator<Item = (String, &'t str)>) -> anyhow::Result<()> {
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
