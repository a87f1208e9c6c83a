//! The three confirmation modes: which token travels, when it is bought, when it is renewed.

use crate::fixture::{
    BIRTH, accepted, by_credentials, by_trigger, client, confirmation, now, refusal, system, token,
};
use crate::support::{Asked, Server, json as answer, nobody};
use civitas_opencrvs::{Cause, Class, ConfirmationAuth, Version};

#[tokio::test]
async fn client_credentials_are_bought_once_and_used_until_shortly_before_they_expire() {
    let server = Server::start(|asked: &Asked, before| match asked.path.as_str() {
        "/auth/token" => token(&format!("system-{before}")),
        _ => answer(200, accepted()),
    })
    .await;
    let client = by_credentials(&server.url);
    for (minutes, expected) in [(0, "system-0"), (9, "system-0"), (10, "system-1")] {
        let at = now() + jiff::SignedDuration::from_mins(minutes);
        client.clone().accept(&confirmation(BIRTH), at).await.unwrap();
        let last = server.asked().pop().unwrap();
        assert_eq!(last.header("authorization"), format!("Bearer {expected}"));
    }
    let asked = server.asked();
    assert_eq!(asked.iter().filter(|asked| asked.path == "/auth/token").count(), 2);
    assert_eq!(asked[0].header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(asked[0].body, "client_id=civitas&client_secret=s3cret%26%3D&grant_type=client_credentials");
}

#[tokio::test]
async fn many_callers_buy_one_token() {
    let server = Server::start(|asked: &Asked, _| match asked.path.as_str() {
        "/auth/token" => token("system"),
        _ => answer(200, accepted()),
    })
    .await;
    let client = by_credentials(&server.url);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.accept(&confirmation(BIRTH), now()).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let tokens = server.asked().iter().filter(|asked| asked.path == "/auth/token").count();
    assert_eq!(tokens, 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    for status in [401, 403] {
        let server = Server::start(move |asked: &Asked, before| match asked.path.as_str() {
            "/auth/token" => token(&format!("system-{before}")),
            _ if asked.header("authorization") == "Bearer system-1" => answer(200, accepted()),
            _ => answer(status, refusal("no", "UNAUTHORIZED", status)),
        })
        .await;
        let client = by_credentials(&server.url);
        assert!(client.accept(&confirmation(BIRTH), now()).await.unwrap().is_some());
        assert_eq!(server.asked().len(), 4);
        client.accept(&confirmation(BIRTH), now()).await.unwrap();
        assert_eq!(server.asked().len(), 5, "the new token stays");
    }
    let server = Server::start(|asked: &Asked, _| match asked.path.as_str() {
        "/auth/token" => token("system"),
        _ => answer(401, refusal("no", "UNAUTHORIZED", 401)),
    })
    .await;
    let error = by_credentials(&server.url).accept(&confirmation(BIRTH), now()).await.unwrap_err();
    assert_eq!((error.class, error.cause), (Class::Unauthorised, Cause::Unauthenticated));
    assert_eq!(server.asked().len(), 4, "once, not for ever");
}

#[tokio::test]
async fn a_triggers_token_is_not_renewed() {
    let server = Server::start(|_, _| answer(401, refusal("no", "UNAUTHORIZED", 401))).await;
    let error = by_trigger(&server.url).accept(&confirmation(BIRTH), now()).await.unwrap_err();
    assert_eq!(error.class, Class::Unauthorised);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn the_token_service_can_fail_without_doubt_about_the_record() {
    let cases = [
        (
            401,
            r#"{"error":"invalid_client"}"#,
            Class::Unauthorised,
            Cause::Unauthenticated,
            Some("invalid_client"),
        ),
        (
            400,
            r#"{"error":"invalid_request"}"#,
            Class::Permanent,
            Cause::InvalidInput,
            Some("invalid_request"),
        ),
        (500, "", Class::Transient, Cause::Server, None),
        (404, "404 page not found", Class::Transient, Cause::NotOpencrvs, None),
        (200, "<html>", Class::Transient, Cause::Unreadable, None),
        (200, r#"{"access_token":""}"#, Class::Transient, Cause::Unreadable, None),
    ];
    for (status, body, class, cause, code) in cases {
        let server = Server::start(move |_, _| answer(status, body)).await;
        let error = by_credentials(&server.url).accept(&confirmation(BIRTH), now()).await.unwrap_err();
        assert_eq!((error.class, error.cause, error.code.as_deref()), (class, cause, code));
        assert_eq!(error.call, "auth.token");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}

#[tokio::test]
async fn exchanges_the_system_token_for_one_of_the_record() {
    let server = Server::start(|asked: &Asked, _| match asked.path.as_str() {
        "/auth/token" if asked.body.contains("token-exchange") => token("record"),
        "/auth/token" => token("system"),
        _ => answer(200, accepted()),
    })
    .await;
    let client = client(&server.url, ConfirmationAuth::Exchange { client: system() }, Version::V2_0);
    client.accept(&confirmation(BIRTH), now()).await.unwrap();
    client.accept(&confirmation(BIRTH), now()).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 5, "one system token, an exchange per call");
    assert_eq!(
        asked[1].body,
        "grant_type=urn%3Aopencrvs%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=system\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &requested_token_type=urn%3Aopencrvs%3Aoauth%3Atoken-type%3Asingle_record_token\
         &event_id=6f1c0d4e-4f1a-4c58-9f0b-2f0a5b7f2d11&action_id=0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a06"
    );
    assert_eq!(asked[2].header("authorization"), "Bearer record");
}

#[tokio::test]
async fn an_exchange_that_is_refused_renews_the_system_token() {
    let server = Server::start(|asked: &Asked, before| match asked.path.as_str() {
        "/auth/token" if asked.body.contains("subject_token=system-2") => token("record"),
        "/auth/token" if asked.body.contains("token-exchange") => {
            answer(401, r#"{"error":"unauthorized_client"}"#)
        }
        "/auth/token" => token(&format!("system-{before}")),
        _ => answer(200, accepted()),
    })
    .await;
    let client = client(&server.url, ConfirmationAuth::Exchange { client: system() }, Version::V2_0);
    client.accept(&confirmation(BIRTH), now()).await.unwrap();
    assert_eq!(server.asked().len(), 5);
}

#[tokio::test]
async fn checks_what_the_credentials_are_good_for() {
    // {"exp":1780308600,"scope":["type=record.register&event=birth","type=record.read"]}
    const JWT: &str = "e30.eyJleHAiOjE3ODAzMDg2MDAsInNjb3BlIjpbInR5cGU9cmVjb3JkLnJlZ2lzdGVyJmV2ZW50PWJpcnRoIiwidHlwZT1yZWNvcmQucmVhZCJdfQ.c2ln";
    let server = Server::start(|_, _| token(JWT)).await;
    let client = by_credentials(&server.url);
    let check = client.check_auth(now()).await.unwrap();
    assert_eq!(check.expires_at, Some("2026-06-01T10:10:00Z".parse().unwrap()));
    assert_eq!(check.scopes, ["record.register", "record.read"]);
    assert_eq!(check.missing, ["record.correct", "record.search"]);
    client.check_auth(now()).await.unwrap();
    assert_eq!(server.asked().len(), 2, "a check asks, it does not remember");

    let auth = || ConfirmationAuth::Exchange { client: system() };
    for version in [Version::V1_9, Version::V2_1] {
        let error = crate::fixture::client(&server.url, auth(), version).check_auth(now()).await.unwrap_err();
        assert_eq!((error.class, error.cause), (Class::Permanent, Cause::WrongMode));
    }
    assert!(
        crate::fixture::client(&server.url, auth(), Version::V2_0)
            .check_auth(now())
            .await
            .unwrap()
            .missing
            .contains(&"record.search")
    );
    let error = by_credentials(&nobody().await).check_auth(now()).await.unwrap_err();
    assert_eq!(error.class, Class::Transient);
    assert!(by_trigger(&nobody().await).check_auth(now()).await.unwrap().scopes.is_empty());
}

#[tokio::test]
async fn the_release_on_the_other_side_is_told_by_its_token_service() {
    // {"scope":["recordsearch"]}, as 1.9 writes scopes
    const PLAIN: &str = "e30.eyJzY29wZSI6WyJyZWNvcmRzZWFyY2giXX0.c2ln";
    let there = async |exchange: (u16, &'static str), own: &'static str, form_refused: Option<u16>| {
        let server = Server::start(move |asked: &Asked, _| {
            if asked.body.contains("token-exchange") {
                return answer(exchange.0, exchange.1);
            }
            match form_refused.filter(|_| !asked.body.is_empty()) {
                Some(status) => answer(status, r#"{"error":"invalid_request"}"#),
                None => token(own),
            }
        })
        .await;
        let found = by_credentials(&server.url).version_there(now()).await;
        (found, server.asked().len())
    };
    let exchanged = (200, r#"{"access_token":"record"}"#);
    let unknown = (400, r#"{"error":"unsupported_grant_type"}"#);
    for status in [400, 401] {
        assert_eq!(there(exchanged, "opaque", Some(status)).await, (Ok(Some(Version::V1_9)), 2));
    }
    assert_eq!(there(exchanged, PLAIN, None).await, (Ok(Some(Version::V1_9)), 1));
    assert_eq!(there(exchanged, "opaque", None).await, (Ok(Some(Version::V2_0)), 2));
    assert_eq!(there(unknown, "opaque", None).await, (Ok(Some(Version::V2_1)), 2));
    let (down, asked) = there(exchanged, "opaque", Some(503)).await;
    assert_eq!((down.unwrap_err().status, asked), (Some(503), 1));
    for refused in
        [(500, ""), (400, r#"{"error":"invalid_request"}"#), (401, r#"{"error":"unauthorized_client"}"#)]
    {
        let (found, _) = there(refused, "opaque", None).await;
        assert!(found.is_err(), "{refused:?}: {found:?}");
    }
    assert_eq!(by_trigger(&nobody().await).version_there(now()).await, Ok(None));
    assert!(by_credentials(&nobody().await).version_there(now()).await.is_err());
}

#[test]
fn no_secret_is_shown() {
    let client = by_credentials("http://127.0.0.1:1");
    let shown =
        format!("{client:?} {:?} {:?}", confirmation(BIRTH), ConfirmationAuth::Exchange { client: system() });
    for secret in ["s3cret", "8031687218", "trigger", "PD9TL0RL12RO"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
