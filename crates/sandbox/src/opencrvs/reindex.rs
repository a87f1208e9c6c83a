//! The reindex feed: every record not in CREATED, in batches, to
//! `{country config}/reindex`, with the feed's own traps.

use super::core::Core;
use super::record;
use crate::options::Regime;
use serde_json::{Value, json};
use std::time::Duration;

/// How a reindex ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reindexed {
    /// Documents sent.
    pub documents: usize,
    /// False if a batch was refused five times and the run was given up.
    pub complete: bool,
}

/// A run of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    /// Documents of a batch: 300 in 2.0, 100 from 1.9.12 on, 1000 in 1.9.0.
    pub batch: usize,
    /// The place of a batch that the database fails for: that is logged, and the run goes on without it.
    pub lost: Option<usize>,
}

impl Feed {
    /// That of the newest release of a line, without a loss.
    pub(crate) fn of(regime: Regime) -> Self {
        Self { batch: if regime == Regime::V1_9 { 100 } else { 300 }, lost: None }
    }
}

pub(crate) async fn reindex(core: &Core, run: Feed) -> Reindexed {
    let documents: Vec<Value> = {
        let rows = core.store.rows();
        let live = rows.order.iter().filter_map(|id| rows.records.get(id));
        live.filter(|record| record::status(&record.document.actions) != "CREATED")
            .filter_map(|record| serde_json::to_value(&record.document).ok())
            .map(feed)
            .collect()
    };
    let mut sent = 0;
    for (place, batch) in documents.chunks(run.batch.max(1)).enumerate() {
        if run.lost == Some(place) {
            continue;
        }
        if !send(core, batch).await {
            return Reindexed { documents: sent, complete: false };
        }
        sent += batch.len();
    }
    let searchable = core.searchable_at();
    let mut rows = core.store.rows();
    let all = rows.order.clone();
    for event in all {
        // A corrupt record is logged and skipped.
        let _ = rows.index(event, searchable);
    }
    Reindexed { documents: sent, complete: true }
}

async fn send(core: &Core, batch: &[Value]) -> bool {
    let Some(base) = core.country_config() else { return false };
    let url = format!("{}/reindex", base.trim_end_matches('/'));
    // Whoever started the run holds the scope; the token is passed on.
    let scopes = ["record.reindex".to_owned()];
    let token =
        core.tokens.system("reindexer", &scopes, core.now(), Duration::from_mins(10)).unwrap_or_default();
    for attempt in 0..5 {
        if attempt > 0 {
            core.pace.pass(Duration::from_secs(5)).await;
        }
        match core.http.post(&url).bearer_auth(&token).json(batch).send().await {
            Ok(reply) if reply.status().is_success() => return true,
            _ => {}
        }
    }
    false
}

/// The feed's form of a document: nulls inside declarations are gone, and there
/// are keys that a trigger does not have.
fn feed(mut document: Value) -> Value {
    strip_nulls(&mut document);
    let (kind, id) = (document["type"].clone(), document["id"].clone());
    document["eventType"] = kind;
    document["transactionId"] = json!(format!("tmp-{}", id.as_str().unwrap_or_default()));
    if let Some(actions) = document["actions"].as_array_mut() {
        for action in actions {
            action["eventId"] = id.clone();
        }
    }
    document
}

fn strip_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feed_loses_erasures() {
        let fed = feed(
            json!({"id": "x", "type": "birth", "actions": [{"declaration": {"a": null, "b": {"c": null}}}]}),
        );
        assert_eq!(fed["actions"][0]["declaration"], json!({"b": {}}));
        assert_eq!(fed["actions"][0]["eventId"], "x");
    }
}
