//! The operator API: who may do what, and what is recorded of it.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::stage::{Answered, INTEGRATOR, Mood, Stage, VIEWER, stage};

async fn act(stage: &Stage, token: &str, path: &str, body: &str) -> Answered {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(body.to_owned()))
        .unwrap();
    stage.send(request).await
}

#[tokio::test]
async fn nobody_reads_without_a_token_and_the_attempt_is_recorded() {
    let stage = stage(Mood::Awaits);
    for path in ["/api/v1/overview", "/api/v1/queue", "/api/v1/records/7KQ2ZB"] {
        let answer = stage.get(path, None).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "token_missing"));
        let answer = stage.get(path, Some("Bearer guessed")).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "token_unknown"));
        // A browser would send this by itself, for any page that asks it to.
        let answer = stage.get(path, Some("Basic dmVyYTp2aWV3ZXItdG9rZW4=")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let denied = stage.script.denied.lock().unwrap();
    assert_eq!(denied.len(), 9);
    assert_eq!(denied[7], ("unknown".to_owned(), "record on record 7KQ2ZB: token_unknown".to_owned()));
}

#[tokio::test]
async fn a_viewer_reads() {
    let stage = stage(Mood::Awaits);
    let viewer = format!("Bearer {VIEWER}");
    let queue = stage.get("/api/v1/queue?state=stalled&limit=10", Some(&viewer)).await;
    assert_eq!(queue.status, StatusCode::OK);
    assert_eq!(queue.json()[0]["tracking_id"], "7KQ2ZB");
    assert_eq!(queue.json()[0]["cause"]["code"], "deadline_passed");
    let record = stage.get("/api/v1/records/7KQ2ZB", Some(&viewer)).await;
    assert_eq!(record.json()["timeline"][0]["actor"], "amina");
    let overview = stage.get("/api/v1/overview", Some(&viewer)).await;
    assert_eq!(overview.json()["counts"]["operations"]["stalled"], 1);
    let missing = stage.get("/api/v1/records/NOBODY", Some(&viewer)).await;
    assert_eq!((missing.status, missing.code().as_str()), (StatusCode::NOT_FOUND, "record_unknown"));
}

#[tokio::test]
async fn a_wrong_filter_is_named() {
    let stage = stage(Mood::Awaits);
    let viewer = format!("Bearer {VIEWER}");
    for query in ["state=sleeping", "limit=0", "limit=1001", "limit=many", "colour=red"] {
        let answer = stage.get(&format!("/api/v1/queue?{query}"), Some(&viewer)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "filter_wrong"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn an_integrator_acts_with_a_reason_in_the_integrators_name() {
    let stage = stage(Mood::Awaits);
    let path = "/api/v1/records/7KQ2ZB/release";
    let answer = act(&stage, INTEGRATOR, path, r#"{"reason": " MOSIP lost the packet "}"#).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["to"], "released");
    let acts = stage.script.acts.lock().unwrap();
    assert_eq!((acts[0].actor.as_str(), acts[0].reason.as_str()), ("amina", "MOSIP lost the packet"));
}

#[tokio::test]
async fn a_viewer_does_not_act_and_the_attempt_is_recorded() {
    let stage = stage(Mood::Awaits);
    let answer = act(&stage, VIEWER, "/api/v1/records/7KQ2ZB/reject", r#"{"reason": "because"}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "role_insufficient"));
    assert!(stage.script.acts.lock().unwrap().is_empty());
    let denied = stage.script.denied.lock().unwrap();
    assert_eq!(denied[0], ("vera".to_owned(), "reject on record 7KQ2ZB: role_insufficient".to_owned()));
}

#[tokio::test]
async fn an_act_needs_a_reason_a_record_and_a_name() {
    let stage = stage(Mood::Awaits);
    let path = "/api/v1/records/7KQ2ZB/retry";
    let long = json!({ "reason": "x".repeat(501) }).to_string();
    for body in ["", "{}", r#"{"reason": "  "}"#, r#"{"reason": "a", "force": true}"#, &long] {
        let answer = act(&stage, INTEGRATOR, path, body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "reason_missing"),
            "{body}"
        );
    }
    let answer = act(&stage, INTEGRATOR, "/api/v1/records/NOBODY/retry", r#"{"reason": "because"}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "record_unknown"));
    let answer = act(&stage, INTEGRATOR, "/api/v1/records/7KQ2ZB/forget", r#"{"reason": "because"}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "act_unknown"));
}

#[tokio::test]
async fn health_follows_the_journal_and_the_stop() {
    let stage = stage(Mood::Awaits);
    assert_eq!(stage.get("/health/live", None).await.status, StatusCode::OK);
    let ready = stage.get("/health/ready", None).await;
    assert_eq!(ready.status, StatusCode::OK, "MOSIP's troubles are not the process's");
    assert_eq!(ready.json()["troubles"].as_array().unwrap().len(), 2);
    *stage.script.mood.lock().unwrap() = Mood::CannotWrite;
    assert_eq!(stage.get("/health/ready", None).await.json()["status"], "journal unavailable");
    *stage.script.mood.lock().unwrap() = Mood::Awaits;
    stage.stop.cancel();
    let stopping = stage.get("/health/ready", None).await;
    assert_eq!(
        (stopping.status, stopping.json()["status"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("stopping"))
    );
    assert_eq!(stage.get("/health/live", None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_description_names_every_endpoint_and_every_schema_that_it_refers_to() {
    let stage = stage(Mood::Awaits);
    let answer = stage.get("/api/openapi.json", None).await;
    let description = answer.json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = description["paths"].as_object().unwrap();
    for path in [
        "/trigger/events/{type}/actions/{action}",
        "/websub/callback",
        "/api/v1/overview",
        "/api/v1/queue",
        "/api/v1/records/{id}",
        "/api/v1/records/{id}/{act}",
        "/api/v1/pack",
        "/api/v1/pack/reload",
        "/api/openapi.json",
        "/health/live",
        "/health/ready",
        "/metrics",
    ] {
        assert!(paths.contains_key(path), "{path}");
    }
    let schemas = description["components"]["schemas"].as_object().unwrap();
    for reference in answer.text.split("\"$ref\": \"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is referred to, but not there");
    }
    assert!(schemas["QueueRow"]["properties"]["tracking_id"].is_object());
}

#[tokio::test]
async fn health_tells_of_certificates_and_how_long_they_last() {
    let stage = stage(Mood::Awaits);
    let health = stage.get("/health/ready", None).await;
    assert_eq!(health.status, StatusCode::OK, "one that ends takes no process out of service");
    let certificates = health.json()["certificates"].clone();
    let told = |index: usize, key: &str| certificates[index][key].clone();
    assert_eq!((told(0, "purpose"), told(0, "standing")), (json!("partner"), json!("valid")));
    assert_eq!((told(1, "standing"), told(1, "days_left")), (json!("superseded"), json!(-32)));
    assert_eq!((told(2, "purpose"), told(2, "standing")), (json!("mosip_signing"), json!("ends_soon")));
    assert_eq!((told(2, "days_left"), told(2, "subject")), (json!(10), json!("CN=<KERNEL-SIGN>")));
}
