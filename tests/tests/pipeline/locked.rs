//! Somebody else holds the database: the registrar is answered all the same, and truthfully.

use std::{sync::Arc, time::Duration};

use civitas_engine::Options;
use civitas_mosip::{Limit, Limits, Service};
use civitas_sandbox::{Document, RouteFaults, Spread};
use civitas_tests::{
    stack::{Setup, Stack, quick},
    wait::until,
};
use serde_json::json;
use sqlx::{Connection, Executor, SqliteConnection};

use crate::support::*;

/// Takes the write lock of the journal's file, as a backup tool might.
async fn lock(stack: &Stack) -> SqliteConnection {
    let file = stack.file.as_ref().unwrap();
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    connection.execute("PRAGMA busy_timeout = 20000").await.unwrap();
    connection.execute("BEGIN IMMEDIATE").await.unwrap();
    connection
}

fn births(count: u128) -> Vec<Document> {
    (1..=count).map(|number| another("birth-register", number)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn triggers_wait_out_a_lock_of_two_seconds_and_none_is_lost() {
    let stack = Arc::new(Stack::with(silent()).await);
    let documents = births(20);
    let mut lock = lock(&stack).await;
    let mut posting = tokio::task::JoinSet::new();
    for document in documents.clone() {
        let stack = Arc::clone(&stack);
        posting.spawn(async move { trigger(&stack, &document).await.status });
    }
    // The lock's length is what is tried here, not something that is waited for.
    tokio::time::sleep(Duration::from_secs(2)).await;
    lock.execute("ROLLBACK").await.unwrap();
    assert_eq!(posting.join_all().await, vec![202; 20]);
    for document in &documents {
        assert_eq!(show(&stack, document.id).await.actions.len(), 1);
    }
    drop(lock);
    Arc::into_inner(stack).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn triggers_that_lose_patience_are_answered_400_and_surely_not_recorded() {
    let setup = Setup { patience: Duration::from_millis(400), ..silent() };
    // Without work of its own the engine does not hold the writer when the lock is taken.
    let stack = Stack::without_work(setup).await;
    let documents = births(5);
    let mut lock = lock(&stack).await;
    let replies = futures::future::join_all(documents.iter().map(|document| trigger(&stack, document))).await;
    for reply in &replies {
        assert_eq!((reply.status, reply.code()), (400, "journal_unavailable"), "{reply:?}");
    }
    lock.execute("ROLLBACK").await.unwrap();
    drop(lock);
    for document in &documents {
        assert_eq!(trigger(&stack, document).await.status, 202, "sent again it is taken");
        assert_eq!(show(&stack, document.id).await.actions.len(), 1);
    }
    let leaves = leaves(&stack).await;
    assert_eq!(leaves.iter().filter(|leaf| leaf.contains("\"kind\":\"decided\"")).count(), documents.len());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_cannot_be_made_durable_is_not_answered_well() {
    let stack = Stack::with(silent()).await;
    let (case, aid) = awaited(&stack).await;
    let body = stack.sandbox.mosip().genuine_credential(&aid, vid("4512879630124577")).await.unwrap();
    let mut lock = lock(&stack).await;
    let delivering = deliver(&stack, CREDENTIALS, &body);
    let unlocking = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(deliveries(&stack).await, Vec::<String>::new());
        lock.execute("ROLLBACK").await.unwrap();
    };
    let (status, ()) = tokio::join!(delivering, unlocking);
    assert_eq!(status, 200, "answered when it was durable, and not before");
    in_state(&stack, case, "confirmed").await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_whose_lease_cannot_be_prolonged_stops_before_somebody_else_takes_it_up() {
    let limits = Limits { packet_manager: Limit::at_a_time(1), ..quick() };
    let tune = |options: &mut Options| options.lease = Duration::from_secs(3);
    let setup = Setup { limits, tune, patience: Duration::from_secs(30), ..Setup::default() };
    let stack = Stack::without_work(setup).await;
    let slow = RouteFaults { latency_ms: Spread::ms(6000, 6000), ..RouteFaults::default() };
    fault(&stack, "mosip.packetmanager", slow);
    let documents = births(2);
    for document in &documents {
        assert!(stack.sandbox.opencrvs().import(document.clone()));
        assert_eq!(trigger(&stack, document).await.status, 202);
    }
    let stack = stack.run();
    stack.subscribed().await;
    // One packet is on its way and the other waits for its turn, when the journal goes away for longer than their leases.
    let under_way = || async {
        let health = stack.engine.mosip().health(stack.engine.now());
        health.iter().any(|it| it.service == Service::PacketManager && it.under_way == 1)
    };
    until("a packet is on its way", under_way).await;
    let mut lock = lock(&stack).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    // Who locks is another engine, which takes over both and gets no further.
    let until = (stack.engine.now().as_microsecond() + 6_000_000).to_string();
    let claim = "UPDATE operations SET lease_owner = 'other', version = version + 1, lease_until = ";
    lock.execute(sqlx::AssertSqlSafe(format!("{claim}{until}"))).await.unwrap();
    lock.execute("COMMIT").await.unwrap();
    mend(&stack);
    for document in &documents {
        closed_with_vid(&stack, Case::of(document)).await;
    }
    // The call under way was given up, and what waited behind it was not sent by the hand that had lost it.
    assert_eq!(stack.sandbox.ledger(true)["mosip"]["creates"], json!(2));
    stack.stop().await;
}
