//! `POST /hub`: subscribing to a topic.
//!
//! The hub denies with HTTP 200: only the body tells. It fails on a request without a secret, takes whatever follows
//! `=` in the cookie for the token, and answers a subscription that it has with a denial that is good news. An answer
//! of "accepted" is not the end: the hub verifies our intent at the callback, and says nothing if that fails.

use jiff::Timestamp;
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Mosip, Role, envelope,
    transport::{Body, Call, Effect, Reply, token_refused},
};
use crate::{CallError, Service, websub::means_already_registered};

/// A subscription. Repeated with the same callback and secret it resumes from where the hub stopped.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// The topic: `<partner>/CREDENTIAL_ISSUED`, `REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT`.
    pub topic: String,
    /// Our address. A trailing slash makes it another subscriber.
    pub callback: String,
    /// What deliveries are signed with: at least 32 random bytes. A changed secret is ignored while the old
    /// subscription stands.
    pub secret: SecretString,
    /// The lease, which the hub does not enforce.
    pub lease_seconds: u32,
}

/// What the hub said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubAnswer {
    /// The request is taken; verification at the callback follows.
    Accepted,
    /// This hub has the subscription: it is healthy.
    AlreadyRegistered,
    /// Denied, with the hub's reason.
    Denied(String),
}

impl Mosip {
    /// Asks the hub for a subscription.
    pub async fn subscribe(
        &self,
        subscription: &Subscription,
        now: Timestamp,
    ) -> Result<HubAnswer, CallError> {
        self.hub_request("subscribe", subscription, now).await
    }

    /// Asks the hub to end a subscription. It is denied if that hub instance has lost it from memory: subscribe with
    /// the old secret first then.
    pub async fn unsubscribe(
        &self,
        subscription: &Subscription,
        now: Timestamp,
    ) -> Result<HubAnswer, CallError> {
        self.hub_request("unsubscribe", subscription, now).await
    }

    async fn hub_request(
        &self,
        mode: &'static str,
        subscription: &Subscription,
        now: Timestamp,
    ) -> Result<HubAnswer, CallError> {
        if subscription.secret.expose_secret().is_empty() {
            let summary = format!("{mode} to {:?} was not sent", subscription.topic);
            return Err(CallError::known(Service::Hub, "secret-missing", summary));
        }
        let lease = subscription.lease_seconds.to_string();
        let form = [
            ("hub.mode", mode),
            ("hub.topic", subscription.topic.as_str()),
            ("hub.callback", subscription.callback.as_str()),
            ("hub.secret", subscription.secret.expose_secret()),
            ("hub.lease_seconds", lease.as_str()),
        ];
        let call = Call {
            service: Service::Hub,
            role: Role::Partner,
            effect: Effect::Harmless,
            what: mode,
            method: Method::POST,
            url: self.shared.endpoints.hub.clone(),
            body: Body::Form(&form),
        };
        let refuses_token = |reply: &Reply| match reply.status {
            401 | 403 => true,
            _ => matches!(read(&reply.body), Some(HubAnswer::Denied(reason)) if blames_token(&reason)),
        };
        let reply = self.renewing(&call, now, refuses_token).await?;
        if matches!(reply.status, 401 | 403) {
            return Err(token_refused(&call, &reply));
        }
        match read(&reply.body) {
            Some(answer) => Ok(answer),
            None if !reply.is_success() => {
                Err(envelope::open(&call, &reply).err().unwrap_or_else(|| unreadable(mode)))
            }
            None => Err(unreadable(mode)),
        }
    }
}

fn unreadable(mode: &str) -> CallError {
    CallError::known(Service::Hub, "answer-unreadable", format!("{mode} was answered without hub.mode"))
}

/// Reads `hub.mode=…&hub.reason=…`. Anything but "accepted" is a denial.
fn read(body: &[u8]) -> Option<HubAnswer> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let url = Url::parse(&format!("hub:///?{text}")).ok()?;
    let value =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let mode = value("hub.mode")?;
    let reason = value("hub.reason").unwrap_or_default();
    Some(match mode.as_str() {
        "accepted" => HubAnswer::Accepted,
        _ if means_already_registered(&reason) => HubAnswer::AlreadyRegistered,
        "denied" => HubAnswer::Denied(reason),
        other => HubAnswer::Denied(format!("{other}: {reason}")),
    })
}

fn blames_token(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["token", "unauthori", "authenticat", "not authori"].iter().any(|sign| reason.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_decides() {
        assert_eq!(read(b"hub.mode=accepted"), Some(HubAnswer::Accepted));
        assert_eq!(read(b"hub.mode=accepted\n"), Some(HubAnswer::Accepted));
        assert_eq!(
            read(b"hub.mode=denied&hub.reason=Subscriber+has+already+registered+with+the+Hub"),
            Some(HubAnswer::AlreadyRegistered)
        );
        assert_eq!(
            read(b"hub.mode=denied&hub.reason=bad%20topic"),
            Some(HubAnswer::Denied("bad topic".to_owned()))
        );
        assert_eq!(read(b"hub.mode=hub-error"), Some(HubAnswer::Denied("hub-error: ".to_owned())));
        assert_eq!(read(b"<html>no</html>"), None);
        assert_eq!(read(b""), None);
    }
}
