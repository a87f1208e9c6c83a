//! Faults on demand, over the admin endpoint.

use crate::packets::{AID, birth, put, token};
use crate::stage::{Time, http, start};
use civitas_sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};

async fn sandbox() -> Sandbox {
    start(SandboxOptions::instant(5), &Time::new()).await
}

async fn set(sandbox: &Sandbox, route: &str, faults: Value) {
    let url = format!("{}/admin/faults", sandbox.mosip().url());
    let reply = http().put(url).json(&json!({"routes": {route: faults}})).send().await.unwrap();
    assert_eq!(reply.status(), 200, "{}", reply.text().await.unwrap());
}

#[tokio::test]
async fn nothing_is_done_where_an_error_is_answered() {
    let sandbox = sandbox().await;
    let token = token(&sandbox).await;
    let table = [
        (json!({"error_rate": 1.0}), 500, None),
        (json!({"errors_in_200_rate": 1.0}), 200, Some("KER-PUT-028")),
        (json!({"unauthorised_rate": 1.0}), 200, Some("KER-ATH-401")),
        (json!({"null_in_200_rate": 1.0}), 200, None),
    ];
    for (faults, status, code) in table {
        set(&sandbox, "mosip.packetmanager", faults.clone()).await;
        let (answered, body) = put(&sandbox, &token, &birth(AID)).await;
        assert_eq!((answered, body["errors"][0]["errorCode"].as_str()), (status, code), "{faults}");
        assert!(body["response"].is_null());
        assert_eq!(sandbox.ledger(true)["mosip"]["creates"], 0, "{faults}");
    }
    set(&sandbox, "mosip.hub", json!({"error_rate": 1.0})).await;
    assert_eq!(put(&sandbox, &token, &birth(AID)).await.0, 200, "another route's faults");
}

#[tokio::test]
async fn a_time_out_after_success_does_the_work_and_never_answers() {
    let sandbox = sandbox().await;
    let token = token(&sandbox).await;
    set(&sandbox, "mosip.packetmanager", json!({"timeout_after_success_rate": 1.0, "hold_ms": 10})).await;
    let url = format!("{}/commons/v1/packetmanager/createPacket", sandbox.mosip().url());
    let request = http().put(url).header("Cookie", format!("Authorization={token}")).json(&birth(AID));
    let error = request.send().await.unwrap_err();
    assert!(error.status().is_none(), "no answer at all: {error}");
    assert_eq!(sandbox.ledger(true)["mosip"]["creates"], 1);
}

#[tokio::test]
async fn outages_are_503_or_nothing() {
    let sandbox = sandbox().await;
    let url = format!("{}/.well-known", sandbox.opencrvs().url());
    set(&sandbox, "opencrvs", json!({"outage": "unavailable"})).await;
    assert_eq!(http().get(&url).send().await.unwrap().status(), 503);
    set(&sandbox, "opencrvs", json!({"outage": "disconnect"})).await;
    assert!(http().get(&url).send().await.is_err());
    set(&sandbox, "opencrvs", json!({"outage": "off"})).await;
    assert_eq!(http().get(&url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_misspelt_fault_is_refused_with_its_name() {
    let sandbox = sandbox().await;
    let url = format!("{}/admin/faults", sandbox.opencrvs().url());
    let reply = http().put(url).json(&json!({"routes": {"mosip": {"eror_rate": 1}}})).send().await.unwrap();
    assert_eq!(reply.status(), 400);
    assert!(reply.text().await.unwrap().contains("eror_rate"));
}

#[tokio::test]
async fn a_route_or_form_that_there_is_not_is_refused_with_those_there_are() {
    let sandbox = sandbox().await;
    let gateway = sandbox.opencrvs().url();
    for name in ["*", "mosip", "mosip.idrepo", "mosip.idrepo.change", "opencrvs.accept"] {
        set(&sandbox, name, json!({})).await;
    }
    let faults = json!({"routes": {"mosip.packet": {"outage": "unavailable"}}});
    let reply = http().put(format!("{gateway}/admin/faults")).json(&faults).send().await.unwrap();
    assert_eq!(reply.status(), 400);
    let said = reply.text().await.unwrap();
    assert!(said.contains("`mosip.packet`") && said.contains("mosip.packetmanager, "), "{said}");
    let record = json!({"event": "brith", "declaration": {}});
    let reply = http().post(format!("{gateway}/admin/records")).json(&record).send().await.unwrap();
    assert_eq!(reply.status(), 400);
    assert!(reply.text().await.unwrap().contains("birth and death"));
}

#[tokio::test]
async fn a_reset_forgets_everything() {
    let sandbox = sandbox().await;
    let token = token(&sandbox).await;
    put(&sandbox, &token, &birth(AID)).await;
    sandbox.opencrvs().create("birth");
    set(&sandbox, "mosip", json!({"error_rate": 1.0})).await;
    let url = format!("{}/admin/reset", sandbox.mosip().url());
    assert_eq!(http().post(url).send().await.unwrap().status(), 204);
    let ledger = sandbox.ledger(true);
    assert_eq!((&ledger["mosip"]["aids"], &ledger["opencrvs"]["records"]), (&json!(0), &json!(0)));
    assert!(sandbox.faults().routes.is_empty());
    assert_eq!(put(&sandbox, &token, &birth(AID)).await.0, 401, "tokens too");
}
