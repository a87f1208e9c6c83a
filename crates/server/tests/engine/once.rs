//! What OpenCRVS, the hub and an integrator see of a real engine.

use http::StatusCode;
use serde_json::json;

use crate::house::{House, document};

#[tokio::test]
async fn an_eligible_birth_waits_and_the_same_trigger_again_changes_nothing() {
    let house = House::new().await;
    let birth = document("birth-register");
    for _ in 0..3 {
        let answer = house.trigger("birth/actions/REGISTER", &birth).await;
        assert_eq!(answer, (StatusCode::ACCEPTED, json!({})));
    }
    let (_, queue) = house.get("/api/v1/queue").await;
    assert_eq!(queue.as_array().unwrap().len(), 1);
    let row = &queue[0];
    assert_eq!((&row["tracking_id"], &row["operation"]), (&json!("7KQ2ZB"), &json!("create_uin")));
    assert_eq!((&row["state"], &row["frozen"]), (&json!("planned"), &json!(true)));
    assert!(
        row["sentence"]
            .as_str()
            .unwrap()
            .starts_with("UIN requested at birth: the child’s national ID is absent")
    );
    let (_, overview) = house.get("/api/v1/overview").await;
    assert_eq!(overview["counts"]["operations"]["planned"], 1);
    assert_eq!(overview["decisions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_death_without_an_identity_is_accepted_with_one_number_for_all_triggers() {
    let house = House::new().await;
    let death = document("death-register");
    let first = house.trigger("death/actions/REGISTER", &death).await;
    assert_eq!(first.0, StatusCode::OK, "{}", first.1);
    let number = first.1["registrationNumber"].as_str().unwrap();
    assert!(number.len() >= 10, "{number}");
    assert_eq!(house.trigger("death/actions/REGISTER", &death).await, first);
    assert_eq!(house.get("/api/v1/queue").await.1, json!([]));
}

#[tokio::test]
async fn a_correction_goes_on_without_waiting() {
    let house = House::new().await;
    let correction = document("birth-correction");
    let (status, body) = house.trigger("birth/actions/APPROVE_CORRECTION", &correction).await;
    assert_eq!((status, body), (StatusCode::OK, json!({})));
    let (_, record) = house.get("/api/v1/records/7KQ2ZB").await;
    assert_eq!(record["actions"][0]["operation"]["operation"], "update_biographics");
    assert_eq!(record["actions"][0]["answer"], "accept");
}

#[tokio::test]
async fn a_document_on_the_wrong_path_or_without_a_pending_action_is_refused_by_400() {
    let house = House::new().await;
    let birth = document("birth-register");
    let cases = [
        ("death/actions/REGISTER", "record_mismatch"),
        ("birth/actions/ARCHIVE", "no_pending_action"),
        ("birth/actions/NOTHING", "no_pending_action"),
    ];
    for (path, code) in cases {
        let (status, body) = house.trigger(path, &birth).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::BAD_REQUEST, &json!(code)), "{path}");
    }
    assert_eq!(house.get("/api/v1/queue").await.1, json!([]));
}

#[tokio::test]
async fn an_integrator_clears_a_record_and_the_timeline_says_who_and_why() {
    let house = House::new().await;
    house.trigger("birth/actions/REGISTER", &document("birth-register")).await;
    let (status, acted) = house.act("/api/v1/records/7kq2zb/reject", "the parents withdrew").await;
    assert_eq!((status, &acted["to"]), (StatusCode::OK, &json!("rejected")), "{acted}");
    let (_, record) = house.get("/api/v1/records/7KQ2ZB").await;
    let timeline = record["timeline"].as_array().unwrap();
    let act = timeline.iter().find(|line| line["actor"] == "amina").unwrap();
    assert_eq!(act["reason"], "the parents withdrew");
    let (status, again) = house.act("/api/v1/records/7KQ2ZB/release", "once more").await;
    assert_eq!((status, &again["error"]["code"]), (StatusCode::CONFLICT, &json!("nothing_open")));
}

#[tokio::test]
async fn the_hub_is_believed_by_its_signature_only() {
    let house = House::new().await;
    let body = r#"{"publisher":"X","topic":"crvs/CREDENTIAL_ISSUED","event":{"id":"e1","data":{}}}"#;
    assert_eq!(house.deliver_signed(body).await.0, StatusCode::OK);
    assert_eq!(house.deliver_signed(body).await.0, StatusCode::OK, "a duplicate is no fault of the hub's");
    let (status, refused) = house.deliver(body, "another secret, as long as the right one is").await;
    assert_eq!((status, &refused["error"]["code"]), (StatusCode::UNAUTHORIZED, &json!("signature_wrong")));
    let path = "/websub/callback?hub.mode=subscribe&hub.topic=crvs%2FCREDENTIAL_ISSUED&hub.challenge=x";
    assert_eq!(house.get(path).await.0, StatusCode::NOT_FOUND, "nothing was asked for yet");
}
