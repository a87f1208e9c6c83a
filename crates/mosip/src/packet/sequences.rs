//! The hash files, and the sequences that say which files they cover in which order.
//!
//! The hash is plain SHA-256 over the bytes of the named files one after the other, in capital hexadecimal digits. The
//! order is what the sequences say, not that of the zip: samples of MOSIP's have `ID` first, its writer has it last.

use openssl::sha::Sha256;
use serde_json::{Map, Value, json};

/// What the hashes of a sub-packet cover, as names without extension.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sequences {
    pub(super) biometric: Vec<String>,
    pub(super) demographic: Vec<String>,
    pub(super) operations: Vec<String>,
}

impl Sequences {
    /// Writes them into the meta information.
    pub(super) fn into_meta(self, meta: &mut Map<String, Value>) {
        let labelled = |pairs: [(&str, Vec<String>); 2]| -> Value {
            pairs
                .into_iter()
                .filter(|(_, names)| !names.is_empty())
                .map(|(label, value)| json!({ "label": label, "value": value }))
                .collect()
        };
        let data = [("biometricSequence", self.biometric), ("demographicSequence", self.demographic)];
        meta.insert("hashSequence1".to_owned(), labelled(data));
        let operations = [("otherFiles", self.operations), ("", Vec::new())];
        meta.insert("hashSequence2".to_owned(), labelled(operations));
    }
}

/// The names of one sequence of the meta information, over all its labels in their order. `None` if it is not there or
/// not a list of labelled lists.
pub(super) fn named(meta: &Map<String, Value>, sequence: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for labelled in meta.get(sequence)?.as_array()? {
        for name in labelled.get("value")?.as_array()? {
            names.push(name.as_str()?.to_owned());
        }
    }
    Some(names)
}

/// The hash over files, one after the other.
pub(super) fn hash<'a>(files: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut sha = Sha256::new();
    for file in files {
        sha.update(file);
    }
    hex::encode_upper(sha.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nothing_is_the_recorded_one() {
        let vector: Value = serde_json::from_str(include_str!("../../tests/vectors/hashes.json")).unwrap();
        assert_eq!(hash([]), vector["empty_operations"]["sha256_hex_upper"]);
    }

    #[test]
    fn files_are_hashed_one_after_the_other_in_the_order_of_the_sequence() {
        assert_eq!(hash([&b"ab"[..], b"c"]), hash([&b"abc"[..]]));
        assert_ne!(hash([&b"a"[..], b"b"]), hash([&b"b"[..], b"a"]));
        assert!(hash([&b"a"[..]]).bytes().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase()));
    }

    #[test]
    fn sequences_are_read_as_written_and_as_samples_have_them() {
        let mut meta = Map::new();
        let written = Sequences {
            biometric: vec!["b_bio_CBEFF".into()],
            demographic: vec!["d".into(), "ID".into()],
            operations: vec!["audit".into()],
        };
        written.into_meta(&mut meta);
        assert_eq!(named(&meta, "hashSequence1").unwrap(), ["b_bio_CBEFF", "d", "ID"]);
        assert_eq!(named(&meta, "hashSequence2").unwrap(), ["audit"]);
        let sample: Map<String, Value> = serde_json::from_str(
            r#"{"hashSequence2":[],"hashSequence1":[{"label":"demographicSequence","value":["ID","proofOfException"]}]}"#,
        )
        .unwrap();
        assert_eq!(named(&sample, "hashSequence1").unwrap(), ["ID", "proofOfException"]);
        assert_eq!(named(&sample, "hashSequence2").unwrap(), Vec::<String>::new());
        assert_eq!(named(&sample, "hashSequence3"), None);
    }
}
