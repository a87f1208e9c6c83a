//! `event.actions.custom.request`: performs a custom action of the event configuration, as the system client.
//!
//! OpenCRVS asks the country configuration about it like about any other. A client may perform it on a record that
//! nobody holds and in which nothing waits; else the answer is 409.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::Client;
use super::answer::procedure_result;
use super::error::CallError;
use super::transport::Call;
use crate::{Action, EventDocument, Map};

const CUSTOM: Call = Call::writes("event.actions.custom.request");

/// A custom action to perform.
#[derive(Debug, Clone)]
pub struct CustomAction {
    /// The record.
    pub event_id: Uuid,
    /// The idempotency key: OpenCRVS performs one action of it. Unique across records.
    pub transaction_id: String,
    /// `customActionType` of the event configuration.
    pub custom_action: String,
    /// What is noted on the action.
    pub annotation: Map,
    /// The office in whose name it is: OpenCRVS wants one of a client, without offices below it.
    pub location: Option<String>,
}

impl CustomAction {
    /// The action that came of it, if one did.
    pub fn find<'d>(&self, document: &'d EventDocument) -> Option<&'d Action> {
        document.actions.iter().find(|action| {
            action.kind == "CUSTOM"
                && action.original_action_id.is_none()
                && action.transaction_id.as_ref() == Some(&self.transaction_id)
        })
    }
}

impl Client {
    /// Performs a custom action. Safe to repeat with the same transaction id: one that was accepted is answered with
    /// success. One that still waits, since the country configuration's answer was lost, is a
    /// [`Cause::Conflict`](crate::Cause) like any that waits: look with [`Client::get`], and accept it.
    ///
    /// # Errors
    /// [`Cause::Conflict`](crate::Cause) on a record that somebody holds, or in which an action waits;
    /// [`Cause::InvalidInput`](crate::Cause) where the event configuration has no such action, or its form refuses the
    /// annotation; [`Cause::NoCredentials`](crate::Cause) without a system client; [`Class::Unknown`](crate::Class)
    /// after a 5xx or a broken connection.
    pub async fn perform(&self, action: &CustomAction, now: Timestamp) -> Result<(), CallError> {
        let mut input = json!({
            "eventId": action.event_id.to_string(),
            "transactionId": action.transaction_id,
            "customActionType": action.custom_action,
            "declaration": {},
            "annotation": action.annotation,
        });
        if let Some(location) = &action.location {
            input["createdAtLocation"] = location.as_str().into();
        }
        let body = json!({ "json": input }).to_string().into_bytes();
        let attempt = |token| {
            let body = body.clone();
            async move {
                let request = self.transport.post_json(&self.url(CUSTOM.name), body, &token);
                let answer = self.transport.send(CUSTOM, request, now).await?;
                procedure_result(CUSTOM, &answer).map(drop)
            }
        };
        self.with_system_token(CUSTOM, now, attempt).await
    }
}
