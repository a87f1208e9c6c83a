//! Confirmations, deliveries, roles, subscriptions and the queue.

use civitas_journal::confirmations::{self, ConfirmationState, NewConfirmation, Verdict};
use civitas_journal::inbox::{self, InboxState, NewDelivery};
use civitas_journal::operations::{self, Advance, Respond, State, Work};
use civitas_journal::queue::{self, Filter};
use civitas_journal::subscriptions::{self, Asked, Subscription, SubscriptionState};
use civitas_journal::{
    Journal,
    leases::{self, Held},
    notes, rule_sets,
};

use crate::both;
use crate::place::Place;
use crate::rows::{advance, archive_rule_set, at, claim, event, ingest, ingest_plain, key, lease, unchanged};

both!(
    a_civil_event_is_answered_once,
    a_delivery_is_parked_woken_and_settled,
    a_role_has_one_holder,
    a_lease_is_prolonged_by_its_owner_alone,
    the_queue_is_listed_by_what_is_asked,
    hundreds_of_operations_move_at_once,
    subscriptions_and_rule_sets_are_kept,
);

async fn due_confirmations(journal: &Journal, now: i64) -> Vec<confirmations::Confirmation> {
    let claim = journal.write(move |tx| {
        Box::pin(async move { confirmations::claim(tx, &lease("a", now + 60), at(now), 10).await })
    });
    claim.await.unwrap()
}

async fn a_civil_event_is_answered_once(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    ingest_plain(&journal, [key(1, 1), key(2, 1)]).await;
    let new = |n, verdict, body: &str| NewConfirmation {
        key: key(n, 1),
        verdict,
        body: body.into(),
        next_action_at: at(0),
        created_at: at(0),
    };
    let answers =
        [new(1, Verdict::Accept, "VID"), new(2, Verdict::Accept, "VID"), new(1, Verdict::Reject, "late")];
    let inserted = journal.write(move |tx| {
        let answers = answers.clone();
        Box::pin(async move { confirmations::insert_many(tx, &answers).await })
    });
    // Named twice in one call, the first stands; both are reported as there.
    assert_eq!(inserted.await.unwrap(), [true, true, true]);
    let late = new(1, Verdict::Reject, "late");
    let again = journal.write({
        let late = late.clone();
        move |tx| {
            let late = late.clone();
            Box::pin(async move { confirmations::insert_many(tx, &[late]).await })
        }
    });
    assert_eq!(again.await.unwrap(), [false]);
    let due = due_confirmations(&journal, 0).await;
    assert_eq!(due.len(), 2);
    assert_eq!((due[0].verdict, due[0].body.as_text()), (Verdict::Accept, Some("VID")));
    assert!(due_confirmations(&journal, 1).await.is_empty(), "leased");

    let mut done = confirmations::Advance::of(&due[0]);
    done.state = ConfirmationState::Done;
    done.next_action_at = None;
    let mut stale = confirmations::Advance::of(&due[1]);
    stale.version -= 1;
    let moved = journal.write(move |tx| {
        let moves = [done.clone(), stale.clone()];
        Box::pin(async move { confirmations::advance(tx, &moves).await })
    });
    assert_eq!(moved.await.unwrap(), [true, false]);
    assert_eq!(due_confirmations(&journal, 61).await.len(), 1, "the other one's lease ran out");

    // A person decides otherwise.
    let replaced = journal.write(move |tx| {
        let late = late.clone();
        Box::pin(async move { confirmations::replace(tx, &late).await })
    });
    replaced.await.unwrap();
    let due = due_confirmations(&journal, 62).await;
    assert_eq!(
        (due[0].key, due[0].verdict, due[0].body.as_text()),
        (key(1, 1), Verdict::Reject, Some("late"))
    );
    let mut reader = journal.read().await.unwrap();
    let stored = confirmations::get(&mut reader, key(1, 1)).await.unwrap().unwrap();
    assert_eq!(stored, due[0]);
}

