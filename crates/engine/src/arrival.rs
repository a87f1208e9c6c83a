//! What comes in: one civil event, by the trigger endpoint or by Kafka, and what is answered to it.

use std::fmt;

use civitas_journal::{
    JournalError, Private,
    civil_events::{self, Origin},
};
use civitas_opencrvs::DocumentError;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::Note;

/// One civil event as it arrived.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The event document's bytes, as received.
    pub document: Vec<u8>,
    /// The record's id where the path or the message key names it; it must be the document's.
    pub event_id: Option<uuid::Uuid>,
    /// The event type of the trigger's path (`birth`); it must be the document's.
    pub event_type: Option<String>,
    /// The action type of the trigger's path (`REGISTER`). Without it the one pending action counts.
    pub action_type: Option<String>,
    /// By which path it came. From Kafka, OpenCRVS was answered 202 by whoever emitted it, and where it was found
    /// waiting in OpenCRVS nobody was answered: every decision, also "nothing to do", is then told by accept or reject.
    pub origin: Origin,
    /// The action-confirmation token, kept only where confirming needs it.
    pub token: Option<SecretString>,
    /// When that token ends.
    pub token_expires_at: Option<Timestamp>,
    /// W3C trace context of the caller.
    pub traceparent: Option<String>,
}

/// What OpenCRVS is told about the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 200: the action is accepted now.
    Accept {
        /// Minted once for a REGISTER; absent for other actions.
        registration_number: Option<String>,
        /// What the rule writes into the record: fields that the form has, and their values.
        declaration: Values,
        /// What the record's history says of it.
        note: Option<Note>,
    },
    /// 202: the record waits for MOSIP.
    Await,
    /// 400: the record goes back to the registrar.
    Reject {
        /// A sentence of the pack.
        reason: String,
    },
}

/// Values of a form, of which messages show the fields only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values(pub Map<String, Value>);

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Values {
    /// As the journal holds them, sealed; none where there are none.
    pub(crate) fn sealed(&self) -> Option<Private> {
        (!self.0.is_empty()).then(|| Private::new(serde_json::to_vec(&self.0).unwrap_or_default()))
    }

    /// As they were sealed.
    pub(crate) fn opened(sealed: Option<&Private>) -> Result<Self, JournalError> {
        let Some(sealed) = sealed else { return Ok(Self::default()) };
        serde_json::from_slice(sealed.as_bytes())
            .map(Self)
            .map_err(|_| JournalError::Corrupt { column: "declared" })
    }
}

impl Answer {
    /// 200 and nothing more.
    pub(crate) fn accept() -> Self {
        Answer::Accept { registration_number: None, declaration: Values::default(), note: None }
    }

    /// As the journal holds it.
    pub(crate) fn recorded(&self) -> civil_events::Answer {
        match self {
            Answer::Accept { .. } => civil_events::Answer::Accept,
            Answer::Await => civil_events::Answer::Await,
            Answer::Reject { .. } => civil_events::Answer::Reject,
        }
    }
}

/// Why a civil event was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The document cannot be read.
    #[error("the event document cannot be read")]
    Document(#[source] DocumentError),
    /// No action of the document waits for an answer.
    #[error("record {event_id} has no pending action{}", .action.as_deref().map(|a| format!(" of type {a}")).unwrap_or_default())]
    NoPendingAction {
        /// The record.
        event_id: uuid::Uuid,
        /// The type that was looked for.
        action: Option<String>,
    },
    /// The path or key names another record or event type than the document.
    #[error("the {what} says {said}, the document says {document}")]
    Mismatch {
        /// `path` or `message key`.
        what: &'static str,
        /// What it names.
        said: String,
        /// What the document names.
        document: String,
    },
    /// The journal could not make it durable; nothing was done.
    #[error("the journal could not take the event")]
    Journal(#[source] civitas_journal::JournalError),
}

impl IngestError {
    /// Whether the same bytes will fail again: reject or dead-letter instead of trying again.
    pub fn is_poison(&self) -> bool {
        !matches!(self, IngestError::Journal(_))
    }

    /// A stable code for replies, metrics and the dead-letter header.
    pub fn code(&self) -> &'static str {
        match self {
            IngestError::Document(_) => "document_unreadable",
            IngestError::NoPendingAction { .. } => "no_pending_action",
            IngestError::Mismatch { .. } => "record_mismatch",
            IngestError::Journal(_) => "journal_unavailable",
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            IngestError::Document(_) => "send the bare OpenCRVS event document as JSON in UTF-8",
            IngestError::NoPendingAction { .. } => {
                "send the document while the action is still Requested; an answered action needs no trigger"
            }
            IngestError::Mismatch { .. } => "send each document to its own path, with its own id as the key",
            IngestError::Journal(_) => "nothing was recorded; see `civitas doctor`, then send it again",
        }
    }
}
