//! Credentials by data share: fetched once, kept, opened; and what becomes of those that may not or cannot be.

use civitas_sandbox::{Outage, RouteFaults, ShareOptions};
use civitas_tests::{
    stack::{Setup, Stack, mosip},
    wait::until,
};

use crate::support::*;

const VID: &str = "4512879630124577";
const ROUTE: &str = "mosip.datashare";

fn shared(stack: &Stack, options: ShareOptions) {
    stack.sandbox.mosip().share_credentials(Some(options));
}

/// A stack whose data shares are allowed as this says.
fn with_policy(
    mut setup: Setup,
    tune: impl FnOnce(&mut civitas_mosip::data_share::DataSharePolicy) + Send + 'static,
) -> Setup {
    setup.refit = Some(Box::new(move |sandbox, ports| {
        let http = civitas_tests::stack::http(std::time::Duration::from_secs(5));
        ports.mosip = mosip(sandbox, &http, tune);
    }));
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_by_data_share_closes_the_record() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    shared(&stack, ShareOptions::default());
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_kept_before_it_is_opened_so_that_it_opens_when_the_key_is_there() {
    let stack = Stack::without_work(silent()).await;
    let (work, stop) = stack.second(|_, ports| ports.keys = civitas_mosip::credential::KeyRing::new()).await;
    let (case, aid) = awaited(&stack).await;
    // Whoever fetches first is the only one.
    shared(&stack, ShareOptions { transactions_allowed: 1, ..ShareOptions::default() });
    issue(&stack, &aid, vid(VID)).await;
    delivery_is(&stack, "quarantined credential_not_openable").await;
    stop.cancel();
    work.await.unwrap();
    // The engine starts anew, with the key configured.
    let stack = stack.run();
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].declaration["child.nid"], serde_json::json!(VID));
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_is_used_up_is_asked_for_again() {
    let stack = Stack::with(fast()).await;
    stack.subscribed().await;
    shared(&stack, ShareOptions { transactions_allowed: 0, ..ShareOptions::default() });
    let case = birth(&stack).await;
    delivery_is(&stack, "quarantined data_share_used_up: DAT-SER-006; asked for again").await;
    shared(&stack, ShareOptions::default());
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_share_is_asked_for_again() {
    let stack = Stack::with(fast()).await;
    stack.subscribed().await;
    shared(&stack, ShareOptions { valid_for_minutes: 0, ..ShareOptions::default() });
    let case = birth(&stack).await;
    delivery_is(&stack, "quarantined data_share_used_up: DAT-SER-008; asked for again").await;
    stack.sandbox.mosip().share_credentials(None);
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_whose_answer_is_lost_has_used_the_share_up() {
    let setup = with_policy(fast(), |policy| policy.timeout = std::time::Duration::from_millis(300));
    let stack = Stack::with(setup).await;
    stack.subscribed().await;
    fault(&stack, ROUTE, held(std::time::Duration::from_secs(2)));
    shared(&stack, ShareOptions::default());
    let case = birth(&stack).await;
    until("a fetch was not answered", || async {
        deliveries(&stack).await.iter().any(|found| found.contains("data_share_unavailable"))
    })
    .await;
    mend(&stack);
    delivery_is(&stack, "quarantined data_share_used_up").await;
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_share_that_is_down_is_tried_again() {
    let stack = Stack::with(silent()).await;
    let (case, aid) = awaited(&stack).await;
    fault(&stack, ROUTE, RouteFaults { outage: Outage::Unavailable, ..RouteFaults::default() });
    shared(&stack, ShareOptions::default());
    issue(&stack, &aid, vid(VID)).await;
    delivery_is(&stack, "new data_share_unavailable").await;
    assert_eq!(operation(&stack, case).await.entry.state, "awaiting");
    mend(&stack);
    in_state(&stack, case, "confirmed").await;
    stack.stop().await;
}

/// A share that must not be fetched is put aside, its cause stands at the record, and a good credential still lands.
async fn refused(setup: Setup, options: ShareOptions, why: &str) {
    let stack = Stack::with(setup).await;
    let (case, aid) = awaited(&stack).await;
    shared(&stack, options);
    issue(&stack, &aid, vid(VID)).await;
    delivery_is(&stack, "quarantined data_share_refused").await;
    let (code, detail) = cause(&stack, case).await.unwrap();
    assert_eq!((code.as_str(), detail.contains(why)), ("data_share_refused", true), "{detail}");
    assert!(!witnessed(&stack, "/v1/datashare/").await, "the path is as good as a password");
    assert_eq!(operation(&stack, case).await.entry.state, "awaiting");
    stack.sandbox.mosip().share_credentials(None);
    issue(&stack, &aid, vid(VID)).await;
    in_state(&stack, case, "confirmed").await;
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_on_a_foreign_host_is_not_fetched() {
    let options = ShareOptions { base: Some("http://evil.example".to_owned()), ..ShareOptions::default() };
    refused(silent(), options, "evil.example:80, which `mosip.data_share.hosts` does not list").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_at_an_address_inside_is_not_fetched() {
    let setup = with_policy(silent(), |policy| policy.networks.clear());
    refused(setup, ShareOptions::default(), "127.0.0.1, which is not public").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_is_too_large_is_not_read() {
    let setup = with_policy(silent(), |policy| policy.max_size = 600);
    refused(setup, ShareOptions::default(), "larger than 600 bytes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_in_clear_is_taken_where_it_is_allowed_and_never_without_its_proof() {
    let in_clear = || ShareOptions { plain: true, ..ShareOptions::default() };
    let stack = Stack::with(silent()).await;
    let (_, aid) = awaited(&stack).await;
    shared(&stack, in_clear());
    issue(&stack, &aid, vid(VID)).await;
    delivery_is(&stack, "quarantined credential_not_openable").await;
    stack.stop().await;

    let allowed = Setup { tune: |options| options.plain_shares = true, ..silent() };
    let stack = Stack::with(allowed).await;
    let (case, aid) = awaited(&stack).await;
    shared(&stack, in_clear());
    let forged = stack.sandbox.mosip().forged_credential(&aid, "9999999999999999").await.unwrap();
    assert_eq!(deliver(&stack, CREDENTIALS, &forged).await, 200);
    delivery_is(&stack, "quarantined credential_proof_refused").await;
    issue(&stack, &aid, vid(VID)).await;
    in_state(&stack, case, "confirmed").await;
    let file = std::fs::read(stack.file.as_ref().unwrap()).unwrap();
    assert!(!file.windows(VID.len()).any(|window| window == VID.as_bytes()), "what was fetched is sealed");
    stack.stop().await;
}