async fn due_deliveries(journal: &Journal, now: i64) -> Vec<inbox::Delivery> {
    let claim = journal
        .write(move |tx| Box::pin(async move { inbox::claim(tx, &lease("a", now + 60), at(now), 10).await }));
    claim.await.unwrap()
}

async fn settle(journal: &Journal, to: Vec<inbox::Advance>) -> Vec<bool> {
    let settle = journal.write(move |tx| {
        let to = to.clone();
        Box::pin(async move { inbox::advance(tx, &to).await })
    });
    settle.await.unwrap()
}

async fn a_delivery_is_parked_woken_and_settled(place: &Place) {
    let journal = place.open().await;
    let new = |body: &str| NewDelivery {
        delivery_id: body.into(),
        topic: "partner/CREDENTIAL_ISSUED".into(),
        received_at: at(0),
        body: body.into(),
    };
    let receive = |deliveries: Vec<NewDelivery>| {
        journal.write(move |tx| {
            let deliveries = deliveries.clone();
            Box::pin(async move { inbox::insert_many(tx, &deliveries).await })
        })
    };
    let ids = receive(vec![new("one"), new("two")]).await.unwrap();
    assert_eq!(receive(vec![new("two")]).await.unwrap(), [None], "delivered before");
    let ids: Vec<i64> = ids.into_iter().flatten().collect();
    let due = due_deliveries(&journal, 0).await;
    assert_eq!(due.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), ids);
    assert_eq!(due[1].body.as_text(), Some("two"));

    let mut parked = inbox::Advance::settle(&due[0], InboxState::Parked);
    parked.aid = Some("10001".into());
    parked.attempts = 1;
    parked.next_action_at = Some(at(1000));
    let mut dropped = inbox::Advance::settle(&due[1], InboxState::Quarantined);
    dropped.cause = Some("signature".into());
    assert_eq!(settle(&journal, vec![parked.clone(), dropped]).await, [true, true]);
    assert_eq!(settle(&journal, vec![parked]).await, [false], "an old version");
    assert!(due_deliveries(&journal, 999).await.is_empty());

    let woken =
        journal.write(|tx| Box::pin(async move { inbox::wake(tx, &["10001".into(), "10002".into()]).await }));
    assert_eq!(woken.await.unwrap(), 1);
    let due = due_deliveries(&journal, 1).await;
    assert_eq!(
        (due[0].state, due[0].aid.as_deref(), due[0].attempts),
        (InboxState::Parked, Some("10001"), 1)
    );
    assert_eq!(settle(&journal, vec![inbox::Advance::settle(&due[0], InboxState::Matched)]).await, [true]);
    assert!(due_deliveries(&journal, 5000).await.is_empty());

    let mut reader = journal.read().await.unwrap();
    assert_eq!(
        inbox::counts_by_state(&mut reader).await.unwrap(),
        [(InboxState::Matched, 1), (InboxState::Quarantined, 1)]
    );
    let quarantined = inbox::list(&mut reader, InboxState::Quarantined, 0, 10).await.unwrap();
    assert_eq!(quarantined[0].cause.as_deref(), Some("signature"));
    assert_eq!(inbox::by_aid(&mut reader, "10001").await.unwrap()[0].id, ids[0]);
    assert_eq!(inbox::get(&mut reader, ids[0]).await.unwrap().unwrap().state, InboxState::Matched);
}

async fn a_role_has_one_holder(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    let acquire = |journal: &Journal, owner: &'static str, now: i64| {
        let journal = journal.clone();
        async move {
            let write = journal.write(move |tx| {
                Box::pin(async move { leases::acquire(tx, "outbox", &lease(owner, now + 60), at(now)).await })
            });
            write.await.unwrap()
        }
    };
    assert!(acquire(&one, "one", 0).await);
    assert!(!acquire(&other, "other", 59).await);
    assert!(acquire(&one, "one", 30).await, "prolonged");
    assert!(!acquire(&other, "other", 60).await);
    assert!(acquire(&other, "other", 90).await, "ran out");
    assert!(!acquire(&one, "one", 91).await);
    other.write(|tx| Box::pin(async move { leases::release(tx, "outbox", "other").await })).await.unwrap();
    assert!(acquire(&one, "one", 92).await, "given up");
}

