//! What holds for every call.

use std::time::Duration;

use civitas_mosip::{Class, Endpoints, Limits, Mosip, Service};
use serde_json::json;

use crate::stub::{Answer, Stub, aid, credentials, http, now, packet, trigger};

#[tokio::test]
async fn a_service_that_is_not_there_was_not_called() {
    let stub = Stub::start(|_| Answer::json(&json!({}))).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let endpoints = Endpoints { packet_manager: nowhere, ..Endpoints::behind(&stub.address) };
    let mosip = Mosip::new(http(), endpoints, credentials("c"), &Limits::default());
    let error = mosip.create_packet(&packet(), now()).await.unwrap_err();
    assert_eq!(
        (error.class, error.code.as_deref(), error.attempts),
        (Class::Transient, Some("unreachable"), None)
    );
    assert!(mosip.ping_packet_manager(now()).await.is_err());
}

#[tokio::test]
async fn an_address_that_is_none_is_a_persons_turn() {
    let stub = Stub::start(|_| Answer::json(&json!({}))).await;
    let endpoints = Endpoints { workflow: "not a url".to_owned(), ..Endpoints::behind(&stub.address) };
    let mosip = Mosip::new(http(), endpoints, credentials("c"), &Limits::default());
    let error = mosip.trigger(&trigger(), now()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Permanent, Some("address-invalid")));
}

#[tokio::test]
async fn a_service_may_say_how_long_to_wait() {
    let stub = Stub::start(|_| Answer::text(503, "").with("retry-after", "17")).await;
    let error = stub.mosip().create_packet(&packet(), now()).await.unwrap_err();
    assert_eq!((error.class, error.retry_after), (Class::Transient, Some(Duration::from_secs(17))));
}

#[tokio::test]
async fn the_trace_goes_along_and_a_broken_one_does_not() {
    let stub = Stub::start(|_| Answer::json(&json!([]))).await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    stub.mosip().traced(Some(trace)).transactions(&aid(), now()).await.unwrap();
    stub.mosip().traced(Some("a\nb")).transactions(&aid(), now()).await.unwrap();
    let asked = stub.asked(aid().as_str());
    assert_eq!(asked[0].headers["traceparent"], trace);
    assert!(!asked[1].headers.contains_key("traceparent"));
}

#[tokio::test]
async fn a_ping_shows_reachability_without_a_token() {
    let stub =
        Stub::start(|asked| Answer::text(if asked.path.starts_with("/hub") { 503 } else { 404 }, "")).await;
    let mosip = stub.mosip();
    mosip.ping_packet_manager(now()).await.unwrap();
    mosip.ping(Service::Workflow, now()).await.unwrap();
    assert_eq!(mosip.ping(Service::Hub, now()).await.unwrap_err().service, Service::Hub);
    assert!(stub.asked("/clientidsecretkey").is_empty());
    assert_eq!(stub.asked("/commons/v1/packetmanager/actuator/health").len(), 1);
}

#[tokio::test]
async fn an_address_with_a_trailing_slash_is_the_same() {
    let stub = Stub::start(|_| Answer::json(&json!([]))).await;
    let mut endpoints = Endpoints::behind(&format!("{}/", stub.address));
    endpoints.workflow.push('/');
    let mosip = Mosip::new(http(), endpoints, credentials("c"), &Limits::default());
    mosip.transactions(&aid(), now()).await.unwrap();
    assert_eq!(
        stub.asked("/registrationprocessor/v1/registrationtransaction/search/10001200420000120260102030405")
            .len(),
        1
    );
}
