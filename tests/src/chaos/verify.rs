//! What must hold when the noise is over.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::Path,
};

use civitas_audit::{Leaf, Verifier};
use civitas_journal::{
    Journal, RecordKey, audit_leaves, civil_events, confirmations,
    confirmations::ConfirmationState,
    operations::{self, State},
    queue::{self, Filter},
};
use civitas_sandbox::{
    Sandbox,
    generator::{Expected, Generator},
};
use uuid::Uuid;

use super::{
    Plan,
    office::{Emitted, today},
};
use crate::{kafka::Kafka, wait::until};

/// Waits until no operation is open and no confirmation is owed.
pub(super) async fn settled(journal: &Journal, sandbox: &Sandbox) {
    let mut last = String::new();
    let mut quiet = 0;
    while quiet < 600 {
        let mut reader = journal.read().await.expect("a reader");
        let counts = operations::counts_by_state(&mut reader).await.expect("counts");
        drop(reader);
        let open = |state: State| {
            matches!(
                state,
                State::Planned
                    | State::PacketCreated
                    | State::Unknown
                    | State::Triggered
                    | State::Awaiting
                    | State::Issued
                    | State::Stalled
            )
        };
        if counts.iter().all(|(state, _)| !open(*state)) {
            return;
        }
        let now = format!("{counts:?}");
        quiet = if now == last { quiet + 1 } else { 0 };
        last = now;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let mut reader = journal.read().await.expect("a reader");
    let open = Filter { done: Some(false), ..Filter::default() };
    let open = queue::list(&mut reader, &open, 0, 20).await.expect("the queue");
    let ledger = serde_json::to_string_pretty(&sandbox.ledger(true)).unwrap_or_default();
    panic!("nothing moves any more: {last}\n{ledger}\n{open:#?}");
}

/// Checks every promise; operations by state, and the number of leaves.
pub(super) async fn promises(
    journal: &Journal,
    sandbox: &Sandbox,
    generator: &Generator,
    plan: &Plan,
    emitted: &[Emitted],
) -> (BTreeMap<String, u64>, usize) {
    assert_eq!(sandbox.violations(), Vec::<String>::new(), "MOSIP and OpenCRVS saw no broken rule");
    once(journal, sandbox, emitted).await;
    expected(journal, generator, plan, emitted).await;
    closed(journal, sandbox, emitted).await;
    let leaves = witnessed(journal).await;
    in_order(journal, &leaves, emitted).await;
    let mut reader = journal.read().await.expect("a reader");
    let counts = operations::counts_by_state(&mut reader).await.expect("counts");
    (counts.into_iter().map(|(state, n)| (state.as_str().to_owned(), n)).collect(), leaves.len())
}

/// Every event is in the journal, once; each operation has one AID, one packet, one workflow.
async fn once(journal: &Journal, sandbox: &Sandbox, emitted: &[Emitted]) {
    let mut reader = journal.read().await.expect("a reader");
    let sent: BTreeSet<(Uuid, Uuid)> =
        emitted.iter().map(|event| (event.event_id, event.action_id)).collect();
    assert_eq!(sent.len(), emitted.len(), "each click is an action of its own");
    let mut known = BTreeSet::new();
    let mut aids = HashSet::new();
    let mut after = 0;
    loop {
        let page = civil_events::page(&mut reader, after, 500).await.expect("events");
        let Some(last) = page.last() else { break };
        after = last.ordinal;
        for event in page {
            let key = event.event.key;
            assert!(known.insert((key.event_id, key.action_id)), "{key:?} is in the journal twice");
            if let Some(operation) = operations::get(&mut reader, key).await.expect("an operation") {
                assert!(aids.insert(operation.aid.expect("an AID")), "an AID is used twice");
            }
        }
    }
    assert_eq!(known, sent, "what was emitted is what is in the journal: nothing lost, nothing invented");
    let mosip: HashSet<String> = sandbox.mosip().aids().into_iter().collect();
    assert_eq!(mosip, aids, "MOSIP has a packet for each operation and no other");
    let ledger = sandbox.mosip().ledger(true);
    assert_eq!(ledger["instances"], ledger["aids"], "each packet has one workflow");
    assert_eq!(ledger["triggered_twice"], 0, "no packet was triggered twice");
}

/// What was done about each life is what its drawing says a country expects.
async fn expected(journal: &Journal, generator: &Generator, plan: &Plan, emitted: &[Emitted]) {
    let today = today();
    let lives: HashMap<u64, _> =
        (0..plan.records).map(|index| (index, generator.life(index, today))).collect();
    let mut reader = journal.read().await.expect("a reader");
    for event in emitted {
        let life = &lives[&event.life];
        let expected = match event.kind {
            "REGISTER" => life.expected,
            "APPROVE_CORRECTION" => {
                life.correction.as_ref().map_or(Expected::Nothing, |correction| correction.expected)
            }
            _ => Expected::Nothing,
        };
        let wanted = match expected {
            Expected::CreateUin => Some("create_uin"),
            Expected::UpdateBiographics => Some("update_biographics"),
            Expected::FlagDeceased => Some("flag_deceased"),
            Expected::Nothing => None,
            Expected::Unclear => continue,
        };
        let key = RecordKey::new(event.event_id, event.action_id);
        let operation = operations::get(&mut reader, key).await.expect("an operation");
        let done = operation.as_ref().map(|operation| operation.operation.as_str());
        assert_eq!(done, wanted, "life {} {} of {}", event.life, event.kind, life.event);
    }
}

/// Every record is registered, with its identifier where one was asked for; no confirmation is owed.
async fn closed(journal: &Journal, sandbox: &Sandbox, emitted: &[Emitted]) {
    let mut reader = journal.read().await.expect("a reader");
    for event in emitted {
        assert_eq!(sandbox.opencrvs().status(event.event_id), Some("REGISTERED"), "life {}", event.life);
        assert!(sandbox.opencrvs().pending(event.event_id).is_empty(), "life {} is frozen", event.life);
        let key = RecordKey::new(event.event_id, event.action_id);
        if let Some(told) = confirmations::get(&mut reader, key).await.expect("a confirmation") {
            assert_eq!(told.state, ConfirmationState::Done, "life {}: {:?}", event.life, told.cause);
        }
        let Some(operation) = operations::get(&mut reader, key).await.expect("an operation") else {
            continue;
        };
        if operation.operation == "create_uin" {
            assert_eq!(operation.state, State::Confirmed, "life {}", event.life);
            let aid = operation.aid.expect("an AID");
            let issued = operation.issued.expect("an identifier");
            assert_eq!(sandbox.mosip().vid_of(&aid).as_deref(), issued.as_text(), "the right child's VID");
            let document = sandbox.opencrvs().document(event.event_id).expect("a record");
            let written = document.actions.iter().any(|action| {
                action.declaration.get("child.nid").and_then(|nid| nid.as_str()) == issued.as_text()
            });
            assert!(written, "life {}: the record holds its VID", event.life);
        } else {
            assert_eq!(operation.state, State::Processed, "life {}", event.life);
        }
    }
}

/// The log is whole: gapless, and each operation's transitions link up from plan to end.
async fn witnessed(journal: &Journal) -> Vec<Leaf> {
    let mut reader = journal.read().await.expect("a reader");
    let mut leaves = Vec::new();
    let mut verifier = Verifier::default();
    loop {
        let page = audit_leaves::page(&mut reader, leaves.len() as u64, 1000).await.expect("leaves");
        if page.is_empty() {
            break;
        }
        for stored in page {
            assert_eq!(stored.index, leaves.len() as u64, "leaf indexes have no gap");
            verifier.push(&stored.body, stored.hash).expect("the leaf is what was hashed");
            leaves.push(Leaf::parse(&stored.body).expect("a leaf"));
        }
    }
    let mut at: HashMap<(Uuid, Uuid), String> = HashMap::new();
    for leaf in &leaves {
        let (Some(event), Some(action)) = (leaf.event_id, leaf.action_id) else { continue };
        match leaf.kind.as_str() {
            "decided" => {
                assert!(at.insert((event, action), "planned".to_owned()).is_none(), "decided once: {action}");
            }
            "transition" | "operator" => link(&mut at, event, action, leaf),
            "callback" if leaf.from.is_some() => link(&mut at, event, action, leaf),
            _ => {}
        }
    }
    leaves
}

fn link(at: &mut HashMap<(Uuid, Uuid), String>, event: Uuid, action: Uuid, leaf: &Leaf) {
    let state = at.get_mut(&(event, action)).expect("a transition follows a decision");
    assert_eq!(
        leaf.from.as_deref(),
        Some(state.as_str()),
        "transitions of {action} link up at leaf {}",
        leaf.index
    );
    *state = leaf.to.clone().expect("a state after");
}

/// Within a record, an operation begins only after the one before it has ended.
async fn in_order(journal: &Journal, leaves: &[Leaf], emitted: &[Emitted]) {
    let mut first = HashMap::new();
    let mut last = HashMap::new();
    for leaf in leaves.iter().filter(|leaf| leaf.kind == "transition") {
        let action = leaf.action_id.expect("an action");
        first.entry(action).or_insert(leaf.index);
        last.insert(action, leaf.index);
    }
    let mut reader = journal.read().await.expect("a reader");
    let records: BTreeSet<Uuid> = emitted.iter().map(|event| event.event_id).collect();
    for record in records {
        let lane = operations::by_event(&mut reader, record).await.expect("a lane");
        for pair in lane.windows(2) {
            let (before, after) = (pair[0].key.action_id, pair[1].key.action_id);
            assert!(last[&before] < first[&after], "record {record}: {after} began before {before} ended");
        }
    }
}

/// The audit topic holds every leaf; no event became a dead letter; the queue's topic ends empty.
pub(super) async fn topics(broker: &Kafka, leaves: usize) {
    until("every leaf is on the audit topic", || async {
        let messages = broker.read("civitas.audit", leaves).await;
        let indexes: HashSet<u64> = messages.iter().filter_map(index_of).collect();
        indexes.len() == leaves
    })
    .await;
    assert!(broker.read("civitas.dead-letter", 0).await.is_empty(), "no event became a dead letter");
    until("the queue's topic ends with a tombstone for each record", || async {
        use rdkafka::Message as _;
        let mut waiting = HashSet::new();
        for message in broker.read("civitas.awaiting-external-validation", 0).await {
            let key = message.key().expect("a key").to_vec();
            if message.payload().is_some() {
                waiting.insert(key);
            } else {
                waiting.remove(&key);
            }
        }
        waiting.is_empty()
    })
    .await;
}

fn index_of(message: &rdkafka::message::OwnedMessage) -> Option<u64> {
    use rdkafka::Message as _;
    let value: serde_json::Value = serde_json::from_slice(message.payload()?).ok()?;
    value.get("index").or_else(|| value.get("data")?.get("index"))?.as_u64()
}

/// Names, VIDs and tokens are in no log, and not in the journal's file.
pub(super) fn privacy(folder: &Path, sandbox: &Sandbox) {
    let mut secrets: Vec<String> =
        sandbox.mosip().aids().iter().filter_map(|aid| sandbox.mosip().vid_of(aid)).collect();
    secrets.truncate(200);
    secrets.extend(["civitas-secret", "crvs_partner-secret", "Bearer ey"].map(str::to_owned));
    for entry in std::fs::read_dir(folder).expect("the folder").flatten() {
        let path = entry.path();
        let looked_at =
            path.extension().is_some_and(|kind| kind == "log" || kind == "db" || kind == "db-wal");
        if !looked_at {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{} holds what it must not", path.display());
        }
    }
}
