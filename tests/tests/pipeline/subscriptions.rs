//! Our place at MOSIP's hub: asked for, kept, and taken up again after the hub fell silent.

use std::net::SocketAddr;

use civitas_journal::subscriptions::{self, SubscriptionState};
use civitas_sandbox::{HubOptions, MosipOptions, Outage, RouteFaults, SandboxOptions};
use civitas_tests::{
    stack::{HUB_SECRET, Setup, Stack},
    wait::until,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::support::*;

/// A way to the server that can be closed.
struct Gate {
    url: String,
    way: watch::Sender<Option<SocketAddr>>,
}

impl Gate {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/websub/callback", listener.local_addr().unwrap());
        let (way, open) = watch::channel(None::<SocketAddr>);
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let mut open = open.clone();
                let Some(to) = *open.borrow_and_update() else { continue };
                tokio::spawn(async move {
                    let Ok(mut to) = TcpStream::connect(to).await else { return };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut from, &mut to) => {}
                        _ = open.changed() => {}
                    }
                });
            }
        });
        Gate { url, way }
    }

    fn open(&self, stack: &Stack) {
        self.way.send_replace(Some(stack.url.trim_start_matches("http://").parse().unwrap()));
    }

    fn close(&self) {
        self.way.send_replace(None);
    }
}

async fn known(stack: &Stack, topic: &str) -> Option<subscriptions::Subscription> {
    let mut reader = stack.journal.read().await.unwrap();
    subscriptions::all(&mut reader).await.unwrap().into_iter().find(|known| known.topic == topic)
}

async fn ask(stack: &Stack, query: &[(&str, &str)]) -> (u16, String) {
    let reply = stack.http.get(callback(stack)).query(query).send().await.unwrap();
    (reply.status().as_u16(), reply.text().await.unwrap())
}

