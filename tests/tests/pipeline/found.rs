//! Records that wait in OpenCRVS and not here, or here and not there: found by looking, since nobody tells.

use std::time::Duration;

use civitas_engine::RecordsView;
use civitas_opencrvs::{Client, ConfirmationAuth, Endpoints, SystemClient, Version};
use civitas_sandbox::{Document, Regime, SandboxOptions, TriggerLoss};
use civitas_tests::{
    stack::{Setup, Stack, records},
    wait::until,
    warp::Warp,
};
use serde_json::json;

use crate::support::*;

/// OpenCRVS is looked through, every moment.
fn looking() -> Setup {
    Setup { tune: |options| options.records = records(true), ..Setup::default() }
}

/// The same, but for records in registrars' hands.
fn searching() -> Setup {
    Setup {
        tune: |options| {
            options.records = records(true);
            options.records.sweep_every = None;
        },
        ..Setup::default()
    }
}

async fn differences(stack: &Stack) -> RecordsView {
    stack.engine.queue().outside().await.unwrap().records
}

/// Waits until OpenCRVS was searched to the end this often, from now on.
async fn searched(stack: &Stack, times: u32) {
    for _ in 0..times {
        let before = differences(stack).await.looked_through_at;
        until("OpenCRVS is looked through", || async { differences(stack).await.looked_through_at > before })
            .await;
    }
}

/// How often the record was read.
fn reads(stack: &Stack, case: Case) -> usize {
    let document = stack.sandbox.opencrvs().document(case.event).unwrap();
    document.actions.iter().filter(|action| action.kind == "READ").count()
}

/// A registration whose trigger meets this.
async fn frozen(stack: &Stack, loss: TriggerLoss, form: civitas_sandbox::Declaration) -> Case {
    use civitas_sandbox::{Clicked, Submission};
    let opencrvs = stack.sandbox.opencrvs();
    let event = opencrvs.create("birth");
    let declared = opencrvs.submit(event, Submission::new("DECLARE").with(form)).await;
    assert_eq!(declared.outcome, Clicked::Accepted);
    opencrvs.assign(event);
    opencrvs.lose_triggers(loss);
    let click = opencrvs.submit(event, Submission::new("REGISTER")).await;
    opencrvs.lose_triggers(TriggerLoss::None);
    assert!(matches!(click.outcome, Clicked::Frozen { .. }), "{click:?}");
    Case { event, action: click.action_id.unwrap() }
}

async fn known(stack: &Stack, case: Case) -> bool {
    stack
        .engine
        .queue()
        .show(&case.event.to_string())
        .await
        .unwrap()
        .is_some_and(|record| record.actions.iter().any(|action| action.action_id == case.action))
}

