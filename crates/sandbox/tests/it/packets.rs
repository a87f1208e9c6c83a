//! createPacket and workflowinstance: the traps.

use crate::stage::{Time, http, start, until};
use civitas_sandbox::{Sandbox, SandboxOptions, Spread};
use serde_json::{Value, json};

pub(crate) const AID: &str = "10001200420000120260601090000";

pub(crate) fn schema() -> String {
    let field = |category: &str| json!({"fieldCategory": category, "type": "string"});
    json!({"properties": {"identity": {"required": ["IDSchemaVersion", "fullName", "dateOfBirth"], "properties": {
        "IDSchemaVersion": field("none"), "UIN": field("none"), "fullName": field("pvt"), "dateOfBirth": field("pvt"),
        "declaredAsDeceased": field("pvt"), "introducerInfoToken": field("evidence"), "proofOfIdentity": field("optional"),
    }}}})
    .to_string()
}

pub(crate) fn packet(aid: &str, process: &str, fields: &Value) -> Value {
    json!({"id": "string", "version": "string", "requesttime": "2026-06-01T09:00:00.000Z", "metadata": {}, "request": {
        "id": aid, "additionalInfoReqId": null, "refId": "10001_20042", "offlineMode": false, "process": process,
        "source": "CRVS1", "schemaVersion": "0.5", "schemaJson": schema(), "fields": fields,
        "metaInfo": {"crvsEventId": "record-1", "operationsData": "[{\"label\":\"officerId\",\"value\":\"crvs\"}]"},
        "audits": [{"uuid": "u"}], "documents": null, "biometrics": null,
    }})
}

pub(crate) fn birth(aid: &str) -> Value {
    packet(
        aid,
        "CRVS_NEW",
        &json!({"fullName": "[{\"language\":\"eng\",\"value\":\"Ace\"}]", "dateOfBirth": "2026/05/20"}),
    )
}

pub(crate) async fn token(sandbox: &Sandbox) -> String {
    let body = json!({"id": "string", "version": "string", "requesttime": "x", "metadata": {}, "request":
        {"clientId": "crvs_partner", "secretKey": "crvs_partner-secret", "appId": "regproc"}});
    let url = format!("{}/v1/authmanager/authenticate/clientidsecretkey", sandbox.mosip().url());
    let reply = http().post(url).json(&body).send().await.unwrap();
    let cookie = reply.headers()["set-cookie"].to_str().unwrap().to_owned();
    cookie.strip_prefix("Authorization=").unwrap().split(';').next().unwrap().to_owned()
}

pub(crate) async fn put(sandbox: &Sandbox, token: &str, body: &Value) -> (u16, Value) {
    let url = format!("{}/commons/v1/packetmanager/createPacket", sandbox.mosip().url());
    let request = http().put(url).header("Cookie", format!("Authorization={token}")).json(body);
    let reply = request.send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

pub(crate) async fn trigger(sandbox: &Sandbox, token: &str, aid: &str, process: &str) -> Value {
    let body = json!({"id": "mosip.registration.processor.workflow.instance", "version": "v1", "requesttime": "x",
        "request": {"registrationId": aid, "process": process, "source": "CRVS1", "additionalInfoReqId": "", "notificationInfo": {}}});
    let url = format!("{}/registrationprocessor/v1/workflowmanager/workflowinstance", sandbox.mosip().url());
    let request = http().post(url).header("Cookie", format!("Authorization={token}")).json(&body);
    let reply = request.send().await.unwrap();
    assert_eq!(reply.status(), 200, "always 200");
    reply.json().await.unwrap()
}

async fn sandbox() -> Sandbox {
    start(SandboxOptions::instant(5), &Time::new()).await
}

#[tokio::test]
async fn a_failed_login_is_http_200() {
    let sandbox = sandbox().await;
    let url = format!("{}/v1/authmanager/authenticate/clientidsecretkey", sandbox.mosip().url());
    let body = json!({"request": {"clientId": "crvs_partner", "secretKey": "guess", "appId": "regproc"}});
    let reply = http().post(url).json(&body).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.headers().get("set-cookie").is_none());
    let body: Value = reply.json().await.unwrap();
    assert_eq!((&body["response"], &body["errors"][0]["errorCode"]), (&Value::Null, &json!("500")));
}

