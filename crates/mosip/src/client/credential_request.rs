//! `GET /get/{requestId}` and `PUT /retrigger/{requestId}`: a credential whose event was lost, asked for again.
//!
//! This works without having seen the event only if the partner's entry has `appIdBasedCredentialIdSuffix`: then the
//! request's id is the AID and that suffix.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;

use super::{
    Mosip, Role,
    envelope::{self, Envelope},
    transport::{Body, Call, Effect},
};
use crate::{Aid, CallError, RequestStatus, Service};

/// The id of the credential request of a packet, where the partner's entry has this suffix (`-CRVS`).
pub fn credential_request_id(aid: &Aid, suffix: &str) -> String {
    format!("{aid}{suffix}")
}

/// A credential request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRequest {
    /// Its id.
    pub request_id: String,
    /// How far it is.
    pub status: RequestStatus,
}

impl Mosip {
    /// Looks a credential request up; `None` if there is none: then the partner's entry in MOSIP lacks the process
    /// or the suffix.
    pub async fn credential_request(
        &self,
        request_id: &str,
        now: Timestamp,
    ) -> Result<Option<CredentialRequest>, CallError> {
        let call = self.request_call("credentialrequest/get", Method::GET, "get", request_id)?;
        let reply = self.exchange(&call, now).await?;
        let envelope = envelope::open(&call, &reply)?;
        if is_absent(&envelope) {
            return Ok(None);
        }
        if let Some(error) = envelope::failure(&call, &envelope) {
            return Err(error);
        }
        let status = envelope.response.get("statusCode").and_then(Value::as_str).ok_or_else(|| {
            let summary = "credentialrequest/get was answered without a status";
            CallError::known(Service::CredentialRequest, "answer-unreadable", summary)
        })?;
        Ok(Some(CredentialRequest {
            request_id: request_id.to_owned(),
            status: RequestStatus::parse(status),
        }))
    }

    /// Has a credential issued again, within 20 minutes; `false` if there is no such request. May be repeated.
    pub async fn retrigger_credential(&self, request_id: &str, now: Timestamp) -> Result<bool, CallError> {
        let call = self.request_call("credentialrequest/retrigger", Method::PUT, "retrigger", request_id)?;
        let reply = self.exchange(&call, now).await?;
        let envelope = envelope::open(&call, &reply)?;
        if is_absent(&envelope) {
            return Ok(false);
        }
        envelope::failure(&call, &envelope).map_or(Ok(true), Err)
    }

    fn request_call(
        &self,
        what: &'static str,
        method: Method,
        verb: &str,
        request_id: &str,
    ) -> Result<Call<'static>, CallError> {
        // The id is part of the path: one that would leave it is not sent.
        if request_id.is_empty()
            || !request_id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        {
            let summary = format!(
                "{what} was not sent, the suffix of request ids holds more than letters, digits, - and _"
            );
            return Err(CallError::known(Service::CredentialRequest, "address-invalid", summary));
        }
        Ok(Call {
            service: Service::CredentialRequest,
            role: Role::Status,
            effect: Effect::Harmless,
            what,
            method,
            url: format!("{}/{verb}/{request_id}", self.shared.endpoints.credential_request),
            body: Body::Nothing,
        })
    }
}

/// MOSIP says so by a code that differs between releases, and a text that does not.
fn is_absent(envelope: &Envelope) -> bool {
    envelope
        .errors
        .iter()
        .any(|error| error.message.to_ascii_lowercase().contains("request id is not present"))
}
