//! Keys that are changed on demand, and credentials that have to be fetched.

use crate::packets::{AID, token};
use crate::stage::{Time, http, start};
use civitas_sandbox::{Sandbox, SandboxOptions};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

async fn world() -> (Sandbox, Time, String) {
    let time = Time::new();
    let sandbox = start(SandboxOptions::instant(5), &time).await;
    let token = token(&sandbox).await;
    (sandbox, time, token)
}

async fn admin(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> (u16, Value) {
    let url = format!("{}/admin/{path}", sandbox.mosip().url());
    let request = http().request(method.parse().unwrap(), url).body(body.to_owned());
    let reply = request.send().await.unwrap();
    let status = reply.status().as_u16();
    (status, serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap_or_default())
}

async fn get(sandbox: &Sandbox, path: &str) -> Value {
    http().get(format!("{}{path}", sandbox.mosip().url())).send().await.unwrap().json().await.unwrap()
}

/// The event of a credential for an AID.
async fn event(sandbox: &Sandbox) -> Value {
    let claims = Map::from_iter([("VID".to_owned(), json!("4512879630124577"))]);
    let body = sandbox.mosip().genuine_credential(AID, claims).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

async fn fetch(address: &str, token: Option<&str>) -> (u16, String) {
    let mut request = http().get(address);
    if let Some(token) = token {
        request = request.header("Cookie", format!("Authorization={token}"));
    }
    let reply = request.send().await.unwrap();
    (reply.status().as_u16(), reply.text().await.unwrap())
}

fn code(text: &str) -> String {
    let body: Value = serde_json::from_str(text).unwrap();
    body["errors"][0]["errorCode"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_share_may_be_fetched_as_often_as_its_policy_says_and_the_refusal_is_http_200() {
    let (sandbox, _, token) = world().await;
    let (status, _) = admin(&sandbox, "PUT", "shares", r#"{"transactions_allowed": 2}"#).await;
    assert_eq!(status, 200);
    let event = event(&sandbox).await;
    assert!(event["event"]["data"].get("credential").is_none(), "one or the other");
    let address = event["event"]["dataShareUri"].as_str().unwrap();
    assert!(address.starts_with(&format!("{}/v1/datashare/get/", sandbox.mosip().url())), "{address}");
    assert_eq!(fetch(address, None).await.0, 401);
    for _ in 0..2 {
        let (status, text) = fetch(address, Some(&token)).await;
        // base64url of VER_R2
        assert!(status == 200 && text.starts_with("VkVSX1Iy"), "{status} {text}");
    }
    let (status, text) = fetch(address, Some(&token)).await;
    assert_eq!((status, code(&text).as_str()), (200, "DAT-SER-006"));
    let (status, text) = fetch(&format!("{address}0"), Some(&token)).await;
    assert_eq!((status, code(&text).as_str()), (200, "DAT-SER-008"));
    assert_eq!(admin(&sandbox, "DELETE", "shares", "").await.0, 204);
    let event = self::event(&sandbox).await;
    assert!(event["event"]["data"]["credential"].is_string() && event["event"]["dataShareUri"].is_null());
    assert_eq!(admin(&sandbox, "PUT", "shares", r#"{"transactions": 2}"#).await.0, 400);
}

#[tokio::test]
async fn a_share_is_gone_after_its_time_and_may_be_in_clear() {
    let (sandbox, time, token) = world().await;
    admin(
        &sandbox,
        "PUT",
        "shares",
        r#"{"transactions_allowed": 9, "valid_for_minutes": 30, "plain": true}"#,
    )
    .await;
    let event = event(&sandbox).await;
    let address = event["event"]["dataShareUri"].as_str().unwrap();
    let (_, text) = fetch(address, Some(&token)).await;
    let credential: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(credential["credentialSubject"]["VID"], "4512879630124577");
    time.forward(SignedDuration::from_mins(31));
    let token = crate::packets::token(&sandbox).await;
    assert_eq!(code(&fetch(address, Some(&token)).await.1), "DAT-SER-008");
}

#[tokio::test]
async fn a_new_partner_certificate_is_sealed_to_from_the_next_credential_on() {
    let (sandbox, ..) = world().await;
    let thumbprint = |event: &Value| event["event"]["data"]["credential"].as_str().unwrap()[8..40].to_owned();
    let (first, again) = (event(&sandbox).await, event(&sandbox).await);
    assert_eq!(thumbprint(&first), thumbprint(&again));
    let (status, pair) = admin(&sandbox, "POST", "keys/partner", "").await;
    assert!(status == 200 && pair["key"].as_str().unwrap().contains("PRIVATE KEY"), "{pair}");
    let second = event(&sandbox).await;
    assert_ne!(thumbprint(&first), thumbprint(&second));
    let old = String::from_utf8(crate::stage::keys().partner_certificate_pem().unwrap()).unwrap();
    assert_eq!(admin(&sandbox, "POST", "keys/partner", &old).await.0, 200);
    assert_eq!(thumbprint(&first), thumbprint(&event(&sandbox).await));
    assert_eq!(admin(&sandbox, "POST", "keys/partner", "nonsense").await.0, 400);
}

#[tokio::test]
async fn after_a_rotation_the_published_key_is_stale_until_the_file_server_starts_anew() {
    let (sandbox, ..) = world().await;
    let published = || async { get(&sandbox, "/.well-known/public-key.json").await["publicKeyPem"].clone() };
    let path = "/v1/keymanager/getCertificate?applicationId=KERNEL&referenceId=SIGN";
    let before = (published().await, get(&sandbox, path).await["response"]["certificate"].clone());
    let (_, made) = admin(&sandbox, "POST", "keys/signing", "").await;
    let certificate = get(&sandbox, path).await["response"]["certificate"].clone();
    assert_eq!(certificate, made["certificate"], "keymanager tells it at once");
    assert_ne!(certificate, before.1);
    assert_eq!(published().await, before.0, "stale");
    admin(&sandbox, "POST", "keys/published", "").await;
    assert_ne!(published().await, before.0);
}
