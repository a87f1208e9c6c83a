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

/// 1.9.0 posts a thousand at a time, later ones a hundred or three hundred; a document has 9 kB.
#[tokio::test]
async fn batches_of_every_release_fit_and_what_is_more_than_configured_is_refused() {
    let stage = stage(Mood::Accepts);
    let scope = json!(["record.reindex"]);
    let filler = "x".repeat(9_000);
    for size in [100, 300, 1_000] {
        let entries: Vec<Value> =
            (0..size).map(|place| json!({ "id": uuid::Uuid::from_u128(place), "filler": filler })).collect();
        let expected = json!({ "documents": entries.len(), "unreadable": 0 });
        let answer = stage.send(batch(&stage, &scope, &Value::from(entries).to_string())).await;
        assert_eq!(answer.json(), expected);
    }
    assert_eq!(stage.script.reindexed.lock().unwrap().len(), 1_400);
    let answer = stage.send(batch(&stage, &scope, &format!("[\"{}\"]", filler.repeat(1_900)))).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "body_too_large"));
    assert_eq!(stage.script.reindexed.lock().unwrap().len(), 1_400);
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
