//! What must hold when the weeks are over.

use std::collections::{BTreeMap, HashMap, HashSet};

use civitas_journal::{
    audit_leaves, civil_events,
    operations::{self, Operation, State},
};
use civitas_sandbox::Sandbox;
use serde_json::Value;
use uuid::Uuid;

use super::{Born, CONCURRENCY};
use crate::{measure::float, stack::Stack, wait::until};

/// All operations, in the order in which they were decided.
async fn all(stack: &Stack) -> Vec<Operation> {
    let mut reader = stack.journal.read().await.expect("a reader");
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = civil_events::page(&mut reader, after, 500).await.expect("events");
        let Some(last) = page.last() else { return found };
        after = last.ordinal;
        let keys: Vec<_> = page.iter().map(|event| event.event.key).collect();
        found.extend(operations::get_many(&mut reader, &keys).await.expect("operations"));
    }
}

async fn witnessed(stack: &Stack, text: &str) -> bool {
    let mut reader = stack.journal.read().await.expect("a reader");
    let mut after = 0;
    loop {
        let page = audit_leaves::page(&mut reader, after, 5_000).await.expect("leaves");
        if page.is_empty() {
            return false;
        }
        if page.iter().any(|leaf| leaf.body.contains(text)) {
            return true;
        }
        after += page.len() as u64;
    }
}

async fn silent_topics(stack: &Stack) -> usize {
    let outside = stack.engine.queue().outside().await.expect("a view");
    outside.topics.iter().filter(|topic| topic.silent_since.is_some()).count()
}

/// The engine has found out, and says so.
pub(super) async fn silence_is_known(stack: &Stack) {
    assert!(silent_topics(stack).await > 0, "the hub's silence is shown");
    assert!(witnessed(stack, "the hub fell silent").await, "the hub's silence is witnessed");
}

/// And that it is over.
pub(super) async fn silence_is_over(stack: &Stack) {
    until("the hub is heard again", || async { silent_topics(stack).await == 0 }).await;
    assert!(witnessed(stack, "the hub speaks again").await, "the end of the silence is witnessed");
}

/// While MOSIP is down nothing reaches it; each operation waits with no attempt counted but those by which the engine
/// found out. How many wait.
pub(super) async fn nothing_went_out(stack: &Stack, born: &[Born]) -> u64 {
    let records: HashSet<Uuid> = born.iter().map(|born| born.record).collect();
    let (mut waiting, mut tried) = (0, 0);
    for operation in all(stack).await {
        if operation.state == State::Planned {
            waiting += 1;
            tried += u64::from(records.contains(&operation.key.event_id) && operation.attempts > 0);
        }
    }
    assert!(waiting >= born.len() as u64, "{waiting} of {} wait", born.len());
    let few = (CONCURRENCY * 2) as u64;
    assert!(tried <= few, "{tried} operations were tried while MOSIP was down, {few} would do to notice");
    until("it is shown that MOSIP is left alone", || async {
        let outside = stack.engine.queue().outside().await.expect("a view");
        outside.services.iter().any(|service| service.service == "packet_manager")
    })
    .await;
    waiting
}

/// How many operations of these records wait behind a stalled one: a person's turn comes first, in their lane.
pub(super) async fn behind_a_stalled_one(stack: &Stack, records: &[Uuid]) -> u64 {
    let mut reader = stack.journal.read().await.expect("a reader");
    let mut held = 0;
    for record in records {
        let lane = operations::by_event(&mut reader, *record).await.expect("a lane");
        let stalled = lane.iter().position(|operation| operation.state == State::Stalled);
        held += stalled.map_or(0, |place| lane.len() - place - 1) as u64;
    }
    held
}

/// The share of births that MOSIP got no later than some workers' worth of younger ones.
pub(super) async fn oldest_first(stack: &Stack, born: &[Born]) -> f64 {
    let records: HashSet<Uuid> = born.iter().map(|born| born.record).collect();
    let ledger = stack.sandbox.mosip().ledger(false);
    let mut places: Vec<u64> = Vec::new();
    for operation in all(stack).await {
        if records.contains(&operation.key.event_id)
            && let Some(aid) = &operation.aid
        {
            places.push(ledger["by_aid"][aid]["ordinal"].as_u64().expect("a place"));
        }
    }
    let mut sorted = places.clone();
    sorted.sort_unstable();
    let rank: HashMap<u64, usize> =
        sorted.into_iter().enumerate().map(|(rank, place)| (place, rank)).collect();
    let late = |(index, place): (usize, &u64)| rank[place] > index + CONCURRENCY * 4;
    let late = places.iter().enumerate().filter(|pair| late(*pair)).count();
    let share = 1.0 - float(late) / float(places.len().max(1));
    assert!(share > 0.9, "the oldest go first: {late} of {} came late", places.len());
    share
}

