//! The ID repository: roles and audiences, identities switched off and on, VIDs that are made behind one's back.

use crate::packets::{packet, put, token, trigger};
use crate::stage::{Time, http, start, until};
use civitas_sandbox::{MosipClient, Sandbox, SandboxOptions};
use serde_json::{Value, json};

const VID: &str = "4715283906172839";
const AID: &str = "10001200420000120260601090000";

async fn sandbox(change: fn(&mut SandboxOptions)) -> Sandbox {
    let mut options = SandboxOptions::instant(5);
    change(&mut options);
    let sandbox = start(options, &Time::new()).await;
    sandbox.mosip().enrol(VID);
    sandbox
}

async fn call(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let url = format!("{}/idrepository/v1{path}", sandbox.mosip().url());
    let cookie = format!("Authorization={}", token(sandbox).await);
    let request = http().request(method.parse().unwrap(), url).header("Cookie", cookie).json(body);
    let reply = request.send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

async fn read(sandbox: &Sandbox, id: &str, kind: &str) -> Value {
    let body = json!({"id": "mosip.id.read", "version": "v1", "request": {"id": id, "type": "demo", "idType": kind}});
    call(sandbox, "POST", "/identity/idvid/", &body).await.1
}

async fn change(sandbox: &Sandbox, aid: &str, status: &str) -> Value {
    let uin = sandbox.mosip().uin_of(VID).unwrap();
    let body = json!({"id": "mosip.id.update", "version": "v1", "requesttime": "x", "request": {
        "registrationId": aid, "status": status, "identity": {"IDSchemaVersion": 0.5, "UIN": uin}, "documents": []}});
    let (status, body) = call(sandbox, "PATCH", "/identity/", &body).await;
    assert_eq!(status, 200, "whatever happened");
    body
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["errorCode"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn an_identity_that_is_switched_off_is_found_by_number_and_change_and_not_by_vid() {
    let sandbox = sandbox(|_| {}).await;
    let uin = sandbox.mosip().uin_of(VID).unwrap();
    assert_eq!(read(&sandbox, VID, "VID").await["response"]["status"], "ACTIVATED");
    assert_eq!(change(&sandbox, AID, "DEACTIVATED").await["response"]["status"], "DEACTIVATED");
    assert_eq!(code(&read(&sandbox, VID, "VID").await), "IDR-VID-004");
    let (_, vids) = call(&sandbox, "GET", &format!("/vid/uin/{uin}"), &json!({})).await;
    assert_eq!(code(&vids), "IDR-VID-001");
    for (id, kind) in [(uin.as_str(), "UIN"), (AID, "AID")] {
        assert_eq!(read(&sandbox, id, kind).await["response"]["status"], "DEACTIVATED", "{kind}");
    }
    assert_eq!(
        code(&change(&sandbox, AID, "ACTIVATED").await),
        "IDR-IDS-003",
        "an id of a change counts once"
    );
    assert_eq!(change(&sandbox, "10001200420000120260601090001", "ACTIVATED").await["errors"], json!([]));
    assert_eq!(
        read(&sandbox, VID, "VID").await["response"]["identity"]["UIN"],
        uin.as_str(),
        "the VID is the old one"
    );
    assert_eq!(sandbox.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_role_without_the_audience_is_not_enough() {
    let sandbox = sandbox(|options| {
        options.mosip.id_repository_audience = vec!["opencrvs-partner".to_owned()];
    })
    .await;
    let (status, body) = call(&sandbox, "POST", "/identity/idvid/", &json!({})).await;
    assert_eq!((status, code(&body)), (403, "KER-ATH-403"));
}

#[tokio::test]
async fn a_client_without_the_role_is_refused() {
    let sandbox = sandbox(|options| {
        for client in &mut options.mosip.clients {
            *client = MosipClient { roles: vec!["CREDENTIAL_REQUEST".to_owned()], ..client.clone() };
        }
    })
    .await;
    assert_eq!(call(&sandbox, "POST", "/identity/idvid/", &json!({})).await.0, 403);
}

#[tokio::test]
async fn a_second_perpetual_vid_revokes_the_first_and_so_does_revoking() {
    let sandbox = sandbox(|_| {}).await;
    let uin = sandbox.mosip().uin_of(VID).unwrap();
    let create =
        json!({"id": "mosip.vid.create", "version": "v1", "request": {"UIN": uin, "vidType": "Perpetual"}});
    let (_, made) = call(&sandbox, "POST", "/vid", &create).await;
    let second = made["response"]["VID"].as_str().unwrap().to_owned();
    assert_eq!(code(&read(&sandbox, VID, "VID").await), "IDR-VID-004", "the one that people know is gone");
    let revoke = json!({"id": "mosip.vid.update", "version": "v1", "request": {"vidStatus": "REVOKED"}});
    let (_, revoked) = call(&sandbox, "PATCH", &format!("/vid/{second}"), &revoke).await;
    let third = revoked["response"]["restoredVid"]["VID"].as_str().unwrap().to_owned();
    let (_, vids) = call(&sandbox, "GET", &format!("/vid/uin/{uin}"), &json!({})).await;
    assert_eq!(vids["response"][0]["vid"], third.as_str());
    assert_eq!(sandbox.violations().len(), 2, "the ledger tells who fell into it");
}

#[tokio::test]
async fn vids_are_switched_off_and_on_together() {
    let sandbox = sandbox(|_| {}).await;
    let body = json!({"version": "v1", "request": {"UIN": sandbox.mosip().uin_of(VID).unwrap()}});
    for (verb, then) in [("deactivate", "IDR-VID-004"), ("reactivate", "")] {
        assert_eq!(code(&call(&sandbox, "POST", &format!("/vid/{verb}"), &body).await.1), "");
        assert_eq!(code(&read(&sandbox, VID, "VID").await), then);
        assert_eq!(
            code(&call(&sandbox, "POST", &format!("/vid/{verb}"), &body).await.1),
            "IDR-IDC-007",
            "none left"
        );
    }
}

#[tokio::test]
async fn a_death_by_number_switches_an_identity_on_again_and_one_by_an_inactive_vid_fails() {
    let sandbox = sandbox(|_| {}).await;
    change(&sandbox, "10001200420000120260601090009", "DEACTIVATED").await;
    let token = token(&sandbox).await;
    let uin = sandbox.mosip().uin_of(VID).unwrap();
    for (aid, id, status) in [(AID, VID, "FAILED"), ("10001200420000220260601090000", &uin, "PROCESSED")] {
        let fields = json!({"UIN": id, "declaredAsDeceased": "Y"});
        put(&sandbox, &token, &packet(aid, "CRVS_DEATH", &fields)).await;
        trigger(&sandbox, &token, aid, "CRVS_DEATH").await;
        until("it ends", || sandbox.mosip().status(aid) == Some(status)).await;
    }
    assert_eq!(sandbox.mosip().identity_status(VID).as_deref(), Some("ACTIVATED"), "a trap of MOSIP");
}
