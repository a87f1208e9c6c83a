//! `event.get`: the record with its whole history.

use std::sync::Arc;

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use uuid::Uuid;

use super::Client;
use super::answer::procedure_result;
use super::error::{CallError, Cause, Class};
use super::system_token::SystemTokens;
use super::transport::Call;
use crate::{EventDocument, Version};

const GET: Call = Call::reads("event.get");

impl Client {
    /// Fetches a record. Each call writes a `READ` action and re-indexes the record: use it to resolve doubt, not to
    /// poll.
    ///
    /// # Errors
    /// [`Cause::NoCredentials`] in trigger-token mode without a reader; [`Cause::RecordNotFound`].
    pub async fn get(&self, event_id: Uuid, now: Timestamp) -> Result<EventDocument, CallError> {
        self.with_system_token(
            GET,
            now,
            |token| async move { self.get_with_token(event_id, &token, now).await },
        )
        .await
    }

    /// [`Client::get`] as OpenCRVS sent it, for whoever keeps documents as they are: the JSON of the event document.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn get_raw(&self, event_id: Uuid, now: Timestamp) -> Result<Vec<u8>, CallError> {
        let attempt = |token| async move { self.raw_with_token(event_id, &token, now).await };
        self.with_system_token(GET, now, attempt).await
    }

    /// [`Client::get_raw`] with a token that the caller has.
    ///
    /// # Errors
    /// As [`Client::get`]; a refused token is not renewed.
    pub async fn get_raw_with_token(
        &self,
        event_id: Uuid,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<Vec<u8>, CallError> {
        self.raw_with_token(event_id, token, now).await
    }

    /// [`Client::get`] with a token that the caller has: a trigger's token may read its own record.
    ///
    /// # Errors
    /// As [`Client::get`]; a refused token is not renewed.
    pub async fn get_with_token(
        &self,
        event_id: Uuid,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<EventDocument, CallError> {
        let raw = self.raw_with_token(event_id, token, now).await?;
        EventDocument::parse(&raw).map_err(|_| GET.in_doubt(Cause::Unreadable))
    }

    async fn raw_with_token(
        &self,
        event_id: Uuid,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<Vec<u8>, CallError> {
        let object = json!({ "json": { "eventId": event_id.to_string() } });
        match self.get_by(&object.to_string(), token, now).await {
            // Releases of 1.9 took the bare id.
            Err(error) if error.cause == Cause::InvalidInput && self.version == Version::V1_9 => {
                let bare = json!({ "json": event_id.to_string() });
                self.get_by(&bare.to_string(), token, now).await
            }
            other => other,
        }
    }

    async fn get_by(&self, input: &str, token: &SecretString, now: Timestamp) -> Result<Vec<u8>, CallError> {
        let url = format!("{}?input={}", self.url(GET.name), utf8_percent_encode(input, NON_ALPHANUMERIC));
        let request = self.transport.get(&url).bearer_auth(token.expose_secret());
        let answer = self.transport.send(GET, request, now).await?;
        Ok(procedure_result(GET, &answer)?.as_bytes().to_vec())
    }

    /// Runs a call with the system token, and once more with a new one if it was refused.
    pub(super) async fn with_system_token<T, F>(
        &self,
        call: Call,
        now: Timestamp,
        attempt: impl Fn(SecretString) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let tokens = self.tokens(call)?;
        let lease = tokens.lease(None, now).await?;
        match attempt(lease.token).await {
            Err(error) if error.class == Class::Unauthorised => {
                let renewed = tokens.lease(Some(lease.generation), now).await?;
                attempt(renewed.token).await
            }
            other => other,
        }
    }

    pub(super) fn tokens(&self, call: Call) -> Result<&Arc<SystemTokens>, CallError> {
        self.tokens.as_ref().ok_or_else(|| call.fails(Class::Unauthorised, Cause::NoCredentials))
    }
}
