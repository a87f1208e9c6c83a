//! Table `subscriptions`: what MOSIP's hub was asked to deliver, what it answered, and whether it is heard.

use jiff::Timestamp;

use crate::connection::Row;
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
        /// The hub ended it at our request.
        Left = "left",
        /// The hub does not have it in memory, so that it cannot be ended: it must be asked for again first.
        Lost = "lost",
    }
}

text_enum! {
    /// What the hub was asked, and will come back to verify.
    pub enum Asked {
        /// To deliver.
        Subscribe = "subscribe",
        /// To end that.
        Unsubscribe = "unsubscribe",
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
    /// When the hub was last asked for anything.
    pub requested_at: Timestamp,
    /// When the hub last verified the callback.
    pub verified_at: Option<Timestamp>,
    /// When the hub's lease ends.
    pub expires_at: Option<Timestamp>,
    /// Last change.
    pub updated_at: Timestamp,
    /// What the hub may come back to verify.
    pub asked: Option<Asked>,
    /// Until when.
    pub asked_until: Option<Timestamp>,
    /// Fingerprint of the secret in that request.
    pub asked_secret: Option<String>,
    /// Fingerprint of the secret that the hub signs with, once known.
    pub secret: Option<String>,
    /// When the hub ended it at our request.
    pub left_at: Option<Timestamp>,
    /// Answers that should have come by this topic since it was heard last.
    pub missed: u32,
    /// When the first of them was missed.
    pub missed_since: Option<Timestamp>,
    /// Since when it counts as silent.
    pub silent_since: Option<Timestamp>,
}

impl Subscription {
    /// One that was never asked for.
    pub fn new(topic: impl Into<String>, callback: impl Into<String>, now: Timestamp) -> Self {
        Subscription {
            topic: topic.into(),
            callback: callback.into(),
            state: SubscriptionState::Requested,
            cause: None,
            requested_at: now,
            verified_at: None,
            expires_at: None,
            updated_at: now,
            asked: None,
            asked_until: None,
            asked_secret: None,
            secret: None,
            left_at: None,
            missed: 0,
            missed_since: None,
            silent_since: None,
        }
    }

    /// Whether the hub may verify such a request now.
    pub fn expects(&self, asked: Asked, now: Timestamp) -> bool {
        self.asked == Some(asked) && self.asked_until.is_some_and(|until| now <= until)
    }
}

macro_rules! columns {
    () => {
        "topic, callback, state, cause, requested_at, verified_at, expires_at, updated_at, asked, asked_until, \
         asked_secret, secret, left_at, missed, missed_since, silent_since"
    };
}

/// Stores the state of a subscription, whatever it was before.
pub async fn put(tx: &mut Tx, subscription: &Subscription) -> Result<(), JournalError> {
    let mut args = Args::new();
    args.text(&*subscription.topic).text(&*subscription.callback).text(subscription.state.as_str());
    args.opt_text(subscription.cause.as_deref()).at(subscription.requested_at);
    args.opt_at(subscription.verified_at).opt_at(subscription.expires_at).at(subscription.updated_at);
    args.opt_text(subscription.asked.map(Asked::as_str)).opt_at(subscription.asked_until);
    args.opt_text(subscription.asked_secret.as_deref()).opt_text(subscription.secret.as_deref());
    args.opt_at(subscription.left_at).int(subscription.missed.into());
    args.opt_at(subscription.missed_since).opt_at(subscription.silent_since);
    tx.execute(
        concat!(
            "INSERT INTO subscriptions (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
             ON CONFLICT (topic) DO UPDATE SET \
             callback = excluded.callback, state = excluded.state, cause = excluded.cause, \
             requested_at = excluded.requested_at, verified_at = excluded.verified_at, \
             expires_at = excluded.expires_at, updated_at = excluded.updated_at, asked = excluded.asked, \
             asked_until = excluded.asked_until, asked_secret = excluded.asked_secret, secret = excluded.secret, \
             left_at = excluded.left_at, missed = excluded.missed, missed_since = excluded.missed_since, \
             silent_since = excluded.silent_since"
        ),
        args,
    )
    .await?;
    Ok(())
}

/// The subscription to a topic.
pub async fn get(session: &mut Session, topic: &str) -> Result<Option<Subscription>, JournalError> {
    let mut args = Args::new();
    args.text(topic);
    let rows =
        session.rows(concat!("SELECT ", columns!(), " FROM subscriptions WHERE topic = $1"), args).await?;
    rows.first().map(decode).transpose()
}

/// All subscriptions, by topic.
pub async fn all(session: &mut Session) -> Result<Vec<Subscription>, JournalError> {
    session
        .rows(concat!("SELECT ", columns!(), " FROM subscriptions ORDER BY topic"), Args::new())
        .await?
        .iter()
        .map(decode)
        .collect()
}

fn decode(row: &Row) -> Result<Subscription, JournalError> {
    let asked = row.opt_text("asked")?;
    Ok(Subscription {
        topic: row.text("topic")?,
        callback: row.text("callback")?,
        state: row.word("state", SubscriptionState::from_word)?,
        cause: row.opt_text("cause")?,
        requested_at: row.at("requested_at")?,
        verified_at: row.opt_at("verified_at")?,
        expires_at: row.opt_at("expires_at")?,
        updated_at: row.at("updated_at")?,
        asked: asked.as_deref().and_then(Asked::from_word),
        asked_until: row.opt_at("asked_until")?,
        asked_secret: row.opt_text("asked_secret")?,
        secret: row.opt_text("secret")?,
        left_at: row.opt_at("left_at")?,
        missed: row.count("missed")?,
        missed_since: row.opt_at("missed_since")?,
        silent_since: row.opt_at("silent_since")?,
    })
}
