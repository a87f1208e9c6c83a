//! Lanes: operations of a record, and of a person, in order; all others go on.

use civitas_engine::queue::{Act, ActRequest};
use civitas_sandbox::{Clicked, Outage, RouteFaults};
use civitas_tests::stack::Stack;
use serde_json::json;

use crate::support::*;

const VID: &str = "8031687218";

/// A record of its own goes all the way to MOSIP: whatever could have been sent before it was.
async fn another_lane_goes_on(stack: &Stack) {
    awaited(stack).await;
}

fn sent(stack: &Stack, aid: &str) -> bool {
    stack.sandbox.mosip().aids().iter().any(|seen| seen == aid)
}

async fn release(stack: &Stack, case: Case) {
    let request = ActRequest {
        record: case.event.to_string(),
        act: Act::Release,
        actor: "amina".to_owned(),
        reason: "it was done by hand".to_owned(),
    };
    stack.engine.queue().act(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_waits_for_the_create_of_its_record() {
    let stack = Stack::with(silent()).await;
    stack.sandbox.mosip().enrol(VID);
    let (created, corrected) = (sample("birth-register"), sample("birth-approve-correction"));
    assert!(stack.sandbox.opencrvs().import(created.clone()));
    let create = Case::of(&created);
    let update = Case::of(&corrected);
    assert_eq!(trigger(&stack, &created).await.status, 202);
    in_state(&stack, create, "awaiting").await;
    assert_eq!(trigger(&stack, &corrected).await.status, 200);
    another_lane_goes_on(&stack).await;
    let later = aid(&stack, update).await;
    assert!(!sent(&stack, &later), "it waits for the create");
    assert_eq!(operation(&stack, update).await.entry.state, "planned");

    issue(&stack, &aid(&stack, create).await, vid(VID)).await;
    in_state(&stack, update, "triggered").await;
    assert!(sent(&stack, &later));
    assert_eq!(operation(&stack, create).await.entry.state, "confirmed");
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_waits_for_an_unfinished_operation_about_the_same_person() {
    let stack = Stack::with(silent()).await;
    stack.sandbox.mosip().enrol(VID);
    let corrected = sample("birth-approve-correction");
    let update = Case::of(&corrected);
    assert_eq!(trigger(&stack, &corrected).await.status, 200);
    in_state(&stack, update, "triggered").await;
    let (death, outcome) = register(&stack, "death", death_of(VID)).await;
    assert_eq!(outcome, Clicked::Accepted, "the registrar does not wait");
    another_lane_goes_on(&stack).await;
    let flag = aid(&stack, death).await;
    assert!(!sent(&stack, &flag), "it waits for the update of the same person");
    release(&stack, update).await;
    in_state(&stack, death, "triggered").await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_death_of_a_child_waits_for_its_birth_to_be_closed() {
    let stack = Stack::with(silent()).await;
    fault(&stack, "opencrvs.accept", RouteFaults { outage: Outage::Unavailable, ..RouteFaults::default() });
    let (born, aid_of_birth) = awaited(&stack).await;
    issue(&stack, &aid_of_birth, vid(VID)).await;
    in_state(&stack, born, "issued").await;
    stack.sandbox.mosip().enrol(VID);
    let (death, _) = register(&stack, "death", death_of(VID)).await;
    another_lane_goes_on(&stack).await;
    assert!(!sent(&stack, &aid(&stack, death).await), "it waits for the birth");
    mend(&stack);
    in_state(&stack, born, "confirmed").await;
    in_state(&stack, death, "triggered").await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_record_blocks_its_own_lane_and_no_other() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    // A packet that can never be built: the gender has no code.
    let mut form = eligible();
    form.insert("child.gender".to_owned(), json!("not a gender"));
    let (blocked, outcome) = register(&stack, "birth", form).await;
    assert_eq!(outcome, Clicked::Awaiting, "the registrar goes on");
    stalled_for(&stack, blocked, "packet_not_buildable").await;
    for _ in 0..5 {
        let case = birth(&stack).await;
        closed_with_vid(&stack, case).await;
    }
    assert_eq!(operation(&stack, blocked).await.entry.state, "stalled");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_hangs_on_one_packet_holds_up_no_other() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    fault(&stack, "mosip.packetmanager", held(std::time::Duration::from_secs(4)));
    let slow = birth(&stack).await;
    civitas_tests::wait::until("the packet is being made", || async {
        !stack.sandbox.mosip().aids().is_empty()
    })
    .await;
    mend(&stack);
    for _ in 0..5 {
        let case = birth(&stack).await;
        closed_with_vid(&stack, case).await;
    }
    closed_with_vid(&stack, slow).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_registered_and_corrected_in_life_is_created_and_then_updated() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    let born = birth(&stack).await;
    closed_with_vid(&stack, born).await;
    let name = json!({"firstname": "Acer", "surname": "Portgas"});
    let changed = [("child.name".to_owned(), name)].into_iter().collect();
    let (update, outcome) = correct(&stack, born.event, changed).await;
    assert_eq!(outcome, Clicked::Accepted);
    in_state(&stack, update, "processed").await;
    let given = stack.sandbox.mosip().vid_of(&aid(&stack, born).await).unwrap();
    let stored = stack.sandbox.mosip().attributes(&given).unwrap();
    assert!(stored["fullName"].as_str().unwrap().contains("Acer D Portgas"), "the middle name stays");
    keeps_its_promises(&stack);
    stack.stop().await;
}
