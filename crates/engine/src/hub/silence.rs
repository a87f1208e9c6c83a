//! Noticing that the hub does not speak any more.
//!
//! One answer that does not come is a loss, and is fetched. Several that do not come, with nothing else heard
//! meanwhile, are a hub that fell silent: it is subscribed to again, everything that waits is asked about, and people
//! are told. What counts is what MOSIP finished and did not tell, never the mere age of the last delivery: a quiet
//! night, or a MOSIP that is down, is no silence.

use civitas_audit::NewLeaf;
use civitas_journal::{
    inbox,
    subscriptions::{Asked, Subscription},
};
use jiff::Timestamp;

use super::renewal::Ask;
use crate::{Engine, EngineError};

/// What the inbox calls the topic of credentials.
pub(crate) const CREDENTIAL: &str = "credential";
/// And that of finished workflows.
pub(crate) const COMPLETED: &str = "completed";

impl Engine {
    /// An answer should have come by this topic at `due`, and did not. Counts only if nothing else came by it since.
    pub(crate) async fn missed_answer(&self, kind: &'static str, due: Timestamp) {
        metrics::counter!("civitas_answers_missed_total", "topic" => kind).increment(1);
        let noted = async {
            let heard = {
                let mut reader = self.journal().read().await?;
                inbox::last_heard(&mut reader, kind).await?
            };
            let Some(topic) = self.topic_of(kind).filter(|_| heard.is_none_or(|heard| heard < due)) else {
                return Ok(());
            };
            self.change_subscription(topic, move |row, _| {
                row.missed = row.missed.saturating_add(1);
                row.missed_since = Some(row.missed_since.map_or(due, |since| since.min(due)));
                true
            })
            .await
            .map(drop)
        };
        let noted: Result<(), EngineError> = noted.await;
        if let Err(error) = noted {
            tracing::warn!(error = &error as &dyn std::error::Error, "a missed answer was not counted");
        }
    }

    /// The hub's name of a topic.
    pub(crate) fn topic_of(&self, kind: &str) -> Option<&str> {
        let wanted = &self.options().subscriptions;
        match kind {
            CREDENTIAL => Some(&wanted.credentials),
            COMPLETED => wanted.completed.as_deref(),
            _ => None,
        }
    }

    /// Looks at what was missed: a first miss is answered by a new request, more of them are silence.
    pub(super) async fn listen_for_silence(&self, known: &[Subscription]) -> Result<(), EngineError> {
        for kind in [CREDENTIAL, COMPLETED] {
            let Some(topic) = self.topic_of(kind) else { continue };
            let Some(row) = known.iter().find(|row| row.topic == topic) else { continue };
            self.reconcile_gap(row).await?;
            metrics::gauge!("civitas_hub_silent", "topic" => kind)
                .set(f64::from(u8::from(row.silent_since.is_some())));
            let Some(since) = row.missed_since.filter(|_| row.missed > 0) else { continue };
            let heard = {
                let mut reader = self.journal().read().await?;
                inbox::last_heard(&mut reader, kind).await?
            };
            if heard.is_some_and(|heard| heard > since) {
                self.heard_again(row).await?;
            } else if row.silent_since.is_none() && row.missed >= self.options().subscriptions.silent_after {
                self.fell_silent(row, since).await?;
            } else if row.requested_at < since {
                // It may have given us up: asking costs nothing, and resumes where it stopped.
                self.ask_hub(topic, Ask { asked: Asked::Subscribe, old_secret: false }).await?;
            }
        }
        Ok(())
    }

    /// A subscription that was ended and made anew starts at what is published then.
    async fn reconcile_gap(&self, row: &Subscription) -> Result<(), EngineError> {
        let (Some(left), Some(verified)) = (row.left_at, row.verified_at) else { return Ok(()) };
        if verified <= left {
            return Ok(());
        }
        let why = format!("{}: subscribed anew with another secret", row.topic);
        self.ask_about_everything("engine", why).await?;
        self.change_subscription(&row.topic, |row, _| row.left_at.take().is_some()).await?;
        Ok(())
    }

    async fn fell_silent(&self, row: &Subscription, since: Timestamp) -> Result<(), EngineError> {
        tracing::error!(topic = row.topic, %since, missed = row.missed, "the hub fell silent");
        metrics::counter!("civitas_hub_silences_total").increment(1);
        let now = self.now();
        self.change_subscription(&row.topic, move |row, tx| {
            let mut leaf = NewLeaf::new("subscription", "engine", now);
            leaf.reason =
                Some(format!("{}: the hub fell silent, {} answers did not come", row.topic, row.missed));
            tx.append_audit(&[leaf]);
            row.silent_since = Some(since);
            true
        })
        .await?;
        let why = format!("{}: it is silent", row.topic);
        self.ask_about_everything("engine", why).await?;
        self.ask_hub(&row.topic, Ask { asked: Asked::Subscribe, old_secret: false }).await
    }

    async fn heard_again(&self, row: &Subscription) -> Result<(), EngineError> {
        let (now, was_silent) = (self.now(), row.silent_since.is_some());
        if was_silent {
            tracing::info!(topic = row.topic, "the hub speaks again");
        }
        self.change_subscription(&row.topic, move |row, tx| {
            if was_silent {
                let mut leaf = NewLeaf::new("subscription", "engine", now);
                leaf.reason = Some(format!("{}: the hub speaks again", row.topic));
                tx.append_audit(&[leaf]);
            }
            (row.missed, row.missed_since, row.silent_since) = (0, None, None);
            true
        })
        .await?;
        Ok(())
    }
}
