//! Who gets which operation, and when: lanes, subjects, leases.

use civitas_journal::operations;
use civitas_journal::operations::{Advance, State, Work};
use futures::future::join_all;

use crate::both;
use crate::place::Place;
use crate::rows::{
    advance, archive_rule_set, at, claim, event, finish, ingest, ingest_plain, key, keys, lease, unchanged,
};

both!(
    only_the_head_of_a_lane_is_given_out,
    a_subject_is_served_in_order_across_records,
    each_operation_goes_to_one_worker,
    a_lease_runs_out_and_its_holder_is_fenced_off,
    a_kept_lease_is_kept,
    work_is_given_out_by_kind_and_by_age,
    a_person_has_the_last_word,
    a_blocked_lane_does_not_use_up_the_limit,
    what_rests_can_be_brought_forward,
);

async fn only_the_head_of_a_lane_is_given_out(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    ingest_plain(&journal, [key(1, 3), key(1, 1), key(1, 2), key(2, 1)]).await;
    let first = claim(&journal, Work::Dispatch, "a", 0, 10).await;
    assert_eq!(keys(&first), [key(1, 3), key(2, 1)], "arrival decides, not the ids");
    assert!(claim(&journal, Work::Dispatch, "b", 1, 10).await.is_empty(), "the head is leased");
    finish(&journal, &first[1]).await;
    // A head that rests until later still holds the lane up.
    let mut resting = Advance::of(&first[0], at(1));
    resting.next_action_at = Some(at(1000));
    assert_eq!(advance(&journal, vec![resting]).await, [true]);
    assert!(claim(&journal, Work::Dispatch, "b", 2, 10).await.is_empty());
    let head = claim(&journal, Work::Dispatch, "b", 1000, 10).await.remove(0);
    assert_eq!((head.key, head.attempts, head.step_attempts), (key(1, 3), 2, 2), "claims are counted");
    finish(&journal, &head).await;
    assert_eq!(keys(&claim(&journal, Work::Dispatch, "b", 1001, 1).await), [key(1, 1)]);
}

async fn a_subject_is_served_in_order_across_records(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    ingest(
        &journal,
        vec![
            (event(key(1, 1)), |operation| operation.subject = Some("s".into())),
            (event(key(2, 1)), |operation| operation.subject = Some("s".into())),
            (event(key(3, 1)), |operation| operation.subject = Some("t".into())),
            (event(key(4, 1)), unchanged),
        ],
    )
    .await;
    let first = claim(&journal, Work::Dispatch, "a", 0, 10).await;
    assert_eq!(keys(&first), [key(1, 1), key(3, 1), key(4, 1)]);
    finish(&journal, &first[0]).await;
    assert_eq!(keys(&claim(&journal, Work::Dispatch, "a", 1, 10).await), [key(2, 1)]);
    // A subject that becomes known on the way orders those who come later.
    let mut known = Advance::of(&first[2], at(2));
    known.subject = Some("u".into());
    known.next_action_at = Some(at(500));
    assert_eq!(advance(&journal, vec![known]).await, [true]);
    ingest(&journal, vec![(event(key(5, 1)), |operation| operation.subject = Some("u".into()))]).await;
    assert!(claim(&journal, Work::Dispatch, "b", 3, 10).await.is_empty());
}

async fn each_operation_goes_to_one_worker(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    archive_rule_set(&one).await;
    ingest_plain(&one, (1..=300).map(|n| key(n, 1))).await;
    let workers = (0..6).map(|n| {
        let journal = if n % 2 == 0 { one.clone() } else { other.clone() };
        async move {
            let mut taken = Vec::new();
            loop {
                let batch = claim(&journal, Work::Dispatch, &format!("worker-{n}"), 0, 16).await;
                assert!(batch.len() <= 16, "the limit was exceeded");
                if batch.is_empty() {
                    return taken;
                }
                taken.extend(keys(&batch));
            }
        }
    });
    let mut taken = join_all(workers).await.concat();
    // A worker may see nothing while another one's claim is not committed; nothing is lost by that.
    taken.extend(keys(&claim(&one, Work::Dispatch, "last", 0, 300).await));
    assert_eq!(taken.len(), 300);
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), 300, "an operation was given out twice");
}

async fn a_lease_runs_out_and_its_holder_is_fenced_off(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    ingest_plain(&journal, [key(1, 1)]).await;
    let slow = claim(&journal, Work::Dispatch, "slow", 0, 1).await.remove(0);
    assert_eq!(slow.lease, Some(lease("slow", 60)));
    assert!(claim(&journal, Work::Dispatch, "quick", 59, 1).await.is_empty());
    let quick = claim(&journal, Work::Dispatch, "quick", 60, 1).await.remove(0);
    assert!(quick.version > slow.version);
    let mut late = Advance::of(&slow, at(61));
    late.state = State::PacketCreated;
    assert_eq!(advance(&journal, vec![late]).await, [false]);
    let mut timely = Advance::of(&quick, at(61));
    timely.state = State::Triggered;
    timely.triggered_at = Some(at(61));
    timely.issued = Some("VID".into());
    timely.packet = Some("built anew".into());
    timely.step_attempts = 0;
    assert_eq!(advance(&journal, vec![timely]).await, [true]);
    let mut reader = journal.read().await.unwrap();
    let stored = operations::get(&mut reader, key(1, 1)).await.unwrap().unwrap();
    assert_eq!(
        (stored.state, stored.triggered_at, stored.lease.clone()),
        (State::Triggered, Some(at(61)), None)
    );
    assert_eq!((stored.attempts, stored.step_attempts), (2, 0));
    assert_eq!(stored.issued.as_ref().unwrap().as_text(), Some("VID"));
    // Later moves keep the answer.
    assert_eq!(advance(&journal, vec![Advance::of(&stored, at(62))]).await, [true]);
    let stored = operations::get(&mut reader, key(1, 1)).await.unwrap().unwrap();
    assert_eq!(stored.issued.unwrap().as_text(), Some("VID"));
    assert_eq!(stored.packet.unwrap().as_text(), Some("built anew"));
}

