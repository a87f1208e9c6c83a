//! Credentials by data share: fetched once, kept, and only then opened.

use std::sync::Arc;

use civitas_journal::{
    JournalError, Private, data_shares,
    inbox::{self, Advance},
    operations::{self, Operation},
};
use civitas_mosip::{
    CallError,
    data_share::{ShareError, ShareRefusal},
    websub::CredentialIssued,
};
use jiff::SignedDuration;

use super::inbox::put_aside_in;
use crate::{
    Cause, Engine, EngineError,
    moves::{self, Move},
    schedule::later,
};

/// What there is of a credential.
pub(super) enum Content {
    /// The event holds it.
    Inline,
    /// It was fetched.
    Share(Private),
    /// It cannot be had now; the delivery was dealt with.
    None,
}

impl Engine {
    /// The content of a credential event; fetches a share unless it was fetched before.
    pub(super) async fn content_of(
        &self,
        delivery: &Arc<inbox::Delivery>,
        issued: &CredentialIssued,
    ) -> Result<Content, EngineError> {
        let (None, Some(address)) = (&issued.credential, &issued.data_share_uri) else {
            return Ok(Content::Inline);
        };
        let mut reader = self.journal().read().await?;
        let kept = data_shares::get(&mut reader, delivery.id).await?;
        // Not held while MOSIP is asked.
        drop(reader);
        if let Some(content) = kept {
            return Ok(Content::Share(content));
        }
        let outcome = self.mosip().fetch_share(address, self.now()).await;
        metrics::counter!("civitas_data_shares_total", "outcome" => outcome_word(&outcome)).increment(1);
        match outcome {
            Ok(bytes) => self.keep_share(delivery, Private::new(bytes.as_slice())).await,
            Err(ShareError::Refused(refusal)) => {
                self.share_is_refused(delivery, issued, &refusal).await?;
                Ok(Content::None)
            }
            Err(ShareError::Gone { code }) => {
                self.share_is_gone(delivery, issued, code).await?;
                Ok(Content::None)
            }
            Err(ShareError::Call(error)) => {
                self.share_is_late(delivery, issued, error).await?;
                Ok(Content::None)
            }
        }
    }

    /// Durable before anybody looks into it: there is no second fetch.
    async fn keep_share(
        &self,
        delivery: &Arc<inbox::Delivery>,
        content: Private,
    ) -> Result<Content, EngineError> {
        let now = self.now();
        let work = Arc::new((delivery.id, content));
        let shared = Arc::clone(&work);
        self.journal()
            .write(move |tx| {
                let work = Arc::clone(&shared);
                Box::pin(async move { data_shares::keep(tx, work.0, &work.1, now).await })
            })
            .await?;
        Ok(Content::Share(work.1.clone()))
    }

    /// A call that failed: later again. When it has failed for as long as credentials are kept at all, the share is
    /// taken for lost.
    async fn share_is_late(
        &self,
        delivery: &Arc<inbox::Delivery>,
        issued: &CredentialIssued,
        error: CallError,
    ) -> Result<(), EngineError> {
        tracing::warn!(error = &error as &dyn std::error::Error, "a data share could not be fetched");
        let patience = SignedDuration::try_from(self.options().parking).unwrap_or(SignedDuration::MAX);
        if self.now().duration_since(delivery.received_at) > patience {
            return self.share_is_gone(delivery, issued, error.code.unwrap_or_default()).await;
        }
        let cause = Cause::with("data_share_unavailable", error.summary);
        let wait = self.backoff(delivery.attempts + 1, error.retry_after);
        self.look_again(delivery, &cause, later(self.now(), wait)).await
    }

    /// The delivery stays as it is, until then.
    pub(super) async fn look_again(
        &self,
        delivery: &Arc<inbox::Delivery>,
        cause: &Cause,
        at: jiff::Timestamp,
    ) -> Result<(), EngineError> {
        let mut advance = Advance::settle(delivery, delivery.state);
        advance.attempts += 1;
        advance.cause = Some(cause.to_string());
        advance.next_action_at = Some(at);
        self.journal()
            .write(move |tx| {
                let advance = advance.clone();
                Box::pin(async move { inbox::advance(tx, &[advance]).await.map(drop) })
            })
            .await?;
        Ok(())
    }

