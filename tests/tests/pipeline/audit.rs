//! The log of everything, and the promise that nothing is ever left lying: both held under fire.

use std::{collections::HashMap, time::Duration};

use civitas_audit::{Leaf, Verifier};
use civitas_journal::{audit_leaves, civil_events, confirmations, operations};
use civitas_sandbox::{
    DeliveryFaults, Faults, RouteFaults, SandboxOptions, Spread,
    generator::{Day, Generator, Mix, play},
};
use civitas_tests::{
    postgres::Postgres,
    stack::{Setup, Stack},
};

use crate::support::*;

/// One call in ten fails, one in twenty is done and never answered, deliveries come twice, late, or not at all.
fn trouble() -> Faults {
    let rough = RouteFaults {
        error_rate: 0.05,
        null_in_200_rate: 0.03,
        unauthorised_rate: 0.02,
        timeout_after_success_rate: 0.05,
        hold_ms: 20,
        ..RouteFaults::default()
    };
    let routes = ["mosip.packetmanager", "mosip.workflow", "opencrvs.accept"];
    let deliveries = DeliveryFaults {
        duplicate_rate: 0.2,
        late_rate: 0.1,
        late_ms: Spread::ms(20, 300),
        lost_rate: 0.05,
        forged_rate: 0.1,
        reissue_rate: 0.05,
        ..DeliveryFaults::default()
    };
    Faults {
        routes: routes.into_iter().map(|route| (route.to_owned(), rough.clone())).collect(),
        deliveries,
        ..Faults::default()
    }
}

/// Every unfinished operation has a next action, or a confirmation that has one.
async fn nothing_lies_about(stack: &Stack) -> usize {
    let mut reader = stack.journal.read().await.unwrap();
    let mut open = 0;
    for event in civil_events::page(&mut reader, 0, 10_000).await.unwrap() {
        let key = event.event.key;
        let Some(before) = operations::get(&mut reader, key).await.unwrap().filter(|found| !found.done)
        else {
            continue;
        };
        open += 1;
        let told = confirmations::get(&mut reader, key).await.unwrap();
        let due = told.is_some_and(|told| told.next_action_at.is_some() || told.lease.is_some());
        if before.next_action_at.is_some() || due {
            continue;
        }
        // Between the two reads it may have moved on.
        let after = operations::get(&mut reader, key).await.unwrap().unwrap();
        assert_ne!(after.version, before.version, "nobody acts on {key:?}: {}", after.state);
    }
    open
}

async fn a_rough_day(journal_url: Option<String>) {
    let sandbox = SandboxOptions { speed: 2000.0, faults: trouble(), ..SandboxOptions::instant(11) };
    let stack = Stack::with(Setup { sandbox, journal_url, ..Setup::default() }).await;
    stack.subscribed().await;
    let mut day = Day::of(40);
    day.hours = Duration::from_secs(4000);
    let generator = Generator::new(stack.sandbox.seed(), Mix::default(), stack.sandbox.population());
    let mut seen_open = 0;
    {
        let playing = play(stack.sandbox.opencrvs(), &generator, &day);
        tokio::pin!(playing);
        loop {
            tokio::select! {
                _ = &mut playing => break,
                () = tokio::time::sleep(Duration::from_millis(50)) => {
                    seen_open = seen_open.max(nothing_lies_about(&stack).await);
                }
            }
        }
    }
    assert!(seen_open > 0, "something was under way while it was watched");
    mend(&stack);
    civitas_tests::wait::until("only what needs a person is open", || async {
        let open = nothing_lies_about(&stack).await;
        let counts = stack.engine.queue().overview(1).await.unwrap().counts.operations;
        open as u64 == counts.get("stalled").copied().unwrap_or_default()
    })
    .await;
    keeps_its_promises(&stack);
    the_log_is_whole(&stack).await;
    stack.stop().await;
}

/// Gapless, verified, and one leaf for each move: the leaves of an operation lead from its plan to its state.
async fn the_log_is_whole(stack: &Stack) {
    let mut reader = stack.journal.read().await.unwrap();
    let size = audit_leaves::size(&mut reader).await.unwrap();
    let stored = audit_leaves::page(&mut reader, 0, 100_000).await.unwrap();
    assert!(stored.len() as u64 >= size, "late deliveries may have added to it meanwhile");
    let mut verifier = Verifier::new();
    let mut moves: HashMap<_, Vec<Leaf>> = HashMap::new();
    for (place, leaf) in (0..).zip(&stored) {
        assert_eq!(leaf.index, place, "no gap");
        verifier.push(&leaf.body, leaf.hash).unwrap();
        let leaf = Leaf::parse(&leaf.body).unwrap();
        if let (Some(event), Some(action)) = (leaf.event_id, leaf.action_id) {
            moves.entry((event, action)).or_default().push(leaf);
        }
    }
    assert_eq!(verifier.checkpoint().size, stored.len() as u64);
    for event in civil_events::page(&mut reader, 0, 10_000).await.unwrap() {
        let key = event.event.key;
        let leaves = &moves[&(key.event_id, key.action_id)];
        assert_eq!(leaves[0].kind, "decided");
        assert_eq!(leaves[0].ruleset.as_deref(), Some(&*event.event.ruleset));
        assert_eq!(leaves.iter().filter(|leaf| leaf.kind == "decided").count(), 1);
        let Some(operation) = operations::get(&mut reader, key).await.unwrap() else { continue };
        let mut state =
            leaves.iter().find_map(|leaf| leaf.from.clone()).unwrap_or_else(|| "planned".to_owned());
        for leaf in leaves {
            let (Some(from), Some(to)) = (&leaf.from, &leaf.to) else { continue };
            assert_eq!(*from, state, "a move of {key:?} has no leaf");
            state.clone_from(to);
        }
        assert_eq!(state, operation.state.as_str(), "the last move of {key:?} has no leaf");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rough_day_leaves_nothing_lying_about_and_a_whole_log() {
    a_rough_day(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rough_day_on_postgresql() {
    let server = tokio::task::spawn_blocking(Postgres::shared).await.unwrap();
    a_rough_day(Some(server.url())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_a_leaf_altered_dropped_or_exchanged_is_found_out() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    let mut reader = stack.journal.read().await.unwrap();
    let log = audit_leaves::page(&mut reader, 0, 1000).await.unwrap();
    drop(reader);
    let check = |log: &[audit_leaves::StoredLeaf]| {
        let mut verifier = Verifier::new();
        log.iter().try_for_each(|leaf| verifier.push(&leaf.body, leaf.hash)).map(|()| verifier.checkpoint())
    };
    let witnessed = check(&log).unwrap();
    let mut altered = log.clone();
    altered[2].body = altered[2].body.replace("engine", "nobody");
    assert!(check(&altered).is_err());
    let mut dropped = log.clone();
    dropped.remove(2);
    assert!(check(&dropped).is_err());
    let mut exchanged = log.clone();
    exchanged.swap(2, 3);
    assert!(check(&exchanged).is_err());
    let mut shorter = Verifier::new();
    for leaf in &log[..log.len() - 1] {
        shorter.push(&leaf.body, leaf.hash).unwrap();
    }
    assert!(shorter.witness(&witnessed).is_err());
    stack.stop().await;
}
