//! The WebSub hub: topics, subscriptions and their consumer groups.

mod deliver;
mod endpoint;
mod forge;
mod verify;

pub(crate) use deliver::{post_once, signature};
pub(crate) use endpoint::{health, hub};
pub(crate) use forge::forged;

use super::state::Mosip;
use crate::entropy::lock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// Delivered messages that a topic keeps: a test may want to replay one.
const KEPT: usize = 512;

/// All topics and subscriptions.
#[derive(Default)]
pub(crate) struct Hub(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    topics: HashMap<String, Topic>,
    subscriptions: HashMap<String, Subscription>,
    tally: BTreeMap<String, u64>,
}

/// What a hub keeps over a restart.
#[derive(Serialize, Deserialize)]
pub(crate) struct Snapshot {
    topics: HashMap<String, (usize, Vec<(String, String)>)>,
    subscriptions: HashMap<String, Subscription>,
}

/// A log; what every subscription has behind it is dropped.
struct Topic {
    base: usize,
    log: VecDeque<Message>,
    head: watch::Sender<usize>,
}

impl Default for Topic {
    fn default() -> Self {
        Self { base: 0, log: VecDeque::new(), head: watch::Sender::new(0) }
    }
}

/// One published event, in the bytes that the hub re-serialised.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) aid: String,
    pub(crate) body: Arc<[u8]>,
}

/// One subscriber and its consumer group.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) topic: String,
    pub(crate) callback: String,
    pub(crate) secret: String,
    /// Next message to poll.
    committed: usize,
    /// Whether its poll thread lives: in the hub's memory.
    running: bool,
    /// Tells a poll thread from its successor.
    epoch: u64,
}

