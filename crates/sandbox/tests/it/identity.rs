//! ID authentication and e-Signet, with the clients of `civitas-mosip` and with requests that no client makes.

use std::sync::Arc;

use civitas_mosip::{
    Endpoints, Limits, Mosip,
    credential::ProofKeys,
    ida::{AuthClass, Generation, IdType, Ida, IdaSettings, Person, Verdict, VerifyError},
    keys::{KeyPair, SigningKey},
    packet::EncryptionCertificate,
};
use civitas_sandbox::{Regime, Sandbox};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use zeroize::Zeroizing;

use crate::stage::{Time, http, sandbox};

const VID: &str = "4512879630124577";

fn person(name: &str) -> Person {
    Person {
        id: Zeroizing::new(VID.to_owned()),
        name: Some(Zeroizing::new(name.to_owned())),
        dob: Some(jiff::civil::date(1990, 1, 2)),
        gender: None,
    }
}

async fn stand() -> (Sandbox, Time) {
    let (sandbox, time) = sandbox(Regime::V2_0).await;
    let fields = json!({
        "fullName": [{"language": "eng", "value": "Asha Devi Rao"}], "dateOfBirth": "1990/01/02",
    });
    sandbox.mosip().enrol_with(VID, fields.as_object().unwrap().clone());
    (sandbox, time)
}

fn ida(sandbox: &Sandbox, change: impl FnOnce(&mut IdaSettings)) -> Ida {
    let keys = sandbox.mosip().keys();
    let (key, certificate) = keys.identity_client_pem().unwrap();
    let ida_certificate = keys.ida_certificate_pem().unwrap();
    let url = sandbox.mosip().url();
    let mut settings = IdaSettings {
        url: format!("{url}/idauthentication/v1"),
        license_key: SecretString::from("sandbox-misp-licence-key"),
        partner_id: "crvs-partner".to_owned(),
        api_key: SecretString::from("sandbox-api-key"),
        signing_key: SigningKey::of(&KeyPair::from_pem(&key, None, &certificate).unwrap()).unwrap(),
        certificates: vec![EncryptionCertificate::from_pem(&ida_certificate).unwrap()],
        response_keys: ProofKeys::from_pem([ida_certificate.as_slice()]).unwrap(),
        generation: Generation::V1_2,
        id_types: [(10, IdType::Uin), (16, IdType::Vid)].into(),
        domain_uri: None,
        environment: None,
        language: "eng".to_owned(),
        titles: vec!["Mr".to_owned()],
        classes: std::collections::BTreeMap::new(),
    };
    change(&mut settings);
    let credentials = civitas_mosip::Credentials {
        client_id: "none".to_owned(),
        secret: SecretString::from("none"),
        app_id: "none".to_owned(),
    };
    let mosip = Mosip::new(http(), Endpoints::behind(url), credentials, &Limits::default());
    Ida::new(mosip, settings, Arc::new(|bytes: &mut [u8]| openssl::rand::rand_bytes(bytes).unwrap()))
}

async fn class(
    ida: &Ida,
    name: &str,
    clock: &(dyn Fn() -> Timestamp + Send + Sync),
) -> Result<Verdict, AuthClass> {
    ida.verify(&person(name), clock).await.map_err(|error: VerifyError| error.class())
}

#[tokio::test]
async fn our_requests_are_opened_compared_and_answered_with_the_partners_token() {
    let (sandbox, time) = stand().await;
    let ida = ida(&sandbox, |_| {});
    let clock = || time.now();
    let Ok(Verdict::Matched { token: Some(token) }) = class(&ida, "Asha Devi Rao", &clock).await else {
        panic!("not matched");
    };
    assert_eq!(token.expose_secret().len(), 36);
    let Ok(Verdict::NotMatched(why)) = class(&ida, "Asha Rao", &clock).await else { panic!("matched") };
    assert_eq!((why.class, why.attributes), (AuthClass::Mismatch, vec!["name"]), "a missing middle name");
    let matched = class(&ida, "mR Asha Devi Rao", &clock).await;
    assert!(matches!(matched, Ok(Verdict::Matched { .. })), "in small letters, so that nothing loops");
    assert_eq!(sandbox.mosip().told(VID), 3, "passed or failed, the person is told");
}

