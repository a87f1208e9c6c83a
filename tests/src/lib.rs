//! Test support: the real systems that the tests of the whole run against.

pub mod kafka;
pub mod postgres;
pub mod stack;
pub mod wait;

/// The workspace's folder.
pub fn workspace() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
