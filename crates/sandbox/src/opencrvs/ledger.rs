//! The truth about every record, for checking invariants. No personal data.

use super::action::Status;
use super::core::Core;
use super::record::{self, Record};
use serde_json::{Map, Value, json};

/// Counters and, unless only a summary is wanted, one entry per record.
pub(crate) fn ledger(core: &Core, summary: bool) -> Value {
    let rows = core.store.rows();
    let mut latencies = rows.tally.trigger_micros.clone();
    latencies.sort_unstable();
    let mut counts = Map::new();
    let mut entries = Map::new();
    let (mut frozen, mut registered) = (0_u64, 0_u64);
    for record in rows.order.iter().filter_map(|id| rows.records.get(id)) {
        frozen += u64::from(record.pending().next().is_some());
        let status = record::status(&record.document.actions);
        registered += u64::from(status == "REGISTERED");
        let count = counts.entry(format!("{} {status}", record.document.kind)).or_insert(json!(0));
        *count = json!(count.as_u64().unwrap_or(0) + 1);
        if !summary {
            entries.insert(record.document.id.to_string(), entry(record));
        }
    }
    let mut ledger = json!({
        "records": rows.order.len(), "frozen": frozen, "registered": registered, "by_status": counts,
        "trigger_replies": rows.tally.trigger_replies,
        "trigger_micros": {
            "count": latencies.len(), "p50": quantile(&latencies, 50), "p95": quantile(&latencies, 95),
            "p99": quantile(&latencies, 99), "max": latencies.last(),
        },
        "confirmations": rows.tally.confirmations, "reads": rows.tally.reads, "searches": rows.tally.searches,
        "violations": rows.tally.violations,
    });
    if !summary {
        ledger["by_record"] = Value::Object(entries);
    }
    ledger
}

fn quantile(sorted: &[u32], percent: usize) -> Option<u32> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get(last * percent / 100).copied()
}

fn entry(record: &Record) -> Value {
    let answered = |kind: &str| {
        let accepted = record
            .document
            .actions
            .iter()
            .filter(|action| action.kind == kind && action.status == Status::Accepted);
        accepted.map(|action| action.created_at.clone()).collect::<Vec<_>>()
    };
    let pending: Vec<Value> = record
        .pending()
        .map(|action| json!({"action_id": action.id, "type": action.kind, "since": action.created_at}))
        .collect();
    json!({
        "type": record.document.kind, "tracking_id": record.document.tracking_id,
        "status": record::status(&record.document.actions), "flags": record::flags(&record.document.actions),
        "actions": record.document.actions.len(), "frozen": !pending.is_empty(), "pending": pending,
        "registered_at": answered("REGISTER"), "corrected_at": answered("APPROVE_CORRECTION"),
        "registration_number": record.registration_number(), "has_nid": has_nid(record),
    })
}

fn has_nid(record: &Record) -> bool {
    let nid = |action: &super::action::StoredAction| {
        action.declaration.get("child.nid").is_some_and(serde_json::Value::is_string)
    };
    record.document.actions.iter().any(|action| action.status == Status::Accepted && nid(action))
}
