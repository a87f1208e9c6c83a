//! The task that asks the hub for what is due, in one process at a time.

use civitas_audit::NewLeaf;
use civitas_journal::{
    operations,
    subscriptions::{self, Asked, Subscription, SubscriptionState},
};
use civitas_mosip::{HubAnswer, Subscription as Request};
use jiff::Timestamp;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::{
    fingerprint, intent,
    intent::Heard,
    renewal::{self, Ask},
};
use crate::{Engine, EngineError, schedule::later};

/// Role of the process that speaks with the hub.
const LEASE: &str = "subscriptions";

impl Engine {
    /// Asks for each topic, renews before leases end, changes the secret at the hub when the configuration has another
    /// one, and looks whether the hub is heard, until `stop`.
    pub(crate) async fn keep_subscribed(&self, stop: CancellationToken) {
        let mut failures = 0;
        let mut rest_until = None::<Timestamp>;
        while !stop.is_cancelled() {
            let now = self.now();
            if rest_until.is_none_or(|until| until <= now) {
                rest_until = match self.tend_subscriptions().await {
                    Ok(()) => {
                        failures = 0;
                        None
                    }
                    Err(error) => {
                        failures += 1;
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "the hub did not take our subscriptions");
                        let wait = self.backoff(failures, None);
                        Some(later(now, wait.min(self.options().subscriptions.renew_every)))
                    }
                };
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.options().idle_poll) => {}
            }
        }
    }

    async fn tend_subscriptions(&self) -> Result<(), EngineError> {
        let wanted = &self.options().subscriptions;
        let Some(secret) = wanted.secrets.first() else { return Ok(()) };
        let known = {
            let mut reader = self.journal().read().await?;
            subscriptions::all(&mut reader).await?
        };
        self.listen_for_silence(&known).await?;
        let name = fingerprint(secret);
        let due: Vec<(&str, Ask)> = wanted
            .topics()
            .filter_map(|topic| {
                let row = known.iter().find(|row| row.topic == topic);
                let ask = renewal::due(row, &wanted.callback, &name, wanted.renew_every, self.now());
                ask.map(|ask| (topic, ask))
            })
            .collect();
        if due.is_empty() || !self.speaks_with_the_hub().await? {
            return Ok(());
        }
        for (topic, ask) in due {
            self.ask_hub(topic, ask).await?;
        }
        Ok(())
    }

    /// Whether this process is the one that speaks with the hub; two would undo each other's steps.
    async fn speaks_with_the_hub(&self) -> Result<bool, EngineError> {
        Ok(self.plays(LEASE).await?)
    }

    /// Makes one request: first into the journal, then to the hub.
    pub(super) async fn ask_hub(&self, topic: &str, ask: Ask) -> Result<(), EngineError> {
        let now = self.now();
        let secret = self.secret_for(ask);
        let (name, callback) = (fingerprint(&secret), self.options().subscriptions.callback.clone());
        let to = callback.clone();
        let before = self.change_subscription(topic, |_, _| false).await?.requested_at;
        self.change_subscription(topic, move |row, _| {
            if row.callback != callback {
                // Another subscriber in the hub's eyes: what is known of the old one does not hold for it.
                *row = Subscription::new(row.topic.clone(), callback.clone(), now);
            }
            // A renewal that fails leaves a subscription that stands as it is.
            if ask.asked == Asked::Unsubscribe || row.state != SubscriptionState::Verified {
                row.state = SubscriptionState::Requested;
            }
            row.requested_at = now;
            row.cause = None;
            row.asked = Some(ask.asked);
            row.asked_until = Some(later(now, renewal::VERIFICATION));
            row.asked_secret = Some(name.clone());
            true
        })
        .await?;
        let request =
            Request { topic: topic.to_owned(), callback: to, secret, lease_seconds: renewal::LEASE_SECONDS };
        let answer = match ask.asked {
            Asked::Subscribe => self.mosip().subscribe(&request, now).await,
            Asked::Unsubscribe => self.mosip().unsubscribe(&request, now).await,
        };
        let heard = match answer {
            Err(error) => {
                let why = error.summary.clone();
                // It may have been heard all the same, so that its verification stays welcome; but it is due again.
                self.change_subscription(topic, move |row, _| {
                    row.requested_at = before;
                    row.cause = Some(why.clone());
                    true
                })
                .await?;
                return Err(error.into());
            }
            Ok(HubAnswer::Accepted) => return Ok(()),
            Ok(HubAnswer::AlreadyRegistered) => Heard::Denied("already registered".to_owned()),
            Ok(HubAnswer::Denied(reason)) => {
                tracing::warn!(topic, reason, asked = ask.asked.as_str(), "the hub denies our request");
                Heard::Denied(reason)
            }
        };
        self.change_subscription(topic, move |row, _| {
            intent::apply(row, ask.asked, &heard, now);
            true
        })
        .await?;
        Ok(())
    }

    /// The current secret, or the one before where that is asked for and known.
    fn secret_for(&self, ask: Ask) -> SecretString {
        let secrets = &self.options().subscriptions.secrets;
        let old = secrets.get(1).filter(|_| ask.old_secret);
        old.or(secrets.first()).cloned().unwrap_or_default()
    }

    /// A delivery was signed with another secret than the current one: the hub has not got it. Worth a change only
    /// where the journal thinks otherwise, and not for what was on its way during one.
    pub(crate) async fn heard_with_old_secret(&self, topic: &str, secret: &SecretString) {
        let (name, now) = (fingerprint(secret), self.now());
        let noted = self
            .change_subscription(topic, move |row, tx| {
                let settled = row.state == SubscriptionState::Verified
                    && row.verified_at.is_some_and(|at| later(at, renewal::VERIFICATION) < now);
                if !settled || row.secret.as_deref() == Some(&name) {
                    return false;
                }
                row.secret = Some(name.clone());
                let mut leaf = NewLeaf::new("subscription", "hub", now);
                leaf.reason = Some(format!("{}: the hub signs with the secret before", row.topic));
                tx.append_audit(&[leaf]);
                true
            })
            .await;
        if let Err(error) = noted {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a subscription's state was not recorded"
            );
        }
    }

    /// Asks about everything that waits: what the hub published while nobody listened did not come.
    pub(super) async fn ask_about_everything(
        &self,
        actor: &'static str,
        why: String,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let why = std::sync::Arc::new(why);
        self.journal()
            .write(move |tx| {
                let why = std::sync::Arc::clone(&why);
                Box::pin(async move {
                    let count = operations::bring_all_forward(tx, now).await?;
                    let mut leaf = NewLeaf::new("subscription", actor, now);
                    leaf.reason = Some(format!("{why}; MOSIP is asked about {count} operations that wait"));
                    tx.append_audit(&[leaf]);
                    Ok(())
                })
            })
            .await?;
        self.bells().asker.ring();
        Ok(())
    }
}
