//! The rule set that runs, and reading it anew.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Request, StatusCode};
use serde_json::json;

use crate::stage::{ADMIN, Answered, INTEGRATOR, Mood, Stage, VIEWER, stage};

const RELOAD: &str = "/api/v1/pack/reload";

async fn reload(stage: &Stage, token: &str, body: &str) -> Answered {
    let request = Request::post(RELOAD).header("authorization", format!("Bearer {token}"));
    stage.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn an_admin_has_the_pack_read_anew_in_the_admins_name() {
    let stage = stage(Mood::Awaits);
    let answer = reload(&stage, ADMIN, r#"{"reason": " change 42 "}"#).await;
    assert_eq!((answer.status, answer.json()["outcome"].as_str()), (StatusCode::OK, Some("swapped")));
    assert_eq!(reload(&stage, ADMIN, "").await.status, StatusCode::OK);
    let asked = stage.script.reloads.lock().unwrap();
    assert_eq!(*asked, [("ada".to_owned(), Some("change 42".to_owned())), ("ada".to_owned(), None)]);
}

#[tokio::test]
async fn nobody_else_has_and_each_attempt_is_recorded() {
    let stage = stage(Mood::Awaits);
    for token in [VIEWER, INTEGRATOR] {
        let answer = reload(&stage, token, "").await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "role_insufficient"));
    }
    assert_eq!(reload(&stage, "guessed", "").await.code(), "token_unknown");
    assert!(stage.script.reloads.lock().unwrap().is_empty());
    let denied = stage.script.denied.lock().unwrap();
    let refused = |who: &str, why: &str| (who.to_owned(), format!("pack reload: {why}"));
    let expected = [
        refused("vera", "role_insufficient"),
        refused("amina", "role_insufficient"),
        refused("unknown", "token_unknown"),
    ];
    assert_eq!(*denied, expected);
}

#[tokio::test]
async fn a_refused_pack_is_an_error_that_names_the_place() {
    let stage = stage(Mood::Rejects);
    let answer = reload(&stage, ADMIN, "").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "pack_refused"));
    let body = answer.json();
    assert_eq!(
        body["error"]["message"],
        "the pack does not compile: rules.yaml:12:5 R006: `child.bod` is no field of <birth>"
    );
    assert_eq!(body["attempt"]["problems"][0]["line"], 12);
    let none = Mood::CannotWrite;
    *stage.script.mood.lock().unwrap() = none;
    let answer = reload(&stage, ADMIN, "").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "pack_not_read_here"));
}

#[tokio::test]
async fn a_wrong_reason_is_refused_before_anything_is_read() {
    let stage = stage(Mood::Awaits);
    let long = json!({ "reason": "x".repeat(501) }).to_string();
    for body in ["reason", r#"{"because": "x"}"#, &long] {
        let answer = reload(&stage, ADMIN, body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "reason_wrong"),
            "{body}"
        );
    }
    assert!(stage.script.reloads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_runs_is_shown_to_viewers_in_health_and_on_the_page() {
    let stage = stage(Mood::Rejects);
    let viewer = format!("Bearer {VIEWER}");
    let answer = stage.get("/api/v1/pack", Some(&viewer)).await.json();
    assert_eq!(answer["pack"]["last"]["outcome"], "invalid");
    assert_eq!(answer["deciders"][1]["instance"], "civitas-1");
    let health = stage.get("/health/ready", None).await;
    assert_eq!(health.status, StatusCode::OK, "a refused pack takes no process out of service");
    let last = &health.json()["ruleset"]["last_reload"];
    assert_eq!(last["problems"][0], "rules.yaml:12:5 R006: `child.bod` is no field of <birth>");
    let basic = format!("Basic {}", STANDARD.encode(format!("vera:{VIEWER}")));
    let page = stage.get("/", Some(&basic)).await.text;
    for shown in [
        "The pack in the folder is not in force: the pack does not compile",
        "rules.yaml:12:5 R006: `child.bod` is no field of &#60;birth&#62;",
        "and 2 more",
        "On trial, without effect: birth-trial.",
        "Other processes decide by another rule set:</strong> civitas-1 by 77aa00112233.",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
}
