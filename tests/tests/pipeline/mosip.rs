//! MOSIP's ways of failing, on each call: the operation resumes where it was, with the same packet, and no
//! workflow is started twice.

use std::time::Duration;

use civitas_engine::{
    Options,
    queue::{Act, ActRequest},
};
use civitas_sandbox::{DeliveryFaults, Faults, Outage, OutcomeFaults, RouteFaults};
use civitas_tests::{
    stack::{Setup, Stack},
    wait::until,
};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

use crate::support::*;

/// While the fault lasts the operation says what is wrong; then it goes on, with one packet and one workflow.
async fn recovers(route: &str, faults: RouteFaults) {
    let stack = Stack::start().await;
    stack.subscribed().await;
    fault(&stack, route, faults);
    let case = birth(&stack).await;
    troubled(&stack, case).await;
    assert!(accepted(&stack, case).is_empty());
    mend(&stack);
    // A fault that lasts, and may be MOSIP's configuration, becomes a person's turn.
    until("the record goes on", || async {
        let entry = operation(&stack, case).await.entry;
        if entry.state == "stalled" {
            let retry = ActRequest {
                record: case.event.to_string(),
                act: Act::Retry,
                actor: "amina".to_owned(),
                reason: "MOSIP works again".to_owned(),
            };
            let _ = stack.engine.queue().act(retry).await;
        }
        entry.state == "confirmed"
    })
    .await;
    closed_with_vid(&stack, case).await;
    let ledger = stack.sandbox.ledger(true);
    assert_eq!(ledger["mosip"]["aids"], json!(1), "{ledger}");
    assert_eq!(ledger["mosip"]["instances"], json!(1), "{ledger}");
    stack.stop().await;
}

macro_rules! recovers {
    ($($name:ident: $route:literal, { $($fault:ident: $value:expr),+ };)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            recovers($route, RouteFaults { $($fault: $value,)+ ..RouteFaults::default() }).await;
        }
    )+};
}

