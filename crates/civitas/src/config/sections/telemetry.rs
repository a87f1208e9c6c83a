//! Logs and traces.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::units::BaseUrl;

/// Logs and traces.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Telemetry {
    /// Log lines.
    pub log_format: LogFormat,
    /// Filter.
    pub level: String,
    /// Collector.
    pub otlp_endpoint: Option<BaseUrl>,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people.
    Pretty,
}
