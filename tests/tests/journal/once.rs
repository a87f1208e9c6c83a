//! A civil event enters once, with one registration number and one AID, however often and wherever it comes.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use civitas_journal::civil_events::{Answer, Origin};
use civitas_journal::{JournalError, civil_events, operations};
use futures::future::join_all;

use crate::both;
use crate::place::Place;
use crate::rows::{archive_rule_set, event, ingest, ingest_plain, key};

both!(
    a_civil_event_enters_once,
    repeated_deliveries_learn_the_first_answer,
    a_taken_registration_number_is_a_conflict,
    colliding_registration_numbers_move_on_to_the_next_candidate,
    what_was_found_free_on_entering_stays_free,
    a_taken_aid_is_a_conflict,
    a_decision_without_its_rule_set_is_refused,
    rows_come_back_as_they_went_in,
);

async fn a_civil_event_enters_once(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    archive_rule_set(&one).await;
    let deliveries = (0..24).map(|n| {
        let journal = if n % 2 == 0 { one.clone() } else { other.clone() };
        // Each delivery holds the same three events, in another order, and one of them twice.
        let mut actions = [1, 2, 3, 2];
        actions.rotate_left(n % 4);
        async move { ingest_plain(&journal, actions.map(|action| key(7, action))).await }
    });
    let entered: Vec<_> = join_all(deliveries).await.concat();
    assert_eq!(entered.len(), 3, "{entered:?}");
    let mut reader = one.read().await.unwrap();
    assert_eq!(civil_events::by_event(&mut reader, key(7, 1).event_id).await.unwrap().len(), 3);
    assert_eq!(operations::by_event(&mut reader, key(7, 1).event_id).await.unwrap().len(), 3);
}

async fn repeated_deliveries_learn_the_first_answer(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    let mut accepted = event(key(1, 1));
    accepted.answer = Answer::Accept;
    accepted.registration_number = Some("2025B000001".into());
    ingest(&journal, vec![(accepted, crate::rows::unchanged)]).await;
    let mut reader = journal.read().await.unwrap();
    let known = civil_events::known(&mut reader, &[key(1, 2), key(1, 1)]).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(
        (known[0].key, known[0].answer, known[0].origin),
        (key(1, 1), Answer::Accept, Origin::Trigger)
    );
    assert_eq!(known[0].registration_number.as_deref(), Some("2025B000001"));
}

async fn a_taken_registration_number_is_a_conflict(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    let numbered = |action| {
        let mut event = event(key(1, action));
        event.registration_number = Some("2025B000001".into());
        event
    };
    let insert = |action| {
        let event = numbered(action);
        journal.write(move |tx| {
            let event = event.clone();
            Box::pin(async move { civil_events::insert_many(tx, &[event]).await })
        })
    };
    assert_eq!(insert(1).await.unwrap().len(), 1);
    let error = insert(2).await.unwrap_err();
    assert!(
        matches!(&error, JournalError::Conflict { what } if what.contains("registration_number")),
        "{error:?}"
    );
    assert!(!format!("{error:?}").contains("2025B000001"), "the value is in the error");
    // The same event again is no conflict: it is known.
    assert_eq!(insert(1).await.unwrap(), [None]);
}

async fn colliding_registration_numbers_move_on_to_the_next_candidate(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    archive_rule_set(&one).await;
    let writes = (1..=8).map(|action| {
        let journal = if action % 2 == 0 { &one } else { &other };
        journal.write(move |tx| {
            Box::pin(async move {
                let candidates: Vec<_> = (0..8).map(|n| format!("2025B{n}")).collect();
                let taken = civil_events::taken_registration_numbers(tx, &candidates).await?;
                let mut event = event(key(1, action));
                event.registration_number = candidates.into_iter().find(|number| !taken.contains(number));
                let number = event.registration_number.clone();
                civil_events::insert_many(tx, &[event]).await?;
                Ok(number)
            })
        })
    });
    let numbers: HashSet<_> =
        join_all(writes).await.into_iter().map(|number| number.unwrap().unwrap()).collect();
    assert_eq!(numbers.len(), 8);
}

