//! What the mock of opencrvs/mosip delivers becomes what MOSIP would.

use crate::packets::AID;
use crate::stage::{Time, http, start};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use civitas_mosip::credential::{
    Credential, KeyRing, ProofKeys, Recipient, SealEntropy, VcIssuer, VcTrust, open, seal, verify_event_proof,
};
use civitas_mosip::websub::Delivery;
use civitas_sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};

/// As the mock seals: standard base64, to no certificate.
fn sealed(sandbox: &Sandbox, credential: &Value) -> String {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let to = Recipient::from_pem(&sandbox.mosip().keys().partner_certificate_pem().unwrap()).unwrap();
    let entropy = SealEntropy { key: [3; 32].into(), aad: [4; 32] };
    let text = seal(&to, credential.to_string().as_bytes(), &entropy).unwrap();
    let mut blob = URL_SAFE_NO_PAD.decode(text).unwrap();
    blob[6..38].fill(0);
    STANDARD.encode(blob)
}

async fn post(sandbox: &Sandbox, credential: &str) -> u16 {
    let event = json!({
        "publisher": "CREDENTIAL_SERVICE", "topic": "CREDENTIAL_ISSUED", "publishedOn": "2026-01-02T03:04:05.678Z",
        "event": { "id": "x", "data": {
            "registrationId": AID, "credential": credential, "credentialType": "vercred", "protectionKey": "275700",
        } },
    });
    let url = format!("{}/relay/opencrvs-mosip-mock", sandbox.mosip().url());
    http().post(url).body(event.to_string()).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn what_the_mock_says_of_a_person_is_issued_and_proven_as_mosip_does() {
    let sandbox = start(SandboxOptions::instant(5), &Time::new()).await;
    let mosip = sandbox.mosip();
    let said = json!({
        "issuer": "http://localhost:20240/.well-known/controller.json", "proof": { "jws": "a..b" },
        "credentialSubject": {
            "birthCertificateNumber": "BRN-1", "VID": "4512879630124577", "id": format!("x/{AID}"), "vcVer": "VC-V1",
        },
    });
    assert_eq!(post(&sandbox, "AAAA").await, 400);
    assert_eq!(mosip.last_credential(AID), None);
    assert_eq!(post(&sandbox, &sealed(&sandbox, &said)).await, 200);

    let body = mosip.last_credential(AID).unwrap();
    let Ok(Delivery::Credential(issued)) = Delivery::parse(&body) else { panic!("not a credential") };
    let keys = mosip.keys();
    let pair = (keys.partner_private_key_pem().unwrap(), keys.partner_certificate_pem().unwrap());
    let ring = KeyRing::from_pem([(&pair.0[..], &pair.1[..])]).unwrap();
    let kernel = ProofKeys::from_pem([&keys.kernel_certificate_pem().unwrap()[..]]).unwrap();
    let plain = open(&ring, issued.credential.as_deref().unwrap()).unwrap();
    let proven = verify_event_proof(&plain, issued.proof.as_deref().unwrap(), &kernel).unwrap();
    let stock = VcIssuer::stock(&SandboxOptions::default().mosip.host).unwrap();
    let credential = Credential::read(proven, &VcTrust::new(vec![stock], kernel)).unwrap();
    assert_eq!(credential.aid(), AID);
    let claim = |name: &str| credential.claim(name).map(|claim| claim.text().to_owned());
    assert_eq!(claim("VID").as_deref(), Some("4512879630124577"));
    assert_eq!(claim("birthCertificateNumber").as_deref(), Some("BRN-1"));
    assert!(mosip.identity_status("4512879630124577").is_some(), "a death later finds the person");
}

#[tokio::test]
async fn a_record_is_registered_from_outside_and_what_became_of_it_is_said() {
    let sandbox = start(SandboxOptions::instant(5), &Time::new()).await;
    let config = crate::stage::country_config(&[(200, "{}"), (202, "")]).await;
    sandbox.opencrvs().set_country_config(&config.url);
    let post = async |body: &str| {
        let url = format!("{}/admin/records", sandbox.opencrvs().url());
        let reply = http().post(url).body(body.to_owned()).send().await.unwrap();
        (reply.status().as_u16(), reply.json::<Value>().await.unwrap())
    };
    let (status, said) = post(r#"{"event": "birth", "declaration": {"child.dob": "2026-05-20"}}"#).await;
    assert_eq!((status, &said["outcome"]), (200, &json!("Awaiting")));
    let event = said["event"].as_str().unwrap().parse().unwrap();
    assert_eq!(sandbox.opencrvs().pending(event).len(), 1);
    assert_eq!(post(r#"{"event": "birth"}"#).await.0, 400);
}
