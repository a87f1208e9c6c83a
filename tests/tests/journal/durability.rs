//! Group commit: each write is whole or absent, and a failing one takes none of its neighbours with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use civitas_journal::{Journal, JournalError, NewLeaf, audit_leaves, civil_events};
use civitas_tests::postgres::Postgres;
use futures::future::join_all;

use crate::both;
use crate::place::Place;
use crate::rows::{archive_rule_set, at, event, ingest_plain, key};

both!(
    migrating_at_once_and_again_is_harmless,
    a_failing_write_takes_no_neighbour_with_it,
    waiting_writes_share_a_transaction,
    a_write_waits_for_the_lock_of_another_process,
    writes_that_wait_at_closing_are_carried_out,
    a_reader_cannot_write,
    a_write_that_was_given_up_never_happens,
);

async fn migrating_at_once_and_again_is_harmless(place: &Place) {
    let opened = join_all((0..4).map(|_| Journal::open(place.options(), crate::place::entropy()))).await;
    let journals: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    for outcome in join_all(journals.iter().map(Journal::migrate)).await {
        outcome.unwrap();
    }
    archive_rule_set(&journals[0]).await;
    journals[1].migrate().await.unwrap();
    assert_eq!(ingest_plain(&journals[2], [key(1, 1)]).await.len(), 1);
}

async fn a_failing_write_takes_no_neighbour_with_it(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    // Every 7th abandons, every 11th panics, every 13th breaks a constraint: each after having written.
    let writes = (1..=120u128).map(|n| {
        let write = journal.write(move |tx| {
            Box::pin(async move {
                let mut row = event(key(n, 1));
                if n % 13 == 0 {
                    row.ruleset = "unknown".into();
                }
                tx.append_audit(&[
                    NewLeaf::new("decided", "engine", at(0)).about(row.key.event_id, row.key.action_id)
                ]);
                civil_events::insert_many(tx, &[row]).await?;
                if n % 7 == 0 {
                    return Err(JournalError::Abandoned("as the test wants".into()));
                }
                assert!(n % 11 != 0, "as the test wants");
                Ok(n)
            })
        });
        async move { (n, write.await) }
    });
    let mut written = 0;
    for (n, outcome) in join_all(writes).await {
        match outcome {
            Ok(answer) => assert!(answer == n && n % 7 != 0 && n % 11 != 0 && n % 13 != 0, "{n}"),
            Err(JournalError::Abandoned(_)) => assert_eq!(n % 7, 0),
            Err(JournalError::Interrupted) => assert_eq!(n % 11, 0),
            Err(JournalError::Database(_)) => assert_eq!(n % 13, 0),
            Err(other) => panic!("{n}: {other:?}"),
        }
        let expected = n % 7 != 0 && n % 11 != 0 && n % 13 != 0;
        let mut reader = journal.read().await.unwrap();
        let there = civil_events::get(&mut reader, key(n, 1)).await.unwrap().is_some();
        assert_eq!(there, expected, "{n}");
        written += u64::from(expected);
    }
    let mut reader = journal.read().await.unwrap();
    assert_eq!(audit_leaves::size(&mut reader).await.unwrap(), written);
    assert_eq!(audit_leaves::page(&mut reader, 0, 1000).await.unwrap().len() as u64, written);
}

async fn waiting_writes_share_a_transaction(place: &Place) {
    let mut options = place.options();
    options.writers = 1;
    let journal = place.open_with(options).await;
    archive_rule_set(&journal).await;
    // Another connection holds the lock that every ingest needs; meanwhile fifty writes come to wait.
    let mut other = place.raw().await;
    let begin =
        if journal.backend() == civitas_journal::Backend::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
    sqlx::raw_sql(begin).execute(&mut other).await.unwrap();
    sqlx::query("UPDATE ordinals SET next = next + 100").execute(&mut other).await.unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let mut writes = Box::pin(join_all((1..=50u128).map(|n| {
        let runs = Arc::clone(&runs);
        journal.write(move |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { civil_events::insert_many(tx, &[event(key(n, 1))]).await })
        })
    })));
    assert!(futures::poll!(writes.as_mut()).is_pending(), "a write did not wait for the lock");
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    let mut ordinals: Vec<i64> = writes.await.into_iter().map(|rows| rows.unwrap()[0].unwrap()).collect();
    ordinals.sort_unstable();
    assert!(ordinals[0] > 100, "the other process's numbers were given out again");
    // Each transaction takes a block of numbers of its own: one for those that the writer had taken already
    // when it met the lock, one for all others.
    let jumps = ordinals.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
    assert!(jumps <= 1, "more than two transactions: {ordinals:?}");
    assert_eq!(runs.load(Ordering::Relaxed), 50, "each write runs once when nothing fails");
}

