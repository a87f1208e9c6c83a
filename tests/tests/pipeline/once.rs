//! A civil event that comes several times, on several paths, at the same moment: one decision, one operation,
//! one AID, one answer.

use std::{sync::Arc, time::Duration};

use civitas_engine::{Answer, Options, Values};
use civitas_journal::civil_events;
use civitas_mosip::{Limit, Limits};
use civitas_sandbox::{Document, RouteFaults, Spread};
use civitas_tests::{
    stack::{Setup, Stack, quick},
    wait::until,
};
use futures::future::join_all;
use serde_json::json;

use crate::support::*;

/// Eligible births with ids of their own, known to OpenCRVS.
fn births(stack: &Stack, count: u128) -> Vec<Document> {
    let documents: Vec<_> = (1..=count).map(|number| another("birth-register", number)).collect();
    for document in &documents {
        assert!(stack.sandbox.opencrvs().import(document.clone()));
    }
    documents
}

async fn each_event_has_one_effect(setup: Setup) {
    let stack = Arc::new(Stack::with(setup).await);
    stack.subscribed().await;
    let documents = births(&stack, 12);
    let mut deliveries = tokio::task::JoinSet::new();
    for (place, document) in documents.iter().enumerate() {
        // 1 to 3 times each, in every mix of the two paths.
        for path in 0..=place % 3 {
            let (stack, document) = (Arc::clone(&stack), document.clone());
            let by_trigger = (place / 3 + path) % 2 == 0;
            deliveries.spawn(async move {
                if by_trigger {
                    assert_eq!(trigger(&stack, &document).await.status, 202);
                } else {
                    let answers = stack.engine.ingest(vec![arrival(&document)]).await;
                    assert_eq!(answers[0].as_ref().unwrap(), &Answer::Await);
                }
            });
        }
    }
    deliveries.join_all().await;
    for document in &documents {
        let case = Case::of(document);
        closed_with_vid(&stack, case).await;
        assert_eq!(show(&stack, case.event).await.actions.len(), 1);
        let decided = timeline(&stack, case.event).await;
        assert_eq!(decided.iter().filter(|line| line.starts_with("decided")).count(), 1, "{decided:?}");
    }
    assert_eq!(stack.sandbox.mosip().aids().len(), documents.len());
    // What comes after the end has no effect either, and the same answer.
    for document in &documents {
        assert_eq!(trigger(&stack, document).await.status, 202);
    }
    let ledger = stack.sandbox.ledger(true);
    assert_eq!(ledger["mosip"]["creates"], json!(documents.len()));
    assert_eq!(ledger["mosip"]["trigger_calls"], json!(documents.len()));
    Arc::into_inner(stack).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_has_one_effect_however_often_and_on_whatever_path_it_comes() {
    each_event_has_one_effect(Setup::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_postgresql() {
    let (_server, setup) = on_postgresql(Setup::default()).await;
    each_event_has_one_effect(setup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_minted_once_and_told_to_everybody() {
    let stack = Stack::start().await;
    let mut document = another("birth-register", 1);
    document.actions[1].declaration = ineligible();
    assert!(stack.sandbox.opencrvs().import(document.clone()));
    let replies = join_all((0..3).map(|_| trigger(&stack, &document))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    let number = replies[0].body["registrationNumber"].as_str().unwrap().to_owned();
    assert!(replies.iter().all(|reply| reply.body["registrationNumber"] == json!(number)), "{replies:?}");
    let answers = stack.engine.ingest(vec![arrival(&document), arrival(&document)]).await;
    for answer in answers {
        assert_eq!(
            answer.unwrap(),
            Answer::Accept {
                registration_number: Some(number.clone()),
                declaration: Values::default(),
                note: None
            }
        );
    }
    let mut reader = stack.journal.read().await.unwrap();
    let events = civil_events::by_event(&mut reader, document.id).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event.registration_number.as_deref(), Some(&*number));
    drop(reader);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_by_kafka_first_is_accepted_once_and_not_by_the_trigger_too() {
    let stack = Stack::start().await;
    let mut document = another("birth-register", 1);
    document.actions[1].declaration = ineligible();
    assert!(stack.sandbox.opencrvs().import(document.clone()));
    let case = Case::of(&document);
    let answers = stack.engine.ingest(vec![arrival(&document), arrival(&document)]).await;
    let first = answers[0].as_ref().unwrap().clone();
    assert!(matches!(&first, Answer::Accept { registration_number: Some(_), .. }));
    assert_eq!(answers[1].as_ref().unwrap(), &first);
    assert_eq!(trigger(&stack, &document).await.status, 202, "the accept is on its way");
    civitas_tests::wait::until("the record is accepted", || async {
        stack.sandbox.opencrvs().status(case.event) == Some("REGISTERED")
    })
    .await;
    let answers = accepted(&stack, case);
    assert_eq!(answers.len(), 1);
    assert_eq!(
        first,
        Answer::Accept {
            registration_number: answers[0].registration_number.clone(),
            declaration: Values::default(),
            note: None
        }
    );
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sequence_of_a_batch_is_kept_and_a_bad_entry_spoils_no_other() {
    let stack = Stack::start().await;
    let documents = births(&stack, 3);
    let mut bad = arrival(&documents[1]);
    bad.document.truncate(200);
    let batch = vec![arrival(&documents[0]), bad, arrival(&documents[2]), arrival(&documents[0])];
    let answers = stack.engine.ingest(batch).await;
    assert_eq!(answers[0].as_ref().unwrap(), &Answer::Await);
    let error = answers[1].as_ref().unwrap_err();
    assert!(error.is_poison() && error.code() == "document_unreadable");
    assert_eq!(answers[2].as_ref().unwrap(), &Answer::Await);
    assert_eq!(answers[3].as_ref().unwrap(), &Answer::Await);
    assert!(stack.engine.queue().show(&documents[1].id.to_string()).await.unwrap().is_none());
    stack.stop().await;
}

async fn waiting_for_a_turn_outlasts_no_lease(setup: Setup) {
    // One call at a time, each a third of a lease: the last packet waits for several leases.
    let limits = Limits { packet_manager: Limit::at_a_time(1), ..quick() };
    let tune = |options: &mut Options| options.lease = Duration::from_secs(3);
    let stack = Stack::with(Setup { limits, tune, patience: Duration::from_secs(30), ..setup }).await;
    stack.subscribed().await;
    let slow = RouteFaults { latency_ms: Spread::ms(1000, 1000), ..RouteFaults::default() };
    fault(&stack, "mosip.packetmanager", slow);
    let documents = births(&stack, 8);
    for document in &documents {
        assert_eq!(trigger(&stack, document).await.status, 202);
    }
    for document in &documents {
        let case = Case::of(document);
        closed_with_vid(&stack, case).await;
    }
    let ledger = stack.sandbox.ledger(true);
    assert_eq!(ledger["mosip"]["creates"], json!(documents.len()), "each packet was made once");
    assert_eq!(ledger["mosip"]["trigger_calls"], json!(documents.len()));
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_turn_longer_than_a_lease_is_still_in_one_hand() {
    waiting_for_a_turn_outlasts_no_lease(Setup::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_turn_is_in_one_hand_on_postgresql() {
    let (_server, setup) = on_postgresql(Setup::default()).await;
    waiting_for_a_turn_outlasts_no_lease(setup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_calls_under_way_and_puts_back_what_waits_for_its_turn() {
    let limits = Limits { packet_manager: Limit::at_a_time(1), ..quick() };
    let setup = Setup { limits, patience: Duration::from_secs(30), ..Setup::default() };
    let mut stack = Stack::with(setup).await;
    stack.subscribed().await;
    let slow = RouteFaults { latency_ms: Spread::ms(1500, 1500), ..RouteFaults::default() };
    fault(&stack, "mosip.packetmanager", slow);
    let documents = births(&stack, 12);
    for document in &documents {
        assert_eq!(trigger(&stack, document).await.status, 202);
    }
    let creates = |stack: &Stack| stack.sandbox.ledger(true)["mosip"]["creates"].as_u64().unwrap();
    until("MOSIP is asked for the first packet", || async { creates(&stack) > 0 }).await;
    // It ends with the call under way; without that, every packet would be made first.
    stack.halt().await;
    let made = creates(&stack);
    assert!(made < 6, "{made} packets were made");
    let cases: Vec<Case> = documents.iter().map(Case::of).collect();
    let mut waiting = 0;
    for case in &cases {
        let operation = operation(&stack, *case).await;
        waiting += usize::from(operation.entry.state == "planned" && operation.entry.attempts == 0);
    }
    assert!(waiting >= 12 - 6, "{waiting} were put back, and no attempt is counted");
    mend(&stack);
    let stack = stack.restart(|_| {}).await;
    for case in cases {
        closed_with_vid(&stack, case).await;
    }
    assert_eq!(creates(&stack), 12, "each packet was made once");
    stack.stop().await;
}