recovers! {
    create_packet_200_with_null_is_no_success: "mosip.packetmanager", { null_in_200_rate: 1.0 };
    create_packet_errors_in_200_are_no_success: "mosip.packetmanager", { errors_in_200_rate: 1.0 };
    create_packet_401_inside_200_is_no_success: "mosip.packetmanager", { unauthorised_rate: 1.0 };
    create_packet_500_is_tried_again: "mosip.packetmanager", { error_rate: 1.0 };
    create_packet_503_is_tried_again: "mosip.packetmanager", { outage: Outage::Unavailable };
    create_packet_that_times_out_after_success_is_the_same_packet_again:
        "mosip.packetmanager", { timeout_after_success_rate: 1.0, hold_ms: 20 };
    workflow_200_with_null_is_no_success: "mosip.workflow.instance", { null_in_200_rate: 1.0 };
    workflow_errors_in_200_are_no_success: "mosip.workflow.instance", { errors_in_200_rate: 1.0 };
    workflow_401_inside_200_is_no_success: "mosip.workflow.instance", { unauthorised_rate: 1.0 };
    workflow_500_is_asked_about: "mosip.workflow.instance", { error_rate: 1.0 };
    workflow_that_cannot_be_reached_is_tried_again: "mosip.workflow.instance", { outage: Outage::Disconnect };
    authmanager_that_is_down_stops_nothing_for_good: "mosip.auth", { outage: Outage::Unavailable };
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_times_out_after_success_is_asked_about_and_never_repeated() {
    // Nothing but the question can tell: no callback comes.
    let stack = Stack::with(silent()).await;
    fault(&stack, "mosip.workflow.instance", held(Duration::from_millis(20)));
    let case = birth(&stack).await;
    in_state(&stack, case, "awaiting").await;
    let lines = timeline(&stack, case.event).await;
    assert!(lines.iter().any(|line| line.contains(">unknown")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("unknown>awaiting engine MOSIP knows it")), "{lines:?}");
    let ledger = stack.sandbox.ledger(true);
    assert_eq!(ledger["mosip"]["trigger_calls"], json!(1), "{ledger}");
    assert_eq!(ledger["mosip"]["creates"], json!(1), "{ledger}");
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_revoked_is_renewed_without_anybody_noticing() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    let first = birth(&stack).await;
    closed_with_vid(&stack, first).await;
    stack.sandbox.mosip().revoke_tokens();
    let second = birth(&stack).await;
    closed_with_vid(&stack, second).await;
    stack.stop().await;
}

/// The packet ends at MOSIP in a way that only a person can resolve.
async fn ends_stalled(outcomes: OutcomeFaults, code: &str, reason: &str) {
    let stack = Stack::with(fast()).await;
    stack.subscribed().await;
    stack.sandbox.set_faults(Faults { outcomes, ..Faults::default() });
    let case = birth(&stack).await;
    let detail = stalled_for(&stack, case, code).await;
    assert!(detail.contains(reason), "the true reason: {detail}");
    let entry = operation(&stack, case).await.entry;
    assert!(entry.next_action_at.is_some(), "it is looked at again");
    assert!(entry.advice.is_some_and(|advice| advice.len() > 20));
    assert!(accepted(&stack, case).is_empty(), "the record is not released by itself");
    let lines = timeline(&stack, case.event).await;
    assert!(lines.iter().any(|line| line.contains(">stalled") && line.contains(reason)), "{lines:?}");
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_packet_stalls_the_record_with_the_true_reason() {
    let outcomes = OutcomeFaults { rejected_rate: 1.0, ..OutcomeFaults::default() };
    ends_stalled(outcomes, "mosip_rejected", "RPR-DDS-001").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_packet_stalls_the_record_with_the_true_reason() {
    let outcomes = OutcomeFaults { failed_rate: 1.0, ..OutcomeFaults::default() };
    ends_stalled(outcomes, "mosip_failed", "RPR-PVM-001").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packet_that_mosip_gave_up_on_without_a_word_is_found_by_asking() {
    let outcomes = OutcomeFaults { reprocess_failed_rate: 1.0, ..OutcomeFaults::default() };
    ends_stalled(outcomes, "mosip_gave_up", "RPR-SYS-012").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_packet_is_found_by_asking_when_its_event_is_lost() {
    let outcomes = OutcomeFaults { rejected_rate: 1.0, completed_lost_rate: 1.0, ..OutcomeFaults::default() };
    ends_stalled(outcomes, "mosip_rejected", "RPR-DDS-001").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_credential_is_missed_and_asked_for_again() {
    let stack = Stack::with(fast()).await;
    stack.subscribed().await;
    let deliveries = DeliveryFaults { lost_rate: 1.0, ..DeliveryFaults::default() };
    stack.sandbox.set_faults(Faults { deliveries, ..Faults::default() });
    let case = birth(&stack).await;
    until("it is noticed that no credential came", || async {
        cause(&stack, case).await.is_some_and(|(code, _)| code == "processed_without_credential")
    })
    .await;
    mend(&stack);
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_completed_event_comes_and_the_credential_is_fetched() {
    let stack = Stack::with(fast()).await;
    stack.subscribed().await;
    let outcomes = OutcomeFaults { credential_failed_rate: 1.0, ..OutcomeFaults::default() };
    stack.sandbox.set_faults(Faults { outcomes, ..Faults::default() });
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    let lines = timeline(&stack, case.event).await;
    assert!(lines.iter().any(|line| line.contains("workflow completed: PROCESSED")), "{lines:?}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_and_continue_operation_ends_when_mosip_says_so() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    let vid = stack.sandbox.population().vid(3);
    let (case, outcome) = register(&stack, "death", death_of(&vid)).await;
    assert_eq!(outcome, civitas_sandbox::Clicked::Accepted);
    in_state(&stack, case, "processed").await;
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_and_continue_operation_of_which_nothing_is_heard_ends_when_its_window_closes() {
    let mut setup = silent();
    setup.tune = |options| options.tracking_window = Duration::from_secs(1);
    let stack = Stack::with(setup).await;
    let vid = stack.sandbox.population().vid(3);
    let (case, _) = register(&stack, "death", death_of(&vid)).await;
    in_state(&stack, case, "sent").await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_outage_took_is_not_taken_from_the_attempts_at_another_failure() {
    let tune = |options: &mut Options| options.backoff.first = Duration::from_millis(500);
    let stack = Stack::without_work(Setup { tune, ..Setup::default() }).await;
    let documents = [another("birth-register", 1), another("birth-register", 2)];
    for document in &documents {
        assert!(stack.sandbox.opencrvs().import(document.clone()));
        assert_eq!(trigger(&stack, document).await.status, 202);
    }
    // One as an outage leaves it, tried many times; the other so often for what may be a lasting reason.
    let file = format!("sqlite:{}", stack.file.as_ref().unwrap().display());
    let mut journal = SqliteConnection::connect(&file).await.unwrap();
    for (document, cause) in documents.iter().zip(["http-503", "null-response"]) {
        let tried = format!(
            "UPDATE operations SET cause = '{cause}', step_attempts = 9 WHERE event_id = '{}'",
            document.id
        );
        assert_eq!(journal.execute(AssertSqlSafe(tried)).await.unwrap().rows_affected(), 1);
    }
    let lasting = RouteFaults { errors_in_200_rate: 1.0, ..RouteFaults::default() };
    fault(&stack, "mosip.packetmanager", lasting);
    let stack = stack.run();
    let [after_outage, after_others] = documents.each_ref().map(Case::of);
    until("the other failure is seen", || async {
        cause(&stack, after_outage).await.is_some_and(|(code, _)| code == "KER-PUT-028")
    })
    .await;
    assert_eq!(
        operation(&stack, after_outage).await.entry.state,
        "planned",
        "no person's turn at first sight"
    );
    in_state(&stack, after_outage, "stalled").await;
    in_state(&stack, after_others, "stalled").await;
    let tried_on = |lines: Vec<String>| lines.iter().any(|line| line.contains("planned>planned"));
    assert!(tried_on(timeline(&stack, after_outage.event).await));
    assert!(!tried_on(timeline(&stack, after_others.event).await), "ten in a row, of two kinds");
    stack.stop().await;
}
