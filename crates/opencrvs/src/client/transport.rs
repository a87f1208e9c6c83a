//! Sending a request and reading its answer, with the failures of both classified.

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

use super::error::{CallError, Cause, Class};

/// No answer of OpenCRVS comes near this many bytes; more is not read.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Whether a call changes a record: decides what a lost answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// A lost answer leaves the outcome unknown.
    Writes,
    /// A lost answer costs a repetition.
    Reads,
}

/// A call by name, with its effect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) effect: Effect,
}

impl Call {
    pub(super) const fn writes(name: &'static str) -> Self {
        Self { name, effect: Effect::Writes }
    }

    pub(super) const fn reads(name: &'static str) -> Self {
        Self { name, effect: Effect::Reads }
    }

    pub(super) fn fails(self, class: Class, cause: Cause) -> CallError {
        CallError::new(self.name, class, cause)
    }

    /// A failure after the request was on its way.
    pub(super) fn in_doubt(self, cause: Cause) -> CallError {
        let class = match self.effect {
            Effect::Writes => Class::Unknown,
            Effect::Reads => Class::Transient,
        };
        self.fails(class, cause)
    }
}

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

#[derive(Clone)]
pub(super) struct Transport {
    http: reqwest::Client,
}

impl Transport {
    pub(super) fn new(http: reqwest::Client) -> Self {
        Self { http }
    }

    pub(super) fn get(&self, url: &str) -> RequestBuilder {
        self.http.get(url)
    }

    pub(super) fn post(&self, url: &str) -> RequestBuilder {
        self.http.post(url)
    }

    /// A POST of JSON with a bearer token.
    pub(super) fn post_json(&self, url: &str, body: Vec<u8>, token: &SecretString) -> RequestBuilder {
        self.http
            .post(url)
            .bearer_auth(token.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .body(body)
    }

    /// Sends, and reads the answer whole, whatever its status.
    pub(super) async fn send(
        &self,
        call: Call,
        request: RequestBuilder,
        now: Timestamp,
    ) -> Result<Answer, CallError> {
        let mut response = request.send().await.map_err(|error| failure(call, &error))?;
        let status = response.status();
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|value| retry_delay(value.to_str().ok()?, now));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(call, &error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(call.in_doubt(Cause::Unreadable));
            }
            body.extend_from_slice(&chunk);
        }
        tracing::debug!(call = call.name, status = status.as_u16(), bytes = body.len(), "opencrvs answered");
        Ok(Answer { status, retry_after, body })
    }
}

/// What a failure to send or to read means. The text of the source is not kept: it holds the URL.
fn failure(call: Call, error: &reqwest::Error) -> CallError {
    if error.is_builder() {
        call.fails(Class::Permanent, Cause::BadAddress)
    } else if error.is_connect() {
        call.fails(Class::Transient, Cause::Unreachable)
    } else if error.is_redirect() {
        call.fails(Class::Permanent, Cause::Redirected)
    } else {
        call.in_doubt(Cause::Broken)
    }
}

/// `Retry-After`: seconds, or a date.
fn retry_delay(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-06-01T09:00:00Z".parse().unwrap();
        assert_eq!(retry_delay("120", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_delay("Mon, 01 Jun 2026 09:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_delay("Mon, 01 Jun 2026 08:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_delay("soon", now), None);
    }
}
