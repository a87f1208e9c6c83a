//! The check of a trigger's token: forged, foreign, late, misplaced; and keys that rotate or cannot be had.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use crate::support::{Server, http, json as answer, nobody};
use civitas_opencrvs::{AUDIENCE, Claims, ISSUER, KeyError, KeySource, TokenError, TriggerTokens};
use jiff::{SignedDuration, Timestamp};
use josekit::jws::{HS256, JwsHeader, JwsSigner, RS256, RS384};
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use serde_json::{Value, json};
use uuid::Uuid;

static OLD: LazyLock<PKey<Private>> = LazyLock::new(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap());
static NEW: LazyLock<PKey<Private>> = LazyLock::new(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap());

const EVENT: Uuid = Uuid::from_u128(1);
const ACTION: Uuid = Uuid::from_u128(2);

fn now() -> Timestamp {
    "2026-06-01T09:01:00Z".parse().unwrap()
}

fn public(key: &PKey<Private>) -> String {
    String::from_utf8(key.public_key_to_pem().unwrap()).unwrap()
}

fn private(key: &PKey<Private>) -> Vec<u8> {
    key.private_key_to_pem_pkcs8().unwrap()
}

fn claims() -> Value {
    json!({
        "scope": ["type=record.confirm-registration", "type=record.read&event=birth,death"],
        "eventId": EVENT, "actionId": ACTION, "userType": "user", "sub": "registrar", "iss": ISSUER,
        "aud": ["opencrvs:gateway-user", AUDIENCE], "iat": now().as_second(), "exp": now().as_second() + 604_800,
    })
}

fn signed(claims: &Value, signer: &dyn JwsSigner) -> String {
    let mut header = JwsHeader::new();
    header.set_token_type("JWT");
    josekit::jws::serialize_compact(claims.to_string().as_bytes(), &header, signer).unwrap()
}

fn token(claims: &Value, key: &PKey<Private>) -> String {
    signed(claims, &RS256.signer_from_pem(private(key)).unwrap())
}

fn edited(edit: impl FnOnce(&mut Value)) -> Value {
    let mut claims = claims();
    edit(&mut claims);
    claims
}

fn mounted(key: &PKey<Private>) -> TriggerTokens {
    TriggerTokens::new(http(), KeySource::pem(&public(key)).unwrap(), ISSUER, AUDIENCE)
}

async fn verify(verifier: &TriggerTokens, token: &str, after_secs: i64) -> Result<Claims, TokenError> {
    verifier.verify(token, EVENT, ACTION, now() + SignedDuration::from_secs(after_secs)).await
}

#[tokio::test]
async fn a_genuine_token_is_taken() {
    let claims = verify(&mounted(&OLD), &token(&claims(), &OLD), 0).await.unwrap();
    assert_eq!((claims.event_id, claims.action_id), (EVENT, ACTION));
    assert_eq!(claims.subject.as_deref(), Some("registrar"));
    assert_eq!(claims.expires_at, now() + SignedDuration::from_hours(168));
    assert!(claims.has_scope("record.confirm-registration") && claims.has_scope("record.read"));
    assert!(!claims.has_scope("record.register"));
    let one = edited(|claims| claims["aud"] = json!(AUDIENCE));
    verify(&mounted(&OLD), &token(&one, &OLD), 0).await.unwrap();
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let verifier = mounted(&OLD);
    assert_eq!(verify(&verifier, "", 0).await, Err(TokenError::Missing));
    for text in ["opaque", "a.b.c", "a.b", "....", &"a".repeat(40_000)] {
        let error = verify(&verifier, text, 0).await.unwrap_err();
        assert!(matches!(error, TokenError::Invalid(_)) && error.is_provable(), "{error}");
    }
}

#[tokio::test]
async fn another_algorithm_is_refused() {
    let verifier = mounted(&OLD);
    let by_public_key = signed(&claims(), &HS256.signer_from_bytes(public(&OLD)).unwrap());
    let rs384 = signed(&claims(), &RS384.signer_from_pem(private(&OLD)).unwrap());
    let genuine = token(&claims(), &OLD);
    let body = genuine.split('.').nth(1).unwrap();
    // {"alg":"none"} and {"typ":"JWT"}.
    let none = format!("eyJhbGciOiJub25lIn0.{body}.");
    let unnamed = format!("eyJ0eXAiOiJKV1QifQ.{body}.{}", genuine.split('.').nth(2).unwrap());
    for token in [by_public_key, rs384, none, unnamed] {
        assert_eq!(verify(&verifier, &token, 0).await, Err(TokenError::Invalid("not an RS256 token")));
    }
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let verifier = mounted(&OLD);
    assert_eq!(
        verify(&verifier, &token(&claims(), &NEW), 0).await,
        Err(TokenError::Invalid("wrong signature"))
    );
    let genuine = token(&claims(), &OLD);
    let other = token(&edited(|claims| claims["sub"] = json!("another")), &OLD);
    let mut parts: Vec<&str> = genuine.split('.').collect();
    parts[1] = other.split('.').nth(1).unwrap();
    assert_eq!(verify(&verifier, &parts.join("."), 0).await, Err(TokenError::Invalid("wrong signature")));
}

