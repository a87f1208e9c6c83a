//! Each documented exchange with mosip-api, field by field.

use axum::body::Body;
use civitas_engine::RequestRoute;
use civitas_server::Contract;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::stage::{ACTION, EVENT, Mood, NOW, Stage, stage, stage_as, staged};

const JSON: &str = "application/json; charset=utf-8";

fn post(path: &str, token: Option<&str>, body: &Value) -> Request<Body> {
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::from(body.to_string())).unwrap()
}

fn birth() -> Value {
    json!({ "trackingId": "TRK123", "requestFields": { "birthCertificateNumber": "2026B0000001" } })
}

/// The rules of the exchange that hold on every address.
fn is_peers(answer: &crate::stage::Answered, status: u16, body: &Value) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    assert_eq!(&answer.json(), body);
    assert_eq!(answer.headers["content-type"], JSON);
}

#[tokio::test]
async fn a_registration_is_answered_202_and_an_empty_object() {
    for contract in [Contract::V1_9, Contract::V2] {
        let stage = stage_as(Mood::Accepts, contract);
        for path in ["/events/registration", "/events/registration/"] {
            let answer = stage.send(post(path, Some(&stage.token(EVENT, ACTION)), &birth())).await;
            is_peers(&answer, 202, &json!({}));
            assert_eq!(answer.headers["vary"], "Origin");
        }
        let requests = stage.script.requests.lock().unwrap();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].route, RequestRoute::Registration);
        assert_eq!(requests[0].event_id.to_string(), EVENT);
        assert_eq!(requests[0].action_id.unwrap().to_string(), ACTION);
        assert!(requests[0].token.is_some() && requests[0].token_expires_at.is_some());
    }
}

#[tokio::test]
async fn updates_are_an_address_of_2_0_only() {
    let body = json!({ "requestFields": { "VID": "1", "fullName": "a" } });
    let stage = stage_as(Mood::Accepts, Contract::V2);
    let token = stage.token(EVENT, ACTION);
    is_peers(&stage.send(post("/events/update-biographics", Some(&token), &body)).await, 202, &json!({}));
    assert_eq!(stage.script.requests.lock().unwrap()[0].route, RequestRoute::UpdateBiographics);
    let older = stage_as(Mood::Accepts, Contract::V1_9);
    let token = older.token(EVENT, ACTION);
    let answer = older.send(post("/events/update-biographics", Some(&token), &body)).await;
    let expected = json!({
        "message": "Route POST:/events/update-biographics not found", "error": "Not Found", "statusCode": 404,
    });
    is_peers(&answer, 404, &expected);
}

