//! One way of calling: through the service's gate, with a token in a bare cookie, and once more with a new token if
//! the first is not accepted.
//!
//! Registration processor and hub read only the cookie, and the hub takes whatever follows `=` up to the next `"; "`:
//! so the header is exactly `Cookie: Authorization=<jwt>`.

use std::{error::Error as _, time::Duration};

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::{CONTENT_TYPE, COOKIE, HeaderMap, RETRY_AFTER},
};

use super::{Mosip, Role, envelope::Envelope};
use crate::{Admission, CallError, Class, Service, breaker::Health, gate::Entry};

/// Largest answer that is read; the largest real one is a trail of some hundred stages.
const MAX_ANSWER: usize = 8 << 20;

/// Whether a call changes something at MOSIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A question, or something that may be repeated at any time.
    Harmless,
    /// A change: without an answer it may have been made.
    Change,
}

impl Effect {
    /// The class of a failure after which nobody knows whether the call was applied.
    pub(super) fn ambiguous(self) -> Class {
        match self {
            Effect::Harmless => Class::Transient,
            Effect::Change => Class::Unknown,
        }
    }
}

/// What is sent.
pub(crate) enum Body<'a> {
    Nothing,
    Json(String),
    Form(&'a [(&'a str, &'a str)]),
    Raw(Raw),
    /// None, and an access token.
    Bearer(&'a str),
}

/// Bytes of a kind of their own.
pub(crate) struct Raw {
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) bytes: Vec<u8>,
}

/// One call.
pub(crate) struct Call<'a> {
    pub(crate) service: Service,
    pub(crate) role: Role,
    pub(crate) effect: Effect,
    /// Its name in error texts.
    pub(crate) what: &'static str,
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) body: Body<'a>,
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) retry_after: Option<Duration>,
}

impl Reply {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the token is not accepted; MOSIP says so by status, or by a code under 200.
    fn refuses_token(&self) -> bool {
        match StatusCode::from_u16(self.status) {
            Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => true,
            Ok(status) if status.is_success() => {
                const CODE: &[u8] = b"KER-ATH-40";
                self.body.windows(CODE.len()).any(|window| window == CODE)
                    && Envelope::parse(&self.body).is_some_and(|envelope| envelope.refuses_token())
            }
            _ => false,
        }
    }
}

impl Mosip {
    /// Makes a call. An answer is returned whatever its status, but for one that refuses a fresh token.
    pub(super) async fn exchange(&self, call: &Call<'_>, now: Timestamp) -> Result<Reply, CallError> {
        let reply = self.renewing(call, now, Reply::refuses_token).await?;
        if reply.refuses_token() { Err(token_refused(call, &reply)) } else { Ok(reply) }
    }

    /// Makes a call, and once more with a new token if the answer refuses the first one.
    pub(super) async fn renewing(
        &self,
        call: &Call<'_>,
        now: Timestamp,
        refuses_token: impl Fn(&Reply) -> bool,
    ) -> Result<Reply, CallError> {
        let source = self.source(call.role);
        let token = source.token(self, now, None).await?;
        let mut entry = self.enter(call, now).await?;
        let mut reply = self.send(call, Some(&token.cookie), now).await;
        if reply.as_ref().is_ok_and(&refuses_token) {
            tracing::debug!(service = %call.service, call = call.what, "the token was not accepted, renewing it");
            // It answered: what is the matter is not the service.
            entry.settle(Health::Alive);
            let token = source.token(self, now, Some(token.generation)).await?;
            reply = self.send(call, Some(&token.cookie), now).await;
        }
        entry.settle(health(call, &reply));
        reply
    }

    /// Makes a call that carries credentials of its own in place of a token of authmanager.
    pub(crate) async fn call_bare(&self, call: &Call<'_>, now: Timestamp) -> Result<Reply, CallError> {
        let mut entry = self.enter(call, now).await?;
        let reply = self.send(call, None, now).await;
        entry.settle(health(call, &reply));
        reply
    }

