//! The queue, as an integrator works on it.

use civitas_engine::queue::{Act, ActError, ActRequest, Acted, Filter};
use civitas_sandbox::{Clicked, Faults, OutcomeFaults};
use civitas_tests::stack::{Setup, Stack};
use serde_json::json;

use crate::support::*;

const VID: &str = "4512879630124577";

async fn act(stack: &Stack, record: &str, act: Act, reason: &str) -> Result<Acted, ActError> {
    let request =
        ActRequest { record: record.to_owned(), act, actor: "amina".to_owned(), reason: reason.to_owned() };
    stack.engine.queue().act(request).await
}

/// Acts on a record; the engine may be looking at it at this very moment.
async fn done(stack: &Stack, case: Case, what: Act, reason: &str) -> Acted {
    let mut done = None;
    for _ in 0..100 {
        match act(stack, &case.event.to_string(), what, reason).await {
            Ok(acted) => {
                done = Some(acted);
                break;
            }
            Err(ActError::NotPossible { why, .. }) if why.contains("at this moment") => {
                tokio::task::yield_now().await;
            }
            Err(other) => panic!("{what:?}: {other}"),
        }
    }
    done.unwrap_or_else(|| panic!("{what:?} was never possible"))
}

/// A record whose packet MOSIP rejected.
async fn rejected_by_mosip() -> (Stack, Case) {
    let stack = Stack::with(Setup { ..fast() }).await;
    stack.subscribed().await;
    let outcomes = OutcomeFaults { rejected_rate: 1.0, ..OutcomeFaults::default() };
    stack.sandbox.set_faults(Faults { outcomes, ..Faults::default() });
    let case = birth(&stack).await;
    stalled_for(&stack, case, "mosip_rejected").await;
    (stack, case)
}

