//! Reading a country pack's folder; the rules themselves know no files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use civitas_engine::swap::PackSource;
use civitas_rules::{Diagnostics, Pack, PackFiles};

use civitas_engine::Documents;

use crate::commands::country::plain;

/// More than any pack has; a wrong folder is noticed before the machine is full.
const MOST_FILES: usize = 2000;
const LARGEST: u64 = 8 * 1024 * 1024;
const ALL: u64 = 64 * 1024 * 1024;
/// Folders inside each other; links can lead round in circles.
const DEEPEST: usize = 8;
/// A list of a hundred thousand places, in several languages.
const LARGEST_LIST: u64 = 64 * 1024 * 1024;

/// The text files of a folder, hidden ones left out.
pub fn read(folder: &Path) -> anyhow::Result<PackFiles> {
    if !folder.is_dir() {
        bail!("{} is not a folder; a pack is a folder with country.yaml, rules.yaml, …", folder.display());
    }
    let mut files = BTreeMap::new();
    let mut left = ALL;
    collect(folder, "", &mut files, &mut left)?;
    Ok(PackFiles(files))
}

fn collect(
    folder: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, String>,
    left: &mut u64,
) -> anyhow::Result<()> {
    if prefix.matches('/').count() > DEEPEST {
        bail!("{} is deeper than any pack: does a link lead back?", folder.display());
    }
    let listed = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in listed {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        let name = entry.file_name().into_string().map_err(|name| {
            anyhow!("{} has a name that is not UTF-8: {}", folder.display(), name.to_string_lossy())
        })?;
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        let inside = format!("{prefix}{name}");
        let metadata = fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if metadata.is_dir() {
            collect(&path, &format!("{inside}/"), files, left)?;
            continue;
        }
        if !metadata.is_file() {
            bail!("{} is no file: a pipe or a device has no end", path.display());
        }
        let largest = if inside == "locations.csv" { LARGEST_LIST } else { LARGEST };
        if metadata.len() > largest.min(*left) || files.len() >= MOST_FILES {
            bail!("{} is larger than any pack: is this the right folder?", path.display());
        }
        *left -= metadata.len();
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // What is not UTF-8 stands as a replacement character, which the check points at.
        files.insert(inside, String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(())
}

/// The folder as the engine reads it anew: the same, each time from the start.
pub fn source(folder: PathBuf) -> PackSource {
    Arc::new(move || read(&folder).map_err(|error| format!("{error:#}")))
}

/// Checks and compiles a pack, with the event documents of its cases.
pub fn compile(files: &PackFiles) -> Result<Pack, Diagnostics> {
    Pack::load_with(files, &Documents)
}

/// The compiled pack of a folder; every problem at once, as text.
pub fn load(folder: &Path) -> anyhow::Result<Pack> {
    let files = read(folder)?;
    compile(&files).map_err(|problems| {
        anyhow!("the pack {} cannot be used\n\n{}", folder.display(), plain(folder, &problems))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_with_its_sub_folders_and_without_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("cases")).unwrap();
        fs::write(folder.path().join("rules.yaml"), "version: 1\n").unwrap();
        fs::write(folder.path().join("cases/birth.yaml"), "cases: []\n").unwrap();
        fs::write(folder.path().join(".rules.yaml.swp"), "x").unwrap();
        let PackFiles(files) = read(folder.path()).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["cases/birth.yaml", "rules.yaml"]);
        fs::write(folder.path().join("fields.yaml"), b"version: 1\nname: R\xe9my\n").unwrap();
        let PackFiles(files) = read(folder.path()).unwrap();
        assert_eq!(files["fields.yaml"], "version: 1\nname: R\u{fffd}my\n", "the check points at it");
        fs::remove_file(folder.path().join("fields.yaml")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.path().join("fields.yaml")).unwrap();
        let endless = read(folder.path()).unwrap_err().to_string();
        assert!(endless.contains("fields.yaml is no file"), "{endless}");
        fs::remove_file(folder.path().join("fields.yaml")).unwrap();
        std::os::unix::fs::symlink("..", folder.path().join("cases/again")).unwrap();
        let round = read(folder.path()).unwrap_err().to_string();
        assert!(round.contains("does a link lead back?"), "{round}");
        let missing = read(&folder.path().join("nowhere")).unwrap_err().to_string();
        assert!(missing.contains("is not a folder"), "{missing}");
    }
}
