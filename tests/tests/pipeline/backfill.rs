//! Registrations of the past: kept out of the reindex feed, judged as they stand, planned once, sent in order, and never
//! told to OpenCRVS.

use std::collections::BTreeMap;

use civitas_engine::backfill::{Planning, Verdict, judge};
use civitas_journal::{Sealer, civil_events::Origin, operations, reindexed};
use civitas_opencrvs::EventDocument;
use civitas_sandbox::{Clicked, Declaration, Feed, RouteFaults};
use civitas_tests::stack::{Setup, Stack, clock};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::support::*;

/// Records that were registered before the rules knew of them: the pack asks for nothing at first.
async fn registered(stack: &Stack, form: Declaration, kind: &str) -> Case {
    // A country configuration that accepts everything by itself.
    let (case, outcome) = register(stack, kind, form).await;
    assert!(matches!(outcome, Clicked::Accepted | Clicked::Awaiting), "{outcome:?}");
    case
}

/// What the feed brought, opened.
async fn spooled(stack: &Stack, sealer: &Sealer) -> BTreeMap<Uuid, Vec<u8>> {
    let mut reader = stack.journal.read().await.unwrap();
    let page = reindexed::page(&mut reader, Uuid::nil(), 1000).await.unwrap();
    page.into_iter().map(|(id, sealed)| (id, sealed.open(sealer).unwrap().as_bytes().to_vec())).collect()
}

async fn plan(stack: &Stack, documents: Vec<Vec<u8>>, at: Timestamp) -> Planning {
    stack.engine.plan_past(documents, at, || at).await.unwrap()
}

/// OpenCRVS with registrations that Civitas never heard of: another journal decided them.
async fn with_a_past() -> (Stack, Vec<Case>, Case, Case) {
    let stack = Stack::with(Setup::default()).await;
    stack.subscribed().await;
    let before = Stack::with(Setup {
        // Its rules match nobody.
        pack: &[
            ("rules.yaml", "- child.nid: absent", "- child.nid: present"),
            ("rules.yaml", "if: { deceased.nid: present }", "if: { deceased.nid: absent }"),
        ],
        ..Setup::default()
    })
    .await;
    stack.sandbox.opencrvs().set_country_config(&before.url);
    let mut children = Vec::new();
    for _ in 0..3 {
        children.push(registered(&stack, eligible(), "birth").await);
    }
    let stranger = registered(&stack, ineligible(), "birth").await;
    let death = registered(&stack, death_of(&stack.sandbox.population().vid(3)), "death").await;
    stack.sandbox.opencrvs().set_country_config(&stack.url);
    before.stop().await;
    (stack, children, stranger, death)
}