    /// Waits for a place at the service's gate. Where its circuit may be tried, the service is asked first whether
    /// it is up, so that an outage of days costs no call its place.
    pub(crate) async fn enter(&self, call: &Call<'_>, now: Timestamp) -> Result<Entry<'_>, CallError> {
        let mut entry = match self.shared.gates.enter(call.service, now).await {
            Ok(entry) => entry,
            Err(until) => return Err(parked(call, until, now)),
        };
        if entry.tries()
            && let Err(error) = self.knock(call.service, now).await
        {
            entry.settle(Health::Failing(error.retry_after));
            let until = match self.shared.gates.admission(call.service, now) {
                Admission::Parked(until) => until,
                Admission::Free | Admission::Try => now,
            };
            return Err(parked(call, until, now));
        }
        Ok(entry)
    }

    /// Sends once and reads the answer.
    pub(super) async fn send(
        &self,
        call: &Call<'_>,
        cookie: Option<&reqwest::header::HeaderValue>,
        now: Timestamp,
    ) -> Result<Reply, CallError> {
        let began = tokio::time::Instant::now();
        let reply = self.read(call, cookie, now).await;
        let outcome = match &reply {
            Ok(reply) if reply.is_success() => "answered",
            Ok(_) => "refused",
            Err(_) => "failed",
        };
        let service = call.service.as_str();
        metrics::counter!("civitas_mosip_calls_total", "service" => service, "outcome" => outcome)
            .increment(1);
        metrics::histogram!("civitas_mosip_call_seconds", "service" => service)
            .record(began.elapsed().as_secs_f64());
        reply
    }

    async fn read(
        &self,
        call: &Call<'_>,
        cookie: Option<&reqwest::header::HeaderValue>,
        now: Timestamp,
    ) -> Result<Reply, CallError> {
        let request = self.request(call, cookie);
        let mut response = request.send().await.map_err(|error| not_sent(call, &error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| not_sent(call, &error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                let summary = format!("{} answered more than {MAX_ANSWER} bytes", call.what);
                return Err(CallError::classed(
                    call.service,
                    call.effect.ambiguous(),
                    "answer-unreadable",
                    summary,
                ));
            }
            body.extend_from_slice(&chunk);
        }
        let retry_after = retry_after(&headers, now);
        Ok(Reply { status, headers, body, retry_after })
    }

    fn request(&self, call: &Call<'_>, cookie: Option<&reqwest::header::HeaderValue>) -> RequestBuilder {
        let mut request = self.shared.http(call.service).request(call.method.clone(), &call.url);
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        if let Some(traceparent) = &self.traceparent {
            request = request.header("traceparent", traceparent);
        }
        match &call.body {
            Body::Nothing => request,
            Body::Json(json) => request.header(CONTENT_TYPE, "application/json").body(json.clone()),
            Body::Form(pairs) => request.form(pairs),
            Body::Bearer(token) => request.bearer_auth(token),
            Body::Raw(raw) => {
                let mut request = request.header(CONTENT_TYPE, &raw.content_type).body(raw.bytes.clone());
                for (name, value) in &raw.headers {
                    request = request.header(*name, value);
                }
                request
            }
        }
    }
}

/// Longest answer that is looked into for a response of nothing.
const SMALL_ANSWER: usize = 512;

/// What the end of a call says about its service.
pub(super) fn health(call: &Call<'_>, reply: &Result<Reply, CallError>) -> Health {
    match reply {
        Err(error) if error.class == Class::Permanent => Health::Alive,
        Err(_) => Health::Failing(None),
        Ok(reply) => match reply.status {
            408 | 425 | 429 | 500.. => Health::Failing(reply.retry_after),
            // The packet manager hides each failure behind it: its own, keymanager's, the object store's.
            200 if call.service == Service::PacketManager && is_nothing(reply) => Health::Failing(None),
            _ => Health::Alive,
        },
    }
}

fn is_nothing(reply: &Reply) -> bool {
    reply.body.len() <= SMALL_ANSWER
        && Envelope::parse(&reply.body)
            .is_some_and(|envelope| envelope.response.is_null() && envelope.errors.is_empty())
}

/// Nothing was sent, and no attempt was made.
fn parked(call: &Call<'_>, until: Timestamp, now: Timestamp) -> CallError {
    metrics::counter!("civitas_mosip_parked_total", "service" => call.service.as_str()).increment(1);
    let summary = format!("{} was not sent, since {} fails or we stop", call.what, call.service);
    let mut error = CallError::classed(call.service, Class::Parked, "circuit-open", summary);
    error.retry_after = Some(Duration::try_from(until.duration_since(now)).unwrap_or_default());
    error
}

/// A fresh token is not accepted: audience, role or clock.
pub(crate) fn token_refused(call: &Call<'_>, reply: &Reply) -> CallError {
    let named = Envelope::parse(&reply.body)
        .and_then(|envelope| envelope.codes().find(|code| code.starts_with("KER-ATH-")).map(str::to_owned));
    let code = named.unwrap_or_else(|| match reply.status {
        403 => "KER-ATH-403".to_owned(),
        _ => "token-refused".to_owned(),
    });
    let summary = format!("{} answered {} to a fresh token", call.what, reply.status);
    CallError::classed(call.service, Class::Unauthorised, &code, summary)
}

/// A call without a complete answer.
pub(crate) fn not_sent(call: &Call<'_>, error: &reqwest::Error) -> CallError {
    let (class, code) = if error.is_builder() {
        (Class::Permanent, "address-invalid")
    } else if error.is_redirect() {
        (Class::Permanent, "http-3xx")
    } else if error.is_connect() {
        // No connection, no request: also if connecting timed out.
        (Class::Transient, "unreachable")
    } else if error.is_timeout() {
        (call.effect.ambiguous(), "time-out")
    } else {
        (call.effect.ambiguous(), "answer-broken-off")
    };
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    // The outermost text names the URL, and with it ids; the innermost is the system's ("connection refused").
    let detail =
        if error.source().is_some() && !error.is_builder() { cause.to_string() } else { String::new() };
    let separator = if detail.is_empty() { "" } else { ": " };
    let happened = match code {
        "time-out" => "did not answer in time",
        "unreachable" => "could not be sent, no connection",
        "address-invalid" => "could not be sent, the address is not a URL",
        "http-3xx" => "was redirected",
        _ => "was not answered to the end",
    };
    let (what, place) = (call.what, place(&call.url));
    CallError::classed(call.service, class, code, format!("{what} {happened}{place}{separator}{detail}"))
}

/// Which machine was meant: the path may hold ids, and an address may hold a password.
fn place(url: &str) -> String {
    let url = reqwest::Url::parse(url).ok();
    url.map(|url| format!(" ({})", url.origin().ascii_serialization())).unwrap_or_default()
}

/// `Retry-After` in seconds or as a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(at.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn the_address_is_named_without_what_is_private_in_it() {
        let place = |url| super::place(url);
        assert_eq!(
            place("http://user:secret@mosip.example:8090/v1/x/10001?uin=7"),
            " (http://mosip.example:8090)"
        );
        assert_eq!(place("nonsense"), "");
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        let read = |text: &'static str| {
            retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]), now)
        };
        assert_eq!(read("120"), Some(Duration::from_mins(2)));
        assert_eq!(read("Fri, 02 Jan 2026 03:05:05 GMT"), Some(Duration::from_mins(1)));
        assert_eq!(read("Fri, 02 Jan 2026 03:00:00 GMT"), None, "in the past");
        assert_eq!(read("soon"), None);
    }
}