async fn the_queue_is_listed_by_what_is_asked(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    ingest(
        &journal,
        vec![
            (event(key(1, 1)), unchanged),
            (event(key(2, 1)), |operation| {
                operation.state = State::Stalled;
                operation.cause = Some("data".into());
                operation.next_action_at = None;
            }),
            (event(key(3, 1)), |operation| {
                operation.respond = Respond::Continue;
                operation.operation = "flag_deceased".into();
            }),
        ],
    )
    .await;
    let mut reader = journal.read().await.unwrap();
    let all = Filter::default();
    let filters = [
        (all.clone(), vec![1, 2, 3]),
        (Filter { state: Some(State::Stalled), ..all.clone() }, vec![2]),
        (Filter { done: Some(true), ..all.clone() }, vec![]),
        (Filter { done: Some(false), ..all.clone() }, vec![1, 2, 3]),
        (Filter { respond: Some(Respond::Continue), ..all.clone() }, vec![3]),
        (Filter { operation: Some("create_uin".into()), ..all.clone() }, vec![1, 2]),
        (Filter { cause: Some("data".into()), ..all.clone() }, vec![2]),
        (Filter { event_id: Some(key(3, 0).event_id), ..all.clone() }, vec![3]),
        (Filter { tracking_id: Some("T1".into()), ..all.clone() }, vec![1]),
        (Filter { aid: crate::rows::operation(key(2, 1), 0).aid, ..all.clone() }, vec![2]),
    ];
    for (filter, expected) in filters {
        let listed = queue::list(&mut reader, &filter, 0, 10).await.unwrap();
        let listed: Vec<_> = listed.iter().map(|entry| entry.key).collect();
        assert_eq!(listed, expected.into_iter().map(|n| key(n, 1)).collect::<Vec<_>>(), "{filter:?}");
    }
    let first = queue::list(&mut reader, &all, 0, 2).await.unwrap();
    let second = queue::list(&mut reader, &all, first[1].ordinal, 2).await.unwrap();
    assert_eq!((first.len(), second.len()), (2, 1));
    assert_eq!((&*first[0].sentence, &*first[0].tracking_id), ("UIN requested at birth", "T1"));
    let decisions = queue::last_decisions(&mut reader, 2).await.unwrap();
    assert_eq!(decisions.iter().map(|decision| decision.key).collect::<Vec<_>>(), [key(3, 1), key(2, 1)]);
}

async fn hundreds_of_operations_move_at_once(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    let all: Vec<_> = (1..=333).map(|n| key(n, 1)).collect();
    assert_eq!(ingest_plain(&journal, all.clone()).await, all);
    let mut reader = journal.read().await.unwrap();
    let stored = operations::get_many(&mut reader, &all).await.unwrap();
    assert_eq!(stored.len(), 333);
    let mut to: Vec<_> = stored.iter().map(|operation| Advance::of(operation, at(5))).collect();
    for (n, to) in (0u32..).zip(&mut to) {
        to.state = State::Unknown;
        to.cause = Some(format!("cause {n}"));
        to.attempts = n;
        to.issued = (n % 2 == 0).then(|| format!("issued {n}").into());
    }
    to[100].version += 1;
    let moved = advance(&journal, to).await;
    assert_eq!(moved.iter().filter(|moved| !**moved).count(), 1);
    assert!(!moved[100]);
    let stored = operations::get_many(&mut reader, &all).await.unwrap();
    for (n, operation) in (0u32..).zip(&stored).filter(|(n, _)| *n != 100) {
        assert_eq!((operation.state, operation.attempts, operation.version), (State::Unknown, n, 1));
        let issued = operation.issued.as_ref().and_then(|issued| issued.as_text());
        assert_eq!(issued, (n % 2 == 0).then(|| format!("issued {n}")).as_deref());
    }
    let aids: Vec<_> = stored.iter().filter_map(|operation| operation.aid.clone()).collect();
    assert_eq!(operations::by_aids(&mut reader, &aids).await.unwrap(), stored);
    assert_eq!(operations::by_aid(&mut reader, &aids[7]).await.unwrap().as_ref(), stored.get(7));
}

