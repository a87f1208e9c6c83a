//! The shapes of the pack's files, as their authors write them.
//!
//! One module per file. The types carry the JSON Schemas that editors use and that the first
//! check of every load runs on; what a schema cannot say is checked when the pack is compiled.

use std::collections::BTreeMap;

pub(crate) mod cases;
pub(crate) mod country;
pub(crate) mod fields;
pub(crate) mod identity;
pub(crate) mod lenient;
pub(crate) mod packets;
pub(crate) mod rules;
pub(crate) mod words;

/// A text by language: ISO 639-1 code → text.
pub type Localised = BTreeMap<String, String>;

/// The version of the file formats that this build reads.
pub(crate) const VERSION: u32 = 1;

/// A file that says which version of its format it is written in.
pub(crate) trait Versioned {
    /// The version it says.
    fn version(&self) -> u32;
}

macro_rules! versioned {
    ($($file:ty),*) => {
        $(impl Versioned for $file {
            fn version(&self) -> u32 {
                self.version
            }
        })*
    };
}

versioned!(
    country::CountryFile,
    fields::FieldsFile,
    identity::IdentityFile,
    packets::PacketsFile,
    rules::RulesFile,
    words::WordsFile
);