#[tokio::test]
async fn a_request_may_be_a_minute_old_and_half_a_minute_ahead() {
    let (sandbox, time) = stand().await;
    let ida = ida(&sandbox, |_| {});
    for (seconds, taken) in [(-58, true), (29, true), (-62, false), (33, false)] {
        let clock = || time.now() + SignedDuration::from_secs(seconds);
        let answer = class(&ida, "Asha Devi Rao", &clock).await;
        assert_eq!(answer.is_ok(), taken, "{seconds} s: {answer:?}");
        if !taken {
            assert_eq!(answer.unwrap_err(), AuthClass::Restamp);
        }
    }
}

/// A change to good settings, and what IDA then says.
type Case = (fn(&mut IdaSettings), AuthClass);

#[tokio::test]
async fn what_mosip_does_not_know_us_by_is_refused() {
    let (sandbox, time) = stand().await;
    let cases: [Case; 6] = [
        (|settings| settings.license_key = SecretString::from("x"), AuthClass::Config),
        (|settings| settings.partner_id = "x".to_owned(), AuthClass::Config),
        (|settings| settings.api_key = SecretString::from("x"), AuthClass::Config),
        (|settings| settings.domain_uri = Some("https://elsewhere.example".to_owned()), AuthClass::BadData),
        (|settings| settings.environment = Some("Sandbox".to_owned()), AuthClass::BadData),
        (|settings| settings.language = "deu".to_owned(), AuthClass::BadData),
    ];
    for (change, expected) in cases {
        let ida = ida(&sandbox, change);
        assert_eq!(class(&ida, "Asha Devi Rao", &|| time.now()).await.unwrap_err(), expected);
    }
    let keys = sandbox.mosip().keys();
    let other = keys.partner_certificate_pem().unwrap();
    let sealed_wrongly = ida(&sandbox, |settings| {
        settings.certificates = vec![EncryptionCertificate::from_pem(&other).unwrap()];
    });
    let answer = class(&sealed_wrongly, "Asha Devi Rao", &|| time.now()).await;
    assert_eq!(answer.unwrap_err(), AuthClass::Refetch);
    let (key, certificate) = (keys.partner_private_key_pem().unwrap(), other);
    let signed_wrongly = ida(&sandbox, |settings| {
        settings.signing_key = SigningKey::of(&KeyPair::from_pem(&key, None, &certificate).unwrap()).unwrap();
    });
    let answer = class(&signed_wrongly, "Asha Devi Rao", &|| time.now()).await;
    assert_eq!(answer.unwrap_err(), AuthClass::Config);
}

#[tokio::test]
async fn a_bare_post_lacks_its_authorization_and_is_answered_200() {
    let (sandbox, _) = stand().await;
    let url = format!("{}/idauthentication/v1/auth/a/b/c", sandbox.mosip().url());
    let answer = http().post(&url).body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("response-signature"));
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["errors"][0]["errorCode"], "IDA-MLC-006");
    assert_eq!(body["response"], serde_json::Value::Null);
}

#[tokio::test]
async fn the_page_takes_a_link_with_json_claims_and_sends_people_back_with_a_code() {
    let (sandbox, _) = stand().await;
    let url = sandbox.mosip().url();
    #[expect(clippy::disallowed_methods, reason = "a client that does not follow where people are sent")]
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let link = |path: &str, claims: &str, more: &[(&str, &str)]| {
        let mut query = vec![
            ("client_id", "crvs-client"),
            ("redirect_uri", "https://register.example/events/x"),
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("claims", claims),
            ("state", "noop"),
        ];
        query.extend(more);
        reqwest::Url::parse_with_params(&format!("{url}{path}"), &query).unwrap()
    };
    let claims = r#"{"userinfo":{"name":{"essential":true}},"id_token":{}}"#;
    let page = browser.get(link("/authorize", claims, &[])).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("individual_id"));
    let old = browser.get(link("/authorize", "name,family_name", &[])).send().await.unwrap();
    assert_eq!((old.status().as_u16(), old.text().await.unwrap().contains("parsing_error_msg")), (400, true));
    let sent = browser.get(link("/authorize/login", claims, &[("individual_id", VID)])).send().await.unwrap();
    let location = sent.headers()["location"].to_str().unwrap().to_owned();
    assert!(
        location.starts_with("https://register.example/events/x?code=") && location.contains("state=noop")
    );
    let unknown =
        browser.get(link("/authorize/login", claims, &[("individual_id", "1")])).send().await.unwrap();
    assert!(unknown.headers()["location"].to_str().unwrap().contains("error=authorization_failed_msg"));
}
