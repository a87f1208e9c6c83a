//! Time runs out: a person's turn, and yet a late answer lands.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use civitas_engine::Clock;
use civitas_tests::stack::{Stack, clock};
use jiff::SignedDuration;
use serde_json::json;

use crate::support::*;

/// The system's clock, so many seconds ahead.
fn ahead() -> (Clock, Arc<AtomicI64>) {
    let seconds = Arc::new(AtomicI64::new(0));
    let (system, shift) = (clock(), Arc::clone(&seconds));
    let moved: Clock = Arc::new(move || system() + SignedDuration::from_secs(shift.load(Ordering::Relaxed)));
    (moved, seconds)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passed_deadline_stalls_the_record_and_the_late_answer_still_lands() {
    let (clock, shift) = ahead();
    let mut setup = silent();
    setup.clock = clock;
    let stack = Stack::with(setup).await;
    let (case, aid) = awaited(&stack).await;
    let deadline = operation(&stack, case).await.entry.deadline_at.unwrap();
    shift.store(15 * 86_400, Ordering::Relaxed);
    stalled_for(&stack, case, "deadline_passed").await;
    assert!(deadline < stack.engine.now(), "the rule says 14 days");
    assert!(accepted(&stack, case).is_empty(), "nobody else decides for the person whose turn it is");
    issue(&stack, &aid, vid("4512879630124577")).await;
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].declaration["child.nid"], json!("4512879630124577"));
    let lines = timeline(&stack, case.event).await;
    assert!(lines.iter().any(|line| line.contains("awaiting>stalled engine deadline_passed")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("callback stalled>issued")), "{lines:?}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_deadline_nothing_is_stalled() {
    let (clock, shift) = ahead();
    let mut setup = silent();
    setup.clock = clock;
    let stack = Stack::with(setup).await;
    let (case, _) = awaited(&stack).await;
    let before = operation(&stack, case).await.updated_at;
    shift.store(13 * 86_400, Ordering::Relaxed);
    civitas_tests::wait::until("MOSIP was asked again", || async {
        operation(&stack, case).await.updated_at > before
    })
    .await;
    assert_eq!(operation(&stack, case).await.entry.state, "awaiting");
    stack.stop().await;
}
