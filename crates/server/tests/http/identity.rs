//! The two routes that identify people, as far as no identity system is asked.

use axum::body::Body;
use civitas_server::Contract;
use http::Request;
use serde_json::{Value, json};

use crate::stage::{ACTION, EVENT, Mood, stage_as};

fn post(path: &str, token: Option<&str>, body: &Value) -> Request<Body> {
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::from(body.to_string())).unwrap()
}

#[tokio::test]
async fn what_is_not_configured_says_what_to_configure_and_only_to_those_with_a_token() {
    for contract in [Contract::V1_9, Contract::V2] {
        let stage = stage_as(Mood::Accepts, contract);
        for (path, code, section) in [
            ("/verify", "verification_not_configured", "mosip.id_authentication"),
            ("/verify/", "verification_not_configured", "mosip.id_authentication"),
            ("/esignet/get-oidp-user-info?code=1&state=2", "esignet_not_configured", "mosip.esignet"),
            ("/esignet/get-oidp-user-info/?code=1", "esignet_not_configured", "mosip.esignet"),
        ] {
            let answer = stage.send(post(path, None, &json!({}))).await;
            assert_eq!((answer.status.as_u16(), answer.json()), (401, json!({ "error": "Unauthorized" })));
            let answer = stage.send(post(path, Some(&stage.token(EVENT, ACTION)), &json!({}))).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (503, &json!(code)));
            assert!(answer.json()["advice"].as_str().unwrap().contains(section), "{}", answer.text);
        }
        assert!(stage.script.identified.lock().unwrap().is_empty());
    }
}