/// Each operation is confirmed or stalled for the cause that MOSIP's books have; no AID is there twice.
pub(super) async fn promises(stack: &Stack) -> BTreeMap<String, u64> {
    let sandbox: &Sandbox = &stack.sandbox;
    assert_eq!(sandbox.violations(), Vec::<String>::new(), "MOSIP and OpenCRVS saw no broken rule");
    let ledger = sandbox.mosip().ledger(false);
    let (mut ends, mut aids, mut stalled) = (BTreeMap::new(), HashSet::new(), HashSet::new());
    for operation in all(stack).await {
        let aid = operation.aid.clone().expect("an AID");
        if operation.state == State::Planned && stalled.contains(&operation.key.event_id) {
            *ends.entry("behind a stalled one of its record".to_owned()).or_insert(0) += 1;
            continue;
        }
        if operation.state == State::Stalled {
            stalled.insert(operation.key.event_id);
        }
        assert!(aids.insert(aid.clone()), "{aid} is used twice");
        let books = &ledger["by_aid"][&aid];
        let truth = books["outcome"].as_str().unwrap_or("nothing");
        let end = end_of(&operation, truth, books["reason"].as_str().unwrap_or("nothing"));
        *ends.entry(end).or_insert(0) += 1;
        if operation.state == State::Confirmed {
            let issued = operation.issued.expect("an identifier");
            assert_eq!(sandbox.mosip().vid_of(&aid).as_deref(), issued.as_text(), "the right child's VID");
            assert_eq!(sandbox.opencrvs().status(operation.key.event_id), Some("REGISTERED"));
        }
    }
    let known: HashSet<String> = sandbox.mosip().aids().into_iter().collect();
    assert_eq!(known, aids, "MOSIP has a packet for each operation and no other");
    assert_eq!(ledger["triggered_twice"], Value::from(0), "no packet was triggered twice");
    ends
}

/// How an operation ended, checked against MOSIP's books.
fn end_of(operation: &Operation, truth: &str, reason: &str) -> String {
    let aid = operation.aid.as_deref().unwrap_or_default();
    let cause = operation.cause.as_deref().unwrap_or_default();
    let detail = operation.cause_detail.as_deref().unwrap_or_default();
    match operation.state {
        State::Confirmed | State::Processed => {
            assert_eq!(truth, "PROCESSED", "{aid} is {}", operation.state);
            operation.state.as_str().to_owned()
        }
        State::Stalled => {
            let code = match truth {
                "REJECTED" => "mosip_rejected",
                "FAILED" => "mosip_failed",
                "REPROCESS_FAILED" => "mosip_gave_up",
                other => panic!("{aid} is stalled for {cause} ({detail}), MOSIP says {other}"),
            };
            assert_eq!(cause, code, "{aid}: MOSIP says {truth}");
            assert!(detail.contains(reason), "{aid}: the true reason {reason} in {detail:?}");
            assert!(operation.next_action_at.is_some(), "{aid} is looked at again");
            format!("stalled {cause}")
        }
        other => panic!("{aid} is in limbo: {other}, {cause} ({detail}); MOSIP says {truth}"),
    }
}

/// Operations of one record came to MOSIP in their order.
pub(super) async fn lanes(stack: &Stack) {
    let ledger = stack.sandbox.mosip().ledger(false);
    let mut lanes: HashMap<Uuid, Vec<u64>> = HashMap::new();
    for operation in all(stack).await {
        let aid = operation.aid.expect("an AID");
        // What waits behind a stalled one has no place yet.
        let Some(place) = ledger["by_aid"][&aid]["ordinal"].as_u64() else { continue };
        lanes.entry(operation.key.event_id).or_default().push(place);
    }
    let long = lanes.values().filter(|lane| lane.len() > 2).count();
    assert!(long > 0, "some records had corrections that waited");
    assert!(lanes.values().all(|lane| lane.is_sorted()), "each lane is kept");
}

/// No service was asked for more than it is said to bear. The most calls in a second, by service.
pub(super) fn rates(stack: &Stack, per_second: u32) -> Vec<(&'static str, u32)> {
    let services = [
        ("packet manager", vec!["mosip.packetmanager"]),
        (
            "registration processor",
            vec!["mosip.workflow.instance", "mosip.workflow.search", "mosip.workflow.transactions"],
        ),
        ("credential requests", vec!["mosip.credentialrequest"]),
    ];
    let mut busiest = Vec::new();
    for (name, routes) in services {
        let mut tenths: Vec<u32> = Vec::new();
        for route in routes {
            for (place, count) in stack.sandbox.arrivals(route).into_iter().enumerate() {
                if tenths.len() <= place {
                    tenths.resize(place + 1, 0);
                }
                tenths[place] += count;
            }
        }
        let most =
            |window: usize| tenths.windows(window).map(|part| part.iter().sum::<u32>()).max().unwrap_or(0);
        // What was let through may arrive a little late, so that the calls of one moment are counted in the next: as
        // many as may be under way.
        let bound = per_second * 5 + u32::try_from(CONCURRENCY).unwrap_or(u32::MAX) + 1;
        assert!(most(50) <= bound, "{name}: {} calls in 5 s, {bound} were allowed", most(50));
        busiest.push((name, most(10)));
    }
    busiest
}
