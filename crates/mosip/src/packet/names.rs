//! The names of sub-packets and of the files in them.

/// Sub-packets, in the order in which they are written. MOSIP's readers want all three.
pub(super) const SUB_PACKETS: [&str; 3] = ["id", "evidence", "optional"];

/// The fields.
pub(super) const ID: &str = "ID.json";
/// What was done, by whom; in `id` only.
pub(super) const AUDIT: &str = "audit.json";
/// Hash over what describes the operation; in `id` only.
pub(super) const OPERATIONS_HASH: &str = "packet_operations_hash.txt";
/// Hash over fields, documents and biometrics.
pub(super) const DATA_HASH: &str = "packet_data_hash.txt";
/// Meta information, and which files the hashes cover in which order.
pub(super) const META_INFO: &str = "packet_meta_info.json";

/// The name by which MOSIP's readers find a file: without folder and extension, in lower case.
pub(super) fn base(name: &str) -> String {
    stem(name).to_ascii_lowercase()
}

/// A file's name without its extension.
pub(super) fn stem(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
