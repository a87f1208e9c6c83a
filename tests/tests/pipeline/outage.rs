//! MOSIP, or one service of it, is out: what is meant for it is parked, in its order, and nothing is hammered.

use civitas_sandbox::{Outage, RouteFaults};
use civitas_tests::{stack::Stack, wait::until};

use crate::support::*;

async fn left_alone(stack: &Stack, service: &str) -> bool {
    let outside = stack.engine.queue().outside().await.unwrap();
    outside.services.iter().any(|found| found.service == service)
}

fn out() -> RouteFaults {
    RouteFaults { outage: Outage::Disconnect, ..RouteFaults::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_parks_what_is_meant_for_the_service_and_counts_no_attempt() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    fault(&stack, "mosip.packetmanager", out());
    let first = birth(&stack).await;
    until("the service is left alone", || async { left_alone(&stack, "packet_manager").await }).await;
    let mut parked = Vec::new();
    for _ in 0..6 {
        parked.push(birth(&stack).await);
    }
    let knocks = || stack.sandbox.arrivals("mosip.packetmanager.health").iter().sum::<u32>();
    let before = knocks();
    until("it is asked some times whether it is back", || async { knocks() > before + 2 }).await;
    for case in &parked {
        assert_eq!(operation(&stack, *case).await.entry.state, "planned");
        // The one by which the service is tried shows its claim for a moment.
        until("no attempt is counted", || async { operation(&stack, *case).await.entry.attempts == 0 }).await;
    }
    assert!(witnessed(&stack, "packet_manager: it fails, so that what is meant for it is parked").await);
    mend(&stack);
    closed_with_vid(&stack, first).await;
    for case in parked {
        closed_with_vid(&stack, case).await;
    }
    until("the circuit is closed", || async { !left_alone(&stack, "packet_manager").await }).await;
    assert!(witnessed(&stack, "packet_manager: it answers again").await);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_out_does_not_hold_up_what_needs_another() {
    let stack = Stack::with(silent()).await;
    fault(&stack, "mosip.workflow", out());
    let case = birth(&stack).await;
    until("the service is left alone", || async { left_alone(&stack, "workflow").await }).await;
    let other = birth(&stack).await;
    in_state(&stack, other, "packet_created").await;
    assert_eq!(stack.sandbox.ledger(true)["mosip"]["trigger_calls"], 0);
    mend(&stack);
    in_state(&stack, case, "awaiting").await;
    in_state(&stack, other, "awaiting").await;
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_secret_parks_everything_and_does_not_hammer_authmanager() {
    // Fast, since the hub takes our subscription only after the first credentials, which are then issued again.
    let stack = Stack::with(fast()).await;
    fault(&stack, "mosip.auth", RouteFaults { unauthorised_rate: 1.0, ..RouteFaults::default() });
    for _ in 0..8 {
        birth(&stack).await;
    }
    until("authmanager is left alone", || async { left_alone(&stack, "auth").await }).await;
    let asked = || stack.sandbox.arrivals("mosip.auth").iter().sum::<u32>();
    assert!(asked() <= 24, "{} calls until the circuit opened", asked());
    mend(&stack);
    stack.settled().await;
    keeps_its_promises(&stack);
    stack.stop().await;
}