async fn a_write_waits_for_the_lock_of_another_process(place: &Place) {
    let journal = place.open().await;
    let other = place.open().await;
    archive_rule_set(&journal).await;
    // Many small writes from two processes at once: all wait their turn, none fails.
    let writes = (1..=40u128).map(|n| {
        let journal = if n % 2 == 0 { journal.clone() } else { other.clone() };
        async move { ingest_plain(&journal, [key(n, 1)]).await.len() }
    });
    assert_eq!(join_all(writes).await.iter().sum::<usize>(), 40);
}

async fn writes_that_wait_at_closing_are_carried_out(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    let writes = (1..=30u128).map(|n| ingest_plain(&journal, [key(n, 1)]));
    // Queued first, then closed: polled in this order.
    let (written, ()) = tokio::join!(join_all(writes), journal.close());
    assert_eq!(written.concat().len(), 30);
    let closed = journal.write(|tx| Box::pin(async move { audit_leaves::size(tx).await })).await;
    assert!(matches!(closed, Err(JournalError::Interrupted)));
    let again = place.open().await;
    let mut reader = again.read().await.unwrap();
    assert_eq!(civil_events::page(&mut reader, 0, 100).await.unwrap().len(), 30);
}

async fn a_reader_cannot_write(place: &Place) {
    let journal = place.open().await;
    let mut reader = journal.read().await.unwrap();
    assert_eq!(audit_leaves::size(&mut reader).await.unwrap(), 0);
    drop(reader);
    // What keeps readers from writing is the type; the connection refuses as well.
    let options = place.options();
    assert!(!format!("{options:?}").contains(&*place.url), "the URL is shown");
}

async fn a_write_that_was_given_up_never_happens(place: &Place) {
    let mut options = place.options();
    options.writers = 1;
    let journal = place.open_with(options).await;
    archive_rule_set(&journal).await;
    // One write holds the only writer until it is told to go on; two come to wait behind it, one of them without
    // patience.
    let (go_on, told) = tokio::sync::watch::channel(false);
    let mut holding = Box::pin(journal.enter(move |tx| {
        let mut told = told.clone();
        Box::pin(async move {
            told.wait_for(|told| *told).await.unwrap();
            civil_events::insert_many(tx, &[event(key(1, 1))]).await
        })
    }));
    assert!(futures::poll!(holding.as_mut()).is_pending());
    let impatient = journal.write_within(Duration::ZERO, |tx| {
        Box::pin(async move { civil_events::insert_many(tx, &[event(key(2, 1))]).await })
    });
    let given_up = impatient.await;
    assert!(
        matches!(&given_up, Err(error @ JournalError::Busy { .. }) if error.is_transient()),
        "{given_up:?}"
    );
    let mut patient = Box::pin(journal.write_within(Duration::from_mins(1), |tx| {
        Box::pin(async move { civil_events::insert_many(tx, &[event(key(3, 1))]).await })
    }));
    assert!(futures::poll!(patient.as_mut()).is_pending());
    go_on.send_replace(true);
    assert_eq!((holding.await.unwrap().len(), patient.await.unwrap().len()), (1, 1));
    let mut reader = journal.read().await.unwrap();
    let stored = civil_events::page(&mut reader, 0, 10).await.unwrap();
    assert_eq!(stored.iter().map(|stored| stored.event.key).collect::<Vec<_>>(), [key(1, 1), key(3, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_crash_of_the_server() {
    let server = Postgres::start();
    let keys = civitas_journal::SealingKeys::new([[1; 32]]).unwrap();
    let options = civitas_journal::JournalOptions::new(server.url(), keys);
    let journal = Journal::open(options, crate::place::entropy()).await.unwrap();
    journal.migrate().await.unwrap();
    archive_rule_set(&journal).await;
    ingest_plain(&journal, (1..=20).map(|n| key(n, 1))).await;
    tokio::task::block_in_place(|| server.crash());
    let refused = journal.write(|tx| Box::pin(async move { audit_leaves::size(tx).await })).await;
    assert!(refused.as_ref().is_err_and(JournalError::is_transient), "{refused:?}");
    tokio::task::block_in_place(|| server.restart());
    assert_eq!(ingest_plain(&journal, [key(21, 1), key(20, 1)]).await, [key(21, 1)]);
    let mut reader = journal.read().await.unwrap();
    assert_eq!(civil_events::page(&mut reader, 0, 100).await.unwrap().len(), 21);
}
