//! OpenCRVS understands 200, 202 and 400; 401 is for whoever is provably not OpenCRVS.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::stage::{ACTION, EVENT, Mood, Stage, document, stage, stage_with};

#[tokio::test]
async fn the_answer_is_the_engines() {
    let post = async |mood| {
        let stage = stage(mood);
        stage.send(stage.trigger().body(Body::from(document().to_string())).unwrap()).await
    };
    let accepted = post(Mood::Accepts).await;
    assert_eq!(
        (accepted.status, accepted.json()),
        (StatusCode::OK, json!({"registrationNumber": "B2026X7Q4KMN"}))
    );
    let waits = post(Mood::Awaits).await;
    assert_eq!((waits.status, waits.json()), (StatusCode::ACCEPTED, json!({})));
    let rejected = post(Mood::Rejects).await;
    assert_eq!(
        (rejected.status, rejected.json()),
        (StatusCode::BAD_REQUEST, json!({"reason": "the mother is not known"}))
    );
}

#[tokio::test]
async fn what_breaks_in_us_is_a_400_from_which_the_registrar_can_go_on() {
    for (mood, code) in [(Mood::CannotWrite, "journal_unavailable"), (Mood::Panics, "internal_error")] {
        let stage = stage(mood);
        let answer = stage.send(stage.trigger().body(Body::from(document().to_string())).unwrap()).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, code));
    }
}

#[tokio::test]
async fn the_engine_gets_what_the_path_and_the_headers_say() {
    let stage = stage(Mood::Awaits);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request =
        stage.trigger().header("traceparent", trace).body(Body::from(document().to_string())).unwrap();
    assert_eq!(stage.send(request).await.status, StatusCode::ACCEPTED);
    let arrivals = stage.script.arrivals.lock().unwrap();
    let arrival = &arrivals[0];
    assert_eq!(arrival.event_type.as_deref(), Some("birth"));
    assert_eq!(arrival.action_type.as_deref(), Some("REGISTER"));
    assert_eq!(arrival.traceparent.as_deref(), Some(trace));
    assert_eq!(arrival.token_expires_at.unwrap().to_string(), "2026-06-08T09:01:01Z");
    assert_eq!(arrival.document, document().to_string().into_bytes());
    assert!(!format!("{:?}", arrival.token).contains('.'), "the token does not print");
}

#[tokio::test]
async fn both_spellings_and_the_wrapped_document_are_taken() {
    let stage = stage(Mood::Awaits);
    let token = stage.token(EVENT, ACTION);
    let request = Stage::trigger_to("/triggers/events/birth/actions/REGISTER", &token)
        .body(Body::from(json!({ "event": document() }).to_string()))
        .unwrap();
    assert_eq!(stage.send(request).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn unusable_bodies_are_refused_by_400_with_their_reason() {
    let stage = stage(Mood::Awaits);
    let mut answered = document();
    answered["actions"][1]["status"] = json!("Accepted");
    let mut not_text = document().to_string().into_bytes();
    not_text[40] = 0xff;
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("application/json", b"{\"id\": ".to_vec(), "document_unreadable"),
        ("application/json", b"[1, 2]".to_vec(), "document_unreadable"),
        ("application/json", not_text, "document_unreadable"),
        ("application/json", vec![b' '; 64 * 1024 + 1], "body_too_large"),
        ("text/plain", document().to_string().into_bytes(), "content_type_not_json"),
        ("multipart/form-data; boundary=x", b"--x--".to_vec(), "content_type_not_json"),
    ];
    for (kind, body, code) in cases {
        let mut request = stage.trigger().body(Body::from(body)).unwrap();
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        let answer = stage.send(request).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, code), "{kind}");
    }
    assert!(stage.script.arrivals.lock().unwrap().is_empty());
    assert!(answered["actions"][1]["status"] == "Accepted");
}

#[tokio::test]
async fn a_compressed_body_and_a_missing_content_type_are_refused_by_400() {
    let stage = stage(Mood::Awaits);
    let request = stage.trigger().header("content-encoding", "gzip").body(Body::from("x")).unwrap();
    assert_eq!(stage.send(request).await.code(), "content_encoding_unsupported");
    let mut request = stage.trigger().body(Body::from("{}")).unwrap();
    request.headers_mut().remove("content-type");
    let answer = stage.send(request).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "content_type_not_json"));
}

#[tokio::test]
async fn no_error_repeats_what_was_sent() {
    let stage = stage(Mood::Awaits);
    let body = r#"{"id": "Rouge Portgas", "type": "birth", "trackingId": 7}"#;
    let answer = stage.send(stage.trigger().body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.code(), "document_unreadable");
    assert!(!answer.text.contains("Portgas"), "{}", answer.text);
}

#[tokio::test]
async fn a_provably_wrong_token_is_401_and_recorded() {
    let stage = stage(Mood::Awaits);
    let other = "00000000-0000-4000-8000-000000000000";
    let cases = [
        (Some(stage.token(other, ACTION)), "token_for_another_record"),
        (Some(stage.token(EVENT, other)), "token_for_another_record"),
        (Some(Stage::forged_token()), "token_invalid"),
        (Some("not.a.token".to_owned()), "token_invalid"),
        (None, "token_missing"),
    ];
    for (index, (token, code)) in cases.into_iter().enumerate() {
        let mut request = stage.trigger().body(Body::from(document().to_string())).unwrap();
        request.headers_mut().remove("authorization");
        if let Some(token) = token {
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let answer = stage.send(request).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, code));
        let denied = stage.script.denied.lock().unwrap();
        assert_eq!(denied[index].1, format!("a trigger for record {EVENT}: {code}"));
    }
    assert!(stage.script.arrivals.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_token_that_cannot_be_checked_does_not_freeze_the_record() {
    let stage = stage_with(Mood::Awaits, false);
    let answer = stage.send(stage.trigger().body(Body::from(document().to_string())).unwrap()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_wrong_path_below_the_triggers_is_400_too() {
    let stage = stage(Mood::Awaits);
    for path in
        ["/trigger/events/birth/actions", "/trigger/events/birth/REGISTER", "/trigger/events/%FF/actions/X"]
    {
        let request = Request::post(path).body(Body::from("{}")).unwrap();
        let answer = stage.send(request).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "path_unknown"),
            "{path}"
        );
    }
}