async fn subscriptions_and_rule_sets_are_kept(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    archive_rule_set(&journal).await;
    let mut reader = journal.read().await.unwrap();
    assert_eq!(rule_sets::get(&mut reader, "digest").await.unwrap().unwrap().country, "FAR");
    assert_eq!(rule_sets::get(&mut reader, "other").await.unwrap(), None);
    let mut subscription =
        Subscription::new("partner/CREDENTIAL_ISSUED", "https://civitas.example/callback", at(0));
    (subscription.asked, subscription.asked_until) = (Some(Asked::Subscribe), Some(at(5)));
    (subscription.secret, subscription.missed) = (Some("ab12".to_owned()), 2);
    for state in [SubscriptionState::Requested, SubscriptionState::Verified] {
        subscription.state = state;
        subscription.verified_at = (state == SubscriptionState::Verified).then(|| at(1));
        let put = subscription.clone();
        let write = journal.write(move |tx| {
            let put = put.clone();
            Box::pin(async move { subscriptions::put(tx, &put).await })
        });
        write.await.unwrap();
    }
    assert_eq!(subscriptions::all(&mut reader).await.unwrap(), [subscription]);
}

async fn prolong(journal: &Journal, held: &Held, owner: &'static str, until: i64) -> bool {
    let held = held.clone();
    let prolonged = journal.write(move |tx| {
        let held = held.clone();
        Box::pin(async move { leases::prolong(tx, &held, &lease(owner, until)).await })
    });
    prolonged.await.unwrap()
}

async fn a_lease_is_prolonged_by_its_owner_alone(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    ingest_plain(&journal, [key(1, 1)]).await;
    let owed = journal.write(|tx| {
        Box::pin(async move {
            let new = NewConfirmation {
                key: key(1, 1),
                verdict: Verdict::Accept,
                body: "VID".into(),
                next_action_at: at(0),
                created_at: at(0),
            };
            confirmations::insert_many(tx, &[new]).await?;
            let new = NewDelivery {
                delivery_id: "d".into(),
                topic: "t".into(),
                received_at: at(0),
                body: "{}".into(),
            };
            inbox::insert_many(tx, &[new]).await?;
            notes::insert(tx, key(1, 1), "completed", at(0), at(0)).await
        })
    });
    owed.await.unwrap();
    let due_notes = |now| {
        journal.write(move |tx| {
            Box::pin(async move { notes::claim(tx, &lease("a", now + 60), at(now), 10).await })
        })
    };
    let operation = claim(&journal, Work::Dispatch, "a", 0, 1).await.remove(0);
    let delivery = due_deliveries(&journal, 0).await.remove(0);
    assert_eq!((due_confirmations(&journal, 0).await.len(), due_notes(0).await.unwrap().len()), (1, 1));

    let all = [
        Held::Operation(key(1, 1)),
        Held::Delivery(delivery.id),
        Held::Confirmation(key(1, 1)),
        Held::Note(key(1, 1), "completed".into()),
    ];
    for held in &all {
        assert!(!prolong(&journal, held, "b", 500).await, "{held:?} is not b's");
        assert!(prolong(&journal, held, "a", 100).await, "{held:?}");
    }
    assert!(claim(&journal, Work::Dispatch, "b", 99, 1).await.is_empty());
    assert!(due_deliveries(&journal, 99).await.is_empty());
    assert!(due_confirmations(&journal, 99).await.is_empty());
    assert!(due_notes(99).await.unwrap().is_empty());
    // Who works on it can still move it, and then it is nobody's.
    assert_eq!(advance(&journal, vec![Advance::of(&operation, at(99))]).await, [true]);
    assert!(!prolong(&journal, &all[0], "a", 200).await, "given up");
    assert_eq!(due_deliveries(&journal, 100).await.len(), 1, "the prolonged lease ends too");
}