async fn is_found(loss: TriggerLoss) {
    let stack = Stack::with(looking()).await;
    stack.subscribed().await;
    let case = frozen(&stack, loss, eligible()).await;
    until("the record is found", || known(&stack, case)).await;
    assert_eq!(action(&stack, case).await.origin, "found");
    closed_with_vid(&stack, case).await;
    searched(&stack, 2).await;
    let view = differences(&stack).await;
    assert_eq!((view.unknown, view.released, view.stuck.len()), (0, 0, 0), "{view:?}");
    assert_eq!(usize::try_from(view.reads).unwrap(), reads(&stack, case), "each read is counted");
    assert!(view.reads <= 3, "{view:?}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_birth_whose_trigger_was_lost_is_found_and_ends_with_its_vid() {
    is_found(TriggerLoss::Request).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_birth_whose_trigger_was_answered_by_a_broken_proxy_is_found_and_ends_with_its_vid() {
    is_found(TriggerLoss::Answered(502)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_whose_trigger_was_lost_is_found_and_accepted() {
    use civitas_sandbox::{Clicked, Declaration, Submission};
    let stack = Stack::with(looking()).await;
    let (case, outcome) = register(&stack, "birth", ineligible()).await;
    assert_eq!(outcome, Clicked::Accepted);
    let opencrvs = stack.sandbox.opencrvs();
    opencrvs.assign(case.event);
    let mut request = Submission::new("REQUEST_CORRECTION");
    request.declaration = Declaration::from_iter([("child.weightAtBirth".to_owned(), json!(3.4))]);
    request.keep_assignment = true;
    assert_eq!(opencrvs.submit(case.event, request).await.outcome, Clicked::Accepted);
    opencrvs.lose_triggers(TriggerLoss::Request);
    let click = opencrvs.submit(case.event, Submission::new("APPROVE_CORRECTION")).await;
    opencrvs.lose_triggers(TriggerLoss::None);
    let correction = Case { event: case.event, action: click.action_id.unwrap() };
    until("the correction is accepted", || async { accepted(&stack, correction).len() == 1 }).await;
    assert!(opencrvs.pending(case.event).is_empty());
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_was_lost_is_told_again_with_the_same_number() {
    let stack = Stack::with(looking()).await;
    let case = frozen(&stack, TriggerLoss::Reply, ineligible()).await;
    assert!(known(&stack, case).await, "the trigger itself arrived");
    until("the record is registered", || async {
        stack.sandbox.opencrvs().status(case.event) == Some("REGISTERED")
    })
    .await;
    let answers = accepted(&stack, case);
    assert_eq!(answers.len(), 1);
    let repeated = trigger(&stack, &as_triggered(&stack, case)).await;
    assert_eq!(
        (repeated.status, &repeated.body["registrationNumber"]),
        (200, &json!(answers[0].registration_number.clone().unwrap()))
    );
    assert!(timeline(&stack, case.event).await.iter().any(|line| line.contains("told again")));
    keeps_its_promises(&stack);
    stack.stop().await;
}

/// The record as its trigger had it.
fn as_triggered(stack: &Stack, case: Case) -> Document {
    let mut document = stack.sandbox.opencrvs().document(case.event).unwrap();
    let place = document.actions.iter().position(|action| action.id == case.action).unwrap();
    document.actions.truncate(place + 1);
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_record_is_found_once_somebody_opens_it() {
    let stack = Stack::with(searching()).await;
    let case = frozen(&stack, TriggerLoss::Request, ineligible()).await;
    searched(&stack, 4).await;
    assert!(!known(&stack, case).await, "nothing in the index says that it waits");
    stack.sandbox.opencrvs().open(case.event).await;
    until("the record is registered", || async {
        stack.sandbox.opencrvs().status(case.event) == Some("REGISTERED")
    })
    .await;
    assert_eq!(accepted(&stack, case).len(), 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_journal_was_lost_what_waits_is_found_and_sent_once() {
    let stack = Stack::with(Setup { tune: looking().tune, ..silent() }).await;
    let (case, aid) = awaited(&stack).await;
    let stack = stack.restart_on_an_empty_journal().await;
    until("the record is found", || known(&stack, case)).await;
    in_state(&stack, case, "awaiting").await;
    assert_eq!(crate::support::aid(&stack, case).await, aid, "the same packet");
    assert_eq!(stack.sandbox.mosip().aids(), std::slice::from_ref(&aid));
    issue(&stack, &aid, vid("4512879630124577")).await;
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].declaration["child.nid"], json!("4512879630124577"));
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_well_is_searched_and_never_read() {
    let mut setup = silent();
    setup.tune = searching().tune;
    let stack = Stack::with(setup).await;
    let (waits, _) = awaited(&stack).await;
    let (done, _) = register(&stack, "birth", ineligible()).await;
    searched(&stack, 6).await;
    let view = differences(&stack).await;
    assert_eq!((view.frozen, view.reads), (1, 0), "{view:?}");
    assert_eq!(reads(&stack, waits) + reads(&stack, done), 0);
    stack.stop().await;
}

/// Somebody rejects the pending action in OpenCRVS.
async fn reject(stack: &Stack, case: Case) {
    let opencrvs = stack.sandbox.opencrvs();
    let token = opencrvs.trigger_token(case.event, case.action).await.unwrap();
    let input = json!({"json": {"eventId": case.event, "actionId": case.action, "transactionId": "by-hand"}});
    let url = format!("{}/events/event.actions.register.reject", opencrvs.url());
    let sent = stack.http.post(url).bearer_auth(token).json(&input).send().await.unwrap();
    assert_eq!(sent.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_let_go_in_opencrvs_is_shown_and_its_operation_stalls() {
    let mut setup = silent();
    setup.tune = looking().tune;
    let stack = Stack::with(setup).await;
    let (case, _) = awaited(&stack).await;
    searched(&stack, 2).await;
    reject(&stack, case).await;
    assert_eq!(stalled_for(&stack, case, "released_in_opencrvs").await, "it was rejected there");
    until("it is shown", || async { differences(&stack).await.released == 1 }).await;
    let health = stack.http.get(format!("{}/health/ready", stack.url)).send().await.unwrap();
    let health: serde_json::Value = serde_json::from_slice(&health.bytes().await.unwrap()).unwrap();
    let troubles = health["troubles"].to_string();
    assert!(troubles.contains("1 operations wait for records that were let go in OpenCRVS"), "{troubles}");
    assert_eq!(health["status"], "ok", "work is taken all the same");
    assert!(reads(&stack, case) <= 2, "and it is not read again and again");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opencrvs_that_forgot_the_action_is_noticed() {
    let mut setup = silent();
    setup.tune = looking().tune;
    let stack = Stack::with(setup).await;
    let (case, _) = awaited(&stack).await;
    let mut backup = as_triggered(&stack, case);
    backup.actions.pop();
    assert!(stack.sandbox.opencrvs().restore(backup));
    assert_eq!(stalled_for(&stack, case, "released_in_opencrvs").await, "it has no such action there");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opencrvs_that_forgot_our_accept_is_told_the_same_again() {
    let stack = Stack::with(looking()).await;
    stack.subscribed().await;
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    let before = accepted(&stack, case);
    assert!(stack.sandbox.opencrvs().restore(as_triggered(&stack, case)));
    until("it is accepted again", || async { !accepted(&stack, case).is_empty() }).await;
    let after = accepted(&stack, case);
    let said = |answers: &[civitas_sandbox::opencrvs::StoredAction]| {
        let answer = &answers[0];
        (answer.transaction_id.clone(), answer.registration_number.clone(), answer.declaration.clone())
    };
    assert_eq!((after.len(), said(&after)), (1, said(&before)));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_page_is_found_although_the_index_lags() {
    let mut setup = searching();
    setup.sandbox.opencrvs.index_lag = civitas_sandbox::Spread::ms(0, 400);
    let stack = Stack::with(setup).await;
    let opencrvs = stack.sandbox.opencrvs();
    let documents: Vec<_> = (1..=120)
        .map(|number| {
            let mut document = another("birth-register", number);
            document.actions[1].declaration.insert("mother.verified".to_owned(), json!("failed"));
            document
        })
        .collect();
    for document in &documents {
        assert!(opencrvs.import(document.clone()));
    }
    until("all are registered", || async {
        documents.iter().all(|document| opencrvs.status(document.id) == Some("REGISTERED"))
    })
    .await;
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_1_9_what_is_found_is_shown_and_nothing_is_sent() {
    let mut sandbox = SandboxOptions::instant(7);
    sandbox.opencrvs.version = Regime::V1_9;
    let setup = Setup {
        sandbox,
        pack: &[("country.yaml", "opencrvs: \"2.0\"", "opencrvs: \"1.9\"")],
        refit: Some(Box::new(|sandbox, ports| {
            let url = sandbox.opencrvs().url().to_owned();
            let endpoints = Endpoints { gateway: url.clone(), auth: url.clone() };
            let http = civitas_tests::stack::http(Duration::from_secs(5));
            let client = Client::new(http, endpoints, ConfirmationAuth::TriggerToken, Version::V1_9);
            let reader = SystemClient { id: "civitas".to_owned(), secret: "civitas-secret".into() };
            ports.opencrvs = client.with_reader(&url, reader);
        })),
        ..looking()
    };
    let stack = Stack::with(setup).await;
    let case = frozen(&stack, TriggerLoss::Request, eligible()).await;
    until("it is shown", || async { !differences(&stack).await.stuck.is_empty() }).await;
    let shown = differences(&stack).await.stuck.remove(0);
    assert_eq!(shown.cause.unwrap().code, "frozen_without_token");
    assert!(!known(&stack, case).await);
    assert!(stack.sandbox.mosip().aids().is_empty());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_is_refused_is_a_trouble_that_is_shown() {
    let mut setup = looking();
    setup.sandbox.opencrvs.clients[0].scopes.retain(|scope| scope != "record.search");
    let stack = Stack::with(setup).await;
    until("the trouble is shown", || async {
        differences(&stack).await.cause.is_some_and(|cause| cause.starts_with("forbidden"))
    })
    .await;
    assert!(stack.engine.queue().outside().await.unwrap().is_troubled());
    stack.stop().await;
}

/// The feed is taken, and nothing is searched: what is found is found by it.
fn fed_only() -> Setup {
    Setup {
        tune: |options| {
            options.records = records(true);
            options.records.sweep_every = None;
            options.records.every = Duration::from_secs(3600);
        },
        ..Setup::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_waits_in_the_reindex_feed_alone_is_taken_up_without_a_search() {
    let stack = Stack::with(fed_only()).await;
    stack.subscribed().await;
    let well = birth(&stack).await;
    closed_with_vid(&stack, well).await;
    until("OpenCRVS was searched", || async { differences(&stack).await.looked_through_at.is_some() }).await;
    let case = frozen(&stack, TriggerLoss::Request, eligible()).await;
    let searches = differences(&stack).await.searches;
    assert!(stack.sandbox.opencrvs().reindex().await.complete);
    until("the record is found", || known(&stack, case)).await;
    closed_with_vid(&stack, case).await;
    assert_eq!(differences(&stack).await.searches, searches, "nobody searched");
    assert_eq!((reads(&stack, case), reads(&stack, well)), (1, 0), "and what is well was not read");
    let rows = differences(&stack).await;
    assert!(rows.stuck.is_empty(), "{rows:?}");
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_was_lost_is_seen_in_the_feed_and_told_again() {
    let mut setup = fed_only();
    // What came in a moment ago the feed cannot know; here nothing is a moment ago.
    setup.tune = |options| {
        options.records = records(true);
        options.records.sweep_every = None;
        options.records.every = Duration::from_secs(3600);
        options.records.grace = Duration::ZERO;
    };
    let stack = Stack::with(setup).await;
    stack.subscribed().await;
    let case = frozen(&stack, TriggerLoss::Reply, ineligible()).await;
    assert!(known(&stack, case).await, "the trigger came");
    assert!(stack.sandbox.opencrvs().reindex().await.complete);
    until("it is told again", || async { accepted(&stack, case).len() == 1 }).await;
    assert_eq!(reads(&stack, case), 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_here_too_is_not_read_because_the_feed_says_that_it_waits() {
    let mut setup = fed_only();
    setup.sandbox = silent().sandbox;
    let stack = Stack::with(setup).await;
    let (case, _) = awaited(&stack).await;
    assert!(stack.sandbox.opencrvs().reindex().await.complete);
    let mut reader = stack.journal.read().await.unwrap();
    assert_eq!(civitas_journal::sightings::get(&mut reader, case.event).await.unwrap(), None);
    drop(reader);
    assert_eq!(reads(&stack, case), 0);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_whose_trigger_comes_after_the_feed_is_not_read() {
    let mut setup = fed_only();
    setup.sandbox = silent().sandbox;
    setup.tune = |options| {
        options.records = records(true);
        options.records.sweep_every = None;
        options.records.every = Duration::from_secs(24 * 3600);
        options.records.grace = Duration::from_secs(3600);
    };
    // The grace does not end before the trigger came, however slow this machine is.
    let warp = Warp::new(civitas_tests::stack::clock()(), 1.0);
    setup.clock = warp.clock();
    let stack = Stack::with(setup).await;
    let document = another("birth-register", 1);
    assert!(stack.sandbox.opencrvs().import(document.clone()));
    let case = Case::of(&document);
    assert!(stack.sandbox.opencrvs().reindex().await.complete);
    let sighting = || async {
        let mut reader = stack.journal.read().await.unwrap();
        civitas_journal::sightings::get(&mut reader, case.event).await.unwrap()
    };
    assert!(sighting().await.is_some(), "it is noted");
    assert_eq!(trigger(&stack, &document).await.status, 202);
    // Then two hours go by, and no more.
    let over = warp.now() + jiff::SignedDuration::from_hours(2);
    warp.run_at(7_200.0);
    warp.until(over).await;
    warp.run_at(1.0);
    until("it is forgotten", || async { sighting().await.is_none() }).await;
    assert_eq!(reads(&stack, case), 0);
    stack.stop().await;
}
