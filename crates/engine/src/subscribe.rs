//! Keeping MOSIP's hub talking to us: every topic is subscribed to again on a timer.
//!
//! The hub forgets a subscriber after one delivery that failed for good, and says nothing. A new request with the
//! same callback and secret resumes where it stopped; "already registered" is good news.

use civitas_journal::subscriptions::{self, Subscription, SubscriptionState};
use civitas_mosip::{HubAnswer, Subscription as Request};
use tokio_util::sync::CancellationToken;

use crate::{Engine, EngineError, schedule::later};

/// The hub's default; it enforces none, so the renewal is ours.
const LEASE_SECONDS: u32 = 86_400;

impl Engine {
    /// Subscribes at once, then again whenever the renewal time is over, until `stop`.
    pub(crate) async fn keep_subscribed(&self, stop: CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            let wait = match self.subscribe_all().await {
                Ok(()) => {
                    failures = 0;
                    self.options().subscriptions.renew_every
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the hub did not take our subscriptions"
                    );
                    self.backoff(failures, None).min(self.options().subscriptions.renew_every)
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn subscribe_all(&self) -> Result<(), EngineError> {
        let wanted = &self.options().subscriptions;
        let Some(secret) = wanted.secrets.first() else { return Ok(()) };
        for topic in wanted.topics() {
            self.note_subscription(topic, SubscriptionState::Requested, None).await;
            let request = Request {
                topic: topic.to_owned(),
                callback: wanted.callback.clone(),
                secret: secret.clone(),
                lease_seconds: LEASE_SECONDS,
            };
            match self.mosip().subscribe(&request, self.now()).await? {
                HubAnswer::Accepted => {}
                HubAnswer::AlreadyRegistered => {
                    self.note_subscription(topic, SubscriptionState::Verified, None).await;
                }
                HubAnswer::Denied(reason) => {
                    tracing::warn!(topic, reason, "the hub denies our subscription");
                    self.note_subscription(topic, SubscriptionState::Denied, Some(&reason)).await;
                }
            }
        }
        Ok(())
    }

    /// Whether a request of ours for this topic is open: the hub's question about any other is refused.
    pub(crate) async fn asked_for(&self, topic: &str) -> bool {
        let known = async {
            let mut reader = self.journal().read().await?;
            subscriptions::all(&mut reader).await
        };
        let window = self.options().subscriptions.renew_every;
        known.await.unwrap_or_default().into_iter().any(|known| {
            known.topic == topic
                && known.callback == self.options().subscriptions.callback
                && known.state != SubscriptionState::Denied
                && self.now() < later(known.requested_at, window)
        })
    }

    pub(crate) async fn note_subscription(&self, topic: &str, state: SubscriptionState, cause: Option<&str>) {
        let now = self.now();
        let (topic, callback) = (topic.to_owned(), self.options().subscriptions.callback.clone());
        let cause = cause.map(str::to_owned);
        let noted = self
            .journal()
            .write(move |tx| {
                let (topic, callback, cause) = (topic.clone(), callback.clone(), cause.clone());
                Box::pin(async move {
                    let before = subscriptions::all(tx).await?.into_iter().find(|known| known.topic == topic);
                    let requested_at = match (state, &before) {
                        (SubscriptionState::Requested, _) | (_, None) => now,
                        (_, Some(before)) => before.requested_at,
                    };
                    let verified_at = match state {
                        SubscriptionState::Verified => Some(now),
                        _ => before.and_then(|before| before.verified_at),
                    };
                    let row = Subscription {
                        topic,
                        callback,
                        state,
                        cause,
                        requested_at,
                        verified_at,
                        expires_at: None,
                        updated_at: now,
                    };
                    subscriptions::put(tx, &row).await
                })
            })
            .await;
        if let Err(error) = noted {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a subscription's state was not recorded"
            );
        }
    }
}
