//! The process, its pack, its journal, and what it serves.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::units::{BaseUrl, Count, FilePath, Listen, Size, Wait};

/// The process.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Instance {
    /// Name in leases, logs and audit leaves.
    pub name: Option<String>,
}

/// Taking a changed pack.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Reload {
    /// Whether the folder is looked at.
    pub watch: bool,
    /// How often.
    pub every: Wait,
    /// How long it must stay as it is.
    pub settle: Wait,
}

/// The journal.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Database {
    /// Address without a password.
    pub url: Option<String>,
    /// File that holds the address.
    pub url_file: Option<FilePath>,
    /// Data keys, newest first.
    pub sealing_key_files: Vec<FilePath>,
    /// Key of subject hashes.
    pub subject_key_file: FilePath,
    /// Size of the pool.
    pub max_connections: Count<2, 200>,
    /// Parallel group commits on PostgreSQL.
    pub writers: Count<1, 32>,
}

/// The HTTP server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Server {
    /// Where to listen.
    pub listen: Listen,
    /// Address by which people reach it.
    pub public_url: Option<BaseUrl>,
    /// Largest event document.
    pub max_event_size: Size,
    /// Largest callback.
    pub max_callback_size: Size,
    /// Longest wait of a trigger for the journal.
    pub trigger_patience: Wait,
    /// Longest wait for open requests at a stop.
    pub drain: Wait,
    /// The surface of mosip-api.
    pub mosip_api: MosipApi,
    /// The reindex feed.
    pub reindex: Reindex,
    /// Who may read and act.
    pub operators: Vec<Operator>,
}

/// The reindex feed.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Reindex {
    /// Whether it is taken.
    pub enabled: bool,
    /// Largest batch.
    pub max_size: Size,
}

/// The surface of mosip-api.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MosipApi {
    /// Whether it is served.
    pub enabled: bool,
    /// Origin of the OpenCRVS client.
    pub client_app_url: Option<BaseUrl>,
    /// Most comparisons that one user may ask for in a minute.
    pub verifications_per_user: Count<1, 10_000>,
    /// Most comparisons with one number in an hour.
    pub verifications_per_id: Count<1, 10_000>,
}

/// One operator.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Operator {
    /// Name in the audit log.
    pub name: String,
    /// What is allowed.
    pub role: OperatorRole,
    /// File that holds the bearer token.
    pub token_file: FilePath,
}

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OperatorRole {
    /// Reads.
    Viewer,
    /// Reads and clears records.
    Integrator,
    /// Everything.
    Admin,
}
