//! Canaries: names, identifiers and tokens that go in and are nowhere to be found but where they belong.

use civitas_journal::outbox;
use civitas_tests::stack::{Setup, Stack};
use serde_json::json;

use crate::support::*;

const NAMES: [&str; 4] = ["Canarywilhelmina", "Canaryfamily", "Canarymother", "canary@mail.example"];

/// What must not be found, as it is and as other encodings would show it.
fn assert_absent(place: &str, text: &[u8], canaries: &[String]) {
    for canary in canaries {
        let found = text.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "{canary} is in {place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn canaries_are_in_no_leaf_no_message_no_error_and_not_in_the_file() {
    let setup =
        Setup { publish: true, tune: |options| options.keep_trigger_tokens = true, ..Setup::default() };
    let stack = Stack::with(setup).await;
    stack.subscribed().await;
    let mut document = another("birth-register", 1);
    let form = &mut document.actions[1].declaration;
    form.insert("child.name".to_owned(), json!({"firstname": NAMES[0], "surname": NAMES[1]}));
    form.insert("mother.name".to_owned(), json!({"firstname": NAMES[2], "surname": NAMES[1]}));
    form.insert("informant.email".to_owned(), json!(NAMES[3]));
    assert!(stack.sandbox.opencrvs().import(document.clone()));
    let case = Case::of(&document);
    let token = stack.sandbox.opencrvs().trigger_token(case.event, case.action).await.unwrap();
    let body = serde_json::to_vec(&document).unwrap();
    let path = "/trigger/events/birth/actions/REGISTER";
    let reply = post(&stack, path, Some(&token), "application/json", body.clone()).await;
    assert_eq!(reply.status, 202);
    closed_with_vid(&stack, case).await;

    // A record that cannot be sent, a delivery that cannot be read, requests that are refused.
    let mut unsendable = another("birth-register", 2);
    unsendable.actions[1].declaration = document.actions[1].declaration.clone();
    unsendable.actions[1].declaration.insert("child.gender".to_owned(), json!(NAMES[0]));
    assert_eq!(trigger(&stack, &unsendable).await.status, 202);
    let signed_half = &body[..body.len() - 2];
    assert_eq!(deliver(&stack, CREDENTIALS, signed_half).await, 200);
    delivery_is(&stack, "quarantined").await;
    let mut errors = Vec::new();
    for (bearer, sent) in [
        (Some("canary.token.text"), body.clone()),
        (Some(&*token), signed_half.to_vec()),
        (Some(&*token), String::from_utf8(body).unwrap().replace("Requested", NAMES[0]).into_bytes()),
    ] {
        let reply = post(&stack, path, bearer, "application/json", sent).await;
        assert!(matches!(reply.status, 400 | 401), "{reply:?}");
        errors.extend(reply.body.to_string().into_bytes());
    }

    let aid = aid(&stack, case).await;
    let mut canaries: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    canaries.push(stack.sandbox.mosip().vid_of(&aid).unwrap());
    canaries.push("canary.token.text".to_owned());
    canaries.extend(token.split('.').skip(1).map(|part| part[..40].to_owned()));
    assert_absent("an error", &errors, &canaries);
    assert_absent("the audit log", leaves(&stack).await.join("\n").as_bytes(), &canaries);
    let mut reader = stack.journal.read().await.unwrap();
    let messages = outbox::next_batch(&mut reader, 1000).await.unwrap();
    assert!(messages.len() > 10, "messages are queued for publication");
    assert_absent("the outbox", format!("{messages:?}").as_bytes(), &canaries);
    for message in &messages {
        assert_absent("a message", message.value.as_deref().unwrap_or_default(), &canaries);
    }
    drop(reader);
    let shown = serde_json::to_vec(&show(&stack, case.event).await).unwrap();
    assert_absent("the queue", &shown, &canaries);
    let unsendable = serde_json::to_vec(&show(&stack, unsendable.id).await).unwrap();
    assert_absent("the queue", &unsendable, &canaries);

    let file = stack.file.clone().unwrap();
    let raw = || {
        let mut raw = std::fs::read(&file).unwrap();
        raw.extend(std::fs::read(file.with_extension("db-wal")).unwrap_or_default());
        raw
    };
    let bytes = raw();
    assert!(
        bytes.windows(29).any(|window| window == aid.as_bytes()),
        "the AID is there, so this is the file"
    );
    assert_absent("the database file", &bytes, &canaries);
    stack.stop().await;
}
