//! From the trigger to the end, and what becomes of identities.

use crate::hub::{COMPLETED, SECRET, subscribe};
use crate::packets::{AID, birth, packet, put, token, trigger};
use crate::stage::{Callback, Time, callback, http, keys, start, until};
use civitas_mosip::credential::{
    Cover, Credential, KeyRing, ProofKeys, VcIssuer, VcTrust, open, verify_event_proof,
};
use civitas_mosip::websub::Delivery;
use civitas_sandbox::{Faults, OutcomeFaults, Sandbox, SandboxOptions, VcProof};
use serde_json::{Value, json};

const ISSUED: &str = "crvs_partner/CREDENTIAL_ISSUED";

struct World {
    sandbox: Sandbox,
    token: String,
    credentials: Callback,
    completed: Callback,
}

async fn world(tune: impl FnOnce(&mut SandboxOptions)) -> World {
    let mut options = SandboxOptions::instant(5);
    options.speed = 1e9;
    tune(&mut options);
    let sandbox = start(options, &Time::new()).await;
    let token = token(&sandbox).await;
    let (mut credentials, mut completed) = (callback().await, callback().await);
    for (topic, ear) in [(ISSUED, &mut credentials), (COMPLETED, &mut completed)] {
        subscribe(&sandbox, &token, topic, &ear.url, "subscribe").await;
        ear.intent().await;
    }
    let alive = || sandbox.mosip().subscriptions().iter().filter(|state| state.alive).count() == 2;
    until("both subscriptions live", alive).await;
    World { sandbox, token, credentials, completed }
}

impl World {
    async fn send(&self, aid: &str, packet: &Value) {
        let (status, body) = put(&self.sandbox, &self.token, packet).await;
        assert!(status == 200 && body["response"].is_array(), "{body}");
        let process = packet["request"]["process"].as_str().unwrap();
        assert!(trigger(&self.sandbox, &self.token, aid, process).await["response"].is_object());
    }

    async fn outcome(&mut self) -> Value {
        serde_json::from_slice(&self.completed.delivery().await.1).unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let request = http().get(format!("{}{path}", self.sandbox.mosip().url()));
        let reply = request.header("Cookie", format!("Authorization={}", self.token)).send().await.unwrap();
        reply.json().await.unwrap()
    }
}

/// Opens a delivery with the engine's own readers; nothing if the event is not proven.
fn read(raw: &[u8]) -> Option<Credential> {
    let Delivery::Credential(issued) = Delivery::parse(raw).unwrap() else { panic!("not a credential") };
    let keys = keys();
    let (key, certificate) =
        (keys.partner_private_key_pem().unwrap(), keys.partner_certificate_pem().unwrap());
    let ring = KeyRing::from_pem([(key.as_slice(), certificate.as_slice())]).unwrap();
    let plaintext = open(&ring, &issued.credential.unwrap()).unwrap();
    let kernel = keys.kernel_certificate_pem().unwrap();
    let pinned = ProofKeys::from_pem([kernel.as_slice()]).unwrap();
    let proven = verify_event_proof(&plaintext, &issued.proof.unwrap(), &pinned).ok()?;
    let trust = VcTrust::new(vec![VcIssuer::stock("mosip.sandbox.example").unwrap()], pinned);
    Some(Credential::read(proven, &trust).unwrap())
}

fn text<'a>(credential: &'a Credential, name: &str) -> Option<&'a str> {
    credential.claim(name).map(|claim| claim.text())
}

