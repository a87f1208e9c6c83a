//! The pages: for people with a token, without script, with everything escaped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

use crate::stage::{Mood, VIEWER, stage};

fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("vera:{VIEWER}")))
}

#[tokio::test]
async fn a_browser_is_asked_who_it_is_and_its_first_request_is_no_offence() {
    let stage = stage(Mood::Awaits);
    let answer = stage.get("/", None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Basic realm="));
    assert!(stage.script.denied.lock().unwrap().is_empty());
    assert_eq!(stage.get("/", Some("Basic dmVyYTpndWVzcw==")).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stage.script.denied.lock().unwrap()[0].1, "overview page: token_unknown");
}

#[tokio::test]
async fn the_overview_shows_counts_waiting_records_and_the_why_of_decisions() {
    let stage = stage(Mood::Awaits);
    let answer = stage.get("/", Some(&basic())).await;
    assert_eq!(answer.status, StatusCode::OK);
    for shown in [
        "<strong>1</strong> stalled",
        "<td>3 d 3 h</td>",
        "<td>1 h 1 min ago</td>",
        "deadline_passed",
        "ask MOSIP about this AID",
        "<time datetime=\"2026-06-01T09:01:01Z\">2026-06-01 09:01:01 UTC</time>",
        "5c1f0a9be4d1",
        "packet_manager fails and is left alone, since 2026",
        "the hub is silent on crvs_partner/CREDENTIAL_ISSUED since 2026",
    ] {
        assert!(answer.text.contains(shown), "{shown} in {}", answer.text);
    }
    assert!(answer.text.contains("child.nid is absent &#38; &#60;b&#62;a parent"), "{}", answer.text);
    assert!(!answer.text.contains("<script"));
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn a_record_has_its_history_on_its_page() {
    let stage = stage(Mood::Awaits);
    let answer = stage.get("/records/7KQ2ZB", Some(&basic())).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text.contains("MOSIP lost the packet") && answer.text.contains("<td>amina</td>"));
    assert_eq!(stage.get("/records/NOBODY", Some(&basic())).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stage.get("/style.css", None).await.status, StatusCode::OK);
    assert_eq!(stage.get("/nowhere", None).await.code(), "not_found");
    let wrong = stage.get("/trigger/events/birth/actions/REGISTER", None).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"));
}

#[tokio::test]
async fn the_overview_warns_of_the_certificate_that_ends_and_of_no_other() {
    let stage = stage(Mood::Awaits);
    let answer = stage.get("/", Some(&basic())).await;
    for shown in ["MOSIP’s signing certificate ends in 10 days", "2026-06-11", "CN=&#60;KERNEL-SIGN&#62;"] {
        assert!(answer.text.contains(shown), "{shown} in {}", answer.text);
    }
    assert!(!answer.text.contains("CN=crvs_partner"), "its successor is there");
}
