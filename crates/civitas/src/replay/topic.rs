//! Civil events out of the topic on which OpenCRVS's actions are emitted.

use anyhow::{Context as _, anyhow};
use civitas_kafka::TopicReader;

use super::Item;
use super::pool::Feed;
use crate::assembly;
use crate::config::Config;

/// Opens the topic where the configuration says.
pub fn open(config: &Config, topic: &str) -> anyhow::Result<TopicReader> {
    let kafka = assembly::kafka(config)?
        .ok_or_else(|| anyhow!("the configuration has no broker: set `kafka.enabled` and `kafka.brokers`"))?;
    TopicReader::open(&kafka, topic).with_context(|| format!("topic {topic} cannot be read"))
}

/// Hands on every message that is there now.
pub fn feed(reader: &mut TopicReader, topic: &str, to: &mut Feed<'_, Item>) -> anyhow::Result<()> {
    to.progress.begin(topic, reader.total());
    while let Some(message) = reader.next_message().context("the topic cannot be read to its end")? {
        to.progress.advance(1);
        let item = Item::Message(Box::new(message));
        let weight = item.weight();
        to.push(item, weight)?;
    }
    Ok(())
}
