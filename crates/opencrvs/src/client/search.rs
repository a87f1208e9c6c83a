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

/// What to look for. OpenCRVS pages by offset, and not past 10,000 results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// `birth`, `death`; any if none.
    pub event_type: Option<String>,
    /// Records with any of these flags.
    pub any_flag: Vec<String>,
    /// At most so many results.
    pub limit: u32,
    /// After so many results.
    pub offset: u32,
}

impl SearchQuery {
    /// Records that await external validation, oldest update first, a hundred at a time.
    ///
    /// Misses records whose trigger failed unexpectedly, until something re-indexes them.
    pub fn awaiting(event_type: Option<&str>) -> Self {
        Self {
            event_type: event_type.map(str::to_owned),
            any_flag: vec!["register:requested".to_owned(), "approve_correction:requested".to_owned()],
            limit: 100,
            offset: 0,
        }
    }

    fn body(&self) -> Value {
        let mut clause = serde_json::Map::new();
        if let Some(event_type) = &self.event_type {
            clause.insert("eventType".to_owned(), event_type.as_str().into());
        }
        if !self.any_flag.is_empty() {
            clause.insert("flags".to_owned(), json!({ "anyOf": self.any_flag }));
        }
        json!({
            "query": { "type": "and", "clauses": [clause] },
            "limit": self.limit,
            "offset": self.offset,
            "sort": [{ "field": "updatedAt", "direction": "asc" }],
        })
    }
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
