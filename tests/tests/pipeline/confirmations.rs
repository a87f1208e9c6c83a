//! What OpenCRVS is told, and how it is told: every type of action, reasons, notes, and what it does not take.

use std::time::Duration;

use civitas_engine::{
    Arrival, Origin,
    queue::{Act, ActRequest},
};
use civitas_opencrvs::{Client, ConfirmationAuth, Endpoints, SystemClient, Version};
use civitas_sandbox::{Clicked, Declaration, Document, Regime, RouteFaults, SandboxOptions};
use civitas_tests::{
    stack::{Setup, Stack},
    wait::until,
};
use serde_json::json;

use crate::support::*;

/// The birth sample with a pending action of this type, as a country configuration that answered 202 would emit it.
fn waiting(number: u128, kind: &str, version: Regime) -> Document {
    let base = if kind.ends_with("CORRECTION") && kind != "REQUEST_CORRECTION" {
        "birth-approve-correction"
    } else {
        "birth-register"
    };
    let mut document = another(base, number);
    let last = document.actions.last_mut().unwrap();
    kind.clone_into(&mut last.kind);
    if kind == "CUSTOM" {
        last.custom_action_type = Some("NOTE".to_owned());
    }
    last.content = match kind {
        "REJECT" | "ARCHIVE" | "REJECT_CORRECTION" => Some(json!({"reason": "not enough proof"})),
        "EDIT" => Some(json!({"comment": "as asked"})),
        _ => None,
    };
    if version == Regime::V1_9 {
        for action in &mut document.actions {
            "68a33795caf0b9e13a86d51f".clone_into(&mut action.created_by);
            action.assigned_to = action.assigned_to.as_ref().map(|_| action.created_by.clone());
        }
    }
    document
}

fn client(sandbox: &civitas_sandbox::Sandbox, version: Regime) -> Client {
    let url = sandbox.opencrvs().url().to_owned();
    let endpoints = Endpoints { gateway: url.clone(), auth: url.clone() };
    let system = || SystemClient { id: "civitas".to_owned(), secret: "civitas-secret".into() };
    let (auth, version) = match version {
        Regime::V1_9 => (ConfirmationAuth::TriggerToken, Version::V1_9),
        Regime::V2_0 => (ConfirmationAuth::Exchange { client: system() }, Version::V2_0),
        Regime::V2_1 => (ConfirmationAuth::ClientCredentials { client: system() }, Version::V2_1),
    };
    Client::new(civitas_tests::stack::http(Duration::from_secs(5)), endpoints, auth, version)
}

/// A stack beside an OpenCRVS of this version.
fn beside(version: Regime) -> Setup {
    let mut sandbox = SandboxOptions::instant(7);
    sandbox.opencrvs.version = version;
    let scopes = &mut sandbox.opencrvs.clients[0].scopes;
    scopes.extend(
        ["notify", "declare", "edit", "reject", "archive", "print-certified-copies", "custom"]
            .map(|scope| format!("record.{scope}")),
    );
    let pack: &'static [(&str, &str, &str)] = match version {
        Regime::V1_9 => &[("country.yaml", "opencrvs: \"2.0\"", "opencrvs: \"1.9\"")],
        Regime::V2_0 => &[],
        Regime::V2_1 => &[("country.yaml", "opencrvs: \"2.0\"", "opencrvs: \"2.1\"")],
    };
    Setup {
        sandbox,
        pack,
        tune: |options| options.keep_trigger_tokens = true,
        refit: Some(Box::new(move |sandbox, ports| ports.opencrvs = client(sandbox, version))),
        ..Setup::default()
    }
}

async fn emitted(stack: &Stack, document: &Document) -> Case {
    let (action, _) = pending(document);
    assert!(stack.sandbox.opencrvs().import(document.clone()));
    let token = stack.sandbox.opencrvs().trigger_token(document.id, action).await.unwrap();
    let token = secrecy::SecretString::from(token);
    let ends = civitas_opencrvs::token_expiry(&token);
    let arrival =
        Arrival { token: Some(token), token_expires_at: ends, origin: Origin::Kafka, ..arrival(document) };
    stack.engine.ingest(vec![arrival]).await.pop().unwrap().unwrap();
    Case { event: document.id, action }
}

