//! What the record's history is told of an operation that the record did not wait for: a custom action of the system
//! client, performed once, whenever the record is free.

use civitas_journal::notes::{self, NoteState, StoredNote};
use civitas_sandbox::opencrvs::{Status, StoredAction};
use civitas_sandbox::{Clicked, RouteFaults, TriggerLoss};
use civitas_tests::{
    stack::{Setup, Stack},
    wait::until,
};
use serde_json::{Map, json};

use crate::support::*;

const NOTING: &[(&str, &str, &str)] = &[(
    "country.yaml",
    "opencrvs: \"2.0\"\n",
    "opencrvs: \"2.0\"\nhistory: { annotation: civitas.message, custom_action: NATIONAL_ID_NOTE }\n",
)];

fn noting() -> Setup {
    Setup { pack: NOTING, ..Setup::default() }
}

/// A birth with its VID, and the death of that person, which the registrar's click lets go on.
async fn died(stack: &Stack) -> (Case, Case) {
    stack.subscribed().await;
    let born = birth(stack).await;
    closed_with_vid(stack, born).await;
    let vid = stack.sandbox.mosip().vid_of(&aid(stack, born).await).unwrap();
    let (dead, outcome) = register(stack, "death", death_of(&vid)).await;
    assert_eq!(outcome, Clicked::Accepted);
    (born, dead)
}

/// The custom actions of the record, requests and answers.
fn customs(stack: &Stack, case: Case) -> Vec<StoredAction> {
    let document = stack.sandbox.opencrvs().document(case.event).unwrap();
    document.actions.into_iter().filter(|action| action.kind == "CUSTOM").collect()
}

async fn kept(stack: &Stack, case: Case) -> Vec<StoredNote> {
    let mut reader = stack.journal.read().await.unwrap();
    notes::by_event(&mut reader, case.event).await.unwrap()
}

async fn note_is(stack: &Stack, case: Case, state: NoteState) {
    until(&format!("the note is {}", state.as_str()), || async {
        let notes = kept(stack, case).await;
        let gone = notes.iter().find(|note| note.state == NoteState::GivenUp && state != NoteState::GivenUp);
        assert!(gone.is_none(), "{gone:?}");
        notes.iter().any(|note| note.state == state)
    })
    .await;
}

async fn waits_because(stack: &Stack, case: Case, why: &str) {
    until(&format!("the note waits: {why}"), || async {
        kept(stack, case)
            .await
            .iter()
            .any(|note| note.cause.as_deref().is_some_and(|known| known.starts_with(why)))
    })
    .await;
}

/// One request, one acceptance, by the client, in the pack's words.
fn noted_once(stack: &Stack, case: Case, message: &str) {
    let actions = customs(stack, case);
    let shown: Vec<(Status, &str)> =
        actions.iter().map(|action| (action.status, action.created_by_user_type.as_str())).collect();
    assert_eq!(shown, [(Status::Requested, "system"), (Status::Accepted, "system")], "{actions:#?}");
    let asked = &actions[0];
    assert_eq!(asked.custom_action_type.as_deref(), Some("NATIONAL_ID_NOTE"));
    assert_eq!(json!(asked.annotation), json!({"civitas.message": message}));
    assert!(asked.created_at_location.is_some(), "OpenCRVS wants an office of a client");
    assert!(stack.sandbox.opencrvs().pending(case.event).is_empty(), "nothing waits in it");
}

