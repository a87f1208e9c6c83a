//! Ten thousand deliveries that are not what they seem, among genuine ones, while the hub's secret, our key and
//! MOSIP's signing key are rotated: all of them are refused or have no effect, and no genuine one is refused.
//!
//! Seeded: a failure names the delivery, and is the same on every run but for key pairs and paddings.

mod forge;
mod mint;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use civitas_engine::{DeliverError, Delivered};
use civitas_journal::inbox::{self, InboxState};
use civitas_sandbox::SandboxKeys;
use civitas_tests::{
    stack::{self, Stack},
    wait::until,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use self::{
    forge::{Forged, Signed},
    mint::{Dice, Generation, Genuine, Mint},
};
use crate::support::*;

const OLD_SECRET: &str = "the-hub-secret-before-of-more-than-32-bytes";
const NEW_SECRET: &str = "the-hub-secret-after-of-more-than-32-bytes";
/// Births whose answers are forged at each stage of the rotations.
const EACH: usize = 4;
/// Deliveries under way at a time.
const AT_ONCE: usize = 16;

fn secrets(options: &mut civitas_engine::Options) {
    options.subscriptions.secrets = [NEW_SECRET, OLD_SECRET].map(SecretString::from).to_vec();
}

fn only_the_new_secret(options: &mut civitas_engine::Options) {
    options.subscriptions.secrets = vec![SecretString::from(NEW_SECRET)];
}

/// An engine that MOSIP does not answer by itself, so that the test speaks in its place.
async fn engine(generations: &[&Generation], tune: fn(&mut civitas_engine::Options)) -> Stack {
    let keys: Vec<SandboxKeys> = generations.iter().map(|generation| generation.keys.clone()).collect();
    let mut setup = silent();
    setup.tune = tune;
    setup.sandbox.keys = keys.first().cloned();
    setup.refit = Some(Box::new(move |_, ports| {
        (ports.keys, ports.proof_keys, ports.vc_trust) = stack::trusting(&keys);
    }));
    Stack::with(setup).await
}

async fn generations() -> [Generation; 2] {
    tokio::task::spawn_blocking(|| [(); 2].map(|()| Generation::make(tempfile::tempdir().unwrap().path())))
        .await
        .unwrap()
}

/// Delivers; whether it was taken.
async fn send(stack: &Stack, body: &[u8], signature: Option<&str>) -> Option<Delivered> {
    match stack.engine.deliver(body, signature).await {
        Ok(delivered) => Some(delivered),
        Err(DeliverError::Signature) => None,
        Err(error) => panic!("{error}"),
    }
}

fn sign(secret: &str, body: &[u8]) -> String {
    civitas_sandbox::Mosip::hub_signature(secret, body).unwrap()
}

fn id(body: &[u8]) -> String {
    let event: Value = serde_json::from_slice(body).unwrap();
    event["event"]["id"].as_str().unwrap().to_owned()
}

async fn count(stack: &Stack, state: InboxState) -> u64 {
    let mut reader = stack.journal.read().await.unwrap();
    let counts = inbox::counts_by_state(&mut reader).await.unwrap();
    counts.into_iter().find(|(known, _)| *known == state).map_or(0, |(_, n)| n)
}

/// Waits until the inbox was looked through.
async fn looked_through(stack: &Stack) {
    until("every delivery is looked at", || async { count(stack, InboxState::New).await == 0 }).await;
}

/// By the event's id, what became of each delivery since the last look: its state, and the code of its cause.
async fn outcomes(stack: &Stack, since: &mut i64) -> HashMap<String, (InboxState, String)> {
    looked_through(stack).await;
    let mut reader = stack.journal.read().await.unwrap();
    let (mut found, from) = (HashMap::new(), *since);
    for state in [InboxState::Matched, InboxState::Quarantined, InboxState::Duplicate, InboxState::Parked] {
        let mut after = from;
        loop {
            let page = inbox::list(&mut reader, state, after, 500).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.id;
            *since = after.max(*since);
            for delivery in page {
                let cause = delivery.cause.unwrap_or_default();
                let code = cause.split(':').next().unwrap_or_default().to_owned();
                found.insert(id(delivery.body.as_bytes()), (state, code));
            }
        }
    }
    found
}

/// Delivers forgeries, many at a time; those that were stored, by their event's id.
async fn send_all(stack: &Stack, secret: &str, forged: Vec<Forged>) -> HashMap<String, Forged> {
    use futures::StreamExt as _;
    let sent = futures::stream::iter(forged).map(|forged| async move {
        let own = sign(secret, &forged.body);
        let signature = match &forged.signed {
            Signed::Well => Some(own.as_str()),
            Signed::As(other) => other.as_deref(),
        };
        let taken = send(stack, &forged.body, signature).await;
        assert_eq!(taken.is_some(), !forged.causes.is_empty(), "{}", forged.what);
        (taken.is_some()).then(|| (id(&forged.body), forged))
    });
    sent.buffer_unordered(AT_ONCE).filter_map(|stored| async { stored }).collect().await
}

/// Each is in quarantine, for a cause that it may have.
async fn put_aside(
    stack: &Stack,
    stored: &HashMap<String, Forged>,
    since: &mut i64,
) -> BTreeMap<String, usize> {
    let outcomes = outcomes(stack, since).await;
    let mut causes = BTreeMap::new();
    for (id, forged) in stored {
        let (state, code) = &outcomes[id];
        assert_eq!(*state, InboxState::Quarantined, "{}", forged.what);
        assert!(forged.causes.contains(&code.as_str()), "{}: put aside as {code}", forged.what);
        *causes.entry(code.clone()).or_default() += 1;
    }
    causes
}

/// A birth that awaits its answer, and two genuine credentials about it: its own, and one that contradicts it.
struct Awaited {
    case: Case,
    genuine: Genuine,
    contradicting: Genuine,
}

async fn await_births(stack: &Stack, mint: &Mint, dice: &mut Dice) -> Vec<Awaited> {
    let mut all = Vec::new();
    for _ in 0..EACH {
        let (case, aid) = awaited(stack).await;
        let mut vid = || format!("4{:015}", dice.below(1_000_000_000_000_000));
        let genuine = mint.issue(&aid, &vid()).await;
        let contradicting = mint.issue(&aid, &vid()).await;
        all.push(Awaited { case, genuine, contradicting });
    }
    all
}

/// The genuine one has its effect, and whatever is delivered of it again has none.
async fn lands_once(
    stack: &Stack,
    secret: &str,
    awaited: &Awaited,
    dice: &mut Dice,
    since: &mut i64,
) -> usize {
    let Awaited { case, genuine, contradicting } = awaited;
    let vid = genuine.credential()["credentialSubject"]["VID"].clone();
    let body = genuine.event.to_string().into_bytes();
    assert_eq!(send(stack, &body, Some(&sign(secret, &body))).await, Some(Delivered::Stored), "genuine");
    in_state(stack, *case, "confirmed").await;
    assert_eq!(accepted(stack, *case)[0].declaration["child.nid"], vid);

    let mut again = 0;
    for _ in 0..3 {
        assert_eq!(send(stack, &body, Some(&sign(secret, &body))).await, Some(Delivered::Duplicate));
        again += 1;
    }
    let mut replays = Vec::new();
    let sealed = genuine.event["event"]["data"]["credential"].as_str().unwrap();
    let data = [
        "registrationId",
        "templateTypeCode",
        "credentialType",
        "protectionKey",
        "ExpiryTimestamp",
        "TransactionLimit",
    ];
    for name in data {
        let mut event = dice.enveloped(genuine, sealed, &genuine.proof);
        event["event"]["data"].as_object_mut().unwrap().remove(name);
        replays.push(event.clone());
        if name != "registrationId" {
            event["event"]["id"] = json!(dice.uuid());
            event["event"]["data"][name] = json!("another");
            replays.push(event);
        }
    }
    for name in ["transactionId", "timestamp", "type", "dataShareUri"] {
        let mut event = dice.enveloped(genuine, sealed, &genuine.proof);
        event["event"][name] = json!(null);
        replays.push(event);
    }
    replays.push(dice.enveloped(genuine, sealed, &genuine.proof));
    let mut expected = Vec::new();
    for event in replays {
        let body = event.to_string().into_bytes();
        assert_eq!(send(stack, &body, Some(&sign(secret, &body))).await, Some(Delivered::Stored));
        expected.push((id(&body), InboxState::Duplicate, ""));
    }
    let body = contradicting.event.to_string().into_bytes();
    assert_eq!(send(stack, &body, Some(&sign(secret, &body))).await, Some(Delivered::Stored));
    expected.push((id(&body), InboxState::Quarantined, "contradicting_credential"));
    let outcomes = outcomes(stack, since).await;
    for (id, state, code) in &expected {
        assert_eq!(outcomes[id], (*state, (*code).to_owned()));
    }
    assert_eq!(operation(stack, *case).await.entry.state, "confirmed");
    let answers = accepted(stack, *case);
    assert_eq!((answers.len(), &answers[0].declaration["child.nid"]), (1, &vid));
    again + expected.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_forged_altered_and_replayed_deliveries_have_no_effect_and_genuine_ones_have_it() {
    let [old, new] = generations().await;
    let stack = engine(&[&old, &new], secrets).await;
    let (mut dice, mut since) = (Dice::new(20_261_129), 0);
    // MOSIP's keys at each stage: the secret is rotated, then our key, then MOSIP's signing key.
    let stages = [
        (OLD_SECRET, &old, &old),
        (NEW_SECRET, &old, &old),
        (NEW_SECRET, &old, &new),
        (NEW_SECRET, &new, &new),
    ];
    let (mut sent, mut genuine, mut causes) = (0, 0, BTreeMap::<String, usize>::new());
    for (stage, (secret, signs, to)) in stages.into_iter().enumerate() {
        let mint = Arc::new(Mint::new(signs, to, u64::try_from(stage).unwrap()).await);
        let births = await_births(&stack, &mint, &mut dice).await;
        for (at, birth) in births.iter().enumerate() {
            let other = &births[(at + 1) % EACH].genuine;
            let forged = forge::all(&mut dice, &mint, &birth.genuine, other, secret);
            sent += forged.len();
            let stored = send_all(&stack, secret, forged).await;
            for (cause, n) in put_aside(&stack, &stored, &mut since).await {
                *causes.entry(cause).or_default() += n;
            }
            assert_eq!(operation(&stack, birth.case).await.entry.state, "awaiting", "nothing was believed");
            assert!(accepted(&stack, birth.case).is_empty());
        }
        assert_eq!(count(&stack, InboxState::Matched).await, u64::try_from(genuine).unwrap());
        for birth in &births {
            sent += lands_once(&stack, secret, birth, &mut dice, &mut since).await;
            genuine += 1;
        }
    }
    println!("{sent} forged, altered or replayed; {genuine} genuine; put aside: {causes:#?}");
    assert!(sent >= 10_000, "{sent}");
    assert_eq!(count(&stack, InboxState::Matched).await, u64::try_from(genuine).unwrap());
    assert_eq!((genuine, causes.len() >= 10), (4 * EACH, true), "{causes:?}");
    keeps_its_promises(&stack);
    stack.stop().await;
}

/// The rotations are over, and what belongs to the keys of before is stale.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_the_secret_and_keys_of_before_open_nothing() {
    let [old, new] = generations().await;
    let stack = engine(&[&new], only_the_new_secret).await;
    let (mut dice, mut since) = (Dice::new(20_261_130), 0);
    let mint = Mint::new(&new, &new, 7).await;
    let births = await_births(&stack, &mint, &mut dice).await;
    let stale = [
        (&old, &old, "credential_not_openable"),
        (&old, &new, "credential_proof_refused"),
        (&new, &old, "credential_not_openable"),
    ];
    for (seed, (signs, to, cause)) in (8..).zip(stale) {
        let before = Mint::new(signs, to, seed).await;
        for birth in &births {
            let body =
                before.issue(&birth.genuine.aid, "4999999999999999").await.event.to_string().into_bytes();
            assert_eq!(send(&stack, &body, Some(&sign(OLD_SECRET, &body))).await, None);
            assert_eq!(send(&stack, &body, Some(&sign(NEW_SECRET, &body))).await, Some(Delivered::Stored));
            assert_eq!(
                outcomes(&stack, &mut since).await[&id(&body)],
                (InboxState::Quarantined, cause.to_owned())
            );
        }
    }
    // The event by the new key, the credential in it by the old one.
    for birth in &births {
        let before = Mint::new(&old, &new, 20).await.issue(&birth.genuine.aid, "4999999999999999").await;
        let proof = mint::proof(&before.plain, &new.kernel);
        let event = dice.event(&birth.genuine, &before.plain, &proof, &mint.to);
        let body = event.to_string().into_bytes();
        assert_eq!(send(&stack, &body, Some(&sign(NEW_SECRET, &body))).await, Some(Delivered::Stored));
        let refused = (InboxState::Quarantined, "vc_signature_refused".to_owned());
        assert_eq!(outcomes(&stack, &mut since).await[&id(&body)], refused);
    }
    for birth in &births {
        assert_eq!(operation(&stack, birth.case).await.entry.state, "awaiting");
        lands_once(&stack, NEW_SECRET, birth, &mut dice, &mut since).await;
    }
    stack.stop().await;
}
