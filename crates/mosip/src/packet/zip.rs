//! The zip containers: written the same to the byte for the same files, read with suspicion.

use std::io::{Cursor, Read, Write as _};

use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter, result::ZipResult, write::SimpleFileOptions};

use super::{Deviation, names};

/// More files than any packet has.
const MOST_FILES: usize = 256;
/// Most bytes that one container may inflate to: a dozen times the largest upload.
const MOST_BYTES: u64 = 64 << 20;
/// Level of deflate: the files are small, and a packet's cost is its signatures.
const LEVEL: i64 = 1;
/// Files below this are stored as they are: making ready for deflate costs more than it saves.
const SMALL: usize = 2048;
/// What is encrypted or compressed already.
const DENSE: [&str; 6] = ["zip", "pdf", "jpg", "jpeg", "png", "jp2"];

/// A file of a container.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

impl Entry {
    pub(super) fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Entry { name: name.into(), bytes: bytes.into() }
    }

    /// Whether deflating it is not worth its while. Java's readers take both.
    fn is_dense(&self) -> bool {
        let extension = self.name.rsplit_once('.').map_or("", |(_, extension)| extension);
        self.bytes.len() < SMALL || DENSE.iter().any(|dense| dense.eq_ignore_ascii_case(extension))
    }
}

/// Packs files in their order. Their time is that of the format's epoch: nothing of the moment of building is in it.
pub(super) fn write(entries: &[Entry]) -> ZipResult<Vec<u8>> {
    let stored = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let deflated = stored.compression_method(CompressionMethod::Deflated).compression_level(Some(LEVEL));
    let size: usize = entries.iter().map(|entry| entry.bytes.len() + 160).sum();
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(size)));
    for entry in entries {
        writer.start_file(entry.name.as_str(), if entry.is_dense() { stored } else { deflated })?;
        writer.write_all(&entry.bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// Unpacks a container, or says why it is not unpacked: what is unsafe in it is not read at all.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Entry>, Deviation> {
    read_within(bytes, MOST_BYTES)
}

fn read_within(bytes: &[u8], most: u64) -> Result<Vec<Entry>, Deviation> {
    let unreadable = |error: zip::result::ZipError| Deviation::NotAZip(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    if archive.has_duplicate_names() {
        return Err(Deviation::Duplicate { file: "the same name".to_owned() });
    }
    if archive.len() > MOST_FILES {
        return Err(Deviation::TooLarge(format!("{} files", archive.len())));
    }
    if archive.has_overlapping_entries().map_err(unreadable)? {
        return Err(Deviation::NotAZip("entries share bytes".to_owned()));
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(archive.len());
    let mut left = most;
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(unreadable)?;
        let name = file.name().map_err(unreadable)?.into_owned();
        if file.is_dir() || file.is_symlink() || file.encrypted() || is_unsafe(&name) {
            return Err(Deviation::UnsafeEntry { file: name });
        }
        if !matches!(file.compression(), CompressionMethod::Deflated | CompressionMethod::Stored) {
            return Err(Deviation::NotAZip(format!("`{name}` is compressed by another method than deflate")));
        }
        if entries
            .iter()
            .any(|entry| names::base(&entry.name) == names::base(&name) && same_folder(&entry.name, &name))
        {
            return Err(Deviation::Duplicate { file: name });
        }
        // The size that a header claims is not believed: what comes out is counted.
        let mut bytes = Vec::new();
        file.take(left + 1).read_to_end(&mut bytes).map_err(|error| Deviation::NotAZip(error.to_string()))?;
        left = left
            .checked_sub(bytes.len() as u64)
            .ok_or_else(|| Deviation::TooLarge(format!("more than {most} bytes inflated")))?;
        entries.push(Entry { name, bytes });
    }
    Ok(entries)
}

fn is_unsafe(name: &str) -> bool {
    name.is_empty()
        || name.starts_with('/')
        || name.contains(['\\', '\0', ':'])
        || name.split('/').any(|part| part.is_empty() || part == "." || part == "..")
}

/// Readers look a file of an inner zip up by its base name, so two that differ in their extension are one to them. In
/// the outer zip `.zip` and `.json` of a sub-packet stand side by side.
fn same_folder(one: &str, other: &str) -> bool {
    !one.contains('/') && !other.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        vec![Entry::new("ID.json", "{}"), Entry::new("packet_data_hash.txt", vec![b'A'; 64])]
    }

    #[test]
    fn the_same_files_are_the_same_bytes_and_come_back() {
        let bytes = write(&entries()).unwrap();
        assert_eq!(bytes, write(&entries()).unwrap());
        assert!(read(&bytes).is_ok_and(|read| read == entries()));
    }

    #[test]
    fn what_is_unsafe_is_not_read() {
        for name in ["../ID.json", "/etc/passwd", "a/../b", "a\\b", "C:x", "a//b"] {
            let bytes = write(&[Entry::new(name, "x")]).unwrap();
            assert!(matches!(read(&bytes), Err(Deviation::UnsafeEntry { .. })), "{name}");
        }
        let twice = write(&[Entry::new("ID.json", "1"), Entry::new("id.JSON", "2")]).unwrap();
        assert!(matches!(read(&twice), Err(Deviation::Duplicate { .. })));
        assert!(matches!(read(b"PK-no-zip"), Err(Deviation::NotAZip(_))));
    }

    #[test]
    fn a_second_entry_of_the_very_same_name_is_noticed() {
        let mut bytes = write(&[Entry::new("ID.json", "1"), Entry::new("IX.json", "2")]).unwrap();
        // Both headers of the second are renamed to the first's name; lengths stay.
        let places: Vec<usize> =
            (0..bytes.len() - 7).filter(|at| &bytes[*at..*at + 7] == b"IX.json").collect();
        for at in places {
            bytes[at + 1] = b'D';
        }
        assert!(matches!(read(&bytes), Err(Deviation::Duplicate { .. } | Deviation::NotAZip(_))));
    }

    #[test]
    fn what_inflates_beyond_measure_is_not_read_to_the_end() {
        let bomb = write(&[Entry::new("a", vec![0; 90_000]), Entry::new("b", vec![0; 10_001])]).unwrap();
        assert!(bomb.len() < 2_000);
        assert!(matches!(read_within(&bomb, 100_000), Err(Deviation::TooLarge(_))));
        assert!(read_within(&bomb, 100_001).is_ok());
    }

    #[test]
    fn any_flipped_byte_of_a_file_is_noticed_or_harmless() {
        let bytes = write(&entries()).unwrap();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0x40;
            // Read or refused, never a crash; what is read has an intact checksum.
            if let Ok(read) = read(&altered) {
                assert!(read.len() <= 2, "byte {at}");
            }
        }
    }
}
