//! The three sample documents: one operation each, with the packet that the mapping says.

use civitas_sandbox::Document;
use civitas_tests::stack::Stack;
use serde_json::{Value, json};

use crate::support::*;

/// A stack whose OpenCRVS holds the document, and the reply to its trigger.
async fn posted(document: &Document, vids: &[&str]) -> (Stack, Case, Reply) {
    let stack = Stack::start().await;
    stack.subscribed().await;
    for vid in vids {
        stack.sandbox.mosip().enrol(vid);
    }
    assert!(stack.sandbox.opencrvs().import(document.clone()));
    let case = Case::of(document);
    let reply = trigger(&stack, document).await;
    (stack, case, reply)
}

fn in_english(text: &str) -> Value {
    let wrapped = json!([{"language": "eng", "value": text}]);
    json!(wrapped.to_string())
}

/// The packet of the one AID that MOSIP has seen.
fn packet(stack: &Stack) -> Value {
    let aids = stack.sandbox.mosip().aids();
    assert_eq!(aids.len(), 1, "one operation");
    Value::Object(stack.sandbox.mosip().packet_fields(&aids[0]).expect("a packet"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_birth_asks_for_one_uin_with_what_was_declared() {
    let document = sample("birth-register");
    let (stack, case, reply) = posted(&document, &[]).await;
    assert_eq!(reply, Reply { status: 202, body: json!({}) });
    closed_with_vid(&stack, case).await;
    let entry = operation(&stack, case).await.entry;
    assert_eq!((&*entry.operation, &*entry.respond), ("create_uin", "await_external_validation"));
    let fields = packet(&stack);
    assert_eq!(fields["fullName"], in_english("Ace D Portgas"));
    assert_eq!(fields["dateOfBirth"], json!("2026/05/20"));
    assert_eq!(fields["gender"], in_english("Male"));
    assert_eq!(fields["introducerInfoToken"], json!("267315890126"));
    assert_eq!(fields["city"], in_english("Ibombo"));
    assert_eq!(fields["phone"], json!("0734231245"));
    assert_eq!(fields.get("UIN"), None, "a new identity names none");
    let opencrvs = stack.sandbox.opencrvs();
    assert_eq!(opencrvs.status(case.event), Some("REGISTERED"));
    assert_eq!(fields["birthCertificateNumber"], json!(opencrvs.registration_number(case.event).unwrap()));
    assert!(action(&stack, case).await.sentence.contains("below 10 years"));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_correction_updates_with_the_new_name_and_nothing_else() {
    let document = sample("birth-approve-correction");
    let (stack, case, reply) = posted(&document, &["8031687218"]).await;
    assert_eq!(reply, Reply { status: 200, body: json!({}) });
    in_state(&stack, case, "processed").await;
    assert_eq!(operation(&stack, case).await.entry.operation, "update_biographics");
    let fields = packet(&stack);
    assert_eq!(fields["fullName"], in_english("Acer Portgas"));
    assert_eq!(fields["UIN"], json!("8031687218"));
    assert_eq!(fields.get("dateOfBirth"), None, "it did not change");
    assert_eq!(fields.get("gender"), None, "it did not change");
    let stored = stack.sandbox.mosip().attributes("8031687218").unwrap();
    assert_eq!(stored["fullName"], in_english("Acer Portgas"));
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_correction_of_a_child_without_a_uin_asks_for_one() {
    let mut document = sample("birth-approve-correction");
    document.actions[4].declaration.clear();
    let (stack, case, reply) = posted(&document, &[]).await;
    assert_eq!(reply.status, 202);
    closed_with_vid(&stack, case).await;
    assert_eq!(operation(&stack, case).await.entry.operation, "create_uin");
    assert_eq!(packet(&stack)["fullName"], in_english("Acer Portgas"));
    let answer = accepted(&stack, case).remove(0);
    assert_eq!(answer.request_id, document.actions[7].request_id, "the correction that was approved");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_death_without_an_identity_is_registered_at_once_and_nothing_is_sent() {
    let document = sample("death-register");
    let (stack, case, reply) = posted(&document, &[]).await;
    assert_eq!(reply.status, 200);
    assert!(reply.body["registrationNumber"].as_str().is_some_and(|number| number.len() >= 10));
    let decided = action(&stack, case).await;
    assert!(decided.operation.is_none());
    assert_eq!(decided.effect, "none");
    assert!(stack.sandbox.mosip().aids().is_empty());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_death_with_an_identity_flags_one_person_as_deceased() {
    let document = sample("death-eligible");
    let (stack, case, reply) = posted(&document, &["2714358906"]).await;
    assert_eq!(reply.status, 200, "a death waits for nobody");
    assert!(reply.body["registrationNumber"].is_string());
    in_state(&stack, case, "processed").await;
    assert_eq!(operation(&stack, case).await.entry.operation, "flag_deceased");
    let fields = packet(&stack);
    assert_eq!(fields["UIN"], json!("2714358906"));
    assert_eq!(fields["declaredAsDeceased"], json!("Y"));
    assert_eq!(fields["deceasedDeclarationDate"], json!("2025/08/19"));
    assert_eq!(fields["deceasedInformer"], json!("267315890126"));
    assert_eq!(stack.sandbox.ledger(true)["mosip"]["deaths"], json!(1));
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_with_quotes_backslashes_and_other_scripts_arrive_as_they_were_written() {
    let mut document = sample("birth-register");
    let name = json!({"firstname": "Zoë \"Q\" \\n", "surname": "রহমান {{ x }} <b>"});
    document.actions[1].declaration.insert("child.name".to_owned(), name);
    let (stack, case, reply) = posted(&document, &[]).await;
    assert_eq!(reply.status, 202);
    closed_with_vid(&stack, case).await;
    assert_eq!(packet(&stack)["fullName"], in_english("Zoë \"Q\" \\n রহমান {{ x }} <b>"));
    stack.stop().await;
}
