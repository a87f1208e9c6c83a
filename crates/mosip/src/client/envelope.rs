//! MOSIP's envelope: `{"response": …, "errors": …}` under HTTP 200, whatever happened.

use serde_json::Value;

use super::transport::{Call, Reply};
use crate::{CallError, Class, codes};

/// An entry of `errors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    /// `errorCode`.
    pub(super) code: Option<String>,
    /// Kept to be matched against, never shown: it may quote what was sent.
    pub(super) message: String,
}

/// An answer, read.
#[derive(Debug)]
pub(super) struct Envelope {
    /// What was asked for; `Null` where MOSIP answered none.
    pub(super) response: Value,
    /// Empty where MOSIP wrote none, `null` or `[]`.
    pub(super) errors: Vec<ApiError>,
}

impl Envelope {
    /// Reads an envelope; a bare array is taken for its response. `None` if it is not JSON.
    pub(super) fn parse(body: &[u8]) -> Option<Envelope> {
        match serde_json::from_slice(body).ok()? {
            Value::Object(mut map) => {
                let errors = match map.remove("errors") {
                    Some(Value::Array(list)) => list.iter().filter_map(api_error).collect(),
                    Some(one @ Value::Object(_)) => api_error(&one).into_iter().collect(),
                    _ => Vec::new(),
                };
                Some(Envelope { response: map.remove("response").unwrap_or_default(), errors })
            }
            list @ Value::Array(_) => Some(Envelope { response: list, errors: Vec::new() }),
            _ => None,
        }
    }

    /// The codes of its errors.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.errors.iter().filter_map(|error| error.code.as_deref())
    }

    /// Whether it says that the token, or the client, is not accepted.
    pub(super) fn refuses_token(&self) -> bool {
        self.codes().any(|code| matches!(code, "KER-ATH-401" | "KER-ATH-403"))
    }
}

fn api_error(value: &Value) -> Option<ApiError> {
    let text = |names: [&str; 2]| {
        names.iter().find_map(|name| match value.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        })
    };
    value.is_object().then(|| ApiError {
        code: text(["errorCode", "code"]),
        message: text(["message", "errorMessage"]).unwrap_or_default(),
    })
}

/// The envelope of a reply with a 2xx status; any other status is a failure.
pub(super) fn open(call: &Call<'_>, reply: &Reply) -> Result<Envelope, CallError> {
    let envelope = Envelope::parse(&reply.body);
    if !reply.is_success() {
        return Err(refused(call, reply, envelope.as_ref()));
    }
    envelope.ok_or_else(|| {
        let summary = format!("{} answered {} with a body that is not JSON", call.what, reply.status);
        CallError::classed(call.service, call.effect.ambiguous(), "answer-unreadable", summary)
    })
}

/// The same, where `errors` must be empty.
pub(super) fn response(call: &Call<'_>, reply: &Reply) -> Result<Value, CallError> {
    let envelope = open(call, reply)?;
    match failure(call, &envelope) {
        Some(error) => Err(error),
        None => Ok(envelope.response),
    }
}

/// The failure that an envelope tells of, if it does: of several, the first that we know.
pub(super) fn failure(call: &Call<'_>, envelope: &Envelope) -> Option<CallError> {
    if envelope.errors.is_empty() {
        return None;
    }
    let code =
        envelope.codes().find(|code| codes::lookup(code).is_some()).or_else(|| envelope.codes().next());
    Some(match code {
        Some(code) => CallError::known(call.service, code, format!("{} answered {code}", call.what)),
        None => CallError::known(call.service, "", format!("{} answered an error without a code", call.what))
            .uncoded(),
    })
}

/// A status that is not 2xx.
fn refused(call: &Call<'_>, reply: &Reply, envelope: Option<&Envelope>) -> CallError {
    let named = envelope.and_then(|envelope| envelope.codes().find(|code| codes::lookup(code).is_some()));
    let mut error = match named {
        Some(code) => CallError::known(
            call.service,
            code,
            format!("{} answered {} with {code}", call.what, reply.status),
        ),
        None => by_status(call, reply.status),
    };
    error.retry_after = reply.retry_after;
    error
}

fn by_status(call: &Call<'_>, status: u16) -> CallError {
    let code = format!("http-{status}");
    let class = match codes::lookup(&code).map(|known| known.class) {
        // Whether it was applied is open; for a question it does not matter.
        Some(Class::Unknown) => call.effect.ambiguous(),
        Some(class) => class,
        None => Class::Permanent,
    };
    CallError::classed(call.service, class, &code, format!("{} answered {status}", call.what))
}

impl CallError {
    fn uncoded(mut self) -> Self {
        self.code = None;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(body: &str) -> Vec<String> {
        Envelope::parse(body.as_bytes()).unwrap().codes().map(str::to_owned).collect()
    }

    #[test]
    fn errors_are_read_in_every_form_that_was_seen() {
        assert_eq!(codes(r#"{"response":1,"errors":null}"#), Vec::<String>::new());
        assert_eq!(codes(r#"{"response":1}"#), Vec::<String>::new());
        assert_eq!(codes(r#"{"errors":[]}"#), Vec::<String>::new());
        assert_eq!(codes(r#"{"errors":[{"errorCode":"A","message":"m"},{"errorCode":500}]}"#), ["A", "500"]);
        assert_eq!(codes(r#"{"errors":{"errorCode":"B"}}"#), ["B"]);
    }

    #[test]
    fn a_bare_list_is_a_response_and_text_is_nothing() {
        assert!(Envelope::parse(b"[1]").unwrap().response.is_array());
        assert!(Envelope::parse(b"<html>").is_none());
        assert!(Envelope::parse(b"\"x\"").is_none());
    }
}
