//! The hub: the body decides, a secret is never missing, "already registered" is good news.

use civitas_mosip::{Class, HubAnswer, Subscription};

use crate::stub::{Answer, Stub, now};

pub(crate) fn subscription() -> Subscription {
    Subscription {
        topic: "crvs_partner/CREDENTIAL_ISSUED".to_owned(),
        callback: "https://civitas.example/websub/callback".to_owned(),
        secret: "0123456789abcdef0123456789abcdef".into(),
        lease_seconds: 86400,
    }
}

async fn subscribe(status: u16, body: &'static str) -> Result<HubAnswer, civitas_mosip::CallError> {
    let stub = Stub::start(move |_| Answer::text(status, body)).await;
    stub.mosip().subscribe(&subscription(), now()).await
}

#[tokio::test]
async fn a_subscription_is_a_form_with_a_secret() {
    let stub = Stub::start(|_| Answer::text(202, "hub.mode=accepted")).await;
    assert_eq!(stub.mosip().subscribe(&subscription(), now()).await, Ok(HubAnswer::Accepted));
    assert_eq!(stub.mosip().unsubscribe(&subscription(), now()).await, Ok(HubAnswer::Accepted));
    let asked = stub.asked("/hub");
    assert_eq!(asked[0].headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(
        asked[0].body,
        "hub.mode=subscribe&hub.topic=crvs_partner%2FCREDENTIAL_ISSUED\
         &hub.callback=https%3A%2F%2Fcivitas.example%2Fwebsub%2Fcallback\
         &hub.secret=0123456789abcdef0123456789abcdef&hub.lease_seconds=86400"
    );
    assert!(asked[1].body.starts_with("hub.mode=unsubscribe&"));
    assert_eq!(asked[0].cookie(), "Authorization=token-1", "nothing after the token");
}

#[tokio::test]
async fn a_denial_under_200_is_a_denial() {
    let denied = HubAnswer::Denied("topic is not allowed".to_owned());
    assert_eq!(subscribe(200, "hub.mode=denied&hub.reason=topic+is+not+allowed").await, Ok(denied));
}

#[tokio::test]
async fn already_registered_is_health() {
    let body = "hub.mode=denied&hub.reason=Subscriber has already registered with the Hub";
    assert_eq!(subscribe(200, body).await, Ok(HubAnswer::AlreadyRegistered));
}

#[tokio::test]
async fn without_a_secret_nothing_is_sent() {
    let stub = Stub::start(|_| Answer::text(202, "hub.mode=accepted")).await;
    let bare = Subscription { secret: "".into(), ..subscription() };
    let error = stub.mosip().subscribe(&bare, now()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Permanent, Some("secret-missing")));
    assert!(stub.asked("/hub").is_empty());
}

#[tokio::test]
async fn a_denial_that_blames_the_token_is_tried_with_a_new_one() {
    let stub = Stub::start(|asked| match asked.cookie() {
        "Authorization=token-1" => Answer::text(200, "hub.mode=denied&hub.reason=Invalid+token"),
        _ => Answer::text(202, "hub.mode=accepted"),
    })
    .await;
    assert_eq!(stub.mosip().subscribe(&subscription(), now()).await, Ok(HubAnswer::Accepted));
    let denied = HubAnswer::Denied("Not authorized".to_owned());
    assert_eq!(subscribe(200, "hub.mode=denied&hub.reason=Not+authorized").await, Ok(denied), "a role, then");
}

#[tokio::test]
async fn an_answer_without_a_mode_is_a_failure() {
    assert_eq!(subscribe(200, "").await.unwrap_err().code.as_deref(), Some("answer-unreadable"));
    assert_eq!(subscribe(500, "panic").await.unwrap_err().class, Class::Transient);
    assert_eq!(subscribe(401, "").await.unwrap_err().class, Class::Unauthorised);
}