#[tokio::test]
async fn without_a_good_token_it_is_401_in_the_same_words_on_every_address() {
    let stage = stage_as(Mood::Accepts, Contract::V2);
    let expired = stage.token_with(|claims| claims["exp"] = json!(1));
    for token in [None, Some("nonsense"), Some(Stage::forged_token().as_str()), Some(expired.as_str())] {
        let unauthorised = json!({ "error": "Unauthorized" });
        is_peers(&stage.send(post("/events/registration", token, &birth())).await, 401, &unauthorised);
        is_peers(&stage.send(post("/nope", token, &birth())).await, 401, &unauthorised);
    }
    assert!(stage.script.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn f21_issuer_audience_and_scope_are_checked() {
    let stage = stage_as(Mood::Accepts, Contract::V2);
    for change in [
        |claims: &mut Value| claims["iss"] = json!("somebody-else"),
        |claims: &mut Value| claims["aud"] = json!(["opencrvs:gateway-user"]),
    ] {
        let token = stage.token_with(change);
        let answer = stage.send(post("/events/registration", Some(&token), &birth())).await;
        is_peers(&answer, 401, &json!({ "error": "Unauthorized" }));
    }
    let token = stage.token_with(|claims| claims["scope"] = json!([]));
    let answer = stage.send(post("/events/registration", Some(&token), &birth())).await;
    is_peers(&answer, 403, &json!({ "error": "You do not have permission to access this resource." }));
    assert!(stage.script.denied.lock().unwrap()[0].1.contains("scope"));
    assert!(stage.script.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn f24_without_a_key_nothing_is_believed_and_nobody_is_called_unauthorised() {
    // That what is fetched in place of a key never becomes one is held beside the key store.
    let stage = staged(Mood::Accepts, false, Some(Contract::V2));
    let answer = stage.send(post("/events/registration", Some(&stage.token(EVENT, ACTION)), &birth())).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (503, &json!("token_not_checkable")));
    assert!(stage.script.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_surface_is_off_unless_it_is_asked_for() {
    let stage = stage(Mood::Accepts);
    let answer = stage.send(post("/events/registration", Some(&stage.token(EVENT, ACTION)), &birth())).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
}

#[tokio::test]
async fn what_goes_wrong_says_so_in_a_text_under_error() {
    for (mood, status, code) in [
        (Mood::Rejects, 400, "certificate_number_missing"),
        (Mood::CannotWrite, 503, "journal_unavailable"),
        (Mood::Panics, 500, "internal_error"),
    ] {
        let stage = stage_as(mood, Contract::V2);
        let answer =
            stage.send(post("/events/registration", Some(&stage.token(EVENT, ACTION)), &birth())).await;
        assert_eq!(answer.status.as_u16(), status);
        let body = answer.json();
        assert_eq!(body["code"], code);
        assert!(body["error"].is_string() && body["advice"].is_string(), "{body}");
    }
    let stage = stage_as(Mood::Accepts, Contract::V2);
    let large = json!({ "requestFields": { "birthCertificateNumber": "1", "x": "y".repeat(70_000) } });
    let answer = stage.send(post("/events/registration", Some(&stage.token(EVENT, ACTION)), &large)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_token_of_2_1_leaves_the_record_to_the_body_and_the_action_to_opencrvs() {
    let stage = stage_as(Mood::Accepts, Contract::V2);
    let token = stage.token_with(|claims| {
        claims["scope"] = json!(["type=record.register&event=birth"]);
        claims.as_object_mut().unwrap().retain(|claim, _| claim != "eventId" && claim != "actionId");
    });
    let answer = stage.send(post("/events/registration", Some(&token), &birth())).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (400, &json!("record_unknown")));
    let mut named = birth();
    named["eventId"] = json!(EVENT);
    is_peers(&stage.send(post("/events/registration", Some(&token), &named)).await, 202, &json!({}));
    let requests = stage.script.requests.lock().unwrap();
    assert_eq!((requests[0].event_id.to_string().as_str(), requests[0].action_id), (EVENT, None));
}

#[tokio::test]
async fn an_unknown_address_is_404_for_whoever_shows_a_token() {
    let stage = stage_as(Mood::Accepts, Contract::V1_9);
    let bearer = format!("Bearer {}", stage.token(EVENT, ACTION));
    let answer = stage.get("/nope", Some(&bearer)).await;
    let expected = json!({ "message": "Route GET:/nope not found", "error": "Not Found", "statusCode": 404 });
    is_peers(&answer, 404, &expected);
    let answer = stage.get("/events/registration", Some(&bearer)).await;
    assert_eq!(answer.json()["message"], "Route GET:/events/registration not found", "a wrong method too");
}

#[tokio::test]
async fn a_browser_of_the_client_may_call_and_no_other() {
    let stage = stage_as(Mood::Accepts, Contract::V2);
    let preflight = |origin: &str| {
        Request::options("/events/registration")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .body(Body::empty())
            .unwrap()
    };
    let answer = stage.send(preflight("https://register.example")).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(answer.headers["access-control-allow-origin"], "https://register.example");
    assert_eq!(answer.headers["access-control-allow-methods"], "GET, POST, OPTIONS");
    assert_eq!(answer.headers["access-control-allow-headers"], "Content-Type, Authorization");
    let other = stage.send(preflight("https://elsewhere.example")).await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));
    assert_eq!(other.headers["vary"], "Origin");
}

#[tokio::test]
async fn the_hubs_delivery_is_receipted_field_by_field() {
    let stage = stage_as(Mood::Accepts, Contract::V2);
    let body = json!({
        "publisher": "CREDENTIAL_SERVICE", "topic": "CREDENTIAL_ISSUED", "publishedOn": "2025-04-11T07:57:43.134Z",
        "event": { "id": "e1", "transactionId": "t1", "data": {} },
    });
    let deliver = |signature: &str| {
        Request::post("/websub/callback")
            .header("content-type", "application/json")
            .header("x-hub-signature", signature)
            .body(Body::from(body.to_string()))
            .unwrap()
    };
    let now = NOW.replace('Z', ".000Z");
    let receipt = json!({
        "publisher": "CREDENTIAL_SERVICE", "topic": "CREDENTIAL_ISSUED", "publishedOn": now,
        "event": { "id": "e1", "requestId": "t1", "timestamp": now, "status": "RECEIVED", "url": "" },
    });
    is_peers(&stage.send(deliver("sha256=good")).await, 200, &receipt);
    let refused = stage.send(deliver("sha256=bad")).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (401, &json!("Invalid X-Hub-Signature")));
    assert_eq!(stage.script.deliveries.lock().unwrap().len(), 1);
    let unasked = stage.get("/websub/callback?hub.mode=subscribe", None).await;
    assert_eq!((unasked.status.as_u16(), unasked.text.as_str()), (400, "Missing hub.challenge"));
    assert_eq!(unasked.headers["content-type"], "text/plain; charset=utf-8");
}

#[tokio::test]
async fn f20_transactions_are_listed_and_released_in_the_same_form_and_without_tokens() {
    for (contract, reads, deletes) in [
        (Contract::V1_9, json!(["search.birth", "search.death"]), "record.reject-registration"),
        (Contract::V2, json!(["type=record.search&event=birth,death"]), "type=record.register&event=birth"),
    ] {
        let stage = stage_as(Mood::Accepts, contract);
        let bearer = |scope: Value| format!("Bearer {}", stage.token_with(|claims| claims["scope"] = scope));
        let forbidden = json!({ "error": "You do not have permission to access this resource." });
        is_peers(&stage.get("/debug/transactions", Some(&bearer(json!(["x"])))).await, 403, &forbidden);
        let list = stage.get("/debug/transactions", Some(&bearer(reads.clone()))).await;
        let row = json!({
            "eventId": EVENT, "actionId": ACTION, "id": "7KQ2ZB", "registration_number": "2026B0000001",
            "created_at": NOW,
        });
        is_peers(&list, 200, &json!([row]));
        let delete = |id: &str, scope: Value| {
            let path = format!("/debug/transactions/{id}");
            Request::delete(path).header("authorization", bearer(scope)).body(Body::empty()).unwrap()
        };
        is_peers(&stage.send(delete("7KQ2ZB", reads)).await, 403, &forbidden);
        let gone = json!({ "error": "Transaction with id '123' not found." });
        is_peers(&stage.send(delete("123", json!([deletes]))).await, 404, &gone);
        let released = json!({ "token": null, "registrationNumber": "2026B0000001" });
        is_peers(&stage.send(delete("7KQ2ZB", json!([deletes]))).await, 200, &released);
        let acts = stage.script.acts.lock().unwrap();
        assert_eq!(acts.len(), 1);
        assert!(acts[0].actor.starts_with("opencrvs:") && acts[0].reason.len() > 3);
    }
}

#[tokio::test]
async fn civitas_own_addresses_stay_as_they_are() {
    let plain = stage(Mood::Accepts);
    let served = stage_as(Mood::Accepts, Contract::V2);
    for path in ["/health/live", "/api/openapi.json"] {
        let (ours, theirs) = (plain.get(path, None).await, served.get(path, None).await);
        assert_eq!((ours.status, ours.text), (theirs.status, theirs.text));
    }
}
