//! The hub asks whether we meant to subscribe, or to leave.

use civitas_audit::NewLeaf;
use civitas_journal::subscriptions::{Asked, Subscription, SubscriptionState};
use civitas_mosip::websub::{Intent, Mode, means_already_registered, means_unknown_subscriber};
use jiff::Timestamp;

use crate::{Engine, hub::renewal, schedule::later};

/// What the hub's question is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentAnswer {
    /// 200 with the challenge as the exact body.
    Echo(String),
    /// 200 without a body: a denial, noted.
    Noted,
    /// 404: nobody here asked for that.
    Refused,
}

impl Engine {
    /// Answers the hub's verification of intent: only for a topic that this engine asks for, only in the sense in
    /// which the hub was asked last, and only while that request is open. The journal knows of the request, whichever
    /// process made it, and of the verification before the hub does.
    pub async fn verify_intent(&self, intent: &Intent) -> IntentAnswer {
        let answer = match intent {
            Intent::Verify { mode, topic, challenge, lease_seconds } if self.is_our_topic(topic) => {
                let asked = match mode {
                    Mode::Subscribe => Asked::Subscribe,
                    Mode::Unsubscribe => Asked::Unsubscribe,
                };
                let echoed = self.heard_of(topic, asked, Heard::Verified(*lease_seconds)).await;
                echoed.then(|| IntentAnswer::Echo(challenge.clone()))
            }
            Intent::Denied { topic: Some(topic), reason } if self.is_our_topic(topic) => {
                let mut noted = false;
                for asked in [Asked::Subscribe, Asked::Unsubscribe] {
                    noted |= self.heard_of(topic, asked, Heard::Denied(reason.clone())).await;
                }
                noted.then_some(IntentAnswer::Noted)
            }
            _ => None,
        };
        if let Some(answer) = answer {
            return answer;
        }
        metrics::counter!("civitas_callbacks_total", "outcome" => "intent_refused").increment(1);
        self.record_denial("hub", "a verification of intent that nobody here asked for").await;
        IntentAnswer::Refused
    }

    /// Takes the hub's word about an open request; `false` if there is none, or if it could not be made durable.
    async fn heard_of(&self, topic: &str, asked: Asked, heard: Heard) -> bool {
        let now = self.now();
        let ours = self.options().subscriptions.callback.clone();
        let open = move |row: &Subscription| row.expects(asked, now) && row.callback == ours;
        let was_open = open.clone();
        let changed = self
            .change_subscription(topic, move |row, tx| {
                if !open(row) {
                    return false;
                }
                if let Some(said) = apply(row, asked, &heard, now) {
                    let mut leaf = NewLeaf::new("subscription", "hub", now);
                    leaf.reason = Some(format!("{}: {said}", row.topic));
                    tx.append_audit(&[leaf]);
                }
                true
            })
            .await;
        match changed {
            // The request stays open for the hub's repetitions, so that what is open now was open before.
            Ok(row) => was_open(&row),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the hub's word on a subscription was not recorded");
                false
            }
        }
    }

    fn is_our_topic(&self, topic: &str) -> bool {
        self.options().subscriptions.topics().any(|ours| ours == topic)
    }
}

/// What the hub said of a request.
#[derive(Debug, Clone)]
pub(super) enum Heard {
    /// It verified our intent, with this lease in seconds.
    Verified(Option<u64>),
    /// It denied, for this reason.
    Denied(String),
}

/// Takes the hub's word into a row; what is worth a line in the audit log.
pub(super) fn apply(
    row: &mut Subscription,
    asked: Asked,
    heard: &Heard,
    now: Timestamp,
) -> Option<&'static str> {
    let before = row.state;
    match (asked, heard) {
        (Asked::Subscribe, Heard::Verified(lease)) => {
            begun(row, now, *lease);
            (before != SubscriptionState::Verified).then_some("verified by the hub")
        }
        (Asked::Subscribe, Heard::Denied(reason)) if means_already_registered(reason) => {
            row.cause = Some(reason.clone());
            begun(row, now, None);
            None
        }
        (Asked::Unsubscribe, Heard::Verified(_)) => {
            if before == SubscriptionState::Left {
                return None;
            }
            row.state = SubscriptionState::Left;
            row.cause = None;
            row.secret = None;
            row.left_at = Some(now);
            Some("ended at our request, so that the new secret is taken")
        }
        (Asked::Unsubscribe, Heard::Denied(reason)) if means_unknown_subscriber(reason) => {
            row.state = SubscriptionState::Lost;
            row.cause = Some(reason.clone());
            None
        }
        (_, Heard::Denied(reason)) => {
            row.state = SubscriptionState::Denied;
            row.cause = Some(reason.clone());
            (before != SubscriptionState::Denied).then_some("denied by the hub")
        }
    }
}

fn begun(row: &mut Subscription, now: Timestamp, lease: Option<u64>) {
    row.state = SubscriptionState::Verified;
    row.verified_at = Some(now);
    row.expires_at = Some(later(now, renewal::lease(lease)));
    // The hub keeps the secret of its first record: only where there was none it is the one that was sent.
    row.secret = row.secret.take().or_else(|| row.asked_secret.clone());
}
