//! What is to be published, for whoever drains it.

use std::sync::Arc;

use civitas_journal::{leases, outbox};

use crate::{Engine, EngineError};

const LEASE: &str = "outbox";

impl Engine {
    /// The oldest unpublished messages, in commit order; none while another process publishes. The same again
    /// until they are marked.
    pub async fn outbox_batch(&self, limit: u32) -> Result<Vec<outbox::Message>, EngineError> {
        if !self.plays(LEASE).await? {
            return Ok(Vec::new());
        }
        let mut reader = self.journal().read().await?;
        Ok(outbox::next_batch(&mut reader, limit).await?)
    }

    /// Removes messages that the broker has acknowledged.
    pub async fn outbox_published(&self, ids: &[i64]) -> Result<(), EngineError> {
        let ids: Arc<[i64]> = ids.into();
        self.journal()
            .write(move |tx| {
                let ids = Arc::clone(&ids);
                Box::pin(async move { outbox::remove(tx, &ids).await })
            })
            .await?;
        Ok(())
    }

    /// Completes when new messages may be there.
    pub async fn outbox_changed(&self) {
        // The sender lives as long as the engine.
        let _ = self.bells().outbox.listen().changed().await;
    }

    /// Gives the publisher's role up, so that another process need not wait for the lease's end.
    pub async fn outbox_release(&self) -> Result<(), EngineError> {
        let owner: Arc<str> = self.options().instance.as_str().into();
        self.journal()
            .write(move |tx| {
                let owner = Arc::clone(&owner);
                Box::pin(async move { leases::release(tx, LEASE, &owner).await })
            })
            .await?;
        Ok(())
    }
}
