//! Every operation to its own end: read back, checked before it goes out, switched in the ID repository, looked up.

use std::time::Duration;

use civitas_engine::{
    PacketsName,
    queue::{Act, ActError, ActRequest, Filter},
};
use civitas_sandbox::{Clicked, DeliveryFaults, Faults, MosipOptions, Outage, RouteFaults, Submission};
use civitas_tests::{
    stack::{Setup, Stack},
    wait::until,
};
use serde_json::{Map, json};
use uuid::Uuid;

use crate::support::*;

const VID: &str = "4715283906172839";

/// Farajaland, had it decided that revoking a birth switches the identity off.
const SWITCHING: &[(&str, &str, &str)] = &[
    (
        "rules.yaml",
        "    send: birth-revoked\n    respond: continue\n    mode: evaluate\n",
        "    send: birth-revoked\n    respond: continue\n    despite: [automatic_deactivation]\n",
    ),
    (
        "rules.yaml",
        "    send: birth-reinstated\n    respond: continue\n    mode: evaluate\n",
        "    send: birth-reinstated\n    respond: continue\n    despite: [automatic_reactivation]\n",
    ),
];

fn mosip(change: fn(&mut MosipOptions)) -> Setup {
    let mut setup = Setup::default();
    change(&mut setup.sandbox.mosip);
    setup
}

async fn started(setup: Setup) -> Stack {
    let stack = Stack::with(setup).await;
    stack.subscribed().await;
    stack
}

/// A birth with its UIN, and the VID that it got.
async fn known(stack: &Stack) -> (Case, String) {
    let born = birth(stack).await;
    closed_with_vid(stack, born).await;
    let vid = stack.sandbox.mosip().vid_of(&aid(stack, born).await).unwrap();
    (born, vid)
}

/// The child's name is corrected.
async fn renamed(stack: &Stack, event: Uuid) -> Case {
    let name = json!({"firstname": "Acer", "surname": "Portgas"});
    let (update, _) = correct(stack, event, Map::from_iter([("child.name".to_owned(), name)])).await;
    update
}

/// The registration is revoked or reinstated.
async fn custom(stack: &Stack, event: Uuid, kind: &str) -> Case {
    let opencrvs = stack.sandbox.opencrvs();
    opencrvs.assign(event);
    let mut what = Submission::new("CUSTOM");
    what.custom_action_type = Some(kind.to_owned());
    let click = opencrvs.submit(event, what).await;
    assert_eq!(click.outcome, Clicked::Accepted);
    Case { event, action: click.action_id.unwrap() }
}

async fn says(stack: &Stack, event: Uuid, text: &str) {
    let lines = timeline(stack, event).await;
    assert!(lines.iter().any(|line| line.contains(text)), "{text:?} in {lines:#?}");
}

async fn says_nothing_of(stack: &Stack, secret: &str) {
    let leaves = leaves(stack).await;
    assert!(!leaves.iter().any(|leaf| leaf.contains(secret)), "a number is in the log");
    if let Some(file) = &stack.file {
        let bytes = std::fs::read(file).unwrap();
        assert!(
            !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
            "a number is in the file"
        );
    }
}

