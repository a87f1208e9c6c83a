//! The hub's delivery: at least once while all is well, silence after that.

use crate::packets::token;
use crate::stage::{Callback, Time, callback, http, start, until};
use civitas_sandbox::{DeliveryFaults, Faults, Mosip, Sandbox, SandboxOptions};
use serde_json::json;

pub(crate) const COMPLETED: &str = "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT";
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

pub(crate) async fn subscribe(
    sandbox: &Sandbox,
    token: &str,
    topic: &str,
    callback: &str,
    mode: &str,
) -> (u16, String) {
    let form = [
        ("hub.mode", mode),
        ("hub.topic", topic),
        ("hub.callback", callback),
        ("hub.secret", SECRET),
        ("hub.lease_seconds", "86400"),
    ];
    let url = format!("{}/hub", sandbox.mosip().url());
    let request = http().post(url).header("Cookie", format!("Authorization={token}")).form(&form);
    let reply = request.send().await.unwrap();
    (reply.status().as_u16(), reply.text().await.unwrap())
}

async fn world(faults: DeliveryFaults) -> (Sandbox, Callback, String) {
    let mut options = SandboxOptions::instant(5);
    options.speed = 1e6;
    let sandbox = start(options, &Time::new()).await;
    let mut ear = callback().await;
    let token = token(&sandbox).await;
    let (status, body) = subscribe(&sandbox, &token, COMPLETED, &ear.url, "subscribe").await;
    assert_eq!((status, body.as_str()), (202, "hub.mode=accepted"));
    assert_eq!(ear.intent().await["hub.topic"], COMPLETED);
    until("the subscription lives", || sandbox.mosip().subscriptions().iter().any(|s| s.alive)).await;
    sandbox.set_faults(Faults { deliveries: faults, ..Faults::default() });
    (sandbox, ear, token)
}

fn publish(sandbox: &Sandbox, number: u32) {
    sandbox.mosip().publish(
        COMPLETED,
        &number.to_string(),
        json!({"instanceId": number}).to_string().into_bytes(),
    );
}

async fn next(ear: &mut Callback) -> String {
    let (signature, body) = ear.delivery().await;
    assert_eq!(Mosip::hub_signature(SECRET, &body).unwrap(), signature);
    String::from_utf8(body).unwrap()
}

#[tokio::test]
async fn denials_are_http_200() {
    let sandbox = start(SandboxOptions::instant(5), &Time::new()).await;
    let token = token(&sandbox).await;
    for (token, topic) in [
        ("none", COMPLETED),
        (token.as_str(), "other_partner/CREDENTIAL_ISSUED"),
        (token.as_str(), "SECRETS"),
    ] {
        let (status, body) = subscribe(&sandbox, token, topic, "http://localhost:1/cb", "subscribe").await;
        assert_eq!(status, 200, "{topic}");
        assert!(body.starts_with("hub.mode=denied&hub.reason="), "{body}");
    }
}

#[tokio::test]
async fn a_subscription_without_a_secret_panics_the_hub() {
    let sandbox = start(SandboxOptions::instant(5), &Time::new()).await;
    let token = token(&sandbox).await;
    let form =
        [("hub.mode", "subscribe"), ("hub.topic", COMPLETED), ("hub.callback", "http://localhost:1/cb")];
    let url = format!("{}/hub", sandbox.mosip().url());
    let request = http().post(url).header("Cookie", format!("Authorization={token}")).form(&form);
    assert_eq!(request.send().await.unwrap().status(), 500);
}

#[tokio::test]
async fn a_live_subscription_is_denied_by_get() {
    let (sandbox, mut ear, token) = world(DeliveryFaults::default()).await;
    subscribe(&sandbox, &token, COMPLETED, &ear.url, "subscribe").await;
    let denial = ear.intent().await;
    assert_eq!(denial["hub.mode"], "denied");
    assert!(civitas_mosip::websub::means_already_registered(&denial["hub.reason"]));
}

