//! How to reach the broker, what the topics are called, and how much to take at once.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::jwe::KeyError;

/// Properties that hold a promise of this crate and are therefore not for configuration.
const RESERVED: [&str; 8] = [
    "bootstrap.servers",
    "group.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "enable.idempotence",
    "acks",
    "partitioner",
];

/// Everything that this crate needs to know of a Kafka installation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaConfig {
    /// Brokers to ask first: `host:port`, separated by commas.
    pub bootstrap: String,
    /// librdkafka properties for connection and security (`security.protocol`, `sasl.username`, `ssl.ca.location`,
    /// `session.timeout.ms`, …). Never printed. Those that would weaken a promise are refused.
    #[serde(default)]
    pub properties: BTreeMap<String, SecretString>,
    /// Names of the topics.
    #[serde(default)]
    pub topics: Topics,
    /// Consumer group; engine processes of one group share the partitions.
    #[serde(default = "default_group_id")]
    pub group_id: String,
    /// How much the consumer and the publisher take at once.
    #[serde(default)]
    pub batch: Batch,
    /// The CloudEvents `source` of what we publish: a URI reference. `source` + `id` is unique, so deployments
    /// that share a broker need different ones.
    #[serde(default = "default_source")]
    pub source: String,
    /// Keys that open encrypted events; absent: encrypted events are refused.
    #[serde(default)]
    pub payload_encryption: Option<PayloadEncryption>,
}

/// Names of the four topics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Topics {
    /// Events of OpenCRVS, read by us.
    pub events: String,
    /// Audit records, written by us.
    pub audit: String,
    /// Current queue entries, compacted, written by us.
    pub awaiting: String,
    /// What could not be ingested, written by us.
    pub dead_letter: String,
}

impl Default for Topics {
    fn default() -> Self {
        Self {
            events: "crvs.events".into(),
            audit: "civitas.audit".into(),
            awaiting: "civitas.awaiting-external-validation".into(),
            dead_letter: "civitas.dead-letter".into(),
        }
    }
}

/// Sizes of batches.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Batch {
    /// Most messages that are ingested in one call.
    pub max_messages: usize,
    /// How long a batch waits to fill after its first message, in milliseconds.
    pub max_wait_ms: u64,
    /// Most outbox rows that are published before their acknowledgement is awaited.
    pub publish_rows: usize,
    /// How often the outbox is looked at when nobody said that it changed, in milliseconds.
    pub publish_poll_ms: u64,
}

impl Default for Batch {
    fn default() -> Self {
        Self { max_messages: 500, max_wait_ms: 20, publish_rows: 1_000, publish_poll_ms: 200 }
    }
}

impl Batch {
    pub(crate) fn max_wait(&self) -> Duration {
        Duration::from_millis(self.max_wait_ms)
    }

    pub(crate) fn publish_poll(&self) -> Duration {
        Duration::from_millis(self.publish_poll_ms)
    }
}

/// Encryption of the event document: compact JWE, RSA-OAEP-256 and A256GCM, nothing else.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayloadEncryption {
    /// Keys that open events. Several, so that a new one can be announced before the old one retires.
    pub keys: Vec<DecryptionKey>,
    /// If true, an event whose document is not encrypted goes to the dead-letter topic.
    #[serde(default)]
    pub required: bool,
}

/// A private key and the `kid` by which a JWE header names it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecryptionKey {
    /// Key id in the JWE header.
    pub kid: String,
    /// RSA private key, PEM.
    pub private_key: SecretString,
}

/// A configuration that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A property that this crate sets itself.
    #[error("kafka property '{0}' is set by civitas and cannot be configured: remove it")]
    Reserved(String),
    /// A number that makes no sense.
    #[error("kafka batch.{0} must be at least 1")]
    Zero(&'static str),
    /// librdkafka refuses the properties.
    #[error("the kafka client cannot be created: check 'bootstrap' and 'properties'")]
    Client(#[source] rdkafka::error::KafkaError),
    /// A payload key does not load.
    #[error(
        "payload encryption key '{kid}' cannot be used: it must be an RSA private key of at least 2048 bits in PEM"
    )]
    Key {
        /// The key's id.
        kid: String,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// Two payload keys with one id.
    #[error("payload encryption key id '{0}' is given twice")]
    DuplicateKey(String),
}

fn default_group_id() -> String {
    "civitas".into()
}

fn default_source() -> String {
    "/civitas".into()
}