/// A reader wants all three, and a schema needs no field of its own for each of them.
#[tokio::test]
async fn a_field_of_category_none_goes_into_every_sub_packet() {
    let sandbox = sandbox().await;
    let token = token(&sandbox).await;
    let mut body = birth(AID);
    let field = |category: &str| json!({"fieldCategory": category, "type": "string"});
    let schema = json!({"properties": {"identity": {"properties": {
        "IDSchemaVersion": field("None"), "fullName": field("pvt"), "dateOfBirth": field("kyc"),
    }}}});
    body["request"]["schemaJson"] = json!(schema.to_string());
    let (_, answer) = put(&sandbox, &token, &body).await;
    let stored = answer["response"].as_array().unwrap();
    let mut names: Vec<&str> = stored.iter().map(|info| info["packetName"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["evidence", "id", "optional"].map(|part| format!("{AID}_{part}")));
}

#[tokio::test]
async fn a_token_expires_and_a_semicolon_spoils_it() {
    let time = Time::new();
    let sandbox = start(SandboxOptions::instant(5), &time).await;
    let token = token(&sandbox).await;
    assert_eq!(put(&sandbox, &token, &birth(AID)).await.0, 200);
    assert_eq!(put(&sandbox, &format!("{token};"), &birth(AID)).await.0, 401);
    time.forward(jiff::SignedDuration::from_hours(1));
    let (status, body) = put(&sandbox, &token, &birth(AID)).await;
    assert_eq!((status, &body["errors"][0]["errorCode"]), (401, &json!("KER-ATH-401")));
    let body = trigger(&sandbox, &token, AID, "CRVS_NEW").await;
    assert_eq!(
        body["errors"][0]["errorCode"], "KER-ATH-401",
        "the registration processor says it inside a 200"
    );
}

#[tokio::test]
async fn a_packet_has_a_receipt_per_subpacket_and_loses_unknown_fields() {
    let sandbox = sandbox().await;
    let token = token(&sandbox).await;
    let fields = json!({"fullName": "x", "dateOfBirth": "2026/05/20", "shoeSize": "23"});
    let (status, body) = put(&sandbox, &token, &packet(AID, "CRVS_NEW", &fields)).await;
    assert_eq!(status, 200);
    let mut names: Vec<_> = body["response"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["packetName"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, [format!("{AID}_evidence"), format!("{AID}_id"), format!("{AID}_optional")]);
    assert!(!sandbox.mosip().packet_fields(AID).unwrap().contains_key("shoeSize"));
    assert_eq!(sandbox.ledger(false)["mosip"]["by_aid"][AID]["dropped"], json!(["shoeSize"]));
}

#[tokio::test]
async fn whatever_the_writer_throws_is_a_null_response() {
    let sandbox = sandbox().await;
    let token = token(&sandbox).await;
    let broken: [fn(&mut Value); 4] = [
        |packet| packet["audits"] = json!([]),
        |packet| packet["schemaJson"] = json!("{"),
        |packet| packet["schemaVersion"] = json!("zero"),
        |packet| packet["fields"]["fullName"] = json!([{"language": "eng", "value": "not a string"}]),
    ];
    for (place, breakage) in broken.iter().enumerate() {
        let mut body = birth(AID);
        breakage(&mut body["request"]);
        let (status, answer) = put(&sandbox, &token, &body).await;
        assert_eq!(
            (status, &answer["response"], &answer["errors"]),
            (200, &Value::Null, &Value::Null),
            "case {place}"
        );
    }
}

#[tokio::test]
async fn providers_match_by_substring() {
    let sandbox = sandbox().await;
    let token = token(&sandbox).await;
    for (source, process, good) in [
        ("CRVS1", "CRVS_NEW", true),
        ("CRVS", "CRVS", true),
        ("CRVS1", "CRVS_NEW-2", true),
        ("OPENCRVS", "CRVS_NEW", false),
        ("CRVS1", "NEWER", false),
    ] {
        let mut body = birth(AID);
        body["request"]["source"] = json!(source);
        body["request"]["process"] = json!(process);
        let (status, answer) = put(&sandbox, &token, &body).await;
        let refused = answer["errors"][0]["errorCode"] == "KER-PUT-006";
        assert_eq!((status, !refused), (200, good), "{source} {process}");
    }
}

#[tokio::test]
async fn the_trigger_is_idempotent_by_its_error() {
    let sandbox = sandbox().await;
    let token = token(&sandbox).await;
    put(&sandbox, &token, &birth(AID)).await;
    assert!(trigger(&sandbox, &token, AID, "CRVS_NEW").await["response"]["workflowInstanceId"].is_string());
    let code = |body: Value| body["errors"][0]["errorCode"].clone();
    assert_eq!(code(trigger(&sandbox, &token, AID, "CRVS_NEW").await), "RPR-WIS-001");
    assert_eq!(code(trigger(&sandbox, &token, "123456789", "CRVS_NEW").await), "RPR-WIS-000");
    assert_eq!(code(trigger(&sandbox, &token, "1234567890", "CRVS_FRAUD").await), "RPR-WIS-000");
    assert_eq!(sandbox.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn what_must_not_happen_is_recorded() {
    let mut options = SandboxOptions::instant(5);
    options.mosip.race_gap = Spread::ms(200, 200);
    let sandbox = start(options, &Time::new()).await;
    let token = token(&sandbox).await;
    let packet = birth(AID);
    let _ = tokio::join!(put(&sandbox, &token, &packet), put(&sandbox, &token, &packet));
    let violations = sandbox.violations();
    assert_eq!(violations, [format!("mosip: concurrent creates for AID {AID}")]);
    let both =
        tokio::join!(trigger(&sandbox, &token, AID, "CRVS_NEW"), trigger(&sandbox, &token, AID, "CRVS_NEW"));
    assert!(both.0["response"].is_object() && both.1["response"].is_object(), "both pass the check");
    put(&sandbox, &token, &packet).await;
    let violations = sandbox.violations().join("\n");
    assert!(violations.contains("triggered twice"), "{violations}");
    assert!(violations.contains("written again after its trigger"), "{violations}");
}

#[tokio::test]
async fn a_trigger_without_a_packet_fails_later() {
    let sandbox = sandbox().await;
    let token = token(&sandbox).await;
    assert!(trigger(&sandbox, &token, AID, "CRVS_NEW").await["response"].is_object());
    until("the workflow fails", || sandbox.mosip().status(AID) == Some("FAILED")).await;
}