/// Every type is accepted, on every version that has it, with what it needs.
async fn every_type_is_accepted(version: Regime) {
    let stack = Stack::with(beside(version)).await;
    let mut kinds = vec![
        "NOTIFY",
        "DECLARE",
        "REJECT",
        "ARCHIVE",
        "PRINT_CERTIFICATE",
        "REQUEST_CORRECTION",
        "REJECT_CORRECTION",
    ];
    kinds.extend(if version == Regime::V1_9 { vec!["VALIDATE"] } else { vec!["EDIT", "CUSTOM"] });
    for (number, kind) in (1..).zip(kinds) {
        let document = waiting(number, kind, version);
        let case = emitted(&stack, &document).await;
        until(&format!("{kind} is accepted"), || async { accepted(&stack, case).len() == 1 }).await;
        let answer = accepted(&stack, case).remove(0);
        assert_eq!(
            (answer.kind.as_str(), &answer.transaction_id),
            (kind, &format!("civitas-{}", case.action))
        );
        let asked = document.actions.last().unwrap();
        assert_eq!(answer.content, asked.content, "{kind}");
        assert_eq!(answer.request_id, asked.request_id, "{kind}");
    }
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_action_is_accepted_in_1_9() {
    every_type_is_accepted(Regime::V1_9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_action_is_accepted_in_2_0() {
    every_type_is_accepted(Regime::V2_0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_action_is_accepted_in_2_1() {
    every_type_is_accepted(Regime::V2_1).await;
}

/// A birth that no rule would register, so that the pack says no.
const REFUSING: &[(&str, &str, &str)] = &[(
    "rules.yaml",
    "rules:\n  - id: birth-uin-on-registration\n",
    "rules:\n  - id: nobody-known\n    name: { en: Nobody is known, fr: Personne }\n    on: { event: birth, action: REGISTER }\n    \
     if: { mother.verified: { in: [failed] } }\n    do: reject\n    reason: { en: authenticate a parent first, fr: un parent }\n\
     \x20 - id: birth-uin-on-registration\n",
)];

async fn is_rejected(version: Regime, said: bool) {
    let mut setup = beside(version);
    let mut pack = REFUSING.to_vec();
    pack.extend(setup.pack);
    setup.pack = Vec::leak(pack);
    let stack = Stack::with(setup).await;
    let mut document = waiting(1, "REGISTER", version);
    document.actions[1].declaration.insert("mother.verified".to_owned(), json!("failed"));
    let case = emitted(&stack, &document).await;
    let opencrvs = stack.sandbox.opencrvs();
    until("it is rejected", || async { opencrvs.pending(case.event).is_empty() }).await;
    until("the engine knows", || async {
        action(&stack, case).await.confirmation.is_some_and(|told| told.state == "done")
    })
    .await;
    let record = opencrvs.document(case.event).unwrap();
    let reason = record.actions.iter().find(|action| action.kind == "REJECT");
    let reason = reason.map(|action| action.content.as_ref().unwrap()["reason"].clone());
    assert_eq!(reason, said.then(|| json!("authenticate a parent first")));
    assert!(opencrvs.flags(case.event).contains(&"register:rejected".to_owned()));
    assert_eq!(opencrvs.flags(case.event).contains(&"rejected".to_owned()), said);
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_registrars_token_a_rejection_says_why() {
    is_rejected(Regime::V1_9, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_client_rejects_without_a_reason() {
    is_rejected(Regime::V2_0, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_can_only_be_accepted() {
    let stack = Stack::with(silent()).await;
    let mut document = another("birth-approve-correction", 1);
    for action in &mut document.actions {
        action.declaration.remove("child.nid");
    }
    assert!(stack.sandbox.opencrvs().import(document.clone()));
    assert_eq!(trigger(&stack, &document).await.status, 202);
    let case = Case::of(&document);
    in_state(&stack, case, "awaiting").await;
    let act = |act| ActRequest {
        record: case.event.to_string(),
        act,
        actor: "amina".to_owned(),
        reason: "mosip does not answer".to_owned(),
    };
    let refused = stack.engine.queue().act(act(Act::Reject)).await.unwrap_err().to_string();
    assert!(refused.contains("cannot reject this action afterwards"), "{refused}");
    stack.engine.queue().act(act(Act::Release)).await.unwrap();
    until("the correction stands", || async { accepted(&stack, case).len() == 1 }).await;
    assert_eq!(accepted(&stack, case)[0].declaration, Declaration::new());
    assert_eq!(stack.sandbox.opencrvs().confirmations("reject Internal"), 0, "it is not even tried");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_that_the_form_does_not_have() {
    let stack = Stack::with(silent()).await;
    stack.sandbox.opencrvs().form_lacks("child.nid", true);
    let (case, aid) = awaited(&stack).await;
    issue(&stack, &aid, vid("4512879630124577")).await;
    assert_eq!(stalled_for(&stack, case, "field_not_in_form").await, "child.nid");
    assert!(accepted(&stack, case).is_empty(), "the record would be broken");
    assert_eq!(stack.sandbox.opencrvs().confirmations("accept ok"), 0);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_cannot_be_had_for_a_moment_is_waited_for() {
    let stack = Stack::with(silent()).await;
    let (case, aid) = awaited(&stack).await;
    fault(&stack, "opencrvs.config", RouteFaults { error_rate: 1.0, ..RouteFaults::default() });
    issue(&stack, &aid, vid("4512879630124577")).await;
    accept_failed(&stack, case).await;
    assert!(accepted(&stack, case).is_empty());
    mend(&stack);
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].declaration["child.nid"], json!("4512879630124577"));
    stack.stop().await;
}

/// Somebody else accepts the pending registration.
async fn accept_by_hand(stack: &Stack, case: Case, number: &str) {
    let opencrvs = stack.sandbox.opencrvs();
    let token = opencrvs.trigger_token(case.event, case.action).await.unwrap();
    let input = json!({"json": {
        "eventId": case.event, "actionId": case.action, "transactionId": "by-hand", "registrationNumber": number,
    }});
    let url = format!("{}/events/event.actions.register.accept", opencrvs.url());
    let sent = stack.http.post(url).bearer_auth(token).json(&input).send().await.unwrap();
    assert_eq!(sent.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_that_somebody_elses_accept_left_out_is_not_lost_in_silence() {
    let stack = Stack::with(silent()).await;
    let (case, aid) = awaited(&stack).await;
    accept_by_hand(&stack, case, "BYHAND00001").await;
    issue(&stack, &aid, vid("4512879630124577")).await;
    stalled_for(&stack, case, "accepted_by_somebody_else").await;
    assert_eq!(accepted(&stack, case).len(), 1, "and nothing was written twice");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_number_that_another_record_has_is_a_persons_turn() {
    let stack = Stack::with(silent()).await;
    let (case, aid) = awaited(&stack).await;
    let (_, number) = {
        let mut reader = stack.journal.read().await.unwrap();
        let key = civitas_journal::RecordKey::new(case.event, case.action);
        let event = civitas_journal::civil_events::get(&mut reader, key).await.unwrap().unwrap().event;
        (event.key, event.registration_number.unwrap())
    };
    // Somebody registers another record by hand, with our number.
    let mut other = another("birth-register", 9);
    other.tracking_id = "TAKEN1".to_owned();
    assert!(stack.sandbox.opencrvs().import(other.clone()));
    let taken = Case::of(&other);
    accept_by_hand(&stack, taken, &number).await;
    issue(&stack, &aid, vid("4512879630124577")).await;
    assert_eq!(stalled_for(&stack, case, "registration_number_taken").await, "TAKEN1");
    assert!(accepted(&stack, case).is_empty());
    assert_eq!(action(&stack, case).await.confirmation.unwrap().state, "stalled");
    // The other record is put right; a retry says the same again.
    let mut put_right = other.clone();
    put_right.actions.pop();
    assert!(stack.sandbox.opencrvs().restore(put_right));
    let retry = ActRequest {
        record: case.event.to_string(),
        act: Act::Retry,
        actor: "amina".to_owned(),
        reason: "the other record was put right".to_owned(),
    };
    stack.engine.queue().act(retry).await.unwrap();
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].registration_number, Some(number));
    stack.stop().await;
}

/// The pack's messages are told under this key.
const NOTED: &[(&str, &str, &str)] =
    &[("country.yaml", "opencrvs: \"2.0\"", "opencrvs: \"2.0\"\nhistory: { annotation: civitas.message }")];

fn note(answer: &civitas_sandbox::opencrvs::StoredAction) -> Option<&str> {
    answer.annotation.as_ref()?.get("civitas.message")?.as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_records_history_says_what_became_of_it_in_the_packs_words() {
    let stack = Stack::with(Setup { pack: NOTED, ..Setup::default() }).await;
    stack.subscribed().await;
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    assert_eq!(note(&accepted(&stack, case)[0]), Some("UIN issued"));
    let known = stack.sandbox.mosip().vid_of(&aid(&stack, case).await).unwrap();
    let (death, outcome) = register(&stack, "death", death_of(&known)).await;
    assert_eq!(outcome, Clicked::Accepted);
    assert_eq!(note(&accepted(&stack, death)[0]), Some("MOSIP notified of the death"));
    let (other, outcome) = register(&stack, "birth", ineligible()).await;
    assert_eq!(outcome, Clicked::Accepted);
    assert_eq!(accepted(&stack, other)[0].annotation, None, "no rule, no message");
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_person_let_go_says_so_in_its_history() {
    let mut setup = silent();
    setup.pack = NOTED;
    let stack = Stack::with(setup).await;
    let (case, _) = awaited(&stack).await;
    let release = ActRequest {
        record: case.event.to_string(),
        act: Act::Release,
        actor: "amina".to_owned(),
        reason: "mosip does not answer".to_owned(),
    };
    stack.engine.queue().act(release).await.unwrap();
    until("it is accepted", || async { !accepted(&stack, case).is_empty() }).await;
    assert_eq!(note(&accepted(&stack, case)[0]), Some("UIN not issued"));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_trigger_gets_the_same_note_and_number() {
    let stack = Stack::with(Setup { pack: NOTED, ..Setup::default() }).await;
    let mut document = another("death-eligible", 3);
    document.actions[1].declaration.insert("deceased.nid".to_owned(), json!("2714358906"));
    let first = trigger(&stack, &document).await;
    let again = trigger(&stack, &document).await;
    assert_eq!(
        (first.status, first.body["annotation"]["civitas.message"].as_str()),
        (200, Some("MOSIP notified of the death"))
    );
    assert_eq!(first, again);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_trigger_many_times_at_once_gets_one_answer() {
    let stack = Stack::start().await;
    let mut document = another("birth-register", 5);
    document.actions[1].declaration.insert("mother.verified".to_owned(), json!("failed"));
    let token = stack.sandbox.opencrvs().trigger_token(document.id, pending(&document).0).await.unwrap();
    let wrapped = json!({ "event": document }).to_string().into_bytes();
    let bare = serde_json::to_vec(&document).unwrap();
    let calls = (0..24).map(|place| {
        let (path, body) = if place % 2 == 0 {
            ("/trigger/events/birth/actions/REGISTER", bare.clone())
        } else {
            ("/triggers/events/birth/actions/REGISTER", wrapped.clone())
        };
        post(&stack, path, Some(&token), "application/json", body)
    });
    let answers: Vec<Reply> = futures::future::join_all(calls).await;
    assert_eq!(answers[0].status, 200);
    assert!(answers[0].body["registrationNumber"].is_string());
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(show(&stack, document.id).await.actions.len(), 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accept_before_our_202_lands_ends_registered_and_the_stale_index_is_repaired() {
    let mut setup = silent();
    setup.tune = |options| {
        options.records = civitas_tests::stack::records(true);
        options.records.sweep_every = None;
    };
    let stack = Stack::with(setup).await;
    let opencrvs = stack.sandbox.opencrvs();
    let (case, aid) = awaited(&stack).await;
    let asked = opencrvs.document(case.event).unwrap();
    issue(&stack, &aid, vid("4512879630124577")).await;
    in_state(&stack, case, "confirmed").await;
    // Core's copy of before the reply reaches the index last.
    opencrvs.index_as_of(case.event, asked.actions.len());
    until("the index is repaired", || async {
        let read = opencrvs.document(case.event).unwrap().actions.iter().any(|action| action.kind == "READ");
        let records = stack.engine.queue().outside().await.unwrap().records;
        read && records.frozen == 0
    })
    .await;
    assert_eq!(accepted(&stack, case).len(), 1);
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_by_the_pack_is_seen_with_its_reason() {
    let stack = Stack::with(Setup { pack: REFUSING, ..Setup::default() }).await;
    let mut document = another("birth-register", 6);
    document.actions[1].declaration.insert("mother.verified".to_owned(), json!("failed"));
    let answer = trigger(&stack, &document).await;
    assert_eq!((answer.status, &answer.body), (400, &json!({"reason": "authenticate a parent first"})));
    let case = Case::of(&document);
    let shown = action(&stack, case).await;
    assert_eq!(
        (shown.answer.as_str(), shown.answer_reason.as_deref()),
        ("reject", Some("authenticate a parent first"))
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_that_waited_is_accepted_and_nothing_is_written() {
    let pack: &[(&str, &str, &str)] = &[(
        "rules.yaml",
        "do: flag_deceased\n    send: death\n    respond: continue",
        "do: flag_deceased\n    send: death\n    respond: await_external_validation",
    )];
    let stack = Stack::with(Setup { pack, ..Setup::default() }).await;
    stack.subscribed().await;
    let born = birth(&stack).await;
    closed_with_vid(&stack, born).await;
    let known = stack.sandbox.mosip().vid_of(&aid(&stack, born).await).unwrap();
    let (death, outcome) = register(&stack, "death", death_of(&known)).await;
    assert_eq!(outcome, Clicked::Awaiting);
    in_state(&stack, death, "confirmed").await;
    let answers = accepted(&stack, death);
    assert_eq!(
        (answers.len(), &answers[0].declaration),
        (1, &Declaration::new()),
        "no identifier, not even an empty one"
    );
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_before_mosip_answered_is_said_in_time() {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };
    let seconds = Arc::new(AtomicI64::new(0));
    let (system, shift) = (civitas_tests::stack::clock(), Arc::clone(&seconds));
    let mut setup = beside(Regime::V1_9);
    setup.sandbox.mosip = silent().sandbox.mosip;
    setup.clock = Arc::new(move || system() + jiff::SignedDuration::from_secs(shift.load(Ordering::Relaxed)));
    let stack = Stack::with(setup).await;
    let case = emitted(&stack, &waiting(1, "REGISTER", Regime::V1_9)).await;
    in_state(&stack, case, "awaiting").await;
    let ending = async || stack.engine.queue().outside().await.unwrap().records.tokens_ending;
    assert_eq!(ending().await, 0, "seven days are left");
    seconds.store(6 * 86_400 + 3600, Ordering::Relaxed);
    assert_eq!(ending().await, 1);
    assert!(stack.engine.queue().outside().await.unwrap().is_troubled());
    stack.stop().await;
}