async fn a_death_is_noted(setup: Setup) {
    let stack = Stack::with(setup).await;
    let (born, dead) = died(&stack).await;
    in_state(&stack, dead, "processed").await;
    note_is(&stack, dead, NoteState::Done).await;
    noted_once(&stack, dead, "Identity flagged as deceased");
    let requested = accepted(&stack, dead);
    assert_eq!(
        requested[0].annotation.as_ref().unwrap()["civitas.message"],
        json!("MOSIP notified of the death"),
        "what was begun is said by the registration itself"
    );
    assert!(timeline(&stack, dead.event).await.iter().any(|line| line.starts_with("note")));
    // What the record waited for is said by its acceptance.
    assert!(customs(&stack, born).is_empty() && kept(&stack, born).await.is_empty());
    let said = accepted(&stack, born);
    assert_eq!(said[0].annotation.as_ref().unwrap()["civitas.message"], json!("UIN issued"));
    // OpenCRVS asked us about our own note, and nothing came of it.
    let asked = customs(&stack, dead)[0].id;
    assert!(action(&stack, Case { event: dead.event, action: asked }).await.operation.is_none());
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_that_mosip_took_is_noted_in_the_records_history() {
    a_death_is_noted(noting()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_that_mosip_took_is_noted_in_the_records_history_on_postgresql() {
    let (_server, setup) = on_postgresql(noting()).await;
    a_death_is_noted(setup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_without_a_custom_action_has_nothing_noted() {
    let stack = Stack::start().await;
    let (_, dead) = died(&stack).await;
    in_state(&stack, dead, "processed").await;
    assert!(kept(&stack, dead).await.is_empty());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_somebody_holds_is_waited_for_and_the_operation_is_not() {
    let stack = Stack::with(noting()).await;
    stack.subscribed().await;
    let born = birth(&stack).await;
    closed_with_vid(&stack, born).await;
    let name = json!({"firstname": "Acer", "surname": "Portgas"});
    let (update, _) = correct(&stack, born.event, Map::from_iter([("child.name".to_owned(), name)])).await;
    stack.sandbox.opencrvs().assign(born.event);
    in_state(&stack, update, "processed").await;
    waits_because(&stack, update, "record_not_free").await;
    assert!(customs(&stack, update).is_empty());
    // The next step of the registrar's lets go of it.
    let name = json!({"firstname": "Acest", "surname": "Portgas"});
    correct(&stack, born.event, Map::from_iter([("child.name".to_owned(), name)])).await;
    note_is(&stack, update, NoteState::Done).await;
    assert_eq!(
        customs(&stack, update)[0].annotation.as_ref().unwrap()["civitas.message"],
        json!("Identity corrected")
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_that_times_out_after_success_is_written_once() {
    let stack = Stack::with(noting()).await;
    let late = RouteFaults { timeout_after_success_rate: 1.0, hold_ms: 20, ..RouteFaults::default() };
    fault(&stack, "opencrvs.request", late);
    let (_, dead) = died(&stack).await;
    waits_because(&stack, dead, "note_outcome_unknown").await;
    mend(&stack);
    note_is(&stack, dead, NoteState::Done).await;
    noted_once(&stack, dead, "Identity flagged as deceased");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_whose_trigger_was_lost_freezes_the_record_until_it_is_found() {
    let stack = Stack::with(noting()).await;
    let (_, dead) = died(&stack).await;
    // From here on: OpenCRVS asks about the note, and the answer is lost on its way.
    stack.sandbox.opencrvs().lose_triggers(TriggerLoss::Reply);
    note_is(&stack, dead, NoteState::Done).await;
    noted_once(&stack, dead, "Identity flagged as deceased");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_action_that_is_not_configured_is_not_asked_for() {
    let stack = Stack::with(noting()).await;
    stack.sandbox.opencrvs().form_lacks("NATIONAL_ID_NOTE", true);
    let (_, dead) = died(&stack).await;
    in_state(&stack, dead, "processed").await;
    waits_because(&stack, dead, "custom_action_missing").await;
    assert!(customs(&stack, dead).is_empty());
    assert_eq!(stack.sandbox.opencrvs().confirmations("request BadRequest"), 0, "it is not even tried");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_the_scope_has_its_notes_wait() {
    let mut setup = noting();
    setup.sandbox.opencrvs.clients[0].scopes.retain(|scope| scope != "record.custom-action");
    let stack = Stack::with(setup).await;
    let (_, dead) = died(&stack).await;
    in_state(&stack, dead, "processed").await;
    waits_because(&stack, dead, "credentials_refused").await;
    assert!(customs(&stack, dead).is_empty());
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_of_an_operation_that_mosip_refused_says_so() {
    let stack = Stack::with(noting()).await;
    stack.subscribed().await;
    let (dead, outcome) = register(&stack, "death", death_of("2714358907")).await;
    assert_eq!(outcome, Clicked::Accepted);
    note_is(&stack, dead, NoteState::Done).await;
    assert_eq!(operation(&stack, dead).await.entry.state, "stalled");
    noted_once(&stack, dead, "Identity not flagged");
    stack.stop().await;
}