async fn a_kept_lease_is_kept(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    ingest_plain(&journal, [key(1, 1)]).await;
    let claimed = claim(&journal, Work::Dispatch, "a", 0, 1).await.remove(0);
    let mut to = Advance::of(&claimed, at(1));
    to.state = State::PacketCreated;
    to.lease = Some(lease("a", 100));
    assert_eq!(advance(&journal, vec![to]).await, [true]);
    assert!(claim(&journal, Work::Dispatch, "b", 99, 1).await.is_empty());
    assert_eq!(claim(&journal, Work::Dispatch, "b", 100, 1).await[0].state, State::PacketCreated);
}

async fn work_is_given_out_by_kind_and_by_age(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    ingest(
        &journal,
        vec![
            (event(key(1, 1)), |operation| operation.next_action_at = Some(at(20))),
            (event(key(2, 1)), |operation| operation.next_action_at = Some(at(10))),
            (event(key(3, 1)), |operation| operation.state = State::Awaiting),
            (event(key(4, 1)), |operation| operation.state = State::Triggered),
            (event(key(5, 1)), |operation| {
                operation.state = State::Stalled;
                operation.next_action_at = None;
                operation.aid = None;
                operation.packet = None;
            }),
            (event(key(6, 1)), |operation| operation.next_action_at = Some(at(9000))),
        ],
    )
    .await;
    let mut reader = journal.read().await.unwrap();
    assert_eq!(keys(&claim(&journal, Work::Poll, "a", 30, 10).await), [key(3, 1), key(4, 1)]);
    assert_eq!(keys(&claim(&journal, Work::Dispatch, "a", 30, 10).await), [key(2, 1), key(1, 1)]);
    let counts = operations::counts_by_state(&mut reader).await.unwrap();
    assert_eq!(
        counts,
        [(State::Awaiting, 1), (State::Planned, 3), (State::Stalled, 1), (State::Triggered, 1)]
    );
    let overdue = operations::past_deadline(&mut reader, at(14 * 86_400), 10).await.unwrap();
    assert_eq!(overdue.len(), 5, "all but the stalled one");
    assert!(operations::past_deadline(&mut reader, at(14 * 86_400 - 1), 10).await.unwrap().is_empty());
}

async fn a_person_has_the_last_word(place: &Place) {
    let (engine, command) = (place.open().await, place.open().await);
    archive_rule_set(&engine).await;
    ingest_plain(&engine, [key(1, 1), key(1, 2)]).await;
    let working = claim(&engine, Work::Dispatch, "engine", 0, 1).await.remove(0);
    // Another process releases the record while the engine works on it.
    let mut reader = command.read().await.unwrap();
    let seen = operations::get(&mut reader, key(1, 1)).await.unwrap().unwrap();
    let mut released = Advance::of(&seen, at(1));
    released.state = State::Released;
    released.done = true;
    released.next_action_at = None;
    assert_eq!(advance(&command, vec![released]).await, [true]);
    let mut late = Advance::of(&working, at(2));
    late.state = State::Triggered;
    assert_eq!(advance(&engine, vec![late]).await, [false]);
    assert_eq!(keys(&claim(&engine, Work::Dispatch, "engine", 3, 5).await), [key(1, 2)]);
}

async fn a_blocked_lane_does_not_use_up_the_limit(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    // Ninety operations of one record, then ten records with one each.
    ingest_plain(&journal, (1..=90).map(|n| key(1, n))).await;
    ingest_plain(&journal, (2..=11).map(|n| key(n, 1))).await;
    let first = claim(&journal, Work::Dispatch, "a", 0, 5).await;
    assert_eq!(first.len(), 5);
    assert_eq!(first.iter().filter(|operation| operation.key.event_id == key(1, 1).event_id).count(), 1);
}

async fn what_rests_can_be_brought_forward(place: &Place) {
    let journal = place.open().await;
    archive_rule_set(&journal).await;
    ingest(
        &journal,
        vec![
            (event(key(1, 1)), |operation| operation.next_action_at = Some(at(9000))),
            (event(key(2, 1)), |operation| operation.next_action_at = None),
        ],
    )
    .await;
    for n in [1, 2] {
        let write = journal.write(move |tx| {
            Box::pin(async move { operations::bring_forward(tx, &[(key(n, 1), at(10))]).await })
        });
        write.await.unwrap();
    }
    assert_eq!(keys(&claim(&journal, Work::Dispatch, "a", 10, 10).await), [key(1, 1)], "not a person's turn");
}