async fn an_update_is_read_back(setup: Setup) {
    let stack = started(setup).await;
    let (born, _) = known(&stack).await;
    says(&stack, born.event, "UIN issued; credential").await;
    let update = renamed(&stack, born.event).await;
    in_state(&stack, update, "processed").await;
    assert_eq!(cause(&stack, update).await, None);
    says(&stack, born.event, "Identity corrected; MOSIP processed it, and the identity has it").await;
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_took_effect_is_read_back_and_ends() {
    an_update_is_read_back(Setup::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_took_effect_is_read_back_and_ends_on_postgresql() {
    let (_server, setup) = on_postgresql(Setup::default()).await;
    an_update_is_read_back(setup).await;
}

async fn an_update_without_effect_stalls(setup: Setup) {
    let stack = started(setup).await;
    let (born, _) = known(&stack).await;
    let update = renamed(&stack, born.event).await;
    let detail = stalled_for(&stack, update, "update_not_applied").await;
    assert!(detail.contains("maps CRVS_UPDATE to no update") && detail.contains("fullName"), "{detail}");
    let advice = operation(&stack, update).await.entry.advice.unwrap();
    assert!(
        advice.contains("additional-process.category-mapping") && advice.contains("vid-support-for-update")
    );
    assert_eq!(cause_after_two_looks(&stack, update).await, "update_not_applied", "it stays the matter");
    says(&stack, born.event, "Identity not corrected; update_not_applied").await;
    assert!(
        !leaves(&stack).await.iter().any(|leaf| leaf.contains("Acer")),
        "fields are named, values are not"
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_a_mosip_without_its_mapping_processed_is_not_applied() {
    an_update_without_effect_stalls(mosip(|mosip| mosip.update_mapped = false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_a_mosip_without_its_mapping_processed_is_not_applied_on_postgresql() {
    let (_server, setup) = on_postgresql(mosip(|mosip| mosip.update_mapped = false)).await;
    an_update_without_effect_stalls(setup).await;
}

/// MOSIP issues the person's credential again when an update is through, also when it changed nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_credential_for_an_update_is_no_proof_that_it_took_effect() {
    let stack = started(mosip(|mosip| mosip.update_mapped = false)).await;
    let (born, number) = known(&stack).await;
    let update = renamed(&stack, born.event).await;
    stalled_for(&stack, update, "update_not_applied").await;
    let before = deliveries(&stack).await.len();
    issue(&stack, &aid(&stack, update).await, vid(&number)).await;
    until("the credential is settled", || async {
        let known = deliveries(&stack).await;
        known.len() > before && known.iter().all(|delivery| !delivery.starts_with("new"))
    })
    .await;
    stalled_for(&stack, update, "update_not_applied").await;
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_whose_event_is_lost_is_read_back_after_a_poll() {
    let stack = started(mosip(|mosip| mosip.update_mapped = false)).await;
    let (born, _) = known(&stack).await;
    let deliveries = DeliveryFaults { lost_rate: 1.0, ..DeliveryFaults::default() };
    stack.sandbox.set_faults(Faults { deliveries, ..Faults::default() });
    let update = renamed(&stack, born.event).await;
    stalled_for(&stack, update, "update_not_applied").await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_may_not_be_read_back_says_so() {
    let stack = started(mosip(|mosip| mosip.id_repository_audience = Vec::new())).await;
    let (born, _) = known(&stack).await;
    let update = renamed(&stack, born.event).await;
    in_state(&stack, update, "processed").await;
    let (code, detail) = cause(&stack, update).await.unwrap();
    assert_eq!(code, "processed_not_verified");
    assert!(detail.contains("identity/idvid"), "{detail}");
    let rows = stack.engine.queue().list(&Filter::default()).await.unwrap();
    assert!(rows.is_empty(), "nobody has to act: {rows:?}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_down_holds_the_update_up_and_nothing_is_lost() {
    let stack = started(Setup::default()).await;
    let (born, _) = known(&stack).await;
    fault(&stack, "mosip.idrepo", RouteFaults { outage: Outage::Unavailable, ..RouteFaults::default() });
    let update = renamed(&stack, born.event).await;
    until("it waits", || async {
        cause(&stack, update).await.is_some_and(|(_, detail)| detail.contains("identity/idvid"))
    })
    .await;
    assert_eq!(operation(&stack, update).await.entry.state, "planned");
    mend(&stack);
    in_state(&stack, update, "processed").await;
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_waits_for_an_update_goes_on_when_it_is_read_back() {
    let setup = Setup {
        pack: &[(
            "rules.yaml",
            "    send: birth-update\n    respond: continue\n",
            "    send: birth-update\n    respond: await_external_validation\n    deadline: 3 days\n",
        )],
        ..Setup::default()
    };
    let stack = started(setup).await;
    let (born, _) = known(&stack).await;
    let update = renamed(&stack, born.event).await;
    in_state(&stack, update, "confirmed").await;
    assert_eq!(accepted(&stack, update).len(), 1);
    keeps_its_promises(&stack);
    stack.stop().await;
}

async fn a_death_of_an_inactive_vid(setup: Setup) {
    let stack = started(setup).await;
    stack.sandbox.mosip().enrol(VID);
    assert!(stack.sandbox.mosip().deactivate_vid(VID));
    let (death, outcome) = register(&stack, "death", death_of(VID)).await;
    assert_eq!(outcome, Clicked::Accepted, "the registrar does not wait");
    stalled_for(&stack, death, "identity_not_active").await;
    assert!(stack.sandbox.mosip().aids().is_empty(), "nothing was sent");
    says(&stack, death.event, "Identity not flagged; identity_not_active").await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_of_an_inactive_vid_is_a_persons_turn_and_nothing_is_sent() {
    a_death_of_an_inactive_vid(Setup::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_of_an_inactive_vid_is_a_persons_turn_and_nothing_is_sent_on_postgresql() {
    let (_server, setup) = on_postgresql(Setup::default()).await;
    a_death_of_an_inactive_vid(setup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_of_nobody_known_is_a_persons_turn() {
    let stack = started(Setup::default()).await;
    let (death, _) = register(&stack, "death", death_of(VID)).await;
    stalled_for(&stack, death, "identity_not_found").await;
    assert!(stack.sandbox.mosip().aids().is_empty(), "nothing was sent");
    stack.stop().await;
}

async fn a_death_again(setup: Setup) {
    let stack = started(setup).await;
    stack.sandbox.mosip().enrol(VID);
    let (first, _) = register(&stack, "death", death_of(VID)).await;
    in_state(&stack, first, "processed").await;
    says(&stack, first.event, "Identity flagged as deceased").await;
    assert!(stack.sandbox.mosip().deactivate_vid(VID));
    let (again, _) = register(&stack, "death", death_of(VID)).await;
    in_state(&stack, again, "processed").await;
    says(
        &stack,
        again.event,
        &format!("MOSIP was told of this death before, by {}", aid(&stack, first).await),
    )
    .await;
    assert_eq!(stack.sandbox.mosip().aids().len(), 1, "it was not sent again");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_that_mosip_knows_of_succeeds_whatever_became_of_the_vid() {
    a_death_again(Setup::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_that_mosip_knows_of_succeeds_whatever_became_of_the_vid_on_postgresql() {
    let (_server, setup) = on_postgresql(Setup::default()).await;
    a_death_again(setup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mosip_without_vid_support_gets_the_number_and_nobody_keeps_it() {
    let mut setup = mosip(|mosip| mosip.vid_support_for_update = false);
    setup.tune = |options| options.id_repository.packets_name = PacketsName::Uin;
    let stack = started(setup).await;
    stack.sandbox.mosip().enrol(VID);
    let (death, _) = register(&stack, "death", death_of(VID)).await;
    in_state(&stack, death, "processed").await;
    let uin = stack.sandbox.mosip().uin_of(VID).unwrap();
    let sent = stack.sandbox.mosip().packet_fields(&aid(&stack, death).await).unwrap();
    assert_eq!(sent["UIN"], json!(uin));
    says_nothing_of(&stack, &uin).await;
    stack.stop().await;
}

async fn switched_off_and_on(setup: Setup) {
    let stack = started(Setup { pack: SWITCHING, ..setup }).await;
    let (born, vid) = known(&stack).await;
    let packets = stack.sandbox.mosip().aids().len();
    let off = custom(&stack, born.event, "REVOKE_REGISTRATION").await;
    in_state(&stack, off, "processed").await;
    assert_eq!(stack.sandbox.mosip().identity_status(&vid).as_deref(), Some("DEACTIVATED"));
    says(&stack, born.event, "the ID repository took it: DEACTIVATED").await;
    // The VID leads nowhere now; what this engine did before does.
    let on = custom(&stack, born.event, "REINSTATE_REVOKE_REGISTRATION").await;
    in_state(&stack, on, "processed").await;
    assert_eq!(stack.sandbox.mosip().identity_status(&vid).as_deref(), Some("ACTIVATED"));
    assert_eq!(
        stack.sandbox.mosip().vid_of(&aid(&stack, born).await),
        Some(vid.clone()),
        "the VID is the old one"
    );
    let ledger = stack.sandbox.ledger(true);
    assert_eq!(ledger["mosip"]["status_changes"], json!(2), "{ledger}");
    assert_eq!(ledger["mosip"]["creates"], json!(packets), "no packet goes out for it");
    says_nothing_of(&stack, &stack.sandbox.mosip().uin_of(&vid).unwrap()).await;
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_switched_off_and_on_in_the_repository_and_keeps_its_vid() {
    switched_off_and_on(Setup::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_switched_off_and_on_in_the_repository_and_keeps_its_vid_on_postgresql() {
    let (_server, setup) = on_postgresql(Setup::default()).await;
    switched_off_and_on(setup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_is_off_already_is_asked_about_and_not_changed() {
    let stack = started(Setup { pack: SWITCHING, ..Setup::default() }).await;
    let (born, vid) = known(&stack).await;
    assert!(stack.sandbox.mosip().set_identity_status(&vid, "DEACTIVATED"));
    let off = custom(&stack, born.event, "REVOKE_REGISTRATION").await;
    in_state(&stack, off, "processed").await;
    says(&stack, born.event, "the identity was so already: DEACTIVATED").await;
    assert_eq!(stack.sandbox.ledger(true)["mosip"]["status_changes"], json!(0));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_answer_is_lost_is_asked_about_and_not_made_twice() {
    let stack = started(Setup { pack: SWITCHING, ..Setup::default() }).await;
    let (born, vid) = known(&stack).await;
    fault(&stack, "mosip.idrepo.change", held(Duration::from_millis(20)));
    let off = custom(&stack, born.event, "REVOKE_REGISTRATION").await;
    in_state(&stack, off, "processed").await;
    says(&stack, born.event, "planned>unknown engine change_outcome_unknown").await;
    says(&stack, born.event, "unknown>processed engine the ID repository had taken it: DEACTIVATED").await;
    assert_eq!(stack.sandbox.mosip().identity_status(&vid).as_deref(), Some("DEACTIVATED"));
    assert_eq!(stack.sandbox.ledger(true)["mosip"]["status_changes"], json!(1));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_fails_inside_a_200_is_no_success() {
    let stack = started(Setup { pack: SWITCHING, ..Setup::default() }).await;
    let (born, vid) = known(&stack).await;
    fault(&stack, "mosip.idrepo.change", RouteFaults { errors_in_200_rate: 1.0, ..RouteFaults::default() });
    let off = custom(&stack, born.event, "REVOKE_REGISTRATION").await;
    troubled(&stack, off).await;
    assert_ne!(operation(&stack, off).await.entry.state, "processed");
    assert_eq!(stack.sandbox.mosip().identity_status(&vid).as_deref(), Some("ACTIVATED"));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_mosip_blocked_is_not_switched_on() {
    let stack = started(Setup { pack: SWITCHING, ..Setup::default() }).await;
    let (born, vid) = known(&stack).await;
    assert!(stack.sandbox.mosip().set_identity_status(&vid, "BLOCKED"));
    let on = custom(&stack, born.event, "REINSTATE_REVOKE_REGISTRATION").await;
    stalled_for(&stack, on, "identity_blocked").await;
    assert_eq!(stack.sandbox.mosip().identity_status(&vid).as_deref(), Some("BLOCKED"));
    stack.stop().await;
}

async fn a_vid_is_looked_up(setup: Setup) {
    let stack =
        started(Setup { tune: |options| options.credential_grace = Duration::from_millis(200), ..setup })
            .await;
    let deliveries = DeliveryFaults { lost_rate: 1.0, ..DeliveryFaults::default() };
    stack.sandbox.set_faults(Faults { deliveries, ..Faults::default() });
    let born = birth(&stack).await;
    closed_with_vid(&stack, born).await;
    says(&stack, born.event, "UIN issued; the VID was looked up in the ID repository").await;
    let vid = stack.sandbox.mosip().vid_of(&aid(&stack, born).await).unwrap();
    says_nothing_of(&stack, &stack.sandbox.mosip().uin_of(&vid).unwrap()).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vid_whose_credential_never_comes_is_looked_up() {
    a_vid_is_looked_up(fast()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vid_whose_credential_never_comes_is_looked_up_on_postgresql() {
    let (_server, setup) = on_postgresql(fast()).await;
    a_vid_is_looked_up(setup).await;
}

/// The workflow of this packet is said to have ended so.
async fn said(stack: &Stack, aid: &str, result: &str) {
    let body =
        json!({"instanceId": aid, "resultCode": result, "workflowType": "CRVS_NEW", "errorCode": null});
    assert_eq!(deliver(stack, COMPLETED, body.to_string().as_bytes()).await, 200);
}

async fn flagged(stack: &Stack, case: Case, state: &str, code: &str) -> String {
    until(&format!("it is flagged for {code}"), || async {
        cause(stack, case).await.is_some_and(|(found, _)| found == code)
    })
    .await;
    assert_eq!(operation(stack, case).await.entry.state, state, "nothing moves by itself");
    let rows = stack.engine.queue().list(&Filter::default()).await.unwrap();
    assert!(rows.iter().any(|row| row.action_id == case.action && row.state == state), "{rows:?}");
    cause(stack, case).await.unwrap().1
}

async fn release(stack: &Stack, case: Case, what: Act) -> Result<(), ActError> {
    let request = ActRequest {
        record: case.event.to_string(),
        act: what,
        actor: "amina".to_owned(),
        reason: "MOSIP was asked".to_owned(),
    };
    stack.engine.queue().act(request).await.map(drop)
}

async fn contradicted(setup: Setup) {
    let stack = started(setup).await;
    let (born, _) = known(&stack).await;
    let packet = aid(&stack, born).await;
    said(&stack, &packet, "REJECTED").await;
    let detail = flagged(&stack, born, "confirmed", "contradicting_answer").await;
    assert!(detail.contains("issued") && detail.contains("REJECTED"), "{detail}");
    said(&stack, &packet, "REJECTED").await;
    let lines = timeline(&stack, born.event).await;
    assert_eq!(
        lines.iter().filter(|line| line.starts_with("contradiction")).count(),
        1,
        "said once: {lines:?}"
    );
    assert!(matches!(release(&stack, born, Act::Retry).await, Err(ActError::NotPossible { .. })));
    release(&stack, born, Act::Release).await.unwrap();
    assert!(
        stack.engine.queue().list(&Filter::default()).await.unwrap().is_empty(),
        "a person has settled it"
    );
    assert_eq!(operation(&stack, born).await.entry.state, "confirmed");
    assert!(matches!(release(&stack, born, Act::Release).await, Err(ActError::NothingOpen(_))));
    assert_eq!(accepted(&stack, born).len(), 1, "OpenCRVS was told nothing more");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issued_packet_that_is_said_to_be_rejected_is_flagged_until_a_person_settles_it() {
    contradicted(Setup::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issued_packet_that_is_said_to_be_rejected_is_flagged_until_a_person_settles_it_on_postgresql() {
    let (_server, setup) = on_postgresql(Setup::default()).await;
    contradicted(setup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_identifiers_of_one_packet_are_flagged_and_the_first_stays() {
    let stack = started(Setup::default()).await;
    let (born, first) = known(&stack).await;
    issue(&stack, &aid(&stack, born).await, vid("9999888877776666")).await;
    flagged(&stack, born, "confirmed", "contradicting_credential").await;
    assert_eq!(accepted(&stack, born)[0].declaration["child.nid"], json!(first));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_processed_death_that_is_said_to_have_failed_is_flagged() {
    let stack = started(Setup::default()).await;
    stack.sandbox.mosip().enrol(VID);
    let (death, _) = register(&stack, "death", death_of(VID)).await;
    in_state(&stack, death, "processed").await;
    said(&stack, &aid(&stack, death).await, "FAILED").await;
    let detail = flagged(&stack, death, "processed", "contradicting_answer").await;
    assert!(detail.contains("FAILED"), "{detail}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_says_in_the_packs_words_that_mosip_refused() {
    let stack = started(fast()).await;
    let outcomes =
        civitas_sandbox::OutcomeFaults { rejected_rate: 1.0, ..civitas_sandbox::OutcomeFaults::default() };
    stack.sandbox.set_faults(Faults { outcomes, ..Faults::default() });
    let born = birth(&stack).await;
    stalled_for(&stack, born, "mosip_rejected").await;
    says(&stack, born.event, "UIN not issued; mosip_rejected").await;
    stack.stop().await;
}
