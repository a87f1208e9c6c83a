//! Kafka's doors and the engine's, fitted to each other.

use civitas_engine::{Answer, Arrival, Engine, IngestError, Origin, OutboxTopic as EngineTopic};
use civitas_kafka::{Incoming, Ingest, IngestRefusal, Outbox, OutboxError, OutboxRow, OutboxTopic};

/// The engine as Kafka's consumer and publisher see it.
#[derive(Clone)]
pub struct Bridge(pub Engine);

impl Ingest for Bridge {
    async fn ingest(&self, batch: Vec<Incoming>) -> Vec<Result<(), IngestRefusal>> {
        let arrivals = batch.into_iter().map(arrival).collect();
        self.0.ingest(arrivals).await.into_iter().map(answered).collect()
    }
}

fn arrival(incoming: Incoming) -> Arrival {
    Arrival {
        document: incoming.document.to_vec(),
        event_id: Some(incoming.event_id),
        event_type: None,
        action_type: None,
        origin: Origin::Kafka,
        token: None,
        token_expires_at: None,
        traceparent: incoming.traceparent,
    }
}

fn answered(answer: Result<Answer, IngestError>) -> Result<(), IngestRefusal> {
    let Err(error) = answer else { return Ok(()) };
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(deeper) = cause {
        message.push_str(": ");
        message.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    Err(IngestRefusal { poison: error.is_poison(), code: error.code().to_owned(), message })
}

impl Outbox for Bridge {
    async fn next_batch(&self, limit: usize) -> Result<Vec<OutboxRow>, OutboxError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let messages = self.0.outbox_batch(limit).await?;
        Ok(messages
            .into_iter()
            .map(|message| OutboxRow {
                id: message.id,
                topic: match message.topic {
                    EngineTopic::Audit => OutboxTopic::Audit,
                    EngineTopic::Awaiting => OutboxTopic::Awaiting,
                },
                key: message.key,
                kind: message.kind,
                value: message.value,
                headers: message.headers,
                at: Some(message.created_at),
            })
            .collect())
    }

    async fn published(&self, ids: &[i64]) -> Result<(), OutboxError> {
        self.0.outbox_published(ids).await?;
        Ok(())
    }

    async fn changed(&self) {
        self.0.outbox_changed().await;
    }
}
