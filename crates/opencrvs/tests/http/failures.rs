//! What each way of failing means for the record.

use crate::fixture::{
    BIRTH, EVENT, accept_answered, accepted, by_trigger, confirmation, now, procedure, refusal,
};
use crate::support::{Server, json as answer, nobody};
use axum::response::IntoResponse;
use civitas_opencrvs::{Cause, Class, Client, ConfirmationAuth, Endpoints, Version};
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn refusals_are_classed() {
    use Class::{Permanent, Transient, Unauthorised, Unknown};
    let trpc = |status, message: &str, code: &str| (status, refusal(message, code, status));
    let cases = [
        (trpc(404, "Action not found.", "NOT_FOUND"), Permanent, Cause::ActionNotFound),
        (trpc(404, "Event not found with ID: 1", "NOT_FOUND"), Permanent, Cause::RecordNotFound),
        (trpc(404, "No procedure found on path \"x\"", "NOT_FOUND"), Permanent, Cause::UnknownProcedure),
        ((404, "404 page not found".to_owned()), Transient, Cause::NotOpencrvs),
        (trpc(400, "Action has already been rejected.", "BAD_REQUEST"), Permanent, Cause::AlreadyRejected),
        (trpc(400, "File not found: /a.png", "BAD_REQUEST"), Permanent, Cause::FileNotFound),
        (trpc(400, "Rouge is no name", "BAD_REQUEST"), Permanent, Cause::InvalidInput),
        (trpc(401, "UNAUTHORIZED", "UNAUTHORIZED"), Unauthorised, Cause::Unauthenticated),
        (
            trpc(403, "Missing required scopes for action confirmation", "FORBIDDEN"),
            Unauthorised,
            Cause::Forbidden,
        ),
        (trpc(409, "CONFLICT", "CONFLICT"), Transient, Cause::Conflict),
        ((413, String::new()), Permanent, Cause::TooLarge),
        ((418, String::new()), Permanent, Cause::Refused),
        ((402, String::new()), Transient, Cause::RateLimited),
        ((429, String::new()), Transient, Cause::RateLimited),
        ((408, String::new()), Unknown, Cause::Broken),
        ((308, String::new()), Permanent, Cause::Redirected),
        (trpc(500, "Internal server error", "INTERNAL_SERVER_ERROR"), Unknown, Cause::Server),
        (
            trpc(500, "Action has already been accepted.", "INTERNAL_SERVER_ERROR"),
            Permanent,
            Cause::AlreadyAccepted,
        ),
        ((502, "<html>".to_owned()), Unknown, Cause::Server),
        ((503, String::new()), Unknown, Cause::Server),
        ((200, "<html>".to_owned()), Unknown, Cause::Unreadable),
        ((200, accepted()[..90].to_owned()), Unknown, Cause::Unreadable),
        ((204, String::new()), Unknown, Cause::Unreadable),
    ];
    for ((status, body), class, cause) in cases {
        let error = accept_answered(status, body.clone()).await.unwrap_err();
        assert_eq!((error.class, error.cause, error.status), (class, cause, Some(status)), "{status} {body}");
        assert!(!format!("{error} {error:?}").contains("Rouge"), "no text of an answer in an error");
        assert!(!error.advice().is_empty());
    }
}

#[tokio::test]
async fn an_error_says_what_happened_to_what_and_what_to_do() {
    let error = accept_answered(404, refusal("Action not found.", "NOT_FOUND", 404)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "event.actions.register.accept: the record has no such action (404 NOT_FOUND); \
         look at the record in opencrvs; it may have been restored from a backup"
    );
    let batch = format!("[{}]", refusal("Action has already been rejected.", "BAD_REQUEST", 400));
    let error = accept_answered(400, batch).await.unwrap_err();
    assert_eq!((error.cause, error.code.as_deref()), (Cause::AlreadyRejected, Some("BAD_REQUEST")));
}

#[tokio::test]
async fn a_wait_that_was_asked_for_is_told() {
    let server = Server::start(|_, _| ([("retry-after", "7")], answer(429, "")).into_response()).await;
    let error = by_trigger(&server.url).accept(&confirmation(BIRTH), now()).await.unwrap_err();
    // The status of the inner response is kept by the tuple.
    assert_eq!((error.class, error.retry_after), (Class::Transient, Some(Duration::from_secs(7))));
}

#[tokio::test]
async fn answers_may_be_batched_or_of_another_shape() {
    assert!(accept_answered(200, format!("[{}]", accepted())).await.unwrap().is_some());
    let stub = r#"[{"result":{"data":{"json":{"ok":true}}}}]"#.to_owned();
    assert_eq!(accept_answered(200, stub).await, Ok(None));
    assert_eq!(accept_answered(200, r#"{"result":{"data":{}}}"#.to_owned()).await, Ok(None));
}

#[tokio::test]
async fn a_success_that_did_nothing_is_in_doubt() {
    let untouched: Value = serde_json::from_str(BIRTH).unwrap();
    let error = accept_answered(200, procedure(&untouched)).await.unwrap_err();
    assert_eq!((error.class, error.cause), (Class::Unknown, Cause::NotApplied));
}

#[tokio::test]
async fn nobody_there_is_transient() {
    let error = by_trigger(&nobody().await).accept(&confirmation(BIRTH), now()).await.unwrap_err();
    assert_eq!((error.class, error.cause), (Class::Transient, Cause::Unreachable));
    assert!(!format!("{error} {error:?}").contains("127.0.0.1"));
}

#[tokio::test]
async fn a_connection_lost_after_sending_is_in_doubt() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n{\"result\":"] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 16 * 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(read > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    for _ in 0..2 {
        let error = by_trigger(&url).accept(&confirmation(BIRTH), now()).await.unwrap_err();
        assert_eq!((error.class, error.cause), (Class::Unknown, Cause::Broken));
    }
}

#[tokio::test]
async fn a_time_out_is_in_doubt_for_writes_and_harmless_for_reads() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "a client that does not wait long")]
    let hasty = reqwest::Client::builder().timeout(Duration::from_millis(50)).no_proxy().build().unwrap();
    let endpoints = Endpoints { gateway: url.clone(), auth: url };
    let client = Client::new(hasty, endpoints, ConfirmationAuth::TriggerToken, Version::V1_9);
    let error = client.accept(&confirmation(BIRTH), now()).await.unwrap_err();
    assert_eq!((error.class, error.cause), (Class::Unknown, Cause::Broken));
    let error = client.get_with_token(EVENT.parse().unwrap(), &"t".into(), now()).await.unwrap_err();
    assert_eq!((error.class, error.cause), (Class::Transient, Cause::Broken));
    drop(listener);
}

#[tokio::test]
async fn an_address_that_is_none_is_permanent() {
    let error = by_trigger("opencrvs").accept(&confirmation(BIRTH), now()).await.unwrap_err();
    assert_eq!((error.class, error.cause), (Class::Permanent, Cause::BadAddress));
}
