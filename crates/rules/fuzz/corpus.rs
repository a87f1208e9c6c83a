//! Inputs in files: `=== name` before each file of a pack, `=== archive` before an archived form.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use civitas_rules::PackFiles;

use super::mutate::Input;

/// Where inputs that once broke something are kept.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// The text of an input; every byte but line feeds, letters and signs is written as an escape.
pub(crate) fn text(input: &Input) -> String {
    let mut text = String::new();
    let mut put = |name: &str, content: &str| {
        let _ = writeln!(text, "=== {}\n{}", escaped(name), escaped(content));
    };
    match input {
        Input::Canonical(content) => put("archive", content),
        Input::Files(PackFiles(files)) => files.iter().for_each(|(name, content)| put(name, content)),
    }
    text
}

fn escaped(text: &str) -> String {
    // A leading `=` would be taken for the head of the next file.
    let text = format!("\n{}", text.replace('\\', "\\\\")).replace("\n=", "\n\\u{3d}");
    text.chars().skip(1).fold(String::new(), |mut text, c| {
        if c == '\n' || (' '..='~').contains(&c) {
            text.push(c);
        } else {
            let _ = write!(text, "{}", c.escape_unicode());
        }
        text
    })
}

fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('\\') {
            plain.push('\\');
            rest = after;
        } else if let Some((code, after)) = rest.strip_prefix("u{").and_then(|rest| rest.split_once('}')) {
            plain.extend(u32::from_str_radix(code, 16).ok().and_then(char::from_u32));
            rest = after;
        }
    }
    plain + rest
}

/// Reads what [`text`] wrote.
pub(crate) fn parse(text: &str) -> Input {
    let mut files = BTreeMap::new();
    for part in format!("\n{}", text.strip_suffix('\n').unwrap_or(text)).split("\n=== ").skip(1) {
        let (name, content) = part.split_once('\n').unwrap_or((part, ""));
        files.insert(plain(name), plain(content));
    }
    match files.remove("archive") {
        Some(archive) => Input::Canonical(archive),
        None => Input::Files(PackFiles(files)),
    }
}

/// Reads a kept input.
pub(crate) fn read(path: &Path) -> Input {
    parse(&std::fs::read_to_string(path).expect("a kept input can be read"))
}
