//! Reading tRPC and REST answers, and classing those that are not success.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::{CallError, Cause, Class};
use super::transport::{Answer, Call};

#[derive(Deserialize)]
struct Success<'a> {
    #[serde(borrow)]
    result: SuccessResult<'a>,
}

#[derive(Deserialize)]
struct SuccessResult<'a> {
    #[serde(borrow)]
    data: SuccessData<'a>,
}

#[derive(Deserialize)]
struct SuccessData<'a> {
    #[serde(borrow)]
    json: Option<&'a RawValue>,
}

/// The JSON that a procedure answered, `null` if it answered nothing.
pub(super) fn procedure_result(call: Call, answer: &Answer) -> Result<&str, CallError> {
    if !answer.status.is_success() {
        return Err(refusal(call, answer));
    }
    // A gateway in between may answer in the batch form whatever it was asked in.
    let data =
        serde_json::from_slice::<Success<'_>>(&answer.body).map(|success| success.result.data).or_else(
            |_| serde_json::from_slice::<[Success<'_>; 1]>(&answer.body).map(|[success]| success.result.data),
        );
    match data {
        Ok(data) => Ok(data.json.map_or("null", RawValue::get)),
        Err(_) => Err(unreadable(call, answer)),
    }
}

/// The body of a successful REST answer.
pub(super) fn rest_result<'a, T: Deserialize<'a>>(call: Call, answer: &'a Answer) -> Result<T, CallError> {
    if !answer.status.is_success() {
        return Err(refusal(call, answer));
    }
    serde_json::from_slice(&answer.body).map_err(|_| unreadable(call, answer))
}

pub(super) fn unreadable(call: Call, answer: &Answer) -> CallError {
    CallError { status: Some(answer.status.as_u16()), ..call.in_doubt(Cause::Unreadable) }
}

/// What an answer that is not success means (reference behaviour: accept's 5xx is ambiguous, its 4xx is not).
pub(super) fn refusal(call: Call, answer: &Answer) -> CallError {
    let said = Said::read(&answer.body);
    let message = said.message.as_deref().unwrap_or_default();
    let known = said.code.is_some();
    let error = match answer.status.as_u16() {
        300..=399 => call.fails(Class::Permanent, Cause::Redirected),
        401 => call.fails(Class::Unauthorised, Cause::Unauthenticated),
        402 | 429 => call.fails(Class::Transient, Cause::RateLimited),
        403 => call.fails(Class::Unauthorised, Cause::Forbidden),
        404 if !known => call.fails(Class::Transient, Cause::NotOpencrvs),
        404 => call.fails(Class::Permanent, not_found(message)),
        400 => call.fails(Class::Permanent, bad_request(message)),
        // A proxy that gave up on us in the middle of the request, or a request sent too early.
        408 | 425 => call.in_doubt(Cause::Broken),
        409 => call.fails(Class::Transient, Cause::Conflict),
        413 => call.fails(Class::Permanent, Cause::TooLarge),
        status if (400..500).contains(&status) => call.fails(Class::Permanent, Cause::Refused),
        500..=599 if message.contains("Action has already been accepted") => {
            call.fails(Class::Permanent, Cause::AlreadyAccepted)
        }
        500..=599 => call.in_doubt(Cause::Server),
        _ => call.in_doubt(Cause::Unreadable),
    };
    CallError {
        status: Some(answer.status.as_u16()),
        code: said.code,
        retry_after: answer.retry_after,
        ..error
    }
}

fn not_found(message: &str) -> Cause {
    if message.contains("Action not found") {
        Cause::ActionNotFound
    } else if message.contains("procedure") {
        Cause::UnknownProcedure
    } else {
        Cause::RecordNotFound
    }
}

fn bad_request(message: &str) -> Cause {
    if message.contains("Action has already been rejected") {
        Cause::AlreadyRejected
    } else if message.starts_with("File not found") {
        Cause::FileNotFound
    } else {
        Cause::InvalidInput
    }
}

/// What an error body says: the code to show, the message only to tell causes apart (it may quote field values).
struct Said {
    code: Option<String>,
    message: Option<String>,
}

impl Said {
    /// Reads tRPC with and without superjson, batched or not, and the REST and OAuth shapes.
    fn read(body: &[u8]) -> Self {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let outer = value.get(0).unwrap_or(&value);
        let error = outer.get("error").filter(|error| error.is_object()).unwrap_or(outer);
        let error = error.get("json").unwrap_or(error);
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let code = text(error.pointer("/data/code")).or_else(|| text(error.get("code"))).or_else(|| {
            // OAuth: {"error":"invalid_client"}.
            text(error.get("error"))
        });
        Self { code: code.filter(|code| is_code(code)), message: text(error.get("message")) }
    }
}

/// A code, not a sentence: nothing in it can be about a person.
fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}
