//! Tokens: refused under HTTP 200, fetched once, kept, renewed once.

use civitas_mosip::{Class, Endpoints, Limits, Mosip, Service};
use jiff::SignedDuration;
use serde_json::json;

use crate::stub::{Answer, Stub, aid, credentials, http, now, packet};

const AUTH: &str = "/v1/authmanager/authenticate/clientidsecretkey";

fn page() -> Answer {
    Answer::json(&json!({ "response": { "data": [] } }))
}

#[tokio::test]
async fn a_refusal_under_200_is_a_refusal() {
    let stub = Stub::start_bare(|_| {
        Answer::json(
            &json!({ "response": null, "errors": [{ "errorCode": "500", "message": "401 Unauthorized" }] }),
        )
    })
    .await;
    let error = stub.mosip().check_auth(now()).await.unwrap_err();
    assert_eq!(
        (error.service, error.class, error.code.as_deref()),
        (Service::Auth, Class::Unauthorised, Some("auth-refused"))
    );
    assert!(
        error.to_string().contains("mosip-crvs1-client") && !error.to_string().contains("s3cret"),
        "{error}"
    );
    let error = stub.mosip().create_packet(&packet(), now()).await.unwrap_err();
    assert_eq!((error.service, error.class), (Service::Auth, Class::Unauthorised));
    assert!(stub.asked("/createPacket").is_empty(), "nothing is sent without a token");
}

#[tokio::test]
async fn keycloak_being_down_is_not_a_refusal() {
    let stub = Stub::start_bare(|_| {
        Answer::json(&json!({ "errors": [{ "errorCode": "500", "message": "I/O error on POST request" }] }))
    })
    .await;
    let error = stub.mosip().check_auth(now()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Transient, Some("auth-failed")));
}

#[tokio::test]
async fn success_without_a_token_is_no_success() {
    let stub =
        Stub::start_bare(|_| Answer::json(&json!({ "response": { "status": "Success" }, "errors": null })))
            .await;
    let error = stub.mosip().check_auth(now()).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("auth-no-token"));
}

#[tokio::test]
async fn the_check_asks_for_each_client_once_and_tells_the_servers_time() {
    let stub = Stub::start_bare(|_| Answer::token("t").with("date", "Fri, 02 Jan 2026 03:04:00 GMT")).await;
    let mosip = stub.mosip().with_partner(credentials("crvs_partner"));
    let check = mosip.check_auth(now()).await.unwrap();
    assert_eq!(check.server_time.unwrap().to_string(), "2026-01-02T03:04:00Z");
    let clients: Vec<_> = stub
        .asked(AUTH)
        .iter()
        .map(|asked| asked.json()["request"]["clientId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(clients, ["mosip-crvs1-client", "crvs_partner"]);
}

#[tokio::test]
async fn the_token_goes_in_a_bare_cookie_and_is_kept() {
    let stub = Stub::start(|_| page()).await;
    let mosip = stub.mosip();
    mosip.workflow_status_of(&aid(), now()).await.unwrap();
    mosip.clone().workflow_status_of(&aid(), now() + SignedDuration::from_mins(50)).await.unwrap();
    assert_eq!(stub.asked(AUTH).len(), 1);
    for asked in stub.asked("/workflow/search") {
        assert_eq!(asked.cookie(), "Authorization=token-1", "no other cookie, no semicolon");
    }
    mosip.workflow_status_of(&aid(), now() + SignedDuration::from_mins(60)).await.unwrap();
    assert_eq!(stub.asked(AUTH).len(), 2, "renewed before its end");
}

#[tokio::test]
async fn many_calls_at_once_fetch_one_token() {
    let stub = Stub::start(|_| page()).await;
    let answers = stub.mosip().workflow_status_each(&vec![aid(); 30], now()).await;
    assert!(answers.len() == 30 && answers.iter().all(|(_, answer)| answer.is_ok()));
    assert_eq!(stub.asked(AUTH).len(), 1);
}

#[tokio::test]
async fn calls_that_wait_for_a_failing_authentication_share_the_failure() {
    let stub = Stub::start_bare(|_| Answer::text(503, "")).await;
    let answers = stub.mosip().workflow_status_each(&vec![aid(); 8], now()).await;
    assert!(answers.iter().all(|(_, answer)| answer.as_ref().unwrap_err().class == Class::Transient));
    assert_eq!(stub.asked(AUTH).len(), 1);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_renewed_once_and_the_call_repeated_once() {
    let refusals = [
        || Answer::text(401, ""),
        || Answer::text(403, "{\"errors\":[{\"errorCode\":\"KER-ATH-403\"}]}"),
        || {
            Answer::json(
                &json!({ "response": null, "errors": [{ "errorCode": "KER-ATH-401", "message": "Invalid Token" }] }),
            )
        },
    ];
    for refusal in refusals {
        let stub =
            Stub::start(move |asked| if asked.cookie().ends_with("token-1") { refusal() } else { page() })
                .await;
        stub.mosip().workflow_status_of(&aid(), now()).await.unwrap();
        let cookies: Vec<_> = stub.asked("/search").iter().map(|asked| asked.cookie().to_owned()).collect();
        assert_eq!(cookies, ["Authorization=token-1", "Authorization=token-2"]);
    }
}

#[tokio::test]
async fn a_fresh_token_that_is_not_accepted_either_is_the_end() {
    let stub = Stub::start(|_| {
        Answer::json(&json!({ "response": null, "errors": [{ "errorCode": "KER-ATH-401", "message": "Invalid Token" }] }))
    })
    .await;
    let error = stub.mosip().create_packet(&packet(), now()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Unauthorised, Some("KER-ATH-401")));
    assert_eq!((stub.asked("/createPacket").len(), stub.asked(AUTH).len()), (2, 2));

    let stub = Stub::start(|_| Answer::text(403, "")).await;
    let error = stub.mosip().create_packet(&packet(), now()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Unauthorised, Some("KER-ATH-403")));
    assert!(error.advice.contains("role"), "{error}");
}

#[tokio::test]
async fn when_many_calls_find_the_token_refused_one_renews_it() {
    let stub =
        Stub::start(|asked| if asked.cookie().ends_with("token-1") { Answer::text(401, "") } else { page() })
            .await;
    let answers = stub.mosip().workflow_status_each(&vec![aid(); 8], now()).await;
    assert!(answers.iter().all(|(_, answer)| answer.is_ok()));
    assert_eq!(stub.asked(AUTH).len(), 2);
}

#[tokio::test]
async fn each_role_calls_with_its_own_client() {
    let stub = Stub::start_bare(|asked| {
        if asked.path.ends_with("/clientidsecretkey") {
            return Answer::token(asked.json()["request"]["clientId"].as_str().unwrap());
        }
        match asked.path.as_str() {
            "/hub" => Answer::text(202, "hub.mode=accepted"),
            _ => page(),
        }
    })
    .await;
    let mosip =
        Mosip::new(http(), Endpoints::behind(&stub.address), credentials("packets"), &Limits::default())
            .with_partner(credentials("partner"))
            .with_status(credentials("statuses"));
    mosip.workflow_status_of(&aid(), now()).await.unwrap();
    mosip.create_packet(&packet(), now()).await.unwrap_err();
    mosip.subscribe(&super::hub::subscription(), now()).await.unwrap();
    assert_eq!(stub.asked("/search")[0].cookie(), "Authorization=statuses");
    assert_eq!(stub.asked("/createPacket")[0].cookie(), "Authorization=packets");
    assert_eq!(stub.asked("/hub")[0].cookie(), "Authorization=partner");
}
