//! Searching OpenCRVS, page after page.

use std::{collections::HashMap, time::Duration};

use civitas_opencrvs::{EventIndex, EventStatus, PAGE, SearchQuery, requested_flag};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::LookError;
use crate::{Engine, schedule::later};

/// Elasticsearch's window: no result beyond it is given, whatever the paging.
const WINDOW: u32 = 10_000;

/// What a search brought.
pub(super) struct Found {
    pub(super) records: HashMap<Uuid, EventIndex>,
    /// Whether it saw everything.
    pub(super) complete: bool,
}

impl Engine {
    /// The flags of records in which an action of ours waits.
    fn waiting_flags(&self) -> Vec<String> {
        self.options().records.actions.iter().map(|action| requested_flag(action)).collect()
    }

    /// Records that OpenCRVS says wait for an answer of ours.
    pub(super) async fn search_frozen(&self) -> Result<Found, LookError> {
        let mut found = Found { records: HashMap::new(), complete: true };
        for event in self.pack().events() {
            let query = SearchQuery {
                event_type: Some(event.to_owned()),
                any_flag: self.waiting_flags(),
                ..SearchQuery::default()
            };
            self.search_all(query, &mut found, |_| true).await?;
        }
        Ok(found)
    }

    /// Records that stand still in a registrar's hand, where a click of theirs may have frozen them unseen: declared ones,
    /// and registered ones with a correction to approve.
    pub(super) async fn search_in_hand(&self) -> Result<Found, LookError> {
        let options = &self.options().records;
        let (now, back) = (self.now(), |wait: Duration| SignedDuration::try_from(wait).unwrap_or_default());
        let earliest = now.checked_sub(back(options.window)).unwrap_or(Timestamp::UNIX_EPOCH);
        let latest = now.checked_sub(back(options.still_for)).unwrap_or(now);
        let mut found = Found { records: HashMap::new(), complete: true };
        let mut kinds = Vec::new();
        if options.actions.contains("REGISTER") {
            kinds.push((EventStatus::Declared, Vec::new()));
        }
        if options.actions.contains("APPROVE_CORRECTION") {
            kinds.push((EventStatus::Registered, vec!["correction-requested".to_owned()]));
        }
        for event in self.pack().events() {
            for (status, any_flag) in &kinds {
                let query = SearchQuery {
                    event_type: Some(event.to_owned()),
                    status: Some(*status),
                    any_flag: any_flag.clone(),
                    no_flag: self.waiting_flags(),
                    updated_from: Some(earliest),
                    updated_until: Some(latest),
                    ..SearchQuery::default()
                };
                self.search_all(query, &mut found, |record| record.assigned_to.is_some()).await?;
            }
        }
        Ok(found)
    }

    /// Goes on from the last record's instant instead of by offset: records leave the result while it is read, and no
    /// offset goes beyond the window.
    async fn search_all(
        &self,
        mut query: SearchQuery,
        found: &mut Found,
        wanted: impl Fn(&EventIndex) -> bool,
    ) -> Result<(), LookError> {
        query.limit = PAGE;
        loop {
            if !self.looks_through().await? {
                found.complete = false;
                return Ok(());
            }
            let page = self.opencrvs().search(&query, self.now()).await?;
            metrics::counter!("civitas_opencrvs_searches_total").increment(1);
            self.change_lookthrough(|row| row.searches = row.searches.saturating_add(1)).await?;
            let full = page.results.len() >= PAGE as usize;
            let last = page.results.last().and_then(|record| record.updated_at.as_deref()?.parse().ok());
            let kept = page.results.into_iter().filter(|record| wanted(record));
            found.records.extend(kept.map(|record| (record.id, record)));
            if !full {
                return Ok(());
            }
            match last {
                Some(last) if query.updated_from.is_none_or(|from| from < last) => {
                    query.updated_from = Some(last);
                    query.offset = 0;
                }
                // More than a page of the same instant, as after an import.
                _ if query.offset + 2 * PAGE <= WINDOW => query.offset += PAGE,
                _ => {
                    found.complete = false;
                    let skip = later(query.updated_from.unwrap_or_default(), Duration::from_millis(1));
                    tracing::warn!(from = %skip, "OpenCRVS shows too many records of one instant; the rest is left out");
                    query.updated_from = Some(skip);
                    query.offset = 0;
                }
            }
        }
    }
}