#[tokio::test(flavor = "multi_thread")]
async fn past_registrations_are_planned_once_sent_and_never_told_to_opencrvs() {
    let (stack, children, stranger, death) = with_a_past().await;
    // A batch that OpenCRVS's database fails for is missing, and nobody is told; what a whole run brings later is added.
    let fed = stack.sandbox.opencrvs().reindex_as(Feed { batch: 2, lost: Some(1) }).await;
    assert_eq!((fed.complete, fed.documents), (true, 3));
    assert_eq!(spooled(&stack, stack.journal.sealer()).await.len(), 3);
    let fed = stack.sandbox.opencrvs().reindex().await;
    assert!(fed.complete);
    assert_eq!(fed.documents, 5);
    // Batches repeat.
    stack.sandbox.opencrvs().reindex().await;
    let documents = spooled(&stack, stack.journal.sealer()).await;
    assert_eq!(documents.len(), 5);

    let at = clock()();
    let pack = stack.engine.pack();
    let asks = |case: Case| {
        let document = EventDocument::parse(&documents[&case.event]).unwrap();
        let judged = judge(&document, &pack, at);
        assert_eq!(
            judged.asks().map(|(key, _)| key.action_id),
            match judged.verdict {
                Verdict::Asks { .. } => Some(case.action),
                _ => None,
            }
        );
        judged.verdict
    };
    assert!(matches!(asks(children[0]), Verdict::Asks { .. }));
    assert_eq!(asks(stranger), Verdict::Nothing("none"));
    let (confirmed, all) = (stack.sandbox.opencrvs().confirmations("accept ok"), documents.into_values());
    let all: Vec<Vec<u8>> = all.collect();
    let planning = plan(&stack, all.clone(), at).await;
    assert_eq!(planning, Planning { planned: 4, known: 0, nothing: 1, unreadable: 0 });
    let again = plan(&stack, all, clock()()).await;
    assert_eq!((again.planned, again.known), (0, 4), "a run may be repeated");
    for case in children.iter().chain([&death]) {
        in_state(&stack, *case, "processed").await;
    }
    stack.settled().await;
    let aids = stack.sandbox.mosip().aids();
    assert_eq!(aids.len(), 4);
    for case in children.iter().chain([&death]) {
        // A second has room for 100,000 AIDs: a back-fill of a country has them of when each record was registered.
        let document = stack.sandbox.opencrvs().document(case.event).unwrap();
        let document = EventDocument::parse(&serde_json::to_vec(&document).unwrap()).unwrap();
        let action = document.actions.iter().find(|action| action.id == case.action).unwrap();
        let registered_at = action.created_at.at().strftime("%Y%m%d%H%M%S").to_string();
        assert!(aids.iter().any(|aid| aid.ends_with(&registered_at)), "{registered_at} in {aids:?}");
    }
    assert_eq!(
        stack.sandbox.opencrvs().confirmations("accept ok"),
        confirmed,
        "nothing waited, nothing is told"
    );
    let mut reader = stack.journal.read().await.unwrap();
    civitas_tests::wait::until("the identifiers are here", || async {
        let mut reader = stack.journal.read().await.unwrap();
        let rows = operations::of_origin(&mut reader, Origin::Backfill, 0, 100).await.unwrap();
        rows.iter().filter(|(operation, _, _)| operation.issued.is_some()).count() >= 3
    })
    .await;
    let recorded =
        civitas_journal::history::by_record(&mut reader, &children[0].event.to_string()).await.unwrap();
    let mut archive = civitas_engine::verify::Archive::default();
    let evidence =
        civitas_engine::verify::Evidence::gather(&mut reader, &mut archive, recorded).await.unwrap();
    drop(reader);
    for one in evidence {
        assert_eq!(one.verify(stack.journal.sealer()), Vec::new(), "the decision can be taken again");
    }
    assert!(witnessed(&stack, "back-fill of a past registration").await);
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_waits_or_that_is_no_child_any_more_is_left_alone() {
    let stack = Stack::with(silent()).await;
    let waiting = birth(&stack).await;
    let text = serde_json::to_vec(&stack.sandbox.opencrvs().document(waiting.event).unwrap()).unwrap();
    let document = EventDocument::parse(&text).unwrap();
    let pack = stack.engine.pack();
    assert_eq!(judge(&document, &pack, clock()()).verdict, Verdict::Waiting);
    // The same child, registered, and eleven years later.
    let done = serde_json::to_vec(&sample("birth-approve-correction")).unwrap();
    let mut value: serde_json::Value = serde_json::from_slice(&done).unwrap();
    for action in value["actions"].as_array_mut().unwrap() {
        action["declaration"]["child.nid"] = json!(null);
    }
    value["actions"].as_array_mut().unwrap().retain(|action| {
        let kind = action["type"].as_str().unwrap();
        !kind.contains("CORRECTION") && kind != "READ"
    });
    let document = EventDocument::parse(value.to_string().as_bytes()).unwrap();
    let now: Timestamp = "2026-06-01T10:00:00Z".parse().unwrap();
    let later: Timestamp = "2037-06-01T10:00:00Z".parse().unwrap();
    assert!(matches!(judge(&document, &pack, now).verdict, Verdict::Asks { .. }));
    assert_eq!(judge(&document, &pack, later).verdict, Verdict::Nothing("none"));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_later_is_sent_later_and_survives_an_outage_of_mosip() {
    let (stack, children, ..) = with_a_past().await;
    stack.sandbox.opencrvs().reindex().await;
    let documents: Vec<Vec<u8>> = spooled(&stack, stack.journal.sealer()).await.into_values().collect();
    fault(&stack, "mosip.packetmanager", RouteFaults { error_rate: 1.0, ..RouteFaults::default() });
    let at = clock()();
    let far = at.checked_add(jiff::SignedDuration::from_hours(1)).unwrap();
    let mut place = 0;
    let planning = stack.engine.plan_past(documents, at, || {
        place += 1;
        if place == 1 { at } else { far }
    });
    assert_eq!(planning.await.unwrap().planned, 4);
    mend(&stack);
    civitas_tests::wait::until("the first one is done", || async { stack.sandbox.mosip().aids().len() == 1 })
        .await;
    let mut planned = 0;
    for case in &children {
        planned += usize::from(operation(&stack, *case).await.entry.state == "planned");
    }
    assert!(planned >= 2, "{planned} of three are still to come");
    stack.stop().await;
}
