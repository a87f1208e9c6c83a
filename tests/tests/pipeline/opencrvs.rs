//! OpenCRVS's ways of failing while it is told: the same call again, until it is heard once.

use std::time::Duration;

use civitas_sandbox::{Outage, RouteFaults};
use civitas_tests::stack::Stack;
use serde_json::json;

use crate::support::*;

/// While the fault lasts the accept is tried again and again; the record ends accepted once.
async fn is_heard_once(route: &str, faults: RouteFaults) {
    let stack = Stack::start().await;
    stack.subscribed().await;
    fault(&stack, route, faults);
    let case = birth(&stack).await;
    accept_failed(&stack, case).await;
    assert_eq!(operation(&stack, case).await.entry.state, "issued");
    mend(&stack);
    closed_with_vid(&stack, case).await;
    let answers = accepted(&stack, case);
    assert_eq!(
        answers[0].transaction_id,
        format!("civitas-{}", case.action),
        "the same transaction each time"
    );
    let number = stack.sandbox.opencrvs().registration_number(case.event);
    assert_eq!(answers[0].registration_number, number);
    assert!(number.is_some());
    stack.stop().await;
}

macro_rules! heard_once {
    ($($name:ident: $route:literal, { $($fault:ident: $value:expr),+ };)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            is_heard_once($route, RouteFaults { $($fault: $value,)+ ..RouteFaults::default() }).await;
        }
    )+};
}

heard_once! {
    an_accept_that_times_out_after_success_is_repeated_identically:
        "opencrvs.accept", { timeout_after_success_rate: 1.0, hold_ms: 20 };
    a_masked_500_is_ambiguous_and_the_accept_is_repeated: "opencrvs.accept", { error_rate: 1.0 };
    an_accept_is_repeated_while_opencrvs_is_away: "opencrvs.accept", { outage: Outage::Unavailable };
    an_accept_is_repeated_while_opencrvs_hangs_up: "opencrvs.accept", { outage: Outage::Disconnect };
    an_accept_is_repeated_when_its_token_ran_out: "opencrvs.accept", { unauthorised_rate: 1.0 };
    an_accept_waits_for_the_auth_service: "opencrvs.token", { outage: Outage::Unavailable };
}

/// Somebody rejects the pending action in OpenCRVS.
async fn reject(stack: &Stack, case: Case) {
    let opencrvs = stack.sandbox.opencrvs();
    let token = opencrvs.trigger_token(case.event, case.action).await.unwrap();
    let input = json!({"json": {"eventId": case.event, "actionId": case.action, "transactionId": "by-hand"}});
    let sent = stack
        .http
        .post(format!("{}/events/event.actions.register.reject", opencrvs.url()))
        .bearer_auth(token)
        .json(&input)
        .send();
    assert_eq!(sent.await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_rejected_meanwhile_is_a_persons_turn() {
    let stack = Stack::with(silent()).await;
    let (case, aid) = awaited(&stack).await;
    reject(&stack, case).await;
    issue(&stack, &aid, vid("4512879630124577")).await;
    stalled_for(&stack, case, "record_already_rejected").await;
    let told = action(&stack, case).await.confirmation.unwrap();
    assert_eq!((&*told.verdict, &*told.state), ("accept", "stalled"));
    let lines = timeline(&stack, case.event).await;
    assert!(
        lines.iter().any(|line| line.starts_with("confirmation") && line.contains("record_already_rejected"))
    );
    let answers = accepted(&stack, case);
    assert_eq!(answers.len(), 1, "the rejection, and nothing after it");
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_it_was_rejected_stays_the_cause_although_mosip_says_processed() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    fault(&stack, "opencrvs.accept", RouteFaults { outage: Outage::Unavailable, ..RouteFaults::default() });
    let case = birth(&stack).await;
    accept_failed(&stack, case).await;
    reject(&stack, case).await;
    mend(&stack);
    stalled_for(&stack, case, "record_already_rejected").await;
    assert_eq!(cause_after_two_looks(&stack, case).await, "record_already_rejected");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_opencrvs_is_waited_for() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    // Longer than our own time-out: each attempt is applied and none is heard.
    fault(&stack, "opencrvs.accept", held(Duration::from_secs(6)));
    let case = birth(&stack).await;
    accept_failed(&stack, case).await;
    mend(&stack);
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}
