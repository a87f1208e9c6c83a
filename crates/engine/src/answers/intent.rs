//! The hub asks whether we meant to subscribe.

use civitas_journal::subscriptions::SubscriptionState;
use civitas_mosip::websub::{Intent, Mode};

use crate::Engine;

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
    /// Answers the hub's verification of intent: only a topic that this engine asks for, and only while a
    /// request of ours is open.
    pub async fn verify_intent(&self, intent: &Intent) -> IntentAnswer {
        match intent {
            Intent::Verify { mode: Mode::Subscribe, topic, challenge, .. } if self.asked_for(topic).await => {
                self.note_subscription(topic, SubscriptionState::Verified, None).await;
                IntentAnswer::Echo(challenge.clone())
            }
            Intent::Denied { topic: Some(topic), reason } if self.is_our_topic(topic) => {
                let alive = civitas_mosip::websub::means_already_registered(reason);
                let state = if alive { SubscriptionState::Verified } else { SubscriptionState::Denied };
                self.note_subscription(topic, state, Some(reason)).await;
                IntentAnswer::Noted
            }
            _ => {
                metrics::counter!("civitas_callbacks_total", "outcome" => "intent_refused").increment(1);
                self.record_denial("hub", "a verification of intent that nobody here asked for").await;
                IntentAnswer::Refused
            }
        }
    }

    fn is_our_topic(&self, topic: &str) -> bool {
        self.options().subscriptions.topics().any(|ours| ours == topic)
    }
}