#[tokio::test]
async fn a_token_of_or_for_somebody_else_is_refused() {
    let cases = [
        (edited(|claims| claims["iss"] = json!("somebody")), "another issuer"),
        (edited(|claims| claims["aud"] = json!(["opencrvs:gateway-user"])), "another audience"),
        (edited(|claims| claims["aud"] = Value::Null), "claims missing or malformed"),
        (edited(|claims| claims["exp"] = Value::Null), "claims missing or malformed"),
        (edited(|claims| claims["exp"] = json!(1e300)), "expiry out of range"),
        (edited(|claims| claims["nbf"] = json!(now().as_second() + 60)), "not in force yet"),
    ];
    for (claims, expected) in cases {
        assert_eq!(
            verify(&mounted(&OLD), &token(&claims, &OLD), 0).await,
            Err(TokenError::Invalid(expected))
        );
    }
}

#[tokio::test]
async fn a_token_expires_at_its_second() {
    let verifier = mounted(&OLD);
    let token = token(&claims(), &OLD);
    verify(&verifier, &token, 604_799).await.unwrap();
    assert_eq!(verify(&verifier, &token, 604_800).await, Err(TokenError::Expired));
}

#[tokio::test]
async fn a_token_of_another_record_or_action_is_refused() {
    let cases = [
        edited(|claims| claims["eventId"] = json!(ACTION)),
        edited(|claims| claims["actionId"] = json!(EVENT)),
        edited(|claims| claims["actionId"] = json!("x")),
        edited(|claims| _ = claims.as_object_mut().unwrap().remove("eventId")),
    ];
    for claims in cases {
        assert_eq!(verify(&mounted(&OLD), &token(&claims, &OLD), 0).await, Err(TokenError::WrongRecord));
    }
}

/// A key service that answers by how often it was asked, and counts.
async fn service(
    answers: impl Fn(usize) -> (u16, String) + Send + Sync + 'static,
) -> (TriggerTokens, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let server = Server::start(move |_, before| {
        counted.fetch_add(1, Ordering::SeqCst);
        let (status, body) = answers(before);
        answer(status, body)
    })
    .await;
    let url = format!("{}/.well-known", server.url);
    (TriggerTokens::new(http(), KeySource::Url(url), ISSUER, AUDIENCE), count)
}

#[tokio::test]
async fn a_fetched_key_is_kept() {
    let (verifier, asked) = service(|_| (200, format!("\n{}\n", public(&OLD)))).await;
    let token = token(&claims(), &OLD);
    for after in [0, 1, 3600] {
        verify(&verifier, &token, after).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_rotated_key_is_fetched_at_most_once_a_minute() {
    let (verifier, asked) = service(|before| (200, public(if before == 0 { &OLD } else { &NEW }))).await;
    verify(&verifier, &token(&claims(), &OLD), 0).await.unwrap();
    let newer = token(&claims(), &NEW);
    // The key is fresh: what it does not verify is forged.
    assert_eq!(verify(&verifier, &newer, 59).await, Err(TokenError::Invalid("wrong signature")));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    verify(&verifier, &newer, 60).await.unwrap();
    verify(&verifier, &newer, 61).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    for after in 62..70 {
        let error = verify(&verifier, &token(&claims(), &OLD), after).await.unwrap_err();
        assert_eq!(error, TokenError::Invalid("wrong signature"));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2, "forgeries do not make us ask");
}

#[tokio::test]
async fn an_error_page_never_replaces_a_key() {
    let pages: [(u16, String); 3] =
        [(200, "<html>Bad gateway</html>".to_owned()), (502, public(&NEW)), (200, "x".repeat(100_000))];
    for page in pages {
        let expected = if page.0 == 200 { KeyError::NotAKey } else { KeyError::Status(502) };
        let (verifier, asked) =
            service(move |before| if before == 0 { (200, public(&OLD)) } else { page.clone() }).await;
        let old = token(&claims(), &OLD);
        verify(&verifier, &old, 0).await.unwrap();
        for after in [60, 61] {
            // The key may have been rotated: that this token is forged cannot be proven.
            let error = verify(&verifier, &token(&claims(), &NEW), after).await.unwrap_err();
            assert_eq!(error, TokenError::KeyUnavailable(expected.clone()));
            assert!(!error.is_provable());
        }
        verify(&verifier, &old, 62).await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_proven_and_it_is_asked_for_again() {
    let (verifier, asked) =
        service(|before| if before == 0 { (503, String::new()) } else { (200, public(&OLD)) }).await;
    let token = token(&claims(), &OLD);
    for after in [0, 1, 4] {
        let error = verify(&verifier, &token, after).await.unwrap_err();
        assert_eq!(error, TokenError::KeyUnavailable(KeyError::Status(503)));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    verify(&verifier, &token, 5).await.unwrap();

    let gone = TriggerTokens::new(http(), KeySource::Url(nobody().await), ISSUER, AUDIENCE);
    let error = verify(&gone, &token, 0).await.unwrap_err();
    assert_eq!(error, TokenError::KeyUnavailable(KeyError::Unreachable));
}

#[tokio::test]
async fn many_triggers_fetch_one_key() {
    let (verifier, asked) = service(|_| (200, public(&OLD))).await;
    let verifier = Arc::new(verifier);
    let token = token(&claims(), &OLD);
    let checks: Vec<_> = (0..20)
        .map(|_| {
            let (verifier, token) = (Arc::clone(&verifier), token.clone());
            tokio::spawn(async move { verify(&verifier, &token, 0).await })
        })
        .collect();
    for check in checks {
        check.await.unwrap().unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn what_is_no_public_key_is_refused_at_once() {
    let weak = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    let secret = String::from_utf8(private(&OLD)).unwrap();
    for text in ["", "<html>", &public(&weak), &secret] {
        assert!(matches!(KeySource::pem(text), Err(KeyError::NotAKey)));
    }
    assert!(!format!("{:?}", mounted(&OLD)).contains("BEGIN"));
}
