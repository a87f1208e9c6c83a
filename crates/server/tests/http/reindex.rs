//! The reindex feed: kept for a back-fill, from whoever may reindex.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::stage::{EVENT, Mood, Stage, stage};

fn batch(stage: &Stage, scope: &Value, body: &str) -> Request<Body> {
    let token = stage.token_with(|claims| claims["scope"] = scope.clone());
    Request::post("/reindex")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

#[tokio::test]
async fn a_batch_is_kept_as_it_came_and_what_is_no_document_is_counted() {
    let stage = stage(Mood::Accepts);
    let scope = json!(["type=record.reindex"]);
    let body = format!("[{{\"id\":\"{EVENT}\",\"eventType\":\"birth\"}}, {{\"id\":7}}, 3]");
    let answer = stage.send(batch(&stage, &scope, &body)).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "documents": 1, "unreadable": 2 })));
    let kept = stage.script.reindexed.lock().unwrap();
    assert_eq!(kept[0].0.to_string(), EVENT);
    assert_eq!(kept[0].1, format!("{{\"id\":\"{EVENT}\",\"eventType\":\"birth\"}}").into_bytes());
}

#[tokio::test]
async fn a_batch_of_a_stranger_or_of_no_list_is_refused_and_one_that_is_not_durable_is_said_to_be_so() {
    let stage = stage(Mood::Accepts);
    let refused = stage.send(batch(&stage, &json!(["record.read"]), "[]")).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "scope_missing"));
    let unsigned = Request::post("/reindex").body(Body::from("[]")).unwrap();
    assert_eq!(stage.send(unsigned).await.status.as_u16(), 401);
    assert_eq!(stage.script.denied.lock().unwrap().len(), 2);
    let scope = json!(["record.reindex"]);
    let odd = stage.send(batch(&stage, &scope, "{}")).await;
    assert_eq!((odd.status.as_u16(), odd.code().as_str()), (400, "body_unreadable"));
    *stage.script.mood.lock().unwrap() = Mood::CannotWrite;
    let lost = stage.send(batch(&stage, &scope, "[]")).await;
    assert_eq!((lost.status.as_u16(), lost.code().as_str()), (503, "not_durable"));
    assert!(stage.script.reindexed.lock().unwrap().is_empty());
}
