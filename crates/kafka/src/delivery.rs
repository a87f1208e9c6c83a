//! A producer that outlives its client: an idempotent client that hits a fatal error never sends again, so it is
//! replaced by a new one.

use std::sync::{Mutex, PoisonError};

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, Producer};

use crate::config::{ConfigError, KafkaConfig};

pub(crate) struct Delivery {
    config: ClientConfig,
    client: Mutex<FutureProducer>,
}

impl Delivery {
    pub(crate) fn new(config: &KafkaConfig) -> Result<Self, ConfigError> {
        let config = config.producer()?;
        let client = config.create().map_err(ConfigError::Client)?;
        Ok(Self { config, client: Mutex::new(client) })
    }

    /// The client to send with now.
    pub(crate) fn client(&self) -> FutureProducer {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((code, _)) = client.client().fatal_error() {
            tracing::error!(%code, "the kafka producer hit a fatal error and is replaced");
            match self.config.create() {
                Ok(fresh) => *client = fresh,
                Err(error) => tracing::error!(%error, "the kafka producer cannot be replaced yet"),
            }
        }
        client.clone()
    }
}

/// True if the broker refuses the message for its size, whichever side noticed.
pub(crate) fn is_too_large(error: &KafkaError) -> bool {
    use rdkafka::types::RDKafkaErrorCode::MessageSizeTooLarge;
    matches!(error, KafkaError::MessageProduction(MessageSizeTooLarge))
}