async fn signed(stack: &Stack, case: Case, line: &str) {
    let lines = timeline(stack, case.event).await;
    assert!(lines.iter().any(|found| found.starts_with("operator") && found.contains(line)), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_record_is_listed_and_shown_by_each_of_its_names() {
    let stack = Stack::with(silent()).await;
    let (case, aid) = awaited(&stack).await;
    let rows = stack.engine.queue().list(&Filter::default()).await.unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row.event_id, row.action_id, row.aid.as_deref()), (case.event, case.action, Some(&*aid)));
    assert!(
        row.frozen && row.state == "awaiting" && row.deadline_at.is_some() && row.next_action_at.is_some()
    );
    assert!(row.sentence.starts_with("UIN requested at birth"), "{}", row.sentence);
    for name in [case.event.to_string(), row.tracking_id.clone(), row.tracking_id.to_lowercase(), aid] {
        let view = stack.engine.queue().show(&name).await.unwrap().unwrap_or_else(|| panic!("{name}"));
        assert_eq!(view.event_id, case.event);
        let registered = view.actions.iter().find(|action| action.action_id == case.action).unwrap();
        assert_eq!(registered.sentence, row.sentence);
        assert_eq!(registered.rule.as_deref(), Some("birth-uin-on-registration"));
        let moves: Vec<_> = view.timeline.iter().filter_map(|line| line.to.as_deref()).collect();
        assert!(moves.ends_with(&["create_uin", "packet_created", "awaiting"]), "{moves:?}");
        assert!(view.timeline.windows(2).all(|pair| pair[0].index < pair[1].index));
    }
    assert!(stack.engine.queue().show("NOSUCH").await.unwrap().is_none());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_finds_what_is_stalled_for_a_cause() {
    let (stack, case) = rejected_by_mosip().await;
    let by_cause = Filter { cause: Some("mosip_rejected".to_owned()), ..Filter::default() };
    assert_eq!(stack.engine.queue().list(&by_cause).await.unwrap()[0].event_id, case.event);
    let other = Filter { cause: Some("deadline_passed".to_owned()), ..Filter::default() };
    assert!(stack.engine.queue().list(&other).await.unwrap().is_empty());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_record_goes_on_without_an_identifier_and_a_late_answer_is_kept() {
    let stack = Stack::with(silent()).await;
    let (case, aid) = awaited(&stack).await;
    let acted = done(&stack, case, Act::Release, "the family travels today").await;
    assert_eq!((&*acted.from, &*acted.to), ("awaiting", "released"));
    civitas_tests::wait::until("OpenCRVS is told", || async {
        stack.sandbox.opencrvs().status(case.event) == Some("REGISTERED")
    })
    .await;
    let answers = accepted(&stack, case);
    assert_eq!((answers.len(), answers[0].declaration.get("child.nid")), (1, None));
    signed(&stack, case, "awaiting>released amina the family travels today").await;
    // OpenCRVS has it before we have its answer.
    civitas_tests::wait::until("nothing is open", || async {
        stack.engine.queue().list(&Filter::default()).await.unwrap().is_empty()
    })
    .await;

    issue(&stack, &aid, vid(VID)).await;
    delivery_is(&stack, "matched").await;
    let kept = operation(&stack, case).await;
    assert!(kept.issued, "the late answer is kept");
    assert_eq!(kept.entry.state, "released");
    assert_eq!(accepted(&stack, case).len(), 1, "and OpenCRVS is not told a second time");
    let lines = timeline(&stack, case.event).await;
    assert!(lines.iter().any(|line| line.contains("answered after a person had closed it")), "{lines:?}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_record_goes_back_to_the_registrar_and_can_be_registered_anew() {
    let (stack, case) = rejected_by_mosip().await;
    let acted = done(&stack, case, Act::Reject, "the child is registered already").await;
    assert_eq!((&*acted.from, &*acted.to), ("stalled", "rejected"));
    civitas_tests::wait::until("OpenCRVS is told", || async {
        stack.sandbox.opencrvs().flags(case.event).contains(&"register:rejected".to_owned())
    })
    .await;
    signed(&stack, case, "stalled>rejected amina the child is registered already").await;
    mend(&stack);
    let opencrvs = stack.sandbox.opencrvs();
    opencrvs.assign(case.event);
    let again = opencrvs.submit(case.event, civitas_sandbox::Submission::new("REGISTER")).await;
    assert_eq!(again.outcome, Clicked::Awaiting);
    let anew = Case { event: case.event, action: again.action_id.unwrap() };
    closed_with_vid(&stack, anew).await;
    assert_ne!(aid(&stack, anew).await, aid(&stack, case).await);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_asks_at_once_and_is_signed() {
    let stack = Stack::with(silent()).await;
    let (case, _) = awaited(&stack).await;
    let acted = done(&stack, case, Act::Retry, "MOSIP was restarted").await;
    assert_eq!((&*acted.from, &*acted.to), ("awaiting", "awaiting"));
    signed(&stack, case, "awaiting>awaiting amina MOSIP was restarted").await;
    in_state(&stack, case, "awaiting").await;
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_mosip_ended_for_good_is_not_retried() {
    let (stack, case) = rejected_by_mosip().await;
    let before = timeline(&stack, case.event).await.len();
    let refusal = loop {
        match act(&stack, &case.event.to_string(), Act::Retry, "once more").await {
            Err(ActError::NotPossible { why, .. }) if why.contains("at this moment") => {}
            Err(refusal) => break refusal,
            Ok(acted) => panic!("{acted:?}"),
        }
    };
    assert!(matches!(&refusal, ActError::NotPossible { why, .. } if why.contains("for good")), "{refusal}");
    assert_eq!(timeline(&stack, case.event).await.len(), before, "a refused act changes nothing");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_without_a_reason_or_on_what_is_closed_or_unknown_are_refused() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    let record = case.event.to_string();
    for what in [Act::Retry, Act::Release, Act::Reject] {
        assert!(matches!(act(&stack, &record, what, "  ").await, Err(ActError::NoReason)));
        assert!(matches!(act(&stack, &record, what, "a reason").await, Err(ActError::NothingOpen(_))));
        assert!(matches!(act(&stack, "NOSUCH", what, "a reason").await, Err(ActError::NoSuchRecord(_))));
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_cannot_be_rejected_afterwards_but_released() {
    let stack = Stack::with(silent()).await;
    // Registered without a known parent, who comes back: the correction asks for the UIN.
    let (born, outcome) = register(&stack, "birth", ineligible()).await;
    assert_eq!(outcome, Clicked::Accepted);
    let changed = [("mother.verified".to_owned(), json!("authenticated"))].into_iter().collect();
    let (case, outcome) = correct(&stack, born.event, changed).await;
    assert_eq!(outcome, Clicked::Awaiting);
    in_state(&stack, case, "awaiting").await;
    let refusal = loop {
        match act(&stack, &case.event.to_string(), Act::Reject, "a mistake").await {
            Err(ActError::NotPossible { why, .. }) if why.contains("at this moment") => {}
            Err(refusal) => break refusal,
            Ok(acted) => panic!("{acted:?}"),
        }
    };
    assert!(
        matches!(&refusal, ActError::NotPossible { why, .. } if why.contains("OpenCRVS cannot")),
        "{refusal}"
    );
    done(&stack, case, Act::Release, "a mistake").await;
    civitas_tests::wait::until("OpenCRVS is told", || async { accepted(&stack, case).len() == 1 }).await;
    assert!(stack.sandbox.opencrvs().pending(case.event).is_empty());
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_mosip_has_issued_is_not_rejected() {
    let stack = Stack::with(silent()).await;
    let outage = civitas_sandbox::RouteFaults {
        outage: civitas_sandbox::Outage::Unavailable,
        ..civitas_sandbox::RouteFaults::default()
    };
    fault(&stack, "opencrvs.accept", outage);
    let (case, aid) = awaited(&stack).await;
    issue(&stack, &aid, vid(VID)).await;
    in_state(&stack, case, "issued").await;
    let record = case.event.to_string();
    for what in [Act::Reject, Act::Release, Act::Retry] {
        let refusal = act(&stack, &record, what, "a reason").await.unwrap_err();
        assert!(matches!(refusal, ActError::NotPossible { .. }), "{what:?}: {refusal}");
    }
    mend(&stack);
    in_state(&stack, case, "confirmed").await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_record_stays_in_the_list_until_opencrvs_has_heard_of_it() {
    let stack = Stack::with(silent()).await;
    let outage = civitas_sandbox::RouteFaults {
        outage: civitas_sandbox::Outage::Unavailable,
        ..civitas_sandbox::RouteFaults::default()
    };
    let (case, _) = awaited(&stack).await;
    fault(&stack, "opencrvs.accept", outage);
    done(&stack, case, Act::Release, "the family travels today").await;
    let listed = || async { stack.engine.queue().list(&Filter::default()).await.unwrap() };
    civitas_tests::wait::until("the list says why OpenCRVS has not heard", || async {
        listed().await.first().is_some_and(|row| row.cause.is_some())
    })
    .await;
    let row = listed().await.remove(0);
    assert_eq!((row.event_id, row.state.as_str(), row.frozen), (case.event, "released", true));
    assert!(row.advice.is_some() && row.next_action_at.is_some() && row.attempts > 0, "{row:?}");
    let code = row.cause.map(|cause| cause.code);
    let by_cause = Filter { cause: code, ..Filter::default() };
    assert_eq!(stack.engine.queue().list(&by_cause).await.unwrap().len(), 1);
    mend(&stack);
    civitas_tests::wait::until("the list is empty", || async { listed().await.is_empty() }).await;
    stack.stop().await;
}
