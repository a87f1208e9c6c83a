//! Operations that a country configuration asks for by itself, with fields that it has mapped: the interface of
//! mosip-api.
//!
//! No rule is asked: the country configuration has decided. All else is as for a trigger. The request is a civil event
//! of its record and action, taken once; it is sealed as it came, and the decision can be taken again from it.

mod body;
mod decide;

use std::time::Duration;

use civitas_journal::{JournalError, Session, civil_events};
use civitas_opencrvs::CallError;
use civitas_rules::OpencrvsVersion;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::body::Route;
pub(crate) use self::decide::{Holder, decide};
use crate::{Arrival, Engine, IngestError, Origin, decide::Decided, ingest::Intake};

/// The type of an action that only OpenCRVS knows: a child's certificate number may come with a registration or with
/// the approval of a correction.
pub(crate) const TYPE_UNKNOWN: &str = "UNKNOWN";

/// What a country configuration asks for.
#[derive(Debug, Clone)]
pub struct CountryRequest {
    /// The record, by the token or the body.
    pub event_id: Uuid,
    /// The action, by the token; OpenCRVS is asked for it where the token names none.
    pub action_id: Option<Uuid>,
    /// By which address it came.
    pub route: Route,
    /// The body, as received.
    pub body: Vec<u8>,
    /// The token that came with it, kept only where confirming needs it.
    pub token: Option<SecretString>,
    /// When that token ends.
    pub token_expires_at: Option<Timestamp>,
    /// W3C trace context of the caller.
    pub traceparent: Option<String>,
}

/// Why a request was not taken.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The body is not what the address takes; the reason names fields and no values.
    #[error("the request cannot be read: {0}")]
    Unreadable(String),
    /// Nothing says what is asked for.
    #[error("requestFields has neither birthCertificateNumber nor deathCertificateNumber")]
    NothingAsked,
    /// One action of a record cannot be a birth and a death.
    #[error("requestFields has both birthCertificateNumber and deathCertificateNumber")]
    TwoAsked,
    /// An update without the person.
    #[error("requestFields has no VID")]
    Nobody,
    /// An update that changes nothing.
    #[error("requestFields has nothing but the VID")]
    NothingChanged,
    /// The certificate number is another record's.
    #[error("the certificate number belongs to record {0} already")]
    NumberTaken(Uuid),
    /// The token names no action, and OpenCRVS did not tell which one waits.
    #[error("the action that waits could not be found out at OpenCRVS")]
    ActionUnknown(#[source] Box<CallError>),
    /// The token names no action, and none of the record waits.
    #[error("record {0} has no action that waits for an answer")]
    NothingWaits(Uuid),
    /// The journal could not make it durable; nothing was done.
    #[error("the journal could not take the request")]
    Journal(#[source] JournalError),
}

impl RequestError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "request_unreadable",
            Self::NothingAsked => "certificate_number_missing",
            Self::TwoAsked => "certificate_number_ambiguous",
            Self::Nobody => "vid_missing",
            Self::NothingChanged => "nothing_to_update",
            Self::NumberTaken(_) => "certificate_number_taken",
            Self::ActionUnknown(_) => "action_unknown",
            Self::NothingWaits(_) => "no_pending_action",
            Self::Journal(_) => "journal_unavailable",
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "send the JSON body of mosip-api's contract",
            Self::NothingAsked | Self::TwoAsked => {
                "name the certificate number of the birth or of the death, as the record was registered"
            }
            Self::Nobody => "name the person whose identity is to be updated",
            Self::NothingChanged => "name what is to be updated: fullName, dateOfBirth or gender",
            Self::NumberTaken(_) => "mint another number: OpenCRVS takes each only once",
            Self::ActionUnknown(_) => {
                "forward the token of the trigger as it came, or give Civitas a client that may read records"
            }
            Self::NothingWaits(_) => "ask while the action is still Requested",
            Self::Journal(_) => "nothing was recorded; see `civitas doctor`, then send it again",
        }
    }
}

/// A request as the journal keeps it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) route: Route,
    pub(crate) event_id: Uuid,
    pub(crate) action_id: Uuid,
    /// When it came in: the instant of the decision.
    pub(crate) at: Timestamp,
    pub(crate) body: body::Body,
}

impl Asked {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

impl Engine {
    /// Takes a request in; durable once answered. The same one again, also after it was carried out, has no effect.
    pub async fn request(&self, request: CountryRequest, patience: Duration) -> Result<(), RequestError> {
        let body = body::Body::parse(&request.body, request.route)?;
        let action_id = match request.action_id {
            Some(action_id) => action_id,
            None => self.action_that_waits(&request).await?,
        };
        // The journal keeps microseconds, and the decision must be the same when it is taken again.
        let now = self.now();
        let at = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        let asked = Asked { route: request.route, event_id: request.event_id, action_id, at, body };
        if let Some(number) = asked.body.number(asked.route) {
            let mut reader = self.journal().read().await.map_err(RequestError::Journal)?;
            if let Some(other) = self.holder_of(&mut reader, number, request.event_id).await? {
                return Err(RequestError::NumberTaken(other));
            }
        }
        let arrival = Arrival {
            document: serde_json::to_vec(&asked)
                .map_err(|error| RequestError::Unreadable(error.to_string()))?,
            event_id: Some(request.event_id),
            event_type: None,
            action_type: None,
            origin: Origin::CountryConfig,
            token: request.token,
            token_expires_at: request.token_expires_at,
            traceparent: request.traceparent,
        };
        let intake = Intake::asked(arrival, asked, self.pack());
        let decided = intake.decide(self, 0, Holder::Nobody).map_err(only_journal)?;
        self.gatherer().take((intake, decided), patience).await.map(drop).map_err(only_journal)
    }

    /// Another record that has this number.
    async fn holder_of(
        &self,
        session: &mut Session,
        number: &str,
        event_id: Uuid,
    ) -> Result<Option<Uuid>, RequestError> {
        let holders = civil_events::number_holders(session, &[number.to_owned()]).await;
        let holders = holders.map_err(RequestError::Journal)?;
        Ok(holders.get(number).copied().filter(|holder| *holder != event_id))
    }

    async fn action_that_waits(&self, request: &CountryRequest) -> Result<Uuid, RequestError> {
        let document = self.record_of(request.event_id, request.token.as_ref()).await;
        let document = document.map_err(|error| RequestError::ActionUnknown(Box::new(error)))?;
        let pending = document.find_pending();
        pending.map(|pending| pending.action.id).map_err(|_| RequestError::NothingWaits(request.event_id))
    }
}

/// What an intake of mapped fields can fail by.
fn only_journal(error: IngestError) -> RequestError {
    match error {
        IngestError::Journal(error) => RequestError::Journal(error),
        other => RequestError::Unreadable(other.to_string()),
    }
}

/// The type of the action that a request with a child's certificate number answers: with 1.9 always a registration.
pub(crate) fn type_of(release: OpencrvsVersion, decided: &Decided) -> &'static str {
    match (decided.effect, release) {
        ("update_biographics", _) => "APPROVE_CORRECTION",
        ("create_uin", OpencrvsVersion::V2_0 | OpencrvsVersion::V2_1) => TYPE_UNKNOWN,
        _ => "REGISTER",
    }
}
