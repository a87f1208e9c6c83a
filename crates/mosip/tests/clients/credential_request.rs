//! A lost credential: looked up and asked for again.

use civitas_mosip::{RequestStatus, credential_request_id};
use serde_json::json;

use crate::stub::{Answer, Stub, aid, now};

#[tokio::test]
async fn a_request_is_looked_up_by_packet_and_suffix() {
    let stub =
        Stub::start(|_| Answer::json(&json!({ "response": { "requestId": "x", "statusCode": "ISSUED" } })))
            .await;
    let id = credential_request_id(&aid(), "-CRVS");
    let request = stub.mosip().credential_request(&id, now()).await.unwrap().unwrap();
    assert_eq!((request.status, request.request_id), (RequestStatus::Issued, id));
    assert_eq!(stub.asked(&format!("/v1/credentialrequest/get/{}-CRVS", aid())).len(), 1);
}

#[tokio::test]
async fn a_request_that_is_not_there_is_none_whatever_its_code() {
    for code in ["IDR-CRG-003", "IDR-CRG-009"] {
        let stub = Stub::start(move |_| {
            Answer::json(
                &json!({ "errors": [{ "errorCode": code, "message": "request id is not present" }] }),
            )
        })
        .await;
        assert_eq!(stub.mosip().credential_request("a-b", now()).await, Ok(None));
        assert_eq!(stub.mosip().retrigger_credential("a-b", now()).await, Ok(false));
    }
}

#[tokio::test]
async fn retriggering_is_a_put() {
    let stub =
        Stub::start(|_| Answer::json(&json!({ "response": { "requestId": "x" }, "errors": null }))).await;
    assert_eq!(stub.mosip().retrigger_credential("a-CRVS", now()).await, Ok(true));
    assert_eq!(stub.asked("/v1/credentialrequest/retrigger/a-CRVS")[0].method, "PUT");
}

#[tokio::test]
async fn an_id_that_would_leave_the_path_is_not_sent() {
    let stub = Stub::start(|_| Answer::json(&json!({}))).await;
    for id in ["", "../../admin", "a?b", "a b"] {
        assert!(stub.mosip().retrigger_credential(id, now()).await.is_err(), "{id:?}");
    }
    assert!(stub.asked("").iter().all(|asked| !asked.path.contains("credentialrequest")));
}