fn verify<'q>(topic: &'q str, mode: &'q str) -> [(&'q str, &'q str); 4] {
    [
        ("hub.mode", mode),
        ("hub.topic", topic),
        ("hub.challenge", "a-challenge"),
        ("hub.lease_seconds", "86400"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_fell_silent_is_subscribed_to_again_and_goes_on_where_it_stopped() {
    let gate = Gate::new().await;
    let hub = HubOptions { retries: 1, ..HubOptions::default() };
    let mosip = MosipOptions { hub, ..SandboxOptions::instant(7).mosip };
    let sandbox = SandboxOptions { mosip, speed: 50.0, ..SandboxOptions::instant(7) };
    let mut setup = Setup { sandbox, callback: Some(gate.url.clone()), ..Setup::default() };
    setup.tune = |options| {
        options.subscriptions.renew_every = std::time::Duration::from_millis(500);
        // Only the callback may bring the answer.
        options.polling.shortest = std::time::Duration::from_secs(3600);
        options.polling.longest = std::time::Duration::from_secs(3600);
    };
    let stack = Stack::without_work(setup).await;
    gate.open(&stack);
    let stack = stack.run();
    stack.subscribed().await;
    gate.close();
    let case = birth(&stack).await;
    until("the hub gives us up", || async {
        stack.sandbox.mosip().subscriptions().iter().any(|found| !found.alive)
    })
    .await;
    assert!(accepted(&stack, case).is_empty());
    gate.open(&stack);
    closed_with_vid(&stack, case).await;
    until("the hub delivers to us again", || async {
        stack.sandbox.mosip().subscriptions().iter().all(|found| found.alive)
    })
    .await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_echoed_for_what_we_asked_for_and_for_nothing_else() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    assert_eq!(ask(&stack, &verify(CREDENTIALS, "subscribe")).await, (200, "a-challenge".to_owned()));
    for (topic, mode) in [
        ("somebody/CREDENTIAL_ISSUED", "subscribe"),
        // In the sense in which the hub was asked last, and in no other.
        (CREDENTIALS, "unsubscribe"),
        ("crvs_partner/CREDENTIAL_ISSUED2", "subscribe"),
    ] {
        let (status, body) = ask(&stack, &verify(topic, mode)).await;
        assert_eq!(status, 404, "{mode} {topic}");
        assert!(!body.contains("a-challenge"), "{body}");
    }
    assert!(witnessed(&stack, "a verification of intent that nobody here asked for").await);
    assert_eq!(ask(&stack, &[("hub.mode", "subscribe")]).await.0, 400);
    stack.stop().await;
}

const NEW_SECRET: &str = "another-hub-secret-of-more-than-thirty-two-bytes";

fn change_secret(options: &mut civitas_engine::Options) {
    options.subscriptions.secrets = vec![NEW_SECRET.into(), HUB_SECRET.into()];
}

/// The secret that the hub signs with, by topic, as the journal knows it; equal for both topics.
async fn rotated(stack: &Stack, before: Option<&str>) -> Option<String> {
    let credentials = known(stack, CREDENTIALS).await?;
    let completed = known(stack, COMPLETED).await?;
    let both = credentials.secret == completed.secret
        && credentials.state == SubscriptionState::Verified
        && completed.state == SubscriptionState::Verified;
    credentials.secret.filter(|secret| both && Some(secret.as_str()) != before)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_secret_is_changed_at_the_hub_and_what_was_missed_is_asked_for() {
    let stack = Stack::with(fast()).await;
    stack.subscribed().await;
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    until("the secret is known", || async { rotated(&stack, None).await.is_some() }).await;
    let old = rotated(&stack, None).await;
    let stack = stack.restart(change_secret).await;
    until("the hub has the new secret", || async { rotated(&stack, old.as_deref()).await.is_some() }).await;
    assert!(witnessed(&stack, "ended at our request").await);
    until("what waits is asked about", || async {
        witnessed(&stack, "subscribed anew with another secret").await
    })
    .await;
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    // The old secret is not needed any more: everything comes with the new one.
    let stack = stack.restart(|options| options.subscriptions.secrets = vec![NEW_SECRET.into()]).await;
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    let forged = stack.sandbox.mosip().genuine_credential(&aid(&stack, case).await, vid("1")).await.unwrap();
    assert_eq!(deliver(&stack, CREDENTIALS, &forged).await, 401, "the old secret is dead");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_secret_is_changed_also_where_the_hub_has_lost_us() {
    let gate = Gate::new().await;
    let hub = HubOptions { retries: 0, ..HubOptions::default() };
    let mosip = MosipOptions { hub, ..SandboxOptions::instant(7).mosip };
    let sandbox = SandboxOptions { mosip, speed: 20_000.0, ..SandboxOptions::instant(7) };
    let setup = Setup { sandbox, callback: Some(gate.url.clone()), ..Setup::default() };
    let stack = Stack::without_work(setup).await;
    gate.open(&stack);
    let stack = stack.run();
    stack.subscribed().await;
    until("the secret is known", || async { rotated(&stack, None).await.is_some() }).await;
    let old = rotated(&stack, None).await;
    gate.close();
    let case = birth(&stack).await;
    until("the hub gives us up", || async {
        stack.sandbox.mosip().subscriptions().iter().any(|found| !found.alive)
    })
    .await;
    // Nobody asks the hub while the engine is away.
    let stack = stack.restart(change_secret).await;
    gate.open(&stack);
    until("the hub has the new secret", || async { rotated(&stack, old.as_deref()).await.is_some() }).await;
    closed_with_vid(&stack, case).await;
    let later = birth(&stack).await;
    closed_with_vid(&stack, later).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_stops_delivering_is_noticed_and_everything_is_known_by_asking() {
    let mut setup = fast();
    setup.tune = |options| options.credential_grace = std::time::Duration::from_millis(300);
    let stack = Stack::with(setup).await;
    stack.subscribed().await;
    let mut faults = stack.sandbox.faults();
    faults.deliveries.stopped = true;
    stack.sandbox.set_faults(faults);
    let mut cases = Vec::new();
    for _ in 0..5 {
        cases.push(birth(&stack).await);
    }
    let silent = || async {
        let outside = stack.engine.queue().outside().await.unwrap();
        outside.topics.iter().any(|topic| topic.topic == CREDENTIALS && topic.silent_since.is_some())
    };
    until("the silence is noticed", silent).await;
    assert!(witnessed(&stack, "the hub fell silent").await);
    // The hub is still silent: what it does not bring is looked up.
    for case in cases {
        closed_with_vid(&stack, case).await;
    }
    mend(&stack);
    until("it is heard again", || async { !silent().await }).await;
    assert!(witnessed(&stack, "the hub speaks again").await);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_not_echoed_when_no_request_of_ours_is_open() {
    // Without desks nothing was asked for.
    let stack = Stack::without_work(Setup::default()).await;
    assert_eq!(ask(&stack, &verify(CREDENTIALS, "subscribe")).await.0, 404);
    assert!(known(&stack, CREDENTIALS).await.is_none());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_because_we_are_registered_already_is_good_news() {
    // No renewal in between.
    let setup = Setup {
        tune: |options| options.subscriptions.renew_every = std::time::Duration::from_secs(3600),
        ..Setup::default()
    };
    let stack = Stack::with(setup).await;
    stack.subscribed().await;
    let denied = |reason| [("hub.mode", "denied"), ("hub.topic", CREDENTIALS), ("hub.reason", reason)];
    let good = "Subscriber has already registered with the Hub";
    assert_eq!(ask(&stack, &denied(good)).await, (200, String::new()));
    assert_eq!(known(&stack, CREDENTIALS).await.unwrap().state, SubscriptionState::Verified);
    let bad = "Forbidden: subscriber is not authorised for the topic";
    assert_eq!(ask(&stack, &denied(bad)).await, (200, String::new()));
    let refused = known(&stack, CREDENTIALS).await.unwrap();
    assert_eq!((refused.state, refused.cause.as_deref()), (SubscriptionState::Denied, Some(bad)));
    let foreign = [("hub.mode", "denied"), ("hub.topic", "somebody/X"), ("hub.reason", good)];
    assert_eq!(ask(&stack, &foreign).await.0, 404);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_down_at_the_start_is_asked_until_it_is_there() {
    let mut setup = Setup::default();
    let down = RouteFaults { outage: Outage::Disconnect, ..RouteFaults::default() };
    setup.sandbox.faults.routes.insert("mosip.hub".to_owned(), down);
    let stack = Stack::with(setup).await;
    let case = birth(&stack).await;
    in_state(&stack, case, "awaiting").await;
    assert!(stack.sandbox.mosip().subscriptions().is_empty(), "and work is taken all the same");
    mend(&stack);
    stack.subscribed().await;
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}