/// Several processes that enter at once never take what another one has just found free too: none starts again.
async fn what_was_found_free_on_entering_stays_free(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    archive_rule_set(&one).await;
    let runs = Arc::new(AtomicU32::new(0));
    let enter = |action: u128| {
        let journal = if action.is_multiple_of(2) { one.clone() } else { other.clone() };
        let runs = Arc::clone(&runs);
        async move {
            let entered = journal.enter(move |tx| {
                runs.fetch_add(1, Ordering::Relaxed);
                Box::pin(async move {
                    let candidates: Vec<_> = (0..60).map(|n| format!("2025B{n}")).collect();
                    let taken = civil_events::taken_registration_numbers(tx, &candidates).await?;
                    let mut event = event(key(action, 1));
                    event.registration_number = candidates.into_iter().find(|number| !taken.contains(number));
                    civil_events::insert_many(tx, &[event]).await
                })
            });
            entered.await.unwrap();
        }
    };
    join_all((1..=60).map(enter)).await;
    assert_eq!(runs.load(Ordering::Relaxed), 60);
}

async fn a_taken_aid_is_a_conflict(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    ingest_plain(&journal, [key(1, 1)]).await;
    let error = journal
        .write(|tx| {
            Box::pin(async move {
                let ordinals = civil_events::insert_many(tx, &[event(key(2, 1))]).await?;
                let mut second = crate::rows::operation(key(2, 1), ordinals[0].unwrap());
                second.aid = crate::rows::operation(key(1, 1), 0).aid;
                assert_eq!(operations::taken_aids(tx, &[second.aid.clone().unwrap()]).await?.len(), 1);
                operations::insert_many(tx, &[second]).await
            })
        })
        .await
        .unwrap_err();
    assert!(matches!(&error, JournalError::Conflict { what } if what.contains("aid")), "{error:?}");
    let mut reader = journal.read().await.unwrap();
    assert!(civil_events::get(&mut reader, key(2, 1)).await.unwrap().is_none(), "rolled back");
}

async fn a_decision_without_its_rule_set_is_refused(place: &Place) {
    let journal = place.open().await;
    let refused = journal
        .write(|tx| Box::pin(async move { civil_events::insert_many(tx, &[event(key(1, 1))]).await }))
        .await;
    assert!(matches!(refused, Err(JournalError::Database(_))), "{refused:?}");
}

async fn rows_come_back_as_they_went_in(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    let mut full = event(key(1, 1));
    full.custom_action = Some("Validate identity".into());
    full.request_id = Some(key(9, 9).event_id);
    full.answer_reason = Some("reason".into());
    full.record_number = Some("2025B000001".into());
    full.registration_number = Some("2025B000001".into());
    full.document = r#"{"name":"አሚና"}"#.into();
    full.token = Some("token".into());
    full.token_expires_at = Some(crate::rows::at(600));
    full.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    let bare = event(key(1, 2));
    let rows =
        vec![(full.clone(), crate::rows::unchanged as fn(&mut _)), (bare.clone(), crate::rows::unchanged)];
    ingest(&journal, rows).await;
    let mut reader = journal.read().await.unwrap();
    let stored = civil_events::by_tracking_id(&mut reader, "T1").await.unwrap();
    assert_eq!(stored.iter().map(|stored| &stored.event).collect::<Vec<_>>(), [&full, &bare]);
    assert!(stored[0].ordinal < stored[1].ordinal);
    let page = civil_events::page(&mut reader, stored[0].ordinal, 10).await.unwrap();
    assert_eq!(page, stored[1..]);
    let operation = operations::get(&mut reader, key(1, 2)).await.unwrap().unwrap();
    assert_eq!(operation.packet.unwrap().as_text(), Some("packet"));
    assert_eq!((operation.version, operation.done, operation.lease), (0, false, None));
    let wiped = journal
        .write(|tx| Box::pin(async move { civil_events::forget_tokens(tx, crate::rows::at(601)).await }))
        .await;
    assert_eq!(wiped.unwrap(), 1);
    assert_eq!(civil_events::get(&mut reader, key(1, 1)).await.unwrap().unwrap().event.token, None);
}
