//! Table `subscriptions`: what MOSIP's hub was asked to deliver, and what it answered.

use jiff::Timestamp;

use crate::sql::{Args, Columns};
use crate::{JournalError, Session, Tx};

text_enum! {
    /// How far a subscription got.
    pub enum SubscriptionState {
        /// Asked for; the hub has not verified the callback yet.
        Requested = "requested",
        /// The hub verified the callback; deliveries come.
        Verified = "verified",
        /// The hub refused.
        Denied = "denied",
    }
}

/// A subscription to one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The hub's topic.
    pub topic: String,
    /// Where deliveries go.
    pub callback: String,
    /// How far it got.
    pub state: SubscriptionState,
    /// Why it was denied.
    pub cause: Option<String>,
    /// When it was last asked for.
    pub requested_at: Timestamp,
    /// When the hub last verified the callback.
    pub verified_at: Option<Timestamp>,
    /// When the hub's lease ends.
    pub expires_at: Option<Timestamp>,
    /// Last change.
    pub updated_at: Timestamp,
}

/// Stores the state of a subscription, whatever it was before.
pub async fn put(tx: &mut Tx, subscription: &Subscription) -> Result<(), JournalError> {
    let mut args = Args::new();
    args.text(&*subscription.topic).text(&*subscription.callback).text(subscription.state.as_str());
    args.opt_text(subscription.cause.as_deref()).at(subscription.requested_at);
    args.opt_at(subscription.verified_at).opt_at(subscription.expires_at).at(subscription.updated_at);
    tx.execute(
        "INSERT INTO subscriptions \
         (topic, callback, state, cause, requested_at, verified_at, expires_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (topic) DO UPDATE SET \
         callback = excluded.callback, state = excluded.state, cause = excluded.cause, \
         requested_at = excluded.requested_at, verified_at = excluded.verified_at, \
         expires_at = excluded.expires_at, updated_at = excluded.updated_at",
        args,
    )
    .await?;
    Ok(())
}

/// All subscriptions, by topic.
pub async fn all(session: &mut Session) -> Result<Vec<Subscription>, JournalError> {
    session
        .rows(
            "SELECT topic, callback, state, cause, requested_at, verified_at, expires_at, updated_at \
             FROM subscriptions ORDER BY topic",
            Args::new(),
        )
        .await?
        .iter()
        .map(|row| {
            Ok(Subscription {
                topic: row.text("topic")?,
                callback: row.text("callback")?,
                state: row.word("state", SubscriptionState::from_word)?,
                cause: row.opt_text("cause")?,
                requested_at: row.at("requested_at")?,
                verified_at: row.opt_at("verified_at")?,
                expires_at: row.opt_at("expires_at")?,
                updated_at: row.at("updated_at")?,
            })
        })
        .collect()
}
