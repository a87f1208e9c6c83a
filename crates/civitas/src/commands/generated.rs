//! Writing generated files, or checking that those in the tree are what would be written.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

/// Writes the files into a folder, or with `check` fails if any of them differs.
pub(super) fn write_or_check(
    folder: &Path,
    files: &[(String, String)],
    check: bool,
    command: &str,
) -> anyhow::Result<()> {
    let differs = |(name, text): &&(String, String)| {
        fs::read_to_string(folder.join(name)).ok().as_deref() != Some(text.as_str())
    };
    let changed: Vec<&(String, String)> = files.iter().filter(differs).collect();
    if check {
        if changed.is_empty() {
            println!("{} files in {} are up to date.", files.len(), folder.display());
            return Ok(());
        }
        let names: Vec<&str> = changed.iter().map(|(name, _)| name.as_str()).collect();
        bail!("{} is stale: {}; write it anew with `{command}`", folder.display(), names.join(", "));
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in &changed {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {}", path.display());
    }
    if changed.is_empty() {
        println!("{} files in {} were up to date.", files.len(), folder.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_is_named_and_a_written_one_is_fresh() {
        let folder = tempfile::tempdir().unwrap();
        let files = [("a.json".to_owned(), "{}\n".to_owned()), ("b.json".to_owned(), "[]\n".to_owned())];
        let stale = write_or_check(folder.path(), &files, true, "civitas schemas").unwrap_err().to_string();
        assert!(stale.contains("is stale: a.json, b.json; write it anew with `civitas schemas`"), "{stale}");
        write_or_check(folder.path(), &files, false, "civitas schemas").unwrap();
        write_or_check(folder.path(), &files, true, "civitas schemas").unwrap();
        fs::write(folder.path().join("b.json"), "[1]\n").unwrap();
        let stale = write_or_check(folder.path(), &files, true, "civitas schemas").unwrap_err().to_string();
        assert!(stale.contains("is stale: b.json;"), "{stale}");
    }
}
