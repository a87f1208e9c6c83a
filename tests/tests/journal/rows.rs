//! Rows to work with, and the few writes that most tests begin with.

use civitas_journal::civil_events::{Answer, NewCivilEvent, Origin};
use civitas_journal::operations::{Advance, Claim, NewOperation, Operation, Respond, State, Work};
use civitas_journal::rule_sets::RuleSet;
use civitas_journal::{Journal, Lease, RecordKey, civil_events, operations, rule_sets};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// The present moment, plus so many seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_762_160_400 + seconds).unwrap()
}

pub(crate) fn key(event: u128, action: u128) -> RecordKey {
    RecordKey::new(Uuid::from_u128(event), Uuid::from_u128(action))
}

pub(crate) fn lease(owner: &str, until: i64) -> Lease {
    Lease { owner: owner.to_owned(), until: at(until) }
}

pub(crate) fn event(key: RecordKey) -> NewCivilEvent {
    NewCivilEvent {
        key,
        tracking_id: format!("T{}", key.event_id.as_u128()),
        event_type: "birth".into(),
        action_type: "REGISTER".into(),
        custom_action: None,
        request_id: None,
        origin: Origin::Trigger,
        received_at: at(0),
        action_at: at(-5),
        ruleset: "digest".into(),
        rule: Some("birth-uin-on-registration".into()),
        effect: "operate".into(),
        sentence: "UIN requested at birth".into(),
        answer: Answer::Await,
        answer_reason: None,
        registration_number: None,
        record_number: None,
        document: "{}".into(),
        token: None,
        token_expires_at: None,
        traceparent: None,
        declared: None,
        would_have: Vec::new(),
    }
}

pub(crate) fn operation(key: RecordKey, ordinal: i64) -> NewOperation {
    NewOperation {
        key,
        ordinal,
        operation: "create_uin".into(),
        respond: Respond::AwaitExternalValidation,
        aid: Some(format!("{:029}", key.event_id.as_u128() * 1000 + key.action_id.as_u128())),
        subject: None,
        state: State::Planned,
        cause: None,
        cause_detail: None,
        next_action_at: Some(at(0)),
        deadline_at: Some(at(0) + SignedDuration::from_hours(14 * 24)),
        created_at: at(0),
        traceparent: None,
        packet: Some("packet".into()),
    }
}

pub(crate) async fn archive_rule_set(journal: &Journal) {
    let write = journal.write(|tx| {
        Box::pin(async move {
            let rule_set = RuleSet {
                digest: "digest".into(),
                country: "FAR".into(),
                canonical: "{}".into(),
                loaded_at: at(0),
            };
            rule_sets::insert(tx, &rule_set).await
        })
    });
    write.await.unwrap();
}

/// A civil event, and what is particular about its operation.
pub(crate) type Row = (NewCivilEvent, fn(&mut NewOperation));

/// Stores civil events, each with an operation; those that are new.
pub(crate) async fn ingest(journal: &Journal, rows: Vec<Row>) -> Vec<RecordKey> {
    journal
        .write(move |tx| {
            let rows = rows.clone();
            Box::pin(async move {
                let events: Vec<_> = rows.iter().map(|(event, _)| event.clone()).collect();
                let ordinals = civil_events::insert_many(tx, &events).await?;
                let new: Vec<_> = rows
                    .iter()
                    .zip(ordinals)
                    .filter_map(|((event, change), ordinal)| {
                        let mut operation = operation(event.key, ordinal?);
                        change(&mut operation);
                        Some(operation)
                    })
                    .collect();
                operations::insert_many(tx, &new).await?;
                Ok(new.iter().map(|operation| operation.key).collect())
            })
        })
        .await
        .unwrap()
}

pub(crate) async fn ingest_plain(
    journal: &Journal,
    keys: impl IntoIterator<Item = RecordKey>,
) -> Vec<RecordKey> {
    ingest(journal, keys.into_iter().map(|key| (event(key), unchanged as fn(&mut _))).collect()).await
}

pub(crate) fn unchanged(_: &mut NewOperation) {}

pub(crate) async fn claim(
    journal: &Journal,
    work: Work,
    owner: &str,
    now: i64,
    limit: u32,
) -> Vec<Operation> {
    let claim = Claim { work, lease: lease(owner, now + 60), now: at(now), limit };
    journal
        .write(move |tx| {
            let claim = claim.clone();
            Box::pin(async move { operations::claim(tx, &claim).await })
        })
        .await
        .unwrap()
}

pub(crate) async fn advance(journal: &Journal, advances: Vec<Advance>) -> Vec<bool> {
    journal
        .write(move |tx| {
            let advances = advances.clone();
            Box::pin(async move { operations::advance(tx, &advances).await })
        })
        .await
        .unwrap()
}

/// Finishes an operation.
pub(crate) async fn finish(journal: &Journal, operation: &Operation) {
    let mut to = Advance::of(operation, at(1));
    to.state = State::Confirmed;
    to.next_action_at = None;
    to.done = true;
    assert_eq!(advance(journal, vec![to]).await, [true]);
}

pub(crate) fn keys(operations: &[Operation]) -> Vec<RecordKey> {
    operations.iter().map(|operation| operation.key).collect()
}
