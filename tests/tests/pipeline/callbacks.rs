//! What comes to the callback address: genuine or not, early, late, twice, wrong. None is acted on wrongly, and
//! each is to be seen afterwards.

use std::time::Duration;

use civitas_mosip::Aid;
use civitas_sandbox::{DeliveryFaults, Faults};
use civitas_tests::{
    stack::{Setup, Stack},
    wait::until,
};
use serde_json::json;

use crate::support::*;

const VID: &str = "4512879630124577";

/// A birth awaits its answer, and MOSIP is silent.
async fn waiting() -> (Stack, Case, String) {
    let stack = Stack::with(silent()).await;
    let (case, aid) = awaited(&stack).await;
    (stack, case, aid)
}

/// The record still waits, and a genuine answer still lands.
async fn still_waits_and_is_answered(stack: Stack, case: Case, aid: &str) {
    assert_eq!(operation(&stack, case).await.entry.state, "awaiting");
    assert!(accepted(&stack, case).is_empty());
    issue(&stack, aid, vid(VID)).await;
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].declaration["child.nid"], json!(VID));
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgery_without_the_hubs_secret_is_refused_and_nothing_of_it_is_kept() {
    let (stack, case, aid) = waiting().await;
    let forged = stack.sandbox.mosip().forged_credential(&aid, "9999999999999999").await.unwrap();
    let mosip = stack.sandbox.mosip();
    let sent = mosip.post_delivery(&callback(&stack), CREDENTIALS, "a guessed secret", &forged).await;
    assert_eq!(sent, Some(401));
    let unsigned = stack.http.post(callback(&stack)).body(forged.clone()).send().await.unwrap();
    assert_eq!(unsigned.status(), 401);
    let junk = stack.http.post(callback(&stack)).header("X-Hub-Signature", "sha256=zz").body(forged);
    assert_eq!(junk.send().await.unwrap().status(), 401);
    assert_eq!(deliveries(&stack).await, Vec::<String>::new());
    assert!(witnessed(&stack, "a callback whose signature is missing or wrong").await);
    still_waits_and_is_answered(stack, case, &aid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgery_by_somebody_who_has_the_hubs_secret_lacks_mosips_proof() {
    let (stack, case, aid) = waiting().await;
    let forged = stack.sandbox.mosip().forged_credential(&aid, "9999999999999999").await.unwrap();
    assert_eq!(deliver(&stack, CREDENTIALS, &forged).await, 200, "kept, and looked into");
    delivery_is(&stack, "quarantined credential_proof_refused").await;
    assert!(witnessed(&stack, "quarantined: credential_proof_refused").await);
    still_waits_and_is_answered(stack, case, &aid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_delivery_is_answered_well_and_has_no_effect() {
    let (stack, case, aid) = waiting().await;
    let body = issue(&stack, &aid, vid(VID)).await;
    for _ in 0..3 {
        assert_eq!(deliver(&stack, CREDENTIALS, &body).await, 200);
    }
    in_state(&stack, case, "confirmed").await;
    assert_eq!(deliver(&stack, CREDENTIALS, &body).await, 200);
    assert_eq!(deliveries(&stack).await, ["matched"]);
    assert!(witnessed(&stack, "delivered again: no effect").await);
    assert_eq!(accepted(&stack, case).len(), 1);
    keeps_its_promises(&stack);
    stack.stop().await;
}

/// Copies that come in the same moment are recorded together, and one of them is the delivery.
async fn copies_at_once(setup: Setup) {
    let stack = Stack::with(setup).await;
    let (case, aid) = awaited(&stack).await;
    let body = stack.sandbox.mosip().genuine_credential(&aid, vid(VID)).await.unwrap();
    let copies = (0..24).map(|_| deliver(&stack, CREDENTIALS, &body));
    assert!(futures::future::join_all(copies).await.iter().all(|status| *status == 200));
    in_state(&stack, case, "confirmed").await;
    assert_eq!(deliveries(&stack).await, ["matched"]);
    assert_eq!(accepted(&stack, case).len(), 1);
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_delivery_that_comes_many_times_at_once_one_counts() {
    copies_at_once(silent()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_delivery_that_comes_many_times_at_once_one_counts_on_postgresql() {
    let (_server, setup) = on_postgresql(silent()).await;
    copies_at_once(setup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_delivery_does_not_have_the_signature_of_the_whole() {
    let (stack, case, aid) = waiting().await;
    let body = stack.sandbox.mosip().genuine_credential(&aid, vid(VID)).await.unwrap();
    let signature = civitas_sandbox::Mosip::hub_signature(civitas_tests::stack::HUB_SECRET, &body).unwrap();
    let half = body[..body.len() / 2].to_vec();
    let cut = stack.http.post(callback(&stack)).header("X-Hub-Signature", signature).body(half.clone());
    assert_eq!(cut.send().await.unwrap().status(), 401);
    assert_eq!(deliveries(&stack).await, Vec::<String>::new());
    // Signed as it is, it is the hub's own trouble: kept, shown, and no reason for the hub to give us up.
    assert_eq!(deliver(&stack, CREDENTIALS, &half).await, 200);
    delivery_is(&stack, "quarantined delivery_unreadable").await;
    assert!(witnessed(&stack, "quarantined: delivery_unreadable").await);
    still_waits_and_is_answered(stack, case, &aid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_ciphertext_is_put_aside_and_the_answer_is_fetched_otherwise() {
    let stack = Stack::with(fast()).await;
    stack.subscribed().await;
    let tampered = DeliveryFaults { tampered_rate: 1.0, ..DeliveryFaults::default() };
    stack.sandbox.set_faults(Faults { deliveries: tampered, ..Faults::default() });
    let case = birth(&stack).await;
    delivery_is(&stack, "quarantined credential_not_openable").await;
    assert!(accepted(&stack, case).is_empty());
    assert!(witnessed(&stack, "quarantined: credential_not_openable").await);
    mend(&stack);
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_of_an_unknown_packet_is_parked_and_then_put_aside() {
    let mut setup = silent();
    setup.tune = |options| options.parking = Duration::from_millis(700);
    let stack = Stack::with(setup).await;
    issue(&stack, "10001200420000120260102030405", vid(VID)).await;
    delivery_is(&stack, "parked").await;
    assert!(witnessed(&stack, "parked: no operation has this AID").await);
    delivery_is(&stack, "quarantined aid_unknown").await;
    assert!(witnessed(&stack, "quarantined: aid_unknown").await);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_is_here_before_its_event_waits_for_it() {
    let stack = Stack::with(silent()).await;
    let document = sample("birth-register");
    assert!(stack.sandbox.opencrvs().import(document.clone()));
    let case = Case::of(&document);
    let at = document.actions.last().unwrap().created_at.parse().unwrap();
    let aid = Aid::derive("10001", "20042", case.event, case.action, at, 0).to_string();
    issue(&stack, &aid, vid(VID)).await;
    delivery_is(&stack, "parked").await;
    assert_eq!(trigger(&stack, &document).await.status, 202);
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].declaration["child.nid"], json!(VID));
    assert_eq!(deliveries(&stack).await, ["matched"]);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_overtakes_the_answer_to_our_own_trigger_lands() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    // MOSIP is done before we hear that it began.
    fault(&stack, "mosip.workflow.instance", held(Duration::from_secs(2)));
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    let lines = timeline(&stack, case.event).await;
    assert!(lines.iter().any(|line| line.starts_with("callback packet_created>issued")), "{lines:?}");
    until("our own call has ended", || async {
        stack.sandbox.ledger(true)["mosip"]["instances"] == json!(1)
    })
    .await;
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_without_the_identifier_stalls_the_record_until_a_good_one_comes() {
    let (stack, case, aid) = waiting().await;
    issue(&stack, &aid, serde_json::Map::new()).await;
    stalled_for(&stack, case, "credential_without_identifier").await;
    delivery_is(&stack, "quarantined credential_without_identifier").await;
    assert!(accepted(&stack, case).is_empty());
    issue(&stack, &aid, vid(VID)).await;
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].declaration["child.nid"], json!(VID));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_without_the_identifier_stays_the_cause_although_mosip_says_processed() {
    let mut setup = Setup::default();
    setup.sandbox.mosip.shared = Vec::new();
    let stack = Stack::with(setup).await;
    stack.subscribed().await;
    let case = birth(&stack).await;
    stalled_for(&stack, case, "credential_without_identifier").await;
    assert_eq!(cause_after_two_looks(&stack, case).await, "credential_without_identifier");
    assert!(accepted(&stack, case).is_empty());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_with_another_registration_number_is_not_taken() {
    let (stack, case, aid) = waiting().await;
    let mut claims = vid(VID);
    claims.insert("birthCertificateNumber".to_owned(), json!("SOMEBODYELSE1"));
    issue(&stack, &aid, claims).await;
    stalled_for(&stack, case, "registration_number_differs").await;
    delivery_is(&stack, "quarantined registration_number_differs").await;
    assert!(accepted(&stack, case).is_empty());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_is_issued_anew_has_one_effect() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    stack.sandbox.mosip().reissue(&aid(&stack, case).await).await;
    delivery_is(&stack, "duplicate").await;
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contradicting_credential_changes_nothing_and_is_shown() {
    let (stack, case, aid) = waiting().await;
    issue(&stack, &aid, vid(VID)).await;
    in_state(&stack, case, "confirmed").await;
    issue(&stack, &aid, vid("1111222233334444")).await;
    delivery_is(&stack, "quarantined contradicting_credential").await;
    assert!(witnessed(&stack, "quarantined: contradicting_credential").await);
    let answers = accepted(&stack, case);
    assert_eq!((answers.len(), &answers[0].declaration["child.nid"]), (1, &json!(VID)));
    assert_eq!(operation(&stack, case).await.entry.state, "confirmed");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_workflows_of_the_rest_of_the_country_are_not_kept() {
    let (stack, case, aid) = waiting().await;
    let completed = |aid: &str| {
        let event =
            json!({"instanceId": aid, "resultCode": "PROCESSED", "workflowType": "NEW", "errorCode": null});
        event.to_string().into_bytes()
    };
    assert_eq!(deliver(&stack, COMPLETED, &completed("99999999990000120260102030405")).await, 200);
    assert_eq!(deliveries(&stack).await, Vec::<String>::new());
    // Ours is kept, and taken for what it is: a reason to ask.
    assert_eq!(deliver(&stack, COMPLETED, &completed(&aid)).await, 200);
    delivery_is(&stack, "matched").await;
    let lines = timeline(&stack, case.event).await;
    assert!(lines.iter().any(|line| line.contains("workflow completed: PROCESSED")), "{lines:?}");
    still_waits_and_is_answered(stack, case, &aid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_nobody_knows_is_kept_and_shown_and_not_refused() {
    let (stack, case, aid) = waiting().await;
    assert_eq!(deliver(&stack, CREDENTIALS, br#"{"something":"else"}"#).await, 200);
    delivery_is(&stack, "quarantined").await;
    still_waits_and_is_answered(stack, case, &aid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_days_worst_deliveries_end_well() {
    let stack = Stack::with(Setup { ..fast() }).await;
    stack.subscribed().await;
    let deliveries = DeliveryFaults {
        duplicate_rate: 0.5,
        late_rate: 0.3,
        late_ms: civitas_sandbox::Spread::ms(50, 500),
        forged_rate: 0.5,
        reissue_rate: 0.3,
        ..DeliveryFaults::default()
    };
    stack.sandbox.set_faults(Faults { deliveries, ..Faults::default() });
    let mut cases = Vec::new();
    for _ in 0..10 {
        cases.push(birth(&stack).await);
    }
    for case in cases {
        closed_with_vid(&stack, case).await;
    }
    stack.stop().await;
}
