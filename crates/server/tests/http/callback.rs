//! The hub: durable before 2xx, nothing without a signature, no echo for strangers.

use axum::body::Body;
use http::{Request, StatusCode};

use crate::stage::{Mood, Stage, stage};

async fn deliver(stage: &Stage, signature: Option<&str>, body: &[u8]) -> crate::stage::Answered {
    let mut request = Request::post("/websub/callback").header("content-type", "application/json");
    if let Some(signature) = signature {
        request = request.header("x-hub-signature", signature);
    }
    stage.send(request.body(Body::from(body.to_vec())).unwrap()).await
}

#[tokio::test]
async fn a_signed_delivery_is_200_and_its_bytes_are_kept_as_received() {
    let stage = stage(Mood::Awaits);
    let raw = b"{ \"b\":1,\r\n\"a\" : 2 }";
    assert_eq!(deliver(&stage, Some("sha256=good"), raw).await.status, StatusCode::OK);
    assert_eq!(stage.script.deliveries.lock().unwrap()[0], raw);
}

#[tokio::test]
async fn an_unsigned_or_wrongly_signed_delivery_is_401() {
    let stage = stage(Mood::Awaits);
    for signature in [None, Some("sha256=bad"), Some("")] {
        let answer = deliver(&stage, signature, b"{}").await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "signature_wrong"));
    }
    assert!(stage.script.deliveries.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_durable_is_503_so_that_the_hub_delivers_again() {
    for mood in [Mood::CannotWrite, Mood::Panics] {
        let answer = deliver(&stage(mood), Some("sha256=good"), b"{}").await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "not_durable"));
    }
}

#[tokio::test]
async fn a_challenge_is_echoed_exactly_and_only_for_what_we_asked_for() {
    let stage = stage(Mood::Awaits);
    for path in ["/websub/callback", "/websub/callback/"] {
        let query =
            "hub.mode=subscribe&hub.topic=crvs%2FCREDENTIAL_ISSUED&hub.challenge=a%20b&hub.lease_seconds=60";
        let answer = stage.get(&format!("{path}?{query}"), None).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "a b"));
    }
    let query =
        "hub.mode=subscribe&hub.topic=others%2FTOPIC&hub.challenge=secret-challenge&hub.lease_seconds=60";
    let answer = stage.get(&format!("/websub/callback?{query}"), None).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_our_subscription"));
    assert!(!answer.text.contains("secret-challenge"));
    let answer = stage.get("/websub/callback?hub.mode=denied&hub.topic=t&hub.reason=no", None).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""));
    let answer = stage.get("/websub/callback?x=y", None).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "intent_unreadable"));
}