#[tokio::test]
async fn three_retries_then_silence_until_anybody_subscribes() {
    let (sandbox, mut ear, token) = world(DeliveryFaults::default()).await;
    ear.answers.lock().unwrap().extend([500, 500, 500, 500]);
    publish(&sandbox, 1);
    for _ in 0..4 {
        assert_eq!(next(&mut ear).await, r#"{"instanceId":1}"#);
    }
    until("the thread ends", || !sandbox.mosip().subscriptions()[0].alive).await;
    publish(&sandbox, 2);
    assert!(ear.is_silent());
    // Another topic, another callback: the message wakes everybody.
    let mut other = callback().await;
    subscribe(&sandbox, &token, "crvs_partner/CREDENTIAL_ISSUED", &other.url, "subscribe").await;
    other.intent().await;
    assert_eq!(next(&mut ear).await, r#"{"instanceId":1}"#, "resumed from its last commit");
    assert_eq!(next(&mut ear).await, r#"{"instanceId":2}"#);
}

#[tokio::test]
async fn with_batch_commits_what_follows_a_failure_is_lost() {
    let (sandbox, mut ear, token) =
        world(DeliveryFaults { batch_commit: true, ..DeliveryFaults::default() }).await;
    // Held back, so that the three are polled as one batch.
    ear.answers.lock().unwrap().extend([500, 500, 500, 500]);
    publish(&sandbox, 0);
    for _ in 0..4 {
        next(&mut ear).await;
    }
    until("the thread ends", || !sandbox.mosip().subscriptions()[0].alive).await;
    publish(&sandbox, 1);
    publish(&sandbox, 2);
    publish(&sandbox, 3);
    ear.answers.lock().unwrap().extend([200, 500, 500, 500, 500]);
    subscribe(&sandbox, &token, COMPLETED, &ear.url, "subscribe").await;
    assert_eq!(next(&mut ear).await, r#"{"instanceId":0}"#);
    for _ in 0..4 {
        assert_eq!(next(&mut ear).await, r#"{"instanceId":1}"#);
    }
    until("the thread ends", || !sandbox.mosip().subscriptions()[0].alive).await;
    subscribe(&sandbox, &token, COMPLETED, &ear.url, "subscribe").await;
    assert_eq!(next(&mut ear).await, r#"{"instanceId":3}"#, "1 and 2 were in the committed batch");
}

#[tokio::test]
async fn a_410_ends_the_subscription() {
    let (sandbox, mut ear, _) = world(DeliveryFaults::default()).await;
    ear.answers.lock().unwrap().push_back(410);
    publish(&sandbox, 1);
    next(&mut ear).await;
    until("it is gone", || sandbox.mosip().subscriptions().is_empty()).await;
}

#[tokio::test]
async fn duplicates_and_losses_on_demand() {
    let (sandbox, mut ear, _) =
        world(DeliveryFaults { duplicate_rate: 1.0, ..DeliveryFaults::default() }).await;
    publish(&sandbox, 1);
    assert_eq!(next(&mut ear).await, next(&mut ear).await);
    let lost = DeliveryFaults { lost_rate: 1.0, ..DeliveryFaults::default() };
    sandbox.set_faults(Faults { deliveries: lost, ..Faults::default() });
    publish(&sandbox, 2);
    let lost = || sandbox.ledger(true)["mosip"]["hub"]["deliveries"]["lost"] == 1;
    until("2 is lost", lost).await;
    sandbox.set_faults(Faults::default());
    publish(&sandbox, 3);
    assert_eq!(next(&mut ear).await, r#"{"instanceId":3}"#);
}

#[tokio::test]
async fn a_late_delivery_arrives_behind_the_next() {
    let late = DeliveryFaults {
        late_rate: 1.0,
        late_ms: civitas_sandbox::Spread::ms(200, 200),
        ..DeliveryFaults::default()
    };
    let (sandbox, mut ear, _) = world(late).await;
    publish(&sandbox, 1);
    until("1 is put off", || sandbox.ledger(true)["mosip"]["hub"]["deliveries"]["late"] == 1).await;
    sandbox.set_faults(Faults::default());
    publish(&sandbox, 2);
    assert_eq!(next(&mut ear).await, r#"{"instanceId":2}"#);
    assert_eq!(next(&mut ear).await, r#"{"instanceId":1}"#);
}

#[tokio::test]
async fn a_forgery_that_is_believed_is_a_violation() {
    let (sandbox, mut ear, _) = world(DeliveryFaults { forged_rate: 1.0, ..DeliveryFaults::default() }).await;
    // This callback checks nothing.
    publish(&sandbox, 1);
    let (signature, body) = ear.delivery().await;
    assert_ne!(Mosip::hub_signature(SECRET, &body).unwrap(), signature);
    assert_eq!(next(&mut ear).await, r#"{"instanceId":1}"#);
    assert_eq!(sandbox.violations(), ["hub: a forged delivery for AID 1 was answered 2xx"]);
}
