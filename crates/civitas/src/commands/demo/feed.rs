//! From OpenCRVS to Kafka: what a country's own bridge does, with payloads encrypted.

use std::path::Path;

use anyhow::Context as _;
use civitas_kafka::{ActionRequested, Encoding, Encrypter, EventProducer, KafkaConfig, Shape};
use civitas_sandbox::Handed;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use crate::clock;
use crate::commands::keys::payload_key_id;

/// Makes the topics, then puts every event that OpenCRVS hands over onto the topic of events, in order.
pub(super) async fn start(
    kafka: &KafkaConfig,
    folder: &Path,
    mut handed: UnboundedReceiver<Handed>,
) -> anyhow::Result<JoinHandle<()>> {
    civitas_kafka::ensure(kafka, Shape { partitions: 4, replication: 1 })
        .await
        .context("the topics cannot be made")?;
    let public = folder.join("engine-keys/payload.pub.pem");
    let kid = payload_key_id(&public)?;
    let public =
        std::fs::read_to_string(&public).with_context(|| format!("cannot read {}", public.display()))?;
    let encrypter = Encrypter::new(kid, &public).context("the payload key cannot be used")?;
    let producer = EventProducer::new(kafka, "/opencrvs", Some(encrypter)).context("no producer")?;
    Ok(tokio::spawn(async move {
        while let Some(event) = handed.recv().await {
            let requested = ActionRequested {
                event_id: event.event_id,
                action_id: event.action_id,
                time: Some(clock::now()),
                document: event.body,
                traceparent: None,
            };
            if let Err(error) = producer.send(&requested, Encoding::Binary).await {
                tracing::error!(error = &error as &dyn std::error::Error, "an event did not reach Kafka");
            }
        }
    }))
}
