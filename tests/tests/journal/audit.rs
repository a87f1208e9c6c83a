//! The audit log across processes: gapless, in commit order, verifiable, and published in the same order.

use civitas_audit::{Leaf, Verifier};
use civitas_journal::outbox::{NewMessage, Topic};
use civitas_journal::{NewLeaf, audit_leaves, outbox};
use futures::future::join_all;

use crate::both;
use crate::place::Place;
use crate::rows::{at, key};

both!(
    leaves_of_several_processes_are_gapless_and_verify,
    an_altered_row_is_found,
    leaves_are_published_in_order_with_their_content,
    without_publication_nothing_is_queued,
);

async fn leaves_of_several_processes_are_gapless_and_verify(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    let writes = (0..60u128).map(|n| {
        let journal = if n % 2 == 0 { one.clone() } else { other.clone() };
        journal_leaves(journal, n)
    });
    join_all(writes).await;
    let mut reader = one.read().await.unwrap();
    let total: u64 = (0..60).map(|n| n % 5 + 1).sum();
    assert_eq!(audit_leaves::size(&mut reader).await.unwrap(), total);
    let mut verifier = Verifier::new();
    let mut seen = std::collections::HashMap::<_, u32>::new();
    while verifier.checkpoint().size < total {
        let from = verifier.checkpoint().size;
        for leaf in audit_leaves::page(&mut reader, from, 50).await.unwrap() {
            verifier.push(&leaf.body, leaf.hash).unwrap();
            // Leaves of one transaction stay together and in order.
            let leaf = Leaf::parse(&leaf.body).unwrap();
            let count = seen.entry(leaf.event_id).or_default();
            assert_eq!(leaf.reason.as_deref(), Some(count.to_string().as_str()));
            *count += 1;
        }
    }
    let timeline = audit_leaves::by_event(&mut reader, key(4, 0).event_id).await.unwrap();
    assert_eq!(timeline.len(), 5);
}

async fn journal_leaves(journal: civitas_journal::Journal, n: u128) {
    let write = journal.write(move |tx| {
        Box::pin(async move {
            let leaves: Vec<_> = (0..=n % 5)
                .map(|step| {
                    let mut leaf = NewLeaf::new("transition", "engine", at(0))
                        .about(key(n, 0).event_id, key(n, 0).action_id);
                    leaf.reason = Some(step.to_string());
                    leaf
                })
                .collect();
            tx.append_audit(&leaves);
            Ok(())
        })
    });
    write.await.unwrap();
}

async fn an_altered_row_is_found(place: &Place) {
    let journal = place.open().await;
    for n in 0..5 {
        journal_leaves(journal.clone(), n).await;
    }
    let mut raw = place.raw().await;
    sqlx::query("UPDATE audit_leaves SET body = REPLACE(body, 'engine', 'nobody') WHERE leaf_index = 7")
        .execute(&mut raw)
        .await
        .unwrap();
    let mut reader = journal.read().await.unwrap();
    let mut verifier = Verifier::new();
    let found = audit_leaves::page(&mut reader, 0, 100)
        .await
        .unwrap()
        .iter()
        .find_map(|leaf| verifier.push(&leaf.body, leaf.hash).err());
    assert!(matches!(found, Some(civitas_audit::Tampered::Altered { index: 7 })), "{found:?}");
}

async fn leaves_are_published_in_order_with_their_content(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    for n in 0..40u128 {
        let journal = if n % 2 == 0 { &one } else { &other };
        let write = journal.write(move |tx| {
            Box::pin(async move {
                let mut leaf =
                    NewLeaf::new("decided", "engine", at(0)).about(key(n, 1).event_id, key(n, 1).action_id);
                leaf.traceparent = Some("00-trace".into());
                tx.append_audit(&[leaf]);
                tx.publish(NewMessage {
                    topic: Topic::Awaiting,
                    key: key(n, 1).event_id.to_string(),
                    kind: "queue".into(),
                    value: (n % 2 == 0).then(|| b"{}".to_vec()),
                    headers: vec![("a".into(), "b".into())],
                    created_at: at(1),
                });
                Ok(())
            })
        });
        write.await.unwrap();
    }
    let mut reader = one.read().await.unwrap();
    assert_eq!(outbox::backlog(&mut reader).await.unwrap(), (80, Some(at(0))));
    let batch = outbox::next_batch(&mut reader, 50).await.unwrap();
    assert_eq!(batch.len(), 50);
    assert!(batch.is_sorted_by_key(|message| message.id));
    let (leaf, entry) = (&batch[2], &batch[3]);
    assert_eq!((leaf.topic, leaf.leaf_index, &*leaf.kind), (Topic::Audit, Some(1), "decided"));
    assert_eq!(leaf.key, key(1, 1).event_id.to_string());
    let body = String::from_utf8(leaf.value.clone().unwrap()).unwrap();
    assert_eq!(Leaf::parse(&body).unwrap().index, 1);
    assert_eq!(leaf.headers, [("traceparent".to_owned(), "00-trace".to_owned())]);
    assert_eq!(
        (entry.topic, entry.value.clone(), entry.leaf_index),
        (Topic::Awaiting, None, None),
        "a tombstone"
    );
    let ids: Vec<_> = batch.iter().map(|message| message.id).collect();
    let remove = |ids: Vec<i64>| {
        one.write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move { outbox::remove(tx, &ids).await })
        })
    };
    assert_eq!(remove(ids.clone()).await.unwrap(), 50);
    assert_eq!(remove(ids.clone()).await.unwrap(), 0, "removing again is harmless");
    let rest = outbox::next_batch(&mut reader, 50).await.unwrap();
    assert_eq!(rest.len(), 30);
    assert!(rest[0].id > ids[49]);
}

async fn without_publication_nothing_is_queued(place: &Place) {
    let mut options = place.options();
    options.publish = false;
    let journal = place.open_with(options).await;
    journal_leaves(journal.clone(), 4).await;
    let mut reader = journal.read().await.unwrap();
    assert_eq!(outbox::backlog(&mut reader).await.unwrap(), (0, None));
    assert_eq!(audit_leaves::size(&mut reader).await.unwrap(), 5);
}
