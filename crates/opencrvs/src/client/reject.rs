//! `event.actions.<type>.reject`: refuses a pending action.

use jiff::Timestamp;
use serde_json::json;

use super::Client;
use super::answer::procedure_result;
use super::auth::Mode;
use super::confirmation::{Confirmation, Verdict};
use super::error::{CallError, Cause, Class};
use super::transport::Call;
use crate::EventDocument;

/// A person's step, which only a person's token may take.
const SEND_BACK: Call = Call::writes("event.actions.reject.request");

impl Client {
    /// Rejects a pending action. There is no field for a reason; `keep_assignment` leaves the record with its registrar,
    /// which a following `reject.request` with a reason needs.
    ///
    /// # Errors
    /// [`Cause::CannotReject`](crate::Cause) without a call for `APPROVE_CORRECTION`, `REJECT_CORRECTION` and `REJECT`:
    /// those can only be refused in the trigger's own answer. A record that was accepted before, or does not exist, is
    /// a 500 in OpenCRVS and so [`Class::Unknown`](crate::Class): look with [`Client::get`] before repeating for long.
    pub async fn reject(
        &self,
        confirmation: &Confirmation,
        keep_assignment: bool,
        now: Timestamp,
    ) -> Result<Option<EventDocument>, CallError> {
        self.confirm(confirmation, Verdict::Reject { keep_assignment }, now).await
    }

    /// Rejects a pending registration and sends the record back with a reason that the registrar sees.
    ///
    /// The reason is a step of its own, taken in the registrar's name, which the record must still be assigned to: so it
    /// works with a trigger's token alone, and where there is none this is [`Client::reject`]. Safe to repeat.
    ///
    /// # Errors
    /// As [`Client::reject`]. A reason that OpenCRVS refuses for good is given up, since the action is rejected by then;
    /// `Ok(false)` says that the reason was not told.
    pub async fn reject_with_reason(
        &self,
        confirmation: &Confirmation,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, CallError> {
        let token = confirmation.trigger_token.as_ref().filter(|_| self.mode == Mode::TriggerToken);
        let Some(token) = token.filter(|_| confirmation.action_type == "REGISTER") else {
            return self.reject(confirmation, false, now).await.map(|_| false);
        };
        self.reject(confirmation, true, now).await?;
        let body = json!({ "json": {
            // Another one than the rejection's: both append an UNASSIGN.
            "transactionId": format!("{}-reason", confirmation.transaction_id()),
            "eventId": confirmation.event_id.to_string(),
            "declaration": {},
            "content": { "reason": reason },
        } });
        let request =
            self.transport.post_json(&self.url(SEND_BACK.name), body.to_string().into_bytes(), token);
        let answer = self.transport.send(SEND_BACK, request, now).await?;
        match procedure_result(SEND_BACK, &answer) {
            Ok(_) => Ok(true),
            // A conflict is that somebody took the record meanwhile, or sent it back.
            Err(error) if error.cause == Cause::Conflict => Ok(false),
            Err(error) if matches!(error.class, Class::Permanent | Class::Unauthorised) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
