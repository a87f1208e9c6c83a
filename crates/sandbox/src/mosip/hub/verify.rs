//! Intent verification, and the denial that comes by GET.

use super::super::state::Mosip;
use super::{Hub, subscriber_id};
use std::sync::Arc;
use std::time::Duration;

/// A subscribe or unsubscribe that was accepted for verification.
pub(crate) struct Request {
    pub(crate) subscribe: bool,
    pub(crate) topic: String,
    pub(crate) callback: String,
    pub(crate) secret: String,
    pub(crate) lease: String,
}

pub(crate) async fn verify(mosip: Arc<Mosip>, request: Request) {
    let id = subscriber_id(&request.topic, &request.callback);
    let running = mosip.hub.running(&id);
    let reason = match (request.subscribe, running) {
        (true, true) => Some("Subscriber has already registered with the Hub"),
        (false, false) => Some("Could not find a valid subscriber for the topic and callback"),
        _ => None,
    };
    if let Some(reason) = reason {
        let query = [("hub.mode", "denied"), ("hub.topic", &request.topic), ("hub.reason", reason)];
        ask(&mosip, &request.callback, &query).await;
        return;
    }
    let mode = if request.subscribe { "subscribe" } else { "unsubscribe" };
    let challenge = mosip.dice.uuid().to_string();
    let query = [
        ("hub.mode", mode),
        ("hub.topic", request.topic.as_str()),
        ("hub.challenge", challenge.as_str()),
        ("hub.lease_seconds", request.lease.as_str()),
    ];
    let mut pause = mosip.options.hub.retry_pause;
    for attempt in 0..3 {
        if attempt > 0 {
            mosip.pace.pass(pause).await;
            pause = (pause * 2).min(Duration::from_secs(20));
        }
        match ask(&mosip, &request.callback, &query).await {
            // A mismatch is dropped without a word.
            Some(echo) if echo != challenge => return,
            Some(_) => {
                if request.subscribe {
                    mosip.hub.keep(&request.topic, &request.callback, &request.secret);
                } else {
                    mosip.hub.remove(&id);
                }
                Hub::resume_all(&mosip);
                return;
            }
            None => {}
        }
    }
}

/// The body of a 2xx answer.
async fn ask(mosip: &Mosip, callback: &str, query: &[(&str, &str)]) -> Option<String> {
    let reply = mosip.http.get(callback).query(query).timeout(mosip.options.hub.timeout).send().await.ok()?;
    if !reply.status().is_success() {
        return None;
    }
    reply.text().await.ok()
}
