//! A delivery of the hub: authentic, then durable, then answered.

use std::sync::Arc;

use civitas_audit::NewLeaf;
use civitas_journal::{
    JournalError, Private, Tx,
    inbox::{self, NewDelivery},
    operations,
};
use civitas_mosip::websub::{self, Delivery};
use openssl::sha::sha256;

use crate::{
    Engine,
    hub::{COMPLETED, CREDENTIAL},
    together::Batched,
};

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// Durable; looked into next.
    Stored,
    /// The same delivery is already here: no effect.
    Duplicate,
    /// About a packet that is not ours (the topic of finished workflows tells of the whole country): not stored.
    NotOurs,
}

/// Why a delivery is not taken.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// Not signed with one of our secrets: nothing is stored, answer 401.
    #[error("the delivery's signature is missing or wrong")]
    Signature,
    /// Not durable: answer 503, so that the hub delivers again.
    #[error("the delivery could not be made durable")]
    Journal(#[from] JournalError),
}

impl Engine {
    /// Takes a delivery in. `signature` is the header `X-Hub-Signature`, over exactly the bytes of `raw`.
    pub async fn deliver(&self, raw: &[u8], signature: Option<&str>) -> Result<Delivered, DeliverError> {
        let secrets = &self.options().subscriptions.secrets;
        let Ok(signed_with) = websub::verify_signature(secrets, raw, signature) else {
            metrics::counter!("civitas_callbacks_total", "outcome" => "forged").increment(1);
            self.record_denial("hub", "a callback whose signature is missing or wrong").await;
            return Err(DeliverError::Signature);
        };
        let (id, topic) = match Delivery::parse(raw) {
            Ok(Delivery::Credential(issued)) => (issued.event_id.clone(), CREDENTIAL),
            Ok(Delivery::Completed(completed)) => {
                if !self.is_ours(&completed.aid).await? {
                    return Ok(Delivered::NotOurs);
                }
                (completed.key(), COMPLETED)
            }
            // Authentic, but of a form that we do not know: kept, and shown, not refused. A refusal would make
            // the hub stop delivering altogether.
            Ok(Delivery::Paused(_) | Delivery::Other { .. }) | Err(_) => (hex::encode(sha256(raw)), "other"),
        };
        let new = NewDelivery {
            delivery_id: id,
            topic: topic.to_owned(),
            received_at: self.now(),
            body: Private::new(raw),
        };
        let delivered = self.deliveries().record(Arrived(new)).await?;
        if signed_with > 0
            && let Some(name) = self.topic_of(topic)
        {
            self.heard_with_old_secret(name, &secrets[signed_with]).await;
        }
        let outcome = if delivered == Delivered::Stored { "stored" } else { "duplicate" };
        metrics::counter!("civitas_callbacks_total", "outcome" => outcome).increment(1);
        self.bells().inbox.ring();
        Ok(delivered)
    }

    /// Whether a packet is ours: by the station that its AID names, or, since a system before us had other AIDs, by the
    /// journal.
    async fn is_ours(&self, aid: &str) -> Result<bool, JournalError> {
        if self.station().made(aid) {
            return Ok(true);
        }
        let mut reader = self.journal().read().await?;
        Ok(!operations::taken_aids(&mut reader, &[aid.to_owned()]).await?.is_empty())
    }
}

/// A delivery that is to be made durable.
pub(crate) struct Arrived(NewDelivery);

impl Batched for Arrived {
    type Outcome = Delivered;

    const ENTERS: bool = true;

    async fn record(_: &Engine, tx: &mut Tx, work: &[Arc<Self>]) -> Result<Vec<Self::Outcome>, JournalError> {
        let new: Vec<NewDelivery> = work.iter().map(|arrived| arrived.0.clone()).collect();
        let ids = inbox::insert_many(tx, &new).await?;
        let again = new.iter().zip(&ids).filter(|(_, id)| id.is_none()).map(|(delivery, _)| {
            let mut leaf = NewLeaf::new("callback", "hub", delivery.received_at);
            leaf.reason = Some("delivered again: no effect".to_owned());
            leaf
        });
        tx.append_audit(&again.collect::<Vec<_>>());
        Ok(ids.iter().map(|id| if id.is_some() { Delivered::Stored } else { Delivered::Duplicate }).collect())
    }
}
