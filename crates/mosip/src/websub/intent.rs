//! `GET callback?hub.mode=…`: the hub verifies that we meant it, or tells that it denied it.

use std::fmt;

use reqwest::Url;

/// What the hub asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A subscription.
    Subscribe,
    /// Its end.
    Unsubscribe,
}

impl Mode {
    /// The hub's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Subscribe => "subscribe",
            Mode::Unsubscribe => "unsubscribe",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the hub wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// To know whether we meant it: answer 2xx with the challenge as the exact body, if we asked for this topic and
    /// the request is pending; 404 otherwise.
    Verify {
        /// What we asked for.
        mode: Mode,
        /// The topic.
        topic: String,
        /// To be echoed.
        challenge: String,
        /// The lease, which the hub does not enforce.
        lease_seconds: Option<u64>,
    },
    /// To tell that it denied: never echo, answer 2xx. See [`super::means_already_registered`].
    Denied {
        /// The topic, if the hub names it.
        topic: Option<String>,
        /// Why.
        reason: String,
    },
}

/// Why a query is none of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    /// A parameter is not there.
    #[error("the query lacks {0}")]
    Missing(&'static str),
    /// Another mode.
    #[error("hub.mode is neither subscribe, unsubscribe nor denied")]
    Mode,
    /// Not a query.
    #[error("the query cannot be read")]
    Query,
}

impl Intent {
    /// Reads a query string, without its question mark.
    pub fn parse(query: &str) -> Result<Intent, IntentError> {
        let url =
            Url::parse(&format!("hub:///?{}", query.replace('#', "%23"))).map_err(|_| IntentError::Query)?;
        let value = |name: &'static str| {
            let found = url.query_pairs().find(|(key, _)| key == name);
            let found = found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty());
            found.ok_or(IntentError::Missing(name))
        };
        let mode = match value("hub.mode")?.as_str() {
            "subscribe" => Mode::Subscribe,
            "unsubscribe" => Mode::Unsubscribe,
            "denied" => {
                let reason = value("hub.reason").unwrap_or_default();
                return Ok(Intent::Denied { topic: value("hub.topic").ok(), reason });
            }
            _ => return Err(IntentError::Mode),
        };
        Ok(Intent::Verify {
            mode,
            topic: value("hub.topic")?,
            challenge: value("hub.challenge")?,
            lease_seconds: value("hub.lease_seconds").ok().and_then(|seconds| seconds.parse().ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websub::means_already_registered;

    #[test]
    fn a_challenge_is_read() {
        let query = "hub.mode=subscribe&hub.topic=crvs_partner%2FCREDENTIAL_ISSUED&hub.challenge=7f-1&hub.lease_seconds=86400";
        let expected = Intent::Verify {
            mode: Mode::Subscribe,
            topic: "crvs_partner/CREDENTIAL_ISSUED".to_owned(),
            challenge: "7f-1".to_owned(),
            lease_seconds: Some(86400),
        };
        assert_eq!(Intent::parse(query), Ok(expected));
        let bare = "hub.challenge=c&hub.mode=subscribe&hub.topic=T&hub.lease_seconds=x";
        assert!(matches!(Intent::parse(bare), Ok(Intent::Verify { lease_seconds: None, .. })));
        let end = "hub.mode=unsubscribe&hub.topic=T&hub.challenge=c";
        assert!(matches!(Intent::parse(end), Ok(Intent::Verify { mode: Mode::Unsubscribe, .. })));
    }

    #[test]
    fn a_denial_is_not_a_challenge() {
        let query = "hub.mode=denied&hub.topic=T&hub.challenge=c&hub.reason=Subscriber+has+already%20registered+with+the+Hub";
        let Ok(Intent::Denied { topic, reason }) = Intent::parse(query) else { panic!("denied") };
        assert_eq!(topic.as_deref(), Some("T"));
        assert!(means_already_registered(&reason));
        assert!(!means_already_registered("topic is not allowed"));
        assert!(matches!(Intent::parse("hub.mode=denied"), Ok(Intent::Denied { topic: None, .. })));
    }

    #[test]
    fn what_lacks_something_says_what() {
        assert_eq!(Intent::parse(""), Err(IntentError::Missing("hub.mode")));
        assert_eq!(Intent::parse("hub.mode=subscribe"), Err(IntentError::Missing("hub.topic")));
        assert_eq!(
            Intent::parse("hub.mode=subscribe&hub.topic=T"),
            Err(IntentError::Missing("hub.challenge"))
        );
        assert_eq!(Intent::parse("hub.mode=publish&hub.topic=T"), Err(IntentError::Mode));
    }
}
