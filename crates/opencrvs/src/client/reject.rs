//! `event.actions.<type>.reject`: refuses a pending action.

use jiff::Timestamp;

use super::Client;
use super::confirmation::{Confirmation, Verdict};
use super::error::CallError;
use crate::EventDocument;

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
}
