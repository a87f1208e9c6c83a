//! createPacket: believed only when every sub-packet is reported.

use std::sync::Arc;

use civitas_mosip::{Class, IdSchema, Limits};
use serde_json::{Value, json};

use crate::stub::{Answer, Stub, aid, now, packet};

fn info(name: &str) -> Value {
    json!({ "id": aid(), "packetName": format!("{}_{name}", aid()), "encryptedHash": format!("hash-{name}"), "new": 1 })
}

async fn create(
    answer: impl Fn() -> Answer + Send + Sync + 'static,
) -> (Result<civitas_mosip::PacketReceipt, civitas_mosip::CallError>, Stub) {
    let stub = Stub::start(move |_| answer()).await;
    (stub.mosip().create_packet(&packet(), now()).await, stub)
}

#[tokio::test]
async fn the_receipt_holds_the_hash_of_each_sub_packet() {
    let (receipt, stub) = create(|| {
        Answer::json(&json!({ "response": [info("evidence"), info("optional"), info("id")], "errors": [] }))
    })
    .await;
    let receipt = receipt.unwrap();
    assert_eq!(receipt.sub_packets.keys().collect::<Vec<_>>(), ["evidence", "id", "optional"]);
    assert_eq!(receipt.sub_packets["id"].encrypted_hash.as_deref(), Some("hash-id"));
    let asked = stub.asked("/commons/v1/packetmanager/createPacket");
    assert_eq!((asked.len(), asked[0].method.as_str()), (1, "PUT"));
    assert_eq!(asked[0].json(), serde_json::from_str::<Value>(&packet().body()).unwrap());
}

#[tokio::test]
async fn a_null_response_is_a_failure_whose_remedy_is_the_identical_packet() {
    for body in
        [json!({ "response": null, "errors": null }), json!({ "response": null }), json!({ "errors": [] })]
    {
        let (answer, stub) = create(move || Answer::json(&body)).await;
        let error = answer.unwrap_err();
        assert_eq!((error.class, error.code.as_deref()), (Class::Transient, Some("null-response")));
        assert!(error.attempts.is_some(), "not for ever: its cause may be lasting");
        stub.mosip().create_packet(&packet(), now()).await.unwrap_err();
        let asked = stub.asked("/createPacket");
        assert_eq!(asked[0].body, asked[1].body, "identical to the byte");
    }
}

#[tokio::test]
async fn a_sub_packet_that_is_not_reported_is_missed() {
    let (answer, _stub) =
        create(|| Answer::json(&json!({ "response": [info("id"), info("evidence")] }))).await;
    let error = answer.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Transient, Some("sub-packet-missing")));
    assert!(error.summary.contains("optional"), "{error}");
    let (answer, _stub) = create(|| Answer::json(&json!({ "response": [] }))).await;
    assert_eq!(answer.unwrap_err().code.as_deref(), Some("sub-packet-missing"));
    let (answer, _stub) = create(|| Answer::json(&json!({ "response": { "packetName": "x" } }))).await;
    assert_eq!(answer.unwrap_err().code.as_deref(), Some("answer-unreadable"));
}

/// As the mock of opencrvs/mosip answers, whatever the packet.
#[tokio::test]
async fn a_sub_packet_is_ours_by_its_id_whatever_stands_before_its_name() {
    let of = |id: &str, name: &str| json!({ "id": id, "packetName": format!("111111112_{name}") });
    let whole = move || {
        let list: Vec<Value> =
            ["evidence", "optional", "id"].iter().map(|name| of(aid().as_str(), name)).collect();
        Answer::json(&json!({ "response": list, "errors": [] }))
    };
    let (receipt, _stub) = create(whole).await;
    assert_eq!(receipt.unwrap().sub_packets.len(), 3);
    let other = move || {
        let mut list = vec![info("id"), info("evidence")];
        list.push(of("10001200420000120260102030406", "optional"));
        Answer::json(&json!({ "response": list }))
    };
    assert_eq!(create(other).await.0.unwrap_err().code.as_deref(), Some("sub-packet-missing"));
}

#[tokio::test]
async fn no_provider_is_a_persons_turn() {
    let (answer, _stub) = create(|| {
        Answer::json(&json!({ "response": null, "errors": [{ "errorCode": "KER-PUT-006", "message": "Asha Rao has no provider" }] }))
    })
    .await;
    let error = answer.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Permanent, Some("KER-PUT-006")));
    assert!(error.advice.contains("CRVS1"), "{error}");
    assert!(!format!("{error} {error:?}").contains("Asha"), "MOSIP's own text is not passed on");
}

#[tokio::test]
async fn a_time_out_leaves_the_outcome_open() {
    let stub = Stub::start(|_| Answer::never()).await;
    let error = stub.impatient(&Limits::default()).create_packet(&packet(), now()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Unknown, Some("time-out")));
    // The service is named, the path is not: others hold ids.
    assert!(error.summary.contains("(http://127.0.0.1:"), "{error}");
    assert!(!error.summary.contains("/createPacket"), "{error}");
    assert_eq!(stub.asked("/createPacket").len(), 1, "never repeated by itself");
}

#[tokio::test]
async fn a_server_error_leaves_the_outcome_open_and_a_refusal_does_not() {
    for (status, class) in [
        (500, Class::Unknown),
        (502, Class::Unknown),
        (504, Class::Unknown),
        (503, Class::Transient),
        (429, Class::Transient),
        (400, Class::Permanent),
        (404, Class::Permanent),
        (302, Class::Permanent),
    ] {
        let (answer, _stub) = create(move || Answer::text(status, "<html>Asha Rao</html>")).await;
        let error = answer.unwrap_err();
        assert_eq!((error.class, error.code), (class, Some(format!("http-{status}"))));
        assert!(!error.advice.is_empty() && !error.summary.contains("Asha"));
    }
}

#[tokio::test]
async fn a_page_instead_of_json_leaves_the_outcome_open() {
    let (answer, _stub) = create(|| Answer::text(200, "<html>")).await;
    let error = answer.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Unknown, Some("answer-unreadable")));
}

#[tokio::test]
async fn a_schema_that_is_none_is_not_sent() {
    let stub = Stub::start(|_| Answer::json(&json!({ "response": null }))).await;
    let mut packet = packet();
    packet.schema = Arc::new(IdSchema::new("{}"));
    let error = stub.mosip().create_packet(&packet, now()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Permanent, Some("schema-unreadable")));
    assert!(stub.asked("/createPacket").is_empty());
}