    /// Used up or expired: MOSIP is asked to issue the credential again.
    async fn share_is_gone(
        &self,
        delivery: &Arc<inbox::Delivery>,
        issued: &CredentialIssued,
        code: String,
    ) -> Result<(), EngineError> {
        let Some(operation) = self.waits_for(issued).await? else {
            return self.put_aside_of(delivery, issued, Cause::with("data_share_used_up", code), None).await;
        };
        let aid = operation.aid.clone().unwrap_or_default();
        let suffixed = self.options().credential_suffix.as_ref().map(|suffix| format!("{aid}{suffix}"));
        let request = issued.transaction_id.clone().or(suffixed);
        let asked = match request {
            Some(request) => self.mosip().retrigger_credential(&request, self.now()).await,
            None => Ok(false),
        };
        let said = match asked {
            Ok(true) => format!("{code}; asked for again"),
            Ok(false) => format!("{code}; MOSIP knows no request to issue it again"),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a credential could not be asked for"
                );
                let wait = self.backoff(delivery.attempts + 1, error.retry_after);
                let cause = Cause::with("data_share_used_up", error.summary);
                return self.look_again(delivery, &cause, later(self.now(), wait)).await;
            }
        };
        metrics::counter!("civitas_credentials_retriggered_total").increment(1);
        self.put_aside_of(delivery, issued, Cause::with("data_share_used_up", said), Some(operation)).await
    }

    /// It must not be fetched: a person's turn, who finds the cause at the record too.
    async fn share_is_refused(
        &self,
        delivery: &Arc<inbox::Delivery>,
        issued: &CredentialIssued,
        refusal: &ShareRefusal,
    ) -> Result<(), EngineError> {
        let operation = self.waits_for(issued).await?;
        let cause = Cause::with("data_share_refused", refusal.to_string());
        self.put_aside_of(delivery, issued, cause, operation).await
    }

    /// Quarantine. The operation that waits keeps its state: nothing in the event is proven but that the hub sent it.
    async fn put_aside_of(
        &self,
        delivery: &Arc<inbox::Delivery>,
        issued: &CredentialIssued,
        cause: Cause,
        operation: Option<Operation>,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let next = later(now, self.options().credential_grace.saturating_mul(2));
        let work = Arc::new((Arc::clone(delivery), issued.registration_id.clone(), cause, operation));
        self.journal()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let (delivery, aid, cause, operation) = &*work;
                    // As it stands now: since it was looked at, it may have come as far as to wait.
                    let standing = match operation {
                        Some(operation) => operations::get(tx, operation.key).await?,
                        None => None,
                    };
                    if let Some(operation) = standing.filter(|it| !it.done && it.issued.is_none()) {
                        let step =
                            Move::to(operation.state).because(cause.clone()).at(next).by("hub", "callback");
                        moves::apply_or_restart(tx, &operation, &step, now).await?;
                    }
                    put_aside_in(tx, delivery, aid.as_deref(), cause).await
                })
            })
            .await?;
        self.bells().outbox.ring();
        Ok(())
    }

    /// The operation that waits for this credential, going by what the event says. One that MOSIP has not even got
    /// waits for none.
    async fn waits_for(&self, issued: &CredentialIssued) -> Result<Option<Operation>, JournalError> {
        let Some(aid) = &issued.registration_id else { return Ok(None) };
        let mut reader = self.journal().read().await?;
        let operation = operations::by_aid(&mut reader, aid).await?;
        let waits = |operation: &Operation| {
            !operation.done && operation.issued.is_none() && operation.triggered_at.is_some()
        };
        Ok(operation.filter(waits))
    }
}

fn outcome_word<T>(outcome: &Result<T, ShareError>) -> &'static str {
    match outcome {
        Ok(_) => "fetched",
        Err(ShareError::Refused(_)) => "refused",
        Err(ShareError::Gone { .. }) => "used_up",
        Err(ShareError::Call(_)) => "failed",
    }
}