impl KafkaConfig {
    /// A configuration with every default, for the given brokers.
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Self {
            bootstrap: bootstrap.into(),
            properties: BTreeMap::new(),
            topics: Topics::default(),
            group_id: default_group_id(),
            batch: Batch::default(),
            source: default_source(),
            payload_encryption: None,
        }
    }

    /// Adds a librdkafka property.
    #[must_use]
    pub fn with_property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(name.into(), SecretString::from(value.into()));
        self
    }

    /// What every client has: brokers, identity and the configured properties.
    pub(crate) fn client(&self) -> Result<ClientConfig, ConfigError> {
        for (name, value) in
            [("max_messages", self.batch.max_messages), ("publish_rows", self.batch.publish_rows)]
        {
            if value == 0 {
                return Err(ConfigError::Zero(name));
            }
        }
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).set("client.id", "civitas");
        // Reconnect soon after a broker's restart; the default backs off to ten seconds.
        config.set("reconnect.backoff.max.ms", "2000");
        for (name, value) in &self.properties {
            if RESERVED.contains(&name.as_str()) {
                return Err(ConfigError::Reserved(name.clone()));
            }
            config.set(name, value.expose_secret());
        }
        Ok(config)
    }

    /// A consumer that commits only when told, starts at the oldest message, and keeps its partitions through a
    /// rebalance where it can.
    pub(crate) fn consumer(&self) -> Result<ClientConfig, ConfigError> {
        let mut config = self.client()?;
        config
            .set("group.id", &self.group_id)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest");
        self.default(&mut config, "statistics.interval.ms", "5000");
        // The local queue is only there to fill the next batch while this one is ingested.
        self.default(&mut config, "queued.max.messages.kbytes", "32768");
        // The newer group protocol assigns at the broker and refuses these options.
        let broker_assigns = self
            .properties
            .get("group.protocol")
            .is_some_and(|protocol| protocol.expose_secret() == "consumer");
        if !broker_assigns {
            self.default(&mut config, "partition.assignment.strategy", "cooperative-sticky");
            // A killed process keeps its partitions, and a group that rebalances waits for it, until its session
            // ends: the default of 45 s would be 45 s without events.
            self.default(&mut config, "session.timeout.ms", "12000");
        }
        Ok(config)
    }

    /// A producer whose acknowledgement means "on every in-sync replica, once, in order".
    pub(crate) fn producer(&self) -> Result<ClientConfig, ConfigError> {
        let mut config = self.client()?;
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // The Java clients' choice of partition for a key, so that all producers agree on it.
            .set("partitioner", "murmur2_random");
        self.default(&mut config, "max.in.flight.requests.per.connection", "5");
        self.default(&mut config, "linger.ms", "5");
        self.default(&mut config, "message.timeout.ms", "30000");
        // The topic decides how large a message may be, not the client.
        self.default(&mut config, "message.max.bytes", "67108864");
        Ok(config)
    }

    /// Sets a property unless the configuration did.
    fn default(&self, config: &mut ClientConfig, name: &str, value: &str) {
        if !self.properties.contains_key(name) {
            config.set(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_that_would_weaken_a_promise_is_refused() {
        for name in RESERVED {
            let config = KafkaConfig::new("localhost:9").with_property(name, "x");
            assert!(matches!(config.client(), Err(ConfigError::Reserved(found)) if found == name));
        }
    }

    #[test]
    fn a_batch_of_nothing_is_refused() {
        let mut config = KafkaConfig::new("localhost:9");
        config.batch.max_messages = 0;
        assert_eq!(config.consumer().unwrap_err().to_string(), "kafka batch.max_messages must be at least 1");
    }

    #[test]
    fn secrets_do_not_print() {
        let config = KafkaConfig::new("localhost:9").with_property("sasl.password", "correct horse");
        assert!(!format!("{config:?}").contains("correct horse"));
    }

    #[test]
    fn the_defaults_are_what_the_promises_need() {
        let consumer = KafkaConfig::new("localhost:9").consumer().unwrap();
        assert_eq!(consumer.get("enable.auto.commit"), Some("false"));
        assert_eq!(consumer.get("auto.offset.reset"), Some("earliest"));
        assert_eq!(consumer.get("partition.assignment.strategy"), Some("cooperative-sticky"));
        let producer = KafkaConfig::new("localhost:9").producer().unwrap();
        assert_eq!(producer.get("acks"), Some("all"));
        assert_eq!(producer.get("enable.idempotence"), Some("true"));
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let read = serde_json::from_str::<KafkaConfig>(r#"{"bootstrap": "a:1", "topic": {}}"#);
        assert!(read.unwrap_err().to_string().contains("unknown field `topic`"));
        let minimal: KafkaConfig = serde_json::from_str(r#"{"bootstrap": "a:1"}"#).unwrap();
        assert_eq!(minimal.topics.events, "crvs.events");
        assert_eq!(minimal.batch.max_messages, 500);
    }
}
