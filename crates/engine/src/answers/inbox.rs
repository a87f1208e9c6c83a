//! Deliveries that are durable: opened, and recorded as what they say, or put aside.

use std::sync::Arc;

use civitas_audit::NewLeaf;
use civitas_journal::{
    JournalError, Private, Tx,
    inbox::{self, Advance, InboxState},
    leases::Held,
};
use civitas_mosip::websub::{CredentialIssued, Delivery};
use jiff::Timestamp;
use tracing::Instrument;

use super::{
    credential::{self, Opened, Unopened},
    heard::{Answer, Heard},
    share::Content,
};
use crate::{
    Cause, Engine, EngineError,
    desk::{Bell, Desk},
    schedule::later,
};

/// The desk that reads the inbox.
pub(crate) struct InboxDesk(pub(crate) Engine);

impl Desk for InboxDesk {
    type Item = inbox::Delivery;

    const NAME: &'static str = "inbox";

    fn engine(&self) -> &Engine {
        &self.0
    }

    fn bell(&self) -> &Bell {
        &self.0.bells().inbox
    }

    async fn claim(&self, limit: usize) -> Result<Vec<inbox::Delivery>, EngineError> {
        self.0
            .claim_due(limit, |tx, due| {
                Box::pin(async move { inbox::claim(tx, &due.lease, due.now, due.limit).await })
            })
            .await
    }

    fn held(delivery: &inbox::Delivery) -> Held {
        Held::Delivery(delivery.id)
    }

    async fn handle(&self, delivery: inbox::Delivery) -> Result<(), EngineError> {
        let span = tracing::info_span!("callback", id = delivery.id, topic = delivery.topic);
        self.0.look_into(Arc::new(delivery)).instrument(span).await
    }
}

impl Engine {
    async fn look_into(&self, delivery: Arc<inbox::Delivery>) -> Result<(), EngineError> {
        match Delivery::parse(delivery.body.as_bytes()) {
            Ok(Delivery::Credential(issued)) if self.is_stale(&issued, delivery.received_at) => {
                self.put_aside(delivery, Cause::new("delivery_stale")).await
            }
            Ok(Delivery::Credential(issued)) => {
                let content = match self.content_of(&delivery, &issued).await? {
                    Content::None => return Ok(()),
                    Content::Inline => None,
                    Content::Share(bytes) => Some(bytes),
                };
                let engine = self.clone();
                let key = self.pack().country().credential_key.as_str().to_owned();
                let opening = move || engine.open(&issued, content.as_ref(), &key);
                let opened = self.computing().run(opening).await?;
                match opened {
                    Ok(opened) => self.record_heard(delivery, Answer::Credential(opened)).await,
                    Err(Unopened::Never(cause)) => self.put_aside(delivery, cause).await,
                    Err(Unopened::Now(cause)) => {
                        metrics::counter!("civitas_callbacks_total", "outcome" => "key_away").increment(1);
                        tracing::warn!(%cause, "a credential could not be opened, it is tried again");
                        let wait = self.backoff(delivery.attempts + 1, None);
                        self.look_again(&delivery, &cause, later(self.now(), wait)).await
                    }
                }
            }
            Ok(Delivery::Completed(completed)) => {
                self.record_heard(delivery, Answer::Completed(completed)).await
            }
            Ok(Delivery::Paused(_) | Delivery::Other { .. }) => {
                self.put_aside(delivery, Cause::new("delivery_of_no_use")).await
            }
            Err(error) => {
                self.put_aside(delivery, Cause::with("delivery_unreadable", error.to_string())).await
            }
        }
    }

    /// Whether an event is older, or later, than any that the hub can still have to deliver. What was seen before is
    /// told by its id for at least that long.
    fn is_stale(&self, issued: &CredentialIssued, received_at: Timestamp) -> bool {
        let window = self.options().subscriptions.replay_window;
        issued.at.is_some_and(|at| later(at, window) < received_at || later(received_at, window) < at)
    }

    /// What was understood, recorded together with what else was.
    async fn record_heard(&self, delivery: Arc<inbox::Delivery>, answer: Answer) -> Result<(), EngineError> {
        self.heard().record(Heard { delivery, answer }).await?;
        self.bells().confirmer.ring();
        // A failure's reason is asked for, an update is read back, and an operation that ended lets its lane go on.
        self.bells().asker.ring();
        self.bells().sender.ring();
        self.bells().outbox.ring();
        Ok(())
    }

    fn open(
        &self,
        issued: &CredentialIssued,
        content: Option<&Private>,
        identifier_key: &str,
    ) -> Result<Opened, Unopened> {
        let by = credential::By {
            keys: self.keys(),
            trust: credential::Trust { events: self.proof_keys(), credentials: self.vc_trust() },
            plain_shares: self.options().plain_shares,
        };
        credential::open(issued, content, &by, identifier_key)
    }

    async fn put_aside(&self, delivery: Arc<inbox::Delivery>, cause: Cause) -> Result<(), EngineError> {
        self.journal()
            .write(move |tx| {
                let (delivery, cause) = (Arc::clone(&delivery), cause.clone());
                Box::pin(async move { put_aside_in(tx, &delivery, None, &cause).await })
            })
            .await?;
        Ok(())
    }
}

/// Quarantine: kept with its cause, acted on by nobody but a person. The leaf that says so, and what becomes of the
/// delivery.
pub(super) fn aside(delivery: &inbox::Delivery, aid: Option<&str>, cause: &Cause) -> (NewLeaf, Advance) {
    metrics::counter!("civitas_callbacks_total", "outcome" => "quarantined").increment(1);
    if cause.is_about_proof() {
        // To be alerted on: somebody forges, or MOSIP changed its keys or contexts and nobody told us.
        metrics::counter!("civitas_credentials_not_believed_total", "cause" => cause.code.clone())
            .increment(1);
        tracing::error!(code = cause.code, detail = cause.detail, "a credential is not believed");
    }
    let mut leaf = NewLeaf::new("callback", "hub", delivery.received_at);
    leaf.aid = aid.map(str::to_owned);
    leaf.reason = Some(format!("quarantined: {cause}"));
    let mut advance = Advance::settle(delivery, InboxState::Quarantined);
    advance.aid = aid.map(str::to_owned);
    advance.cause = Some(cause.to_string());
    (leaf, advance)
}

/// [`aside`], written down.
pub(super) async fn put_aside_in(
    tx: &mut Tx,
    delivery: &inbox::Delivery,
    aid: Option<&str>,
    cause: &Cause,
) -> Result<(), JournalError> {
    let (leaf, advance) = aside(delivery, aid, cause);
    tx.append_audit(&[leaf]);
    inbox::advance(tx, &[advance]).await?;
    Ok(())
}
