//! Packets of our own, for a MOSIP without the packet manager: built once, announced, uploaded, and opened by MOSIP.

use std::time::Duration;

use civitas_sandbox::{Faults, OutcomeFaults, RouteFaults};
use civitas_tests::{
    stack::{Setup, Stack, upload_route},
    wait::until,
};
use serde_json::{Value, json};

use crate::support::*;

/// Packets are made here; our client has the role that this takes.
fn uploading(mut setup: Setup) -> Setup {
    for client in &mut setup.sandbox.mosip.clients {
        client.roles.push("REGISTRATION_PROCESSOR".to_owned());
    }
    setup.tune = |options| options.route = upload_route();
    setup
}

fn ledger(stack: &Stack) -> Value {
    stack.sandbox.ledger(true)["mosip"].clone()
}

/// MOSIP got one packet, always the same bytes, and processed it once.
fn one_packet_once(stack: &Stack) {
    let ledger = ledger(stack);
    assert_eq!((&ledger["aids"], &ledger["instances"]), (&json!(1), &json!(1)), "{ledger}");
    assert_eq!((&ledger["packets_changed"], &ledger["creates"]), (&json!(0), &json!(0)), "{ledger}");
    keeps_its_promises(stack);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_birth_travels_as_a_packet_of_our_own_until_it_is_confirmed() {
    let stack = Stack::with(uploading(Setup::default())).await;
    stack.subscribed().await;
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    one_packet_once(&stack);
    assert_eq!(ledger(&stack)["uploads"], json!(1));
    let aid = aid(&stack, case).await;
    let fields = stack.sandbox.mosip().packet_fields(&aid).expect("MOSIP opened the packet");
    let document = stack.sandbox.opencrvs().document(case.event).unwrap();
    let born = document.actions[0]
        .declaration
        .get("child.dob")
        .or_else(|| document.actions.iter().find_map(|action| action.declaration.get("child.dob")));
    let born = born.and_then(Value::as_str).unwrap().replace('-', "/");
    assert_eq!(fields["dateOfBirth"], json!(born), "the fields arrive as they were decided");
    let lines = timeline(&stack, case.event).await;
    assert!(
        lines.iter().any(|line| line.contains("planned>packet_created")),
        "kept before it is sent: {lines:?}"
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_times_out_after_success_is_asked_about_and_not_repeated() {
    let stack = Stack::with(uploading(silent())).await;
    fault(&stack, "mosip.receiver", held(Duration::from_millis(20)));
    let case = birth(&stack).await;
    in_state(&stack, case, "awaiting").await;
    let lines = timeline(&stack, case.event).await;
    assert!(lines.iter().any(|line| line.contains(">unknown")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("unknown>awaiting engine MOSIP")), "{lines:?}");
    assert_eq!(ledger(&stack)["uploads"], json!(1));
    one_packet_once(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_mosip_accepted_and_lost_is_missed_and_the_same_bytes_are_sent_again() {
    let stack = Stack::with(uploading(Setup::default())).await;
    stack.subscribed().await;
    let outcomes = OutcomeFaults { upload_lost_rate: 1.0, ..OutcomeFaults::default() };
    stack.sandbox.set_faults(Faults { outcomes, ..Faults::default() });
    let case = birth(&stack).await;
    until("it is noticed that MOSIP has nothing", || async {
        timeline(&stack, case.event).await.iter().any(|line| line.contains("upload_not_stored"))
    })
    .await;
    mend(&stack);
    closed_with_vid(&stack, case).await;
    assert!(ledger(&stack)["uploads"].as_u64().is_some_and(|uploads| uploads >= 2));
    one_packet_once(&stack);
    stack.stop().await;
}

/// While the fault lasts the operation says what is wrong; then it goes on with the packet that it has.
async fn recovers(route: &str, faults: RouteFaults, code: &str) {
    let stack = Stack::with(uploading(Setup::default())).await;
    stack.subscribed().await;
    fault(&stack, route, faults);
    let case = birth(&stack).await;
    until(&format!("it says {code}"), || async {
        cause(&stack, case).await.is_some_and(|(found, _)| found == code)
    })
    .await;
    mend(&stack);
    until("it goes on", || async {
        let entry = operation(&stack, case).await.entry;
        if entry.state == "stalled" {
            retry(&stack, case).await;
        }
        entry.state == "confirmed"
    })
    .await;
    closed_with_vid(&stack, case).await;
    one_packet_once(&stack);
    stack.stop().await;
}

async fn retry(stack: &Stack, case: Case) {
    let retry = civitas_engine::queue::ActRequest {
        record: case.event.to_string(),
        act: civitas_engine::queue::Act::Retry,
        actor: "amina".to_owned(),
        reason: "MOSIP works again".to_owned(),
    };
    let _ = stack.engine.queue().act(retry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_answered_with_nothing_is_no_success() {
    let faults = RouteFaults { null_in_200_rate: 1.0, ..RouteFaults::default() };
    recovers("mosip.sync", faults, "sync-null-response").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_with_errors_under_200_is_no_success() {
    let faults = RouteFaults { errors_in_200_rate: 1.0, ..RouteFaults::default() };
    recovers("mosip.receiver", faults, "KER-PUT-028").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_is_tried_again_with_the_same_bytes() {
    let faults = RouteFaults { outage: civitas_sandbox::Outage::Unavailable, ..RouteFaults::default() };
    recovers("mosip.receiver", faults, "http-503").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_mosip_takes_no_uploads_of_is_a_persons_turn_before_anything_is_sent() {
    let stack = Stack::with(uploading(Setup::default())).await;
    let vid = stack.sandbox.population().vid(3);
    let (case, _) = register(&stack, "death", death_of(&vid)).await;
    let detail = stalled_for(&stack, case, "process_not_uploadable").await;
    assert_eq!(detail, "CRVS_DEATH");
    let ledger = ledger(&stack);
    assert_eq!((&ledger["aids"], &ledger["uploads"]), (&json!(0), &json!(0)), "{ledger}");
    stack.stop().await;
}
