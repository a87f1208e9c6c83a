//! `event.actions.<type>.accept`: puts a pending action in force.

use jiff::Timestamp;
use secrecy::SecretString;

use super::answer::{procedure_result, refusal};
use super::auth::Mode;
use super::confirmation::{Confirmation, Verdict};
use super::error::{CallError, Cause, Class};
use super::transport::Call;
use super::{Client, procedure, token_expiry};
use crate::{ActionStatus, EventDocument, Version};

impl Client {
    /// Accepts a pending action. Safe to repeat: an action that is in force already is answered with success.
    ///
    /// Answers the record as it is afterwards, if OpenCRVS showed it.
    ///
    /// # Errors
    /// [`Class::Unknown`] after a 5xx, a time-out or a broken connection: send the identical confirmation again.
    /// [`Class::Permanent`] with [`Cause::ActionNotFound`] or [`Cause::AlreadyRejected`] when OpenCRVS has moved on.
    pub async fn accept(
        &self,
        confirmation: &Confirmation,
        now: Timestamp,
    ) -> Result<Option<EventDocument>, CallError> {
        self.confirm(confirmation, Verdict::Accept, now).await
    }

    /// Sends either answer under the authority of the mode, renewing a refused system token once.
    pub(super) async fn confirm(
        &self,
        confirmation: &Confirmation,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<Option<EventDocument>, CallError> {
        let permanent = |cause| CallError::new("event.actions", Class::Permanent, cause);
        let procedure =
            procedure::of(&confirmation.action_type).ok_or_else(|| permanent(Cause::NotConfirmable))?;
        let call = match verdict {
            Verdict::Accept => Call::writes(procedure.accept),
            Verdict::Reject { .. } => Call::writes(procedure.reject),
        };
        if verdict != Verdict::Accept && !procedure.rejectable {
            return Err(call.fails(Class::Permanent, Cause::CannotReject));
        }
        let body = confirmation.body(verdict).map_err(|cause| call.fails(Class::Permanent, cause))?;
        if self.mode == Mode::TriggerToken {
            let token = confirmation
                .trigger_token
                .as_ref()
                .ok_or_else(|| call.fails(Class::Unauthorised, Cause::NoCredentials))?;
            if token_expiry(token).is_some_and(|expiry| expiry <= now) {
                return Err(call.fails(Class::Unauthorised, Cause::TokenExpired));
            }
            return self.send_answer(call, confirmation, verdict, body, token, now).await;
        }
        let attempt = |token| self.send_as_system(call, confirmation, verdict, body.clone(), token, now);
        self.with_system_token(call, now, attempt).await
    }

    async fn send_as_system(
        &self,
        call: Call,
        confirmation: &Confirmation,
        verdict: Verdict,
        body: Vec<u8>,
        token: SecretString,
        now: Timestamp,
    ) -> Result<Option<EventDocument>, CallError> {
        let token = if self.mode == Mode::Exchange {
            let (event_id, action_id) = (confirmation.event_id, confirmation.action_id);
            self.tokens(call)?.exchange(&token, event_id, action_id, now).await?
        } else {
            token
        };
        self.send_answer(call, confirmation, verdict, body, &token, now).await
    }

    async fn send_answer(
        &self,
        call: Call,
        confirmation: &Confirmation,
        verdict: Verdict,
        body: Vec<u8>,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<Option<EventDocument>, CallError> {
        let mut request = self.transport.post_json(&self.url(call.name), body, token);
        if let Some(traceparent) = &confirmation.traceparent {
            request = request.header("traceparent", traceparent);
        }
        let answer = self.transport.send(call, request, now).await?;
        if !answer.status.is_success() {
            return Err(refusal(call, &answer));
        }
        // What counts is that the procedure answered; an answer that is no document of ours is no failure.
        let Ok(document) = EventDocument::parse(procedure_result(call, &answer)?.as_bytes()) else {
            return Ok(None);
        };
        let wanted = if verdict == Verdict::Accept { ActionStatus::Accepted } else { ActionStatus::Rejected };
        let answered = document.actions.iter().any(|action| {
            action.original_action_id == Some(confirmation.action_id) && action.status == wanted
        });
        if document.action(confirmation.action_id).is_some() && !answered {
            // A transaction id that another call took is dropped in silence, and answered 200.
            let error = call.in_doubt(Cause::NotApplied);
            return Err(CallError { status: Some(answer.status.as_u16()), ..error });
        }
        Ok(Some(document))
    }

    /// The exchange exists in 2.0 alone; the trigger's token is too weak from 2.1 on.
    pub(super) fn mode_fits(&self) -> bool {
        match self.mode {
            Mode::TriggerToken => self.version < Version::V2_1,
            Mode::Exchange => self.version == Version::V2_0,
            Mode::ClientCredentials => self.version >= Version::V2_1,
        }
    }
}
