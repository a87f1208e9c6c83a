//! What is needed to answer a pending action, kept from the moment the action arrived.

use std::fmt;

use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::Cause;
use crate::state::drop_nulls;
use crate::{Action, Map};

/// The answer to one pending action. Built once and sent identically however often.
#[derive(Clone, Default)]
pub struct Confirmation {
    /// The record.
    pub event_id: Uuid,
    /// The pending (`Requested`) action.
    pub action_id: Uuid,
    /// Its type, `REGISTER`.
    pub action_type: String,
    /// `customActionType` of a `CUSTOM` action.
    pub custom_action: Option<String>,
    /// `requestId` of a correction's approval or rejection, the same as in the pending action.
    pub request_id: Option<Uuid>,
    /// `content` of the pending action: the reason that `REJECT`, `ARCHIVE` and `REJECT_CORRECTION` need.
    pub content: Option<Map>,
    /// Required to accept a `REGISTER`; unique across all records, minted once per action.
    pub registration_number: Option<String>,
    /// What to add to the record, by field id: the delta only, ids that the country's form has. Nulls are left out.
    pub declaration: Map,
    /// What to note on the action itself.
    pub annotation: Option<Map>,
    /// The bearer token that came with the trigger, for [`ConfirmationAuth::TriggerToken`](crate::ConfirmationAuth).
    pub trigger_token: Option<SecretString>,
    /// W3C trace context to send along.
    pub traceparent: Option<String>,
}

/// Which of the two answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Accept,
    Reject { keep_assignment: bool },
}

impl Confirmation {
    /// The answer to a pending action, with what OpenCRVS wants repeated of it.
    pub fn of(event_id: Uuid, pending: &Action) -> Self {
        Self {
            event_id,
            action_id: pending.id,
            action_type: pending.kind.clone(),
            custom_action: pending.custom_action_type.clone(),
            request_id: pending.request_id,
            content: pending.content.clone(),
            ..Self::default()
        }
    }

    /// The idempotency key of an acceptance: a function of the action id, so that a repetition is the same call.
    pub fn transaction_id(&self) -> String {
        format!("civitas-{}", self.action_id)
    }

    /// The body, `{"json":{…}}`. Absent keys are left out: a null would mean erasure.
    ///
    /// A rejection has a transaction id of its own, since two calls that both unassign must not share one.
    pub(super) fn body(&self, verdict: Verdict) -> Result<Vec<u8>, Cause> {
        let mut input = Map::new();
        let mut put = |key: &str, value: Value| input.insert(key.to_owned(), value);
        let transaction = match verdict {
            Verdict::Accept => self.transaction_id(),
            Verdict::Reject { .. } => format!("{}-reject", self.transaction_id()),
        };
        put("transactionId", transaction.into());
        put("eventId", self.event_id.to_string().into());
        put("actionId", self.action_id.to_string().into());
        match verdict {
            Verdict::Reject { keep_assignment } => {
                if keep_assignment {
                    put("keepAssignment", true.into());
                }
            }
            Verdict::Accept => {
                self.complete()?;
                if let Some(number) = &self.registration_number
                    && self.action_type == "REGISTER"
                {
                    put("registrationNumber", number.as_str().into());
                }
                if let Some(id) = self.request_id {
                    put("requestId", id.to_string().into());
                }
                if let Some(custom) = &self.custom_action {
                    put("customActionType", custom.as_str().into());
                }
                for (key, fields) in
                    [("content", self.content.as_ref()), ("annotation", self.annotation.as_ref())]
                {
                    if let Some(fields) = fields {
                        put(key, without_nulls(fields));
                    }
                }
                if !self.declaration.is_empty() {
                    put("declaration", without_nulls(&self.declaration));
                }
            }
        }
        serde_json::to_vec(&json!({ "json": input })).map_err(|_| Cause::Incomplete)
    }

    /// Whether everything is there that OpenCRVS requires for this type.
    fn complete(&self) -> Result<(), Cause> {
        let complete = match self.action_type.as_str() {
            "REGISTER" => self.registration_number.as_deref().is_some_and(|number| !number.is_empty()),
            "APPROVE_CORRECTION" => self.request_id.is_some(),
            "REJECT_CORRECTION" => self.request_id.is_some() && self.has_reason(),
            "REJECT" | "ARCHIVE" => self.has_reason(),
            "CUSTOM" => self.custom_action.is_some(),
            _ => true,
        };
        if complete { Ok(()) } else { Err(Cause::Incomplete) }
    }

    fn has_reason(&self) -> bool {
        self.content
            .as_ref()
            .is_some_and(|content| content.get("reason").is_some_and(|reason| !reason.is_null()))
    }
}

fn without_nulls(fields: &Map) -> Value {
    Value::Object(
        fields.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), drop_nulls(v))).collect(),
    )
}

/// Ids only: field values are personal data, and the token is a secret.
impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation")
            .field("event_id", &self.event_id)
            .field("action_id", &self.action_id)
            .field("action_type", &self.action_type)
            .field("custom_action", &self.custom_action)
            .finish_non_exhaustive()
    }
}
