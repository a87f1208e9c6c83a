//! Packs for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use civitas_rules::PackFiles;

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a folder, by path relative to it.
pub(crate) fn read(folder: &Path) -> PackFiles {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("inside").to_string_lossy().into_owned();
                files.insert(name, std::fs::read_to_string(&path).expect("text"));
            }
        }
    }
    PackFiles(files)
}

/// The shipped pack.
pub(crate) fn farajaland() -> PackFiles {
    read(&workspace().join("country-config/farajaland"))
}
