//! Test support: the real systems that the tests of the whole run against.

pub mod balancer;
pub mod chaos;
pub mod country_config;
pub mod kafka;
pub mod measure;
pub mod postgres;
pub mod process;
pub mod stack;
pub mod wait;
pub mod warp;
pub mod weeks;

/// The workspace's folder.
pub fn workspace() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
