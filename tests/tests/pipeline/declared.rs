//! What rules write into records: with the answer to the trigger, or with the accept of a record that waited.

use civitas_sandbox::{Clicked, RouteFaults};
use civitas_tests::stack::{Setup, Stack};
use serde_json::json;

use crate::support::*;

/// Both rules write: one is answered at once, the other when MOSIP has spoken.
const WRITING: &[(&str, &str, &str)] = &[
    (
        "rules.yaml",
        "    send: death\n    respond: continue\n",
        "    send: death\n    respond: continue\n    write:\n      deceased.verified: { constant: verified }\n      \
         deceased.brn: { given: registration_number }\n",
    ),
    (
        "rules.yaml",
        "    deadline: 14 days\n    # What the record's history says.\n",
        "    deadline: 14 days\n    write: { informant.verified: { constant: pending } }\n",
    ),
];

fn writing() -> Setup {
    Setup { pack: WRITING, ..silent() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_is_answered_with_what_the_rule_writes_the_same_each_time() {
    let stack = Stack::with(writing()).await;
    let document = another("death-eligible", 1);
    assert!(stack.sandbox.opencrvs().import(document.clone()));
    let first = trigger(&stack, &document).await;
    assert_eq!(first.status, 200);
    let number = first.body["registrationNumber"].clone();
    assert!(number.is_string());
    assert_eq!(first.body["declaration"], json!({"deceased.verified": "verified", "deceased.brn": number}));
    assert_eq!(trigger(&stack, &document).await, first, "the journal holds what was answered");
    assert!(!witnessed(&stack, "not_written").await);

    let (case, outcome) = register(&stack, "death", death_of("2714358907")).await;
    assert_eq!(outcome, Clicked::Accepted);
    let answers = accepted(&stack, case);
    assert_eq!(answers[0].declaration["deceased.verified"], json!("verified"));
    assert_eq!(stack.sandbox.opencrvs().status(case.event), Some("REGISTERED"));
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_rule_that_writes_holds_no_declaration() {
    let stack = Stack::with(silent()).await;
    let document = another("death-eligible", 1);
    assert!(stack.sandbox.opencrvs().import(document.clone()));
    let answer = trigger(&stack, &document).await;
    assert_eq!((answer.status, answer.body.get("declaration")), (200, None));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_form_does_not_have_is_left_out_of_the_answer_and_said() {
    let stack = Stack::with(writing()).await;
    stack.sandbox.opencrvs().form_lacks("deceased.verified", true);
    let (case, outcome) = register(&stack, "death", death_of("2714358907")).await;
    assert_eq!(outcome, Clicked::Accepted, "the registrar goes on");
    let answers = accepted(&stack, case);
    assert!(!answers[0].declaration.contains_key("deceased.verified"));
    assert!(answers[0].declaration.contains_key("deceased.brn"), "the rest is written");
    let said = "deceased.verified: the form of OpenCRVS does not have this field";
    assert!(timeline(&stack, case.event).await.iter().any(|line| line.contains(said)));
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_cannot_be_looked_at_costs_the_values_and_not_the_answer() {
    let mut setup = writing();
    let config = RouteFaults { error_rate: 1.0, ..RouteFaults::default() };
    setup.sandbox.faults.routes.insert("opencrvs.config".to_owned(), config);
    let stack = Stack::with(setup).await;
    let (case, outcome) = register(&stack, "death", death_of("2714358907")).await;
    assert_eq!(outcome, Clicked::Accepted);
    assert!(accepted(&stack, case)[0].declaration.is_empty());
    assert!(witnessed(&stack, "the form of OpenCRVS could not be looked at").await);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_waited_gets_its_values_with_the_accept() {
    let stack = Stack::with(writing()).await;
    let (case, aid) = awaited(&stack).await;
    issue(&stack, &aid, vid("4512879630124577")).await;
    in_state(&stack, case, "confirmed").await;
    let answers = accepted(&stack, case);
    assert_eq!(
        json!(answers[0].declaration),
        json!({"child.nid": "4512879630124577", "informant.verified": "pending"})
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accept_goes_without_a_value_whose_field_the_form_has_lost() {
    let stack = Stack::with(writing()).await;
    let (case, aid) = awaited(&stack).await;
    stack.sandbox.opencrvs().form_lacks("informant.verified", true);
    issue(&stack, &aid, vid("4512879630124577")).await;
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].declaration["child.nid"], json!("4512879630124577"));
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_by_kafka_is_accepted_with_what_the_rule_writes() {
    let stack = Stack::with(writing()).await;
    let document = another("death-eligible", 1);
    assert!(stack.sandbox.opencrvs().import(document.clone()));
    let case = Case::of(&document);
    stack.engine.ingest(vec![arrival(&document)]).await.pop().unwrap().unwrap();
    civitas_tests::wait::until("the death is accepted", || async { accepted(&stack, case).len() == 1 }).await;
    assert_eq!(accepted(&stack, case)[0].declaration["deceased.verified"], json!("verified"));
    stack.stop().await;
}
