//! `POST /events/events/search`: which records wait.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Client;
use super::answer::rest_result;
use super::error::CallError;
use super::transport::Call;
use crate::EventStatus;

const SEARCH: Call = Call::reads("events/search");

/// What to look for, oldest update first. OpenCRVS pages by offset, and not past 10,000 results: go on by
/// [`SearchQuery::updated_from`] instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// `birth`, `death`; any if none.
    pub event_type: Option<String>,
    /// Records of this status.
    pub status: Option<EventStatus>,
    /// Records with any of these flags.
    pub any_flag: Vec<String>,
    /// Records with none of these flags.
    pub no_flag: Vec<String>,
    /// The record with this registration number.
    pub registration_number: Option<String>,
    /// Records whose last accepted change came no earlier.
    pub updated_from: Option<Timestamp>,
    /// Records whose last accepted change came no later.
    pub updated_until: Option<Timestamp>,
    /// At most so many results.
    pub limit: u32,
    /// After so many results.
    pub offset: u32,
}

/// Results of a page; what OpenCRVS gives where nothing is asked for.
pub const PAGE: u32 = 100;

/// The flag of a record in which an action of this type waits for the country: `register:requested`.
pub fn requested_flag(action_type: &str) -> String {
    format!("{}:requested", action_type.to_ascii_lowercase())
}

impl Default for SearchQuery {
    fn default() -> Self {
        Self {
            event_type: None,
            status: None,
            any_flag: Vec::new(),
            no_flag: Vec::new(),
            registration_number: None,
            updated_from: None,
            updated_until: None,
            limit: PAGE,
            offset: 0,
        }
    }
}

impl SearchQuery {
    /// Records that await external validation, oldest update first, a hundred at a time.
    ///
    /// Misses records whose trigger failed unexpectedly, until something re-indexes them.
    pub fn awaiting(event_type: Option<&str>) -> Self {
        Self {
            event_type: event_type.map(str::to_owned),
            any_flag: ["REGISTER", "APPROVE_CORRECTION"].map(requested_flag).into(),
            ..Self::default()
        }
    }

    /// A range has both ends in OpenCRVS, and a clause at least one field.
    fn body(&self) -> Value {
        let mut clause = serde_json::Map::new();
        if let Some(event_type) = &self.event_type {
            clause.insert("eventType".to_owned(), event_type.as_str().into());
        }
        if let Some(status) = self.status {
            clause.insert("status".to_owned(), json!({ "type": "exact", "term": status }));
        }
        let mut flags = serde_json::Map::new();
        for (how, wanted) in [("anyOf", &self.any_flag), ("noneOf", &self.no_flag)] {
            if !wanted.is_empty() {
                flags.insert(how.to_owned(), json!(wanted));
            }
        }
        if !flags.is_empty() {
            clause.insert("flags".to_owned(), flags.into());
        }
        if let Some(number) = &self.registration_number {
            let wanted = json!({ "type": "exact", "term": number });
            clause.insert("legalStatuses.REGISTERED.registrationNumber".to_owned(), wanted);
        }
        if self.updated_from.is_some() || self.updated_until.is_some() {
            let from = self.updated_from.unwrap_or(Timestamp::UNIX_EPOCH);
            let until = self.updated_until.unwrap_or(END);
            let range = json!({ "type": "range", "gte": iso(from), "lte": iso(until) });
            clause.insert("updatedAt".to_owned(), range);
        }
        json!({
            "query": { "type": "and", "clauses": [clause] },
            "limit": self.limit,
            "offset": self.offset,
            "sort": [{ "field": "updatedAt", "direction": "asc" }],
        })
    }
}

/// Later than any record.
const END: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// As OpenCRVS writes instants.
fn iso(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A page of results.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SearchPage {
    /// The records, oldest update first.
    pub results: Vec<EventIndex>,
    /// How many there are on all pages.
    pub total: u64,
}

/// A record as the search index knows it. It has no action ids: [`Client::get`] finds those. Its declaration is not
/// read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventIndex {
    /// The record's id.
    pub id: Uuid,
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The tracking id.
    pub tracking_id: String,
    /// The status; none if it is one that we do not know.
    #[serde(default, deserialize_with = "lenient_status")]
    pub status: Option<EventStatus>,
    /// The user in whose hand the record is.
    #[serde(default)]
    pub assigned_to: Option<String>,
    /// All flags, the country's own ones included.
    #[serde(default)]
    pub flags: Vec<String>,
    /// The last *accepted* change, as text; not how long the record has waited.
    #[serde(default)]
    pub updated_at: Option<String>,
}

fn lenient_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<EventStatus>, D::Error> {
    Ok(EventStatus::deserialize(Value::deserialize(deserializer)?).ok())
}

impl Client {
    /// Searches records. Needs the scope `record.search`; each search writes an audit row in OpenCRVS.
    ///
    /// # Errors
    /// [`CallError`]; never [`Class::Unknown`](crate::Class), since a search changes nothing.
    pub async fn search(&self, query: &SearchQuery, now: Timestamp) -> Result<SearchPage, CallError> {
        let body = query.body().to_string().into_bytes();
        let attempt = |token| self.search_with(body.clone(), token, now);
        self.with_system_token(SEARCH, now, attempt).await
    }

    async fn search_with(
        &self,
        body: Vec<u8>,
        token: SecretString,
        now: Timestamp,
    ) -> Result<SearchPage, CallError> {
        let request = self.transport.post_json(&self.url("events/search"), body, &token);
        let answer = self.transport.send(SEARCH, request, now).await?;
        rest_result(SEARCH, &answer)
    }
}
