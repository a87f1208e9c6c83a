//! Kafka: topics, and the encryption of what lies in them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::units::{Count, FilePath};

/// Kafka.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Kafka {
    /// Whether there is a broker.
    pub enabled: bool,
    /// Addresses.
    pub brokers: Vec<String>,
    /// Consumer group.
    pub group: String,
    /// CloudEvents source.
    pub source: String,
    /// Topics.
    pub topics: Topics,
    /// Events per transaction.
    pub batch: Count<1, 5000>,
    /// librdkafka settings.
    pub properties: BTreeMap<String, String>,
    /// librdkafka settings that are secrets.
    pub property_files: BTreeMap<String, FilePath>,
    /// Payload encryption.
    pub encryption: Encryption,
    /// Whether decisions are told to OpenCRVS.
    pub answers: bool,
}

/// Topic names.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Topics {
    /// In.
    pub events: String,
    /// Out.
    pub audit: String,
    /// Out, compacted.
    pub awaiting: String,
    /// Out.
    pub dead_letter: String,
}

/// JWE.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Encryption {
    /// Whether a payload in clear is refused.
    pub required: bool,
    /// Private keys, newest first.
    pub keys: Vec<PayloadKey>,
}

/// One generation of payload key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PayloadKey {
    /// Key id in the JWE header.
    pub kid: String,
    /// Private key.
    pub private_key_file: FilePath,
}