/// `topic:::callback`, every character that is not alphanumeric replaced.
fn subscriber_id(topic: &str, callback: &str) -> String {
    let id = format!("{topic}:::{callback}");
    id.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

impl Hub {
    /// Appends to a topic, which is registered if it is new.
    pub(crate) fn publish(&self, topic: &str, aid: &str, body: Vec<u8>) {
        let mut inner = lock(&self.0);
        let topic = inner.topics.entry(topic.to_owned()).or_default();
        topic.log.push_back(Message { aid: aid.to_owned(), body: body.into() });
        topic.head.send_replace(topic.base + topic.log.len());
    }

    /// The last message of a topic about an AID, while the log holds it.
    pub(crate) fn latest(&self, topic: &str, aid: &str) -> Option<Arc<[u8]>> {
        let inner = lock(&self.0);
        let log = &inner.topics.get(topic)?.log;
        log.iter().rev().find(|message| message.aid == aid).map(|message| Arc::clone(&message.body))
    }

    pub(crate) fn count(&self, what: &str) {
        *lock(&self.0).tally.entry(what.to_owned()).or_default() += 1;
    }

    /// True if the subscriber's poll thread lives.
    fn running(&self, id: &str) -> bool {
        lock(&self.0).subscriptions.get(id).is_some_and(|subscription| subscription.running)
    }

    /// Keeps a verified subscription. The first record of an id stays: a new
    /// secret is ignored while it exists. A new one starts at latest.
    fn keep(&self, topic: &str, callback: &str, secret: &str) {
        let mut inner = lock(&self.0);
        let entry = inner.topics.entry(topic.to_owned()).or_default();
        let latest = entry.base + entry.log.len();
        inner.subscriptions.entry(subscriber_id(topic, callback)).or_insert_with(|| Subscription {
            topic: topic.to_owned(),
            callback: callback.to_owned(),
            secret: secret.to_owned(),
            committed: latest,
            running: false,
            epoch: 0,
        });
    }

    fn remove(&self, id: &str) {
        lock(&self.0).subscriptions.remove(id);
    }

    /// Starts every poll thread that is not running: what any message on the
    /// consolidated-subscribers topic does.
    fn resume_all(mosip: &Arc<Mosip>) {
        let dead: Vec<(String, u64)> = {
            let mut inner = lock(&mosip.hub.0);
            let resting = inner.subscriptions.iter_mut().filter(|(_, subscription)| !subscription.running);
            resting
                .map(|(id, subscription)| {
                    subscription.running = true;
                    subscription.epoch += 1;
                    (id.clone(), subscription.epoch)
                })
                .collect()
        };
        for (id, epoch) in dead {
            let poll = deliver::poll(Arc::clone(mosip), id, epoch);
            mosip.spawn(poll);
        }
    }

    /// Subscription, and a signal of new messages on its topic.
    fn watch(&self, id: &str, epoch: u64) -> Option<(Subscription, watch::Receiver<usize>)> {
        let mut inner = lock(&self.0);
        let subscription = inner.subscriptions.get(id).filter(|current| current.epoch == epoch)?.clone();
        let head = inner.topics.entry(subscription.topic.clone()).or_default().head.subscribe();
        Some((subscription, head))
    }

    /// The next messages with their offsets; `None` once the subscription is gone.
    fn batch(&self, id: &str, epoch: u64, size: usize) -> Option<Vec<(usize, Message)>> {
        let inner = lock(&self.0);
        let subscription = inner.subscriptions.get(id).filter(|current| current.epoch == epoch)?;
        let topic = inner.topics.get(&subscription.topic)?;
        let from = subscription.committed.max(topic.base);
        let messages = topic.log.iter().skip(from - topic.base).take(size).cloned();
        Some(messages.enumerate().map(|(place, message)| (from + place, message)).collect())
    }

    fn commit(&self, id: &str, offset: usize) {
        let mut inner = lock(&self.0);
        let Some(subscription) = inner.subscriptions.get_mut(id) else { return };
        subscription.committed = subscription.committed.max(offset);
        let name = subscription.topic.clone();
        let behind = inner.subscriptions.values().filter(|other| other.topic == name);
        let Some(slowest) = behind.map(|other| other.committed).min() else { return };
        if let Some(topic) = inner.topics.get_mut(&name) {
            while topic.base + KEPT < slowest && topic.log.pop_front().is_some() {
                topic.base += 1;
            }
        }
    }

    /// The poll thread ended: out of memory, its offset stays.
    fn silence(&self, id: &str, epoch: u64) {
        if let Some(subscription) =
            lock(&self.0).subscriptions.get_mut(id).filter(|current| current.epoch == epoch)
        {
            subscription.running = false;
        }
    }

    pub(crate) fn subscriptions(&self) -> Vec<Subscription> {
        lock(&self.0).subscriptions.values().cloned().collect()
    }

    /// Undelivered messages, the latest few delivered ones, and who had read how far.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let inner = lock(&self.0);
        let kept =
            |message: &Message| (message.aid.clone(), String::from_utf8_lossy(&message.body).into_owned());
        Snapshot {
            topics: inner
                .topics
                .iter()
                .map(|(name, topic)| (name.clone(), (topic.base, topic.log.iter().map(kept).collect())))
                .collect(),
            subscriptions: inner.subscriptions.clone(),
        }
    }

    /// Takes up a snapshot and starts every subscription, as a hub's restart does.
    pub(crate) fn restore(mosip: &Arc<Mosip>, snapshot: Snapshot) {
        {
            let mut inner = lock(&mosip.hub.0);
            for (name, (base, log)) in snapshot.topics {
                let topic = inner.topics.entry(name).or_default();
                topic.base = base;
                topic.log = log
                    .into_iter()
                    .map(|(aid, body)| Message { aid, body: body.into_bytes().into() })
                    .collect();
                topic.head.send_replace(base + topic.log.len());
            }
            inner.subscriptions = snapshot.subscriptions;
            inner.subscriptions.values_mut().for_each(|subscription| subscription.running = false);
        }
        Self::resume_all(mosip);
    }

    pub(crate) fn ledger(&self) -> Value {
        let inner = lock(&self.0);
        let subscriptions: Vec<Value> = inner
            .subscriptions
            .values()
            .map(|subscription| {
                let topic = inner.topics.get(&subscription.topic);
                let head = topic.map_or(0, |topic| topic.base + topic.log.len());
                json!({
                    "topic": subscription.topic, "callback": subscription.callback, "alive": subscription.running,
                    "committed": subscription.committed, "head": head,
                    "behind": head.saturating_sub(subscription.committed),
                })
            })
            .collect();
        json!({"subscriptions": subscriptions, "deliveries": inner.tally})
    }

    /// Forgets topics and subscriptions; poll threads find nothing and end.
    pub(crate) fn reset(&self) {
        *lock(&self.0) = Inner::default();
    }
}

impl Subscription {
    /// Whether deliveries go on.
    pub(crate) fn is_alive(&self) -> bool {
        self.running
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_of_equal_length_collides() {
        assert_eq!(subscriber_id("a/b", "http://x/c-d"), subscriber_id("a/b", "http://x/c_d"));
        assert_ne!(subscriber_id("a", "http://x/c"), subscriber_id("a", "http://x/c/"));
    }

    #[test]
    fn a_new_subscription_starts_at_latest_and_keeps_its_first_secret() {
        let hub = Hub::default();
        hub.publish("t", "1", b"early".to_vec());
        hub.keep("t", "http://x", "first");
        hub.keep("t", "http://x", "second");
        hub.publish("t", "2", b"late".to_vec());
        let id = subscriber_id("t", "http://x");
        let batch = hub.batch(&id, 0, 3).unwrap();
        assert_eq!(batch.len(), 1);
        assert_eq!(&*batch[0].1.body, b"late");
        assert_eq!(hub.subscriptions()[0].secret, "first");
    }
}
