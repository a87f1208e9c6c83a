//! The texts that a pack is made of: which there are, and what cannot be read of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use crate::cases;
use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::files::cases::CasesFile;
use crate::limits::{FILE_BYTES, PACK_BYTES, PACK_FILES, PACK_VALUES};
use crate::locations;
use crate::source::Document;
use crate::structure::decode;
use crate::suggest::nearest;

/// The text files of a pack: path relative to its folder, with `/` → text.
///
/// Known are `country.yaml`, `fields.yaml`, `rules.yaml`, `packets.yaml`, `identity.yaml`,
/// `id-schema.json`, `cases/*.yaml`, `documents/*.json`, and where they are needed `locations.csv` and `words.yaml`;
/// notes in `*.md` are left alone; anything else is reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackFiles(pub BTreeMap<String, String>);

/// The files that make the rule set. Cases are not among them: they test it and do not change it.
pub(super) const FILES: [&str; 6] =
    ["country.yaml", "fields.yaml", "rules.yaml", "packets.yaml", "identity.yaml", "id-schema.json"];

/// Files that a pack can do without.
pub(super) const OPTIONAL: [&str; 1] = ["words.yaml"];

/// What was read.
pub(super) struct Texts<'f> {
    pub(super) documents: BTreeMap<&'static str, Document>,
    pub(super) cases: Vec<(Document, CasesFile)>,
    /// Path of an event document → its text.
    pub(super) event_documents: BTreeMap<&'f str, &'f str>,
}

/// Reads everything; an error only if it is too much to be read at all.
pub(super) fn read<'f>(files: &'f PackFiles, out: &mut Vec<Diagnostic>) -> Result<Texts<'f>, Diagnostics> {
    if let Some(problem) = too_large(files) {
        return Err(Diagnostics::new(vec![problem]));
    }
    // Cases are about as long as everything else together, and reading is most of the work.
    let (documents, (cases, found)) = std::thread::scope(|scope| {
        let cases = scope.spawn(|| read_cases(files));
        let documents = read_files(files, out);
        (documents, cases.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    out.extend(found);
    let mut event_documents = BTreeMap::new();
    for (name, text) in &files.0 {
        if cases::is_document(name) {
            event_documents.insert(name.as_str(), text.as_str());
        } else if !is_case_file(name) && !is_known(name) {
            out.push(
                Diagnostic::of_file(
                    Code::P005,
                    name,
                    "the pack does not know this file and would not read it",
                )
                .suggest(nearest(name, FILES.into_iter().chain(OPTIONAL).chain([locations::FILE]))),
            );
        }
    }
    if !files.0.keys().any(is_case_file) {
        out.push(Diagnostic::of_file(Code::P006, "cases", "the pack has no cases").help(
            "write down what must come out for which event, in cases/*.yaml: rules without tests are not trusted",
        ));
    }
    Ok(Texts { documents, cases, event_documents })
}

/// Whether there is more than a pack can have: the wrong folder, most likely.
fn too_large(files: &PackFiles) -> Option<Diagnostic> {
    // A file that is too large by itself is told of by name, and not read.
    let bytes: usize = files.0.values().map(String::len).filter(|bytes| *bytes <= FILE_BYTES).sum();
    let message = if files.0.len() > PACK_FILES {
        format!("{} files; a pack has at most {PACK_FILES}", files.0.len())
    } else if bytes > PACK_BYTES {
        format!("{bytes} bytes in all files; a pack has at most {PACK_BYTES}")
    } else {
        return None;
    };
    Some(Diagnostic::of_file(Code::P030, "pack", message).help("is this the right folder?"))
}

fn too_many(name: &str) -> Diagnostic {
    Diagnostic::of_file(
        Code::P032,
        name,
        format!("more than {PACK_VALUES} values in the cases before this file, which is not read any more"),
    )
    .help("no pack comes near this limit: were the cases written by hand?")
}

/// Whether the pack reads the file, or leaves it alone as a note.
fn is_known(name: &str) -> bool {
    FILES.contains(&name)
        || OPTIONAL.contains(&name)
        || name == locations::FILE
        || Path::new(name).extension() == Some(OsStr::new("md"))
}

fn is_case_file(name: impl AsRef<str>) -> bool {
    let name = Path::new(name.as_ref());
    name.starts_with("cases") && name.extension() == Some(OsStr::new("yaml"))
}

/// Everything but cases.
pub(super) fn read_files(files: &PackFiles, out: &mut Vec<Diagnostic>) -> BTreeMap<&'static str, Document> {
    let mut documents = BTreeMap::new();
    for name in FILES.into_iter().chain(OPTIONAL) {
        match files.0.get(name) {
            Some(text) => {
                let read = if name == "id-schema.json" { Document::json } else { Document::yaml };
                if let Some(document) = read(name, text, out) {
                    documents.insert(name, document);
                }
            }
            None if OPTIONAL.contains(&name) => {}
            None => out.push(
                Diagnostic::of_file(Code::P001, name, format!("`{name}` is missing"))
                    .help("a pack has country, fields, rules, packets and identity (.yaml), id-schema.json and cases/*.yaml"),
            ),
        }
    }
    documents
}

/// The cases, and what is wrong with their files.
fn read_cases(files: &PackFiles) -> (Vec<(Document, CasesFile)>, Vec<Diagnostic>) {
    let (mut documents, mut out) = (Vec::new(), Vec::new());
    let mut held = 0;
    for (name, text) in files.0.iter().filter(|(name, _)| is_case_file(name)) {
        if held > PACK_VALUES {
            out.push(too_many(name));
            break;
        }
        let Some(document) = Document::yaml(name, text, &mut out) else { continue };
        held += document.values;
        if let Some(file) = decode(&document, &mut out) {
            documents.push((document, file));
        }
    }
    (documents, out)
}
