//! Documents out of files and folders, gzipped or not, or out of standard input.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use flate2::read::MultiGzDecoder;

use super::Item;
use super::pool::Feed;
use super::progress::Progress;
use super::split::{Piece, Splitter};

/// Ends of names of files that hold documents.
const ENDINGS: [&str; 3] = ["json", "jsonl", "ndjson"];

/// Where a document stands.
#[derive(Debug, Clone, Default)]
pub struct Place {
    file: Arc<str>,
    line: u64,
}

impl Place {
    /// A place that is no line of a file.
    pub fn named(name: &str) -> Self {
        Self { file: Arc::from(name), line: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return f.write_str(&self.file);
        }
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The files that the sources name, folders with all that is below them, in order; and how large they are.
pub fn list(sources: &[PathBuf]) -> anyhow::Result<(Vec<PathBuf>, u64)> {
    let mut files = Vec::new();
    let mut bytes = 0;
    for source in sources {
        if source.as_os_str() == "-" {
            files.push(source.clone());
            continue;
        }
        let metadata =
            fs::metadata(source).with_context(|| format!("{} cannot be read", source.display()))?;
        if metadata.is_dir() {
            let before = files.len();
            collect(source, &mut files, &mut bytes)?;
            if files.len() == before {
                bail!(
                    "{} holds no documents: files are looked for that end in .json, .jsonl or .ndjson, also with .gz",
                    source.display()
                );
            }
        } else {
            bytes += metadata.len();
            files.push(source.clone());
        }
    }
    Ok((files, bytes))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>, bytes: &mut u64) -> anyhow::Result<()> {
    let cannot = || format!("cannot list {}", folder.display());
    let mut entries =
        fs::read_dir(folder).with_context(cannot)?.collect::<Result<Vec<_>, _>>().with_context(cannot)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let metadata = fs::metadata(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        if metadata.is_dir() {
            collect(&path, files, bytes)?;
        } else if holds_documents(&path) {
            *bytes += metadata.len();
            files.push(path);
        }
    }
    Ok(())
}

fn holds_documents(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    ENDINGS.iter().any(|ending| Path::new(name).extension().is_some_and(|found| found == *ending))
}

/// Hands on every document of these files.
pub fn feed(files: &[PathBuf], to: &mut Feed<'_, Item>) -> anyhow::Result<()> {
    for file in files {
        let name: Arc<str> = Arc::from(file.display().to_string());
        let cannot = || format!("{} cannot be read", file.display());
        let raw: Box<dyn Read> = if file.as_os_str() == "-" {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(file).with_context(cannot)?)
        };
        let counted = Counted { inner: raw, progress: to.progress };
        for piece in Splitter::new(unpacked(counted).with_context(cannot)?) {
            let item = match piece.with_context(cannot)? {
                Piece::Object { line, bytes } => {
                    Item::Document { place: Place { file: Arc::clone(&name), line }, bytes }
                }
                Piece::Fault { line, what } => {
                    Item::Fault { place: Place { file: Arc::clone(&name), line }, what }
                }
            };
            let weight = item.weight();
            to.push(item, weight)?;
        }
    }
    Ok(())
}

/// Bytes as they are, or out of gzip if they begin like it.
fn unpacked<'r>(raw: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut raw = BufReader::with_capacity(128 << 10, raw);
    let packed = raw.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if packed { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) })
}

struct Counted<'p, R> {
    inner: R,
    progress: &'p Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(to)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::replay::pool;

    #[test]
    fn a_folder_gives_its_documents_packed_or_not_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        write("b.json", b"[{\"b\":1},{\"b\":2}]");
        write("notes.txt", b"{}");
        write(".hidden.json", b"{}");
        write("sub/c.ndjson", b"{\"c\":1}\n");
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(b"{\"a\":1}\n{\"a\":2}\n").unwrap();
        write("a.jsonl.gz", &packed.finish().unwrap());
        let (files, bytes) = list(&[folder.path().to_owned()]).unwrap();
        assert!(bytes > 30);
        let read = pool::run(
            1,
            &Progress::hidden(),
            |to| feed(&files, to),
            |_, item, all: &mut Vec<String>| {
                if let Item::Document { place, bytes } = item {
                    let name = place.to_string();
                    let name = name.rsplit('/').next().unwrap().to_owned();
                    all.push(format!("{name} {}", String::from_utf8(bytes).unwrap()));
                }
            },
            |whole, mut part| whole.append(&mut part),
        );
        assert_eq!(
            read.unwrap(),
            [
                "a.jsonl.gz:1 {\"a\":1}",
                "a.jsonl.gz:2 {\"a\":2}",
                "b.json:1 {\"b\":1}",
                "b.json:1 {\"b\":2}",
                "c.ndjson:1 {\"c\":1}"
            ]
        );
        let error = list(&[folder.path().join("nowhere")]).unwrap_err().to_string();
        assert!(error.contains("nowhere cannot be read"), "{error}");
        fs::create_dir(folder.path().join("empty")).unwrap();
        let error = list(&[folder.path().join("empty")]).unwrap_err().to_string();
        assert!(error.contains("holds no documents"), "{error}");
    }
}
