//! The truth about every AID, for checking invariants. No personal data.

use super::state::Mosip;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(crate) fn ledger(mosip: &Mosip, summary: bool) -> Value {
    let (identities, deceased) = {
        let registry = mosip.registry();
        (registry.len(), registry.deceased())
    };
    let desk = mosip.desk();
    let mut statuses: BTreeMap<String, u64> = BTreeMap::new();
    for row in desk.workflows.values() {
        *statuses.entry(format!("{} {}", row.process, row.status.as_str())).or_default() += 1;
    }
    let sum = |pick: fn(&super::desk::Audit) -> u32| {
        desk.audit.values().map(|audit| u64::from(pick(audit))).sum::<u64>()
    };
    let several = desk.audit.values().filter(|audit| audit.instances.len() > 1).count();
    let changed = desk.audit.values().filter(|audit| audit.packets.len() > 1).count();
    let mut ledger = json!({
        "aids": desk.audit.len(), "creates": sum(|audit| audit.creates), "trigger_calls": sum(|audit| audit.trigger_calls),
        "uploads": sum(|audit| audit.uploads),
        "instances": desk.audit.values().map(|audit| audit.instances.len()).sum::<usize>(),
        "triggered_twice": several, "packets_changed": changed,
        "uins": sum(|audit| audit.uins), "updates": sum(|audit| audit.updates), "deaths": sum(|audit| audit.deaths),
        "credentials": sum(|audit| audit.credentials), "status_changes": sum(|audit| audit.status_changes), "workflows": statuses,
        "records_with_uin": desk.uin_of_record.len(), "identities": identities, "flagged_deceased": deceased,
        "tokens": mosip.grants.count(), "hub": mosip.hub.ledger(), "violations": desk.violations,
    });
    if !summary {
        let entries: Map<String, Value> = desk
            .order
            .iter()
            .filter_map(|aid| Some((aid.clone(), serde_json::to_value(desk.audit.get(aid)?).ok()?)))
            .collect();
        ledger["by_aid"] = Value::Object(entries);
    }
    ledger
}
