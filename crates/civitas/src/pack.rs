//! Reading a country pack's folder; the rules themselves know no files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use civitas_rules::{Pack, PackFiles};

use crate::commands::country::plain;

/// More than any pack has; a wrong folder is noticed before the machine is full.
const MOST_FILES: usize = 2000;
const LARGEST: u64 = 8 * 1024 * 1024;

/// The text files of a folder, hidden ones left out.
pub fn read(folder: &Path) -> anyhow::Result<PackFiles> {
    if !folder.is_dir() {
        bail!("{} is not a folder; a pack is a folder with country.yaml, rules.yaml, …", folder.display());
    }
    let mut files = BTreeMap::new();
    collect(folder, "", &mut files)?;
    Ok(PackFiles(files))
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
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
            collect(&path, &format!("{inside}/"), files)?;
            continue;
        }
        if metadata.len() > LARGEST || files.len() >= MOST_FILES {
            bail!("{} is larger than any pack: is this the right folder?", path.display());
        }
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // What is not UTF-8 stands as a replacement character, which the check points at.
        files.insert(inside, String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(())
}

/// The compiled pack of a folder; every problem at once, as text.
pub fn load(folder: &Path) -> anyhow::Result<Pack> {
    let files = read(folder)?;
    Pack::load(&files).map_err(|problems| {
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
        let missing = read(&folder.path().join("nowhere")).unwrap_err().to_string();
        assert!(missing.contains("is not a folder"), "{missing}");
    }
}