#[tokio::test]
async fn a_birth_ends_with_a_vid_sealed_and_signed() {
    let mut world = world(|_| {}).await;
    world.send(AID, &birth(AID)).await;
    assert_eq!(
        world.outcome().await,
        json!({"instanceId": AID, "resultCode": "PROCESSED", "workflowType": "CRVS_NEW", "errorCode": null})
    );
    let (signature, raw) = world.credentials.delivery().await;
    assert_eq!(civitas_sandbox::Mosip::hub_signature(SECRET, &raw).unwrap(), signature);
    let credential = read(&raw).unwrap();
    assert!(credential.is_verifiable());
    assert_eq!(credential.aid(), AID);
    assert_eq!(text(&credential, "VID"), world.sandbox.mosip().vid_of(AID).as_deref());
    assert_eq!(credential.claim("VID").unwrap().cover(), Cover::OwnProof);
    assert_eq!(credential.claim("UIN"), None);
    let event: Value = serde_json::from_slice(&raw).unwrap();
    assert_eq!(event["event"]["data"]["crvsEventId"], "record-1", "metaInfoFields");
    assert_eq!(event["event"]["transactionId"], format!("{AID}-CRVS"));
    let request = world.get(&format!("/v1/credentialrequest/get/{AID}-CRVS")).await;
    assert_eq!(request["response"]["statusCode"], "ISSUED");
    assert_eq!(world.sandbox.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_retrigger_has_a_new_event_id_and_the_same_vid() {
    let mut world = world(|_| {}).await;
    world.send(AID, &birth(AID)).await;
    let (_, first) = world.credentials.delivery().await;
    let url = format!("{}/v1/credentialrequest/retrigger/{AID}-CRVS", world.sandbox.mosip().url());
    let request = http().put(url).header("Cookie", format!("Authorization={}", world.token));
    assert_eq!(request.send().await.unwrap().status(), 200);
    let (_, second) = world.credentials.delivery().await;
    let id = |raw: &[u8]| serde_json::from_slice::<Value>(raw).unwrap()["event"]["id"].clone();
    assert_ne!(id(&first), id(&second));
    assert_eq!(text(&read(&first).unwrap(), "VID"), text(&read(&second).unwrap(), "VID"));
}

#[tokio::test]
async fn the_plain_form_has_no_proof_of_its_own() {
    let mut world = world(|options| options.mosip.vc_proof = VcProof::Absent).await;
    world.send(AID, &birth(AID)).await;
    let credential = read(&world.credentials.delivery().await.1).unwrap();
    assert!(!credential.is_verifiable());
    assert_eq!(credential.aid(), AID);
}

#[tokio::test]
async fn a_death_is_merged_and_issues_nothing() {
    let mut world = world(|_| {}).await;
    let vid = world.sandbox.population().vid(0);
    world.send(AID, &packet(AID, "CRVS_DEATH", &json!({"UIN": vid, "declaredAsDeceased": "Y"}))).await;
    assert_eq!(world.outcome().await["resultCode"], "PROCESSED");
    assert_eq!(world.sandbox.mosip().attributes(&vid).unwrap()["declaredAsDeceased"], "Y");
    assert!(world.credentials.is_silent());
    assert_eq!(world.sandbox.ledger(true)["mosip"]["deaths"], 1);
}

#[tokio::test]
async fn a_death_of_an_inactive_vid_fails() {
    let mut world = world(|_| {}).await;
    let vid = world.sandbox.population().vid(1);
    assert!(world.sandbox.mosip().deactivate_vid(&vid));
    world.send(AID, &packet(AID, "CRVS_DEATH", &json!({"UIN": vid, "declaredAsDeceased": "Y"}))).await;
    let outcome = world.outcome().await;
    assert_eq!((&outcome["resultCode"], &outcome["errorCode"]), (&json!("FAILED"), &json!("PACKET_FAILED")));
    let trail = world.get(&format!("/registrationprocessor/v1/registrationtransaction/search/{AID}")).await;
    let last = trail["response"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["transactionTypeCode"], &last["statusCode"]),
        (&json!("UIN_GENERATOR"), &json!("FAILED"))
    );
}

#[tokio::test]
async fn an_unmapped_update_is_processed_and_changes_nothing() {
    for mapped in [true, false] {
        let mut world = world(|options| options.mosip.update_mapped = mapped).await;
        let vid = world.sandbox.population().vid(0);
        world.send(AID, &packet(AID, "CRVS_UPDATE", &json!({"UIN": vid, "fullName": "new"}))).await;
        assert_eq!(world.outcome().await["resultCode"], "PROCESSED");
        assert_eq!(world.sandbox.mosip().attributes(&vid).unwrap().contains_key("fullName"), mapped);
    }
}

#[tokio::test]
async fn too_old_for_the_infant_flow_completes_as_failed() {
    let mut world = world(|options| options.mosip.infant_until = 5).await;
    let fields = json!({"fullName": "x", "dateOfBirth": "2020/05/31"});
    world.send(AID, &packet(AID, "CRVS_NEW", &fields)).await;
    assert_eq!(world.outcome().await["resultCode"], "FAILED");
}

#[tokio::test]
async fn bad_ends_and_what_the_services_say_of_them() {
    let ends = [
        (OutcomeFaults { rejected_rate: 1.0, ..OutcomeFaults::default() }, "REJECTED"),
        (OutcomeFaults { failed_rate: 1.0, ..OutcomeFaults::default() }, "FAILED"),
        (OutcomeFaults { reprocess_failed_rate: 1.0, ..OutcomeFaults::default() }, "REPROCESS_FAILED"),
    ];
    for (outcomes, status) in ends {
        let mut world = world(|options| options.faults = Faults { outcomes, ..Faults::default() }).await;
        world.send(AID, &birth(AID)).await;
        until(status, || world.sandbox.mosip().status(AID) == Some(status)).await;
        if status == "REPROCESS_FAILED" {
            assert!(world.completed.is_silent(), "publishes nothing");
        } else {
            assert_eq!(world.outcome().await["resultCode"], status);
        }
        let cookie = format!("Authorization={}", world.token);
        let search = json!({"id": "mosip.registration.processor.workflow.search", "version": "v1", "requesttime": "x",
            "request": {"filters": [{"columnName": "regId", "value": AID, "type": "equals"}], "sort": {}, "pagination": {"pageStart": 0, "pageFetch": 10}}});
        let base = format!("{}/registrationprocessor/v1", world.sandbox.mosip().url());
        let request =
            http().post(format!("{base}/workflowmanager/workflow/search")).header("Cookie", &cookie);
        let reply = request.json(&search).send().await.unwrap();
        assert!(reply.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
        let body: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
        assert_eq!(body["response"]["data"][0]["statusCode"], status);
        let lie = json!({"id": "mosip.registration.status", "version": "1.0", "requesttime": "x", "request": [{"registrationId": AID}]});
        let request = http().post(format!("{base}/registrationstatus/search")).header("Cookie", &cookie);
        let body: Value = request.json(&lie).send().await.unwrap().json().await.unwrap();
        assert_eq!(body["response"][0]["statusCode"], "PROCESSED", "success and failure look the same");
    }
}

#[tokio::test]
async fn a_forged_credential_opens_but_its_proof_does_not_hold() {
    let world = world(|_| {}).await;
    let raw = world.sandbox.mosip().forged_credential(AID, "6666666666666666").await.unwrap();
    assert!(read(&raw).is_none());
}

#[tokio::test]
async fn the_id_repository_finds_the_identity_by_aid() {
    let mut world = world(|_| {}).await;
    assert_eq!(
        world.get(&format!("/idrepository/v1/identity/idvid/{AID}?idType=AID")).await["response"],
        Value::Null
    );
    world.send(AID, &birth(AID)).await;
    world.outcome().await;
    let found = world.get(&format!("/idrepository/v1/identity/idvid/{AID}?idType=AID")).await;
    assert_eq!(found["response"]["status"], "ACTIVATED");
    let uin = found["response"]["identity"]["UIN"].as_str().unwrap().to_owned();
    let vids = world.get(&format!("/idrepository/v1/vid/uin/{uin}")).await;
    let vid = vids["response"][0]["vid"].as_str().unwrap();
    assert!(vids["response"][0].get("genratedOnTimestamp").is_some());
    assert_eq!(world.get(&format!("/idrepository/v1/vid/{vid}")).await["response"]["UIN"], uin.as_str());
}

#[tokio::test]
async fn a_restart_from_a_snapshot_goes_on_where_it_stopped() {
    // The first sandbox never gets past its cron.
    let mut world = world(|options| {
        options.speed = 1.0;
        options.mosip.reprocess_every = std::time::Duration::from_hours(1);
    })
    .await;
    world.send(AID, &birth(AID)).await;
    let record = world.sandbox.opencrvs().create("birth");
    let snapshot = world.sandbox.snapshot().unwrap();
    drop(world.sandbox);
    let second = start(SandboxOptions::instant(5), &Time::new()).await;
    second.restore(snapshot).unwrap();
    assert_eq!(second.opencrvs().records(), [record]);
    assert_ne!(second.opencrvs().create("birth"), record);
    let credential = read(&world.credentials.delivery().await.1).unwrap();
    assert_eq!(text(&credential, "VID"), second.mosip().vid_of(AID).as_deref());
    assert_eq!(second.ledger(true)["mosip"]["uins"], 1);
}
