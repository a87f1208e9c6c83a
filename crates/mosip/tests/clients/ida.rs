//! Demographic authentication against an IDA that answers what it is told, 200 as a rule.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use civitas_mosip::{
    Class, Limits, Mosip, Service,
    credential::{EventSigner, ProofKeys, sign_event_proof},
    ida::{AuthClass, Fill, Generation, IdType, Ida, IdaSettings, Person, Verdict, VerifyError},
    keys::{KeyPair, SigningKey},
    packet::EncryptionCertificate,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::stub::{Answer, Asked, Stub};

const CERTIFICATE: &[u8] = include_bytes!("../vectors/ida/ida-cert.pem");
const KEY: &[u8] = include_bytes!("../vectors/ida/ida-key.pem");
const PATH: &str = "/idauthentication/v1/auth/licence%2Fkey/crvs-partner/api%20key";

/// Within the life of the recorded certificates.
pub(crate) fn at() -> Timestamp {
    "2026-12-01T03:04:06Z".parse().unwrap()
}

fn signing_key() -> SigningKey {
    let key = include_bytes!("../vectors/ida/client-key.pem");
    let certificate = include_bytes!("../vectors/ida/client-cert.pem");
    SigningKey::of(&KeyPair::from_pem(key, None, certificate).unwrap()).unwrap()
}

pub(crate) fn fill() -> Arc<Fill> {
    Arc::new(|buffer: &mut [u8]| openssl::rand::rand_bytes(buffer).unwrap())
}

fn settings(stub: &Stub) -> IdaSettings {
    IdaSettings {
        url: format!("{}/idauthentication/v1/", stub.address),
        license_key: SecretString::from("licence/key"),
        partner_id: "crvs-partner".to_owned(),
        api_key: SecretString::from("api key"),
        signing_key: signing_key(),
        certificates: vec![EncryptionCertificate::from_pem(CERTIFICATE).unwrap()],
        response_keys: ProofKeys::new(),
        generation: Generation::V1_2,
        id_types: [(10, IdType::Uin), (16, IdType::Vid)].into(),
        domain_uri: None,
        environment: None,
        language: "eng".to_owned(),
        titles: vec!["Mr".to_owned()],
        classes: BTreeMap::new(),
    }
}

fn person() -> Person {
    Person {
        id: Zeroizing::new("2014391641350000".to_owned()),
        name: Some(Zeroizing::new("Asha Devi Rao".to_owned())),
        dob: Some(jiff::civil::date(1990, 1, 2)),
        gender: None,
    }
}

async fn asked(
    stub: &Stub,
    mosip: Mosip,
    change: impl FnOnce(&mut IdaSettings),
) -> Result<Verdict, VerifyError> {
    let mut settings = settings(stub);
    change(&mut settings);
    Ida::new(mosip, settings, fill()).verify(&person(), &at).await
}

/// IDA's answer to this request.
fn reply(asked: &Asked, errors: &Value, response: &Value) -> Answer {
    let transaction = asked.json()["transactionID"].clone();
    Answer::json(&json!({
        "transactionID": transaction, "version": "1.0", "id": "mosip.identity.auth", "errors": errors,
        "responseTime": "2026-12-01T03:04:06.000Z", "response": response,
    }))
}

fn matched(asked: &Asked) -> Answer {
    reply(
        asked,
        &Value::Null,
        &json!({ "authStatus": true, "authToken": "294445496376276287409900644369588106" }),
    )
}

fn failing(asked: &Asked, code: &str) -> Answer {
    reply(asked, &json!([{ "errorCode": code, "errorMessage": "about Asha" }]), &Value::Null)
}

#[tokio::test]
async fn a_request_is_addressed_signed_and_sealed_as_ida_wants_it() {
    let stub = Stub::start(matched).await;
    let verdict = asked(&stub, stub.mosip(), |_| {}).await.unwrap();
    assert!(matches!(verdict, Verdict::Matched { token: Some(_) }));
    let sent = &stub.asked(PATH)[0];
    assert_eq!((sent.headers["authorization"].to_str().unwrap(), sent.cookie()), ("Authorization", ""));
    assert_eq!(sent.headers["content-type"], "application/json");
    let signature = sent.headers["signature"].to_str().unwrap();
    assert!(signature.contains("..") && signature.split("..").count() == 2);
    let keys = ProofKeys::from_pem([include_bytes!("../vectors/ida/client-cert.pem").as_slice()]).unwrap();
    civitas_mosip::credential::verify_event_proof(sent.body.as_bytes(), signature, &keys).unwrap();
    let body = sent.json();
    assert_eq!(
        (&body["individualIdType"], &body["requestTime"]),
        (&json!("VID"), &json!("2026-12-01T03:04:06.000Z"))
    );
    assert!(!sent.body.contains("Asha") && body.get("requestedAuth").is_none());
    // Fields of a connection that is none of a token's.
    assert_eq!(stub.asked("/clientidsecretkey").len(), 0, "authmanager is not asked");
}

#[tokio::test]
async fn a_verdict_and_a_failure_are_never_taken_for_each_other() {
    for (code, class) in [
        ("IDA-DEA-001", AuthClass::Mismatch),
        ("IDA-DEA-003", AuthClass::NotOnRecord),
        ("IDA-MLC-018", AuthClass::NotFound),
        ("IDA-MLC-002", AuthClass::InvalidId),
        ("IDA-MLC-003", AuthClass::InactiveId),
        ("IDA-MLC-019", AuthClass::Locked),
    ] {
        let stub = Stub::start(move |asked| failing(asked, code)).await;
        let Verdict::NotMatched(why) = asked(&stub, stub.mosip(), |_| {}).await.unwrap() else {
            panic!("{code} is a verdict");
        };
        assert_eq!((why.class, why.codes), (class, vec![code.to_owned()]));
    }
    for (code, class) in [
        ("IDA-MPA-009", AuthClass::Config),
        ("IDA-MPA-001", AuthClass::Config),
        ("IDA-MLC-006", AuthClass::BadData),
        ("IDA-MLC-007", AuthClass::Transient),
        ("IDA-MPA-003", AuthClass::Refetch),
        ("IDA-XYZ-001", AuthClass::Unknown),
    ] {
        let stub = Stub::start(move |asked| failing(asked, code)).await;
        let error = asked(&stub, stub.mosip(), |_| {}).await.unwrap_err();
        assert_eq!(error.class(), class, "{code}");
        assert!(!error.to_string().contains("Asha") && error.advice().len() > 20);
        assert_eq!(stub.asked(PATH).len(), 1, "{code}: not asked again");
    }
    let own = |settings: &mut IdaSettings| {
        settings.classes = [("IDA-XYZ-001".to_owned(), AuthClass::InactiveId)].into();
    };
    let stub = Stub::start(|asked| failing(asked, "IDA-XYZ-001")).await;
    let verdict = asked(&stub, stub.mosip(), own).await.unwrap();
    assert!(matches!(verdict, Verdict::NotMatched(why) if why.class == AuthClass::InactiveId));
}

#[tokio::test]
async fn what_is_no_answer_of_ida_says_nothing_about_the_person() {
    for (answer, code) in [
        (Answer::text(200, "<html>"), "answer-unreadable"),
        (Answer::text(502, "upstream"), "http-502"),
        (
            Answer::json(
                &json!({ "transactionID": "0", "errors": null, "response": { "authStatus": true } }),
            ),
            "transaction-differs",
        ),
    ] {
        let answer = std::sync::Mutex::new(Some(answer));
        let stub = Stub::start(move |_| answer.lock().unwrap().take().unwrap()).await;
        let Err(VerifyError::Refused(refused)) = asked(&stub, stub.mosip(), |_| {}).await else {
            panic!("{code}");
        };
        assert_eq!((refused.class, refused.codes[0].as_str()), (AuthClass::Unknown, code));
    }
    let stub = Stub::start(|_| Answer::never()).await;
    let error = asked(&stub, stub.impatient(&Limits::default()), |_| {}).await.unwrap_err();
    let VerifyError::Call(error) = error else { panic!("{error}") };
    assert_eq!((error.service, error.class), (Service::IdAuthentication, Class::Transient));
    assert!(!error.to_string().contains("licence") && !error.to_string().contains("api"), "{error}");
}

#[tokio::test]
async fn a_stale_request_is_made_anew_twice_with_another_time_key_and_number() {
    let stub = Stub::start(|asked| failing(asked, "IDA-MLC-001")).await;
    let minutes = AtomicUsize::new(0);
    let clock = || {
        let minutes = i64::try_from(minutes.fetch_add(1, Ordering::SeqCst)).unwrap();
        at() + SignedDuration::from_mins(minutes)
    };
    let ida = Ida::new(stub.mosip(), settings(&stub), fill());
    assert_eq!(ida.verify(&person(), &clock).await.unwrap_err().class(), AuthClass::Restamp);
    let sent = stub.asked(PATH);
    assert_eq!(sent.len(), 3);
    for field in ["requestTime", "requestSessionKey", "request", "requestHMAC", "transactionID"] {
        let values: std::collections::BTreeSet<String> =
            sent.iter().map(|asked| asked.json()[field].to_string()).collect();
        assert_eq!(values.len(), 3, "{field} is made anew each time");
    }
}

#[tokio::test]
async fn where_ida_has_another_certificate_its_predecessor_is_tried_once() {
    let older = EncryptionCertificate::from_pem(include_bytes!("../vectors/ida/client-cert.pem")).unwrap();
    let of = |asked: &Asked| asked.json()["thumbprint"].as_str().unwrap().to_owned();
    let first = Arc::new(std::sync::Mutex::new(None));
    let seen = Arc::clone(&first);
    let stub = Stub::start(move |asked| {
        let thumbprint = of(asked);
        let mut seen = seen.lock().unwrap();
        if seen.get_or_insert_with(|| thumbprint.clone()) == &thumbprint {
            failing(asked, "IDA-MPA-003")
        } else {
            matched(asked)
        }
    })
    .await;
    let both = |settings: &mut IdaSettings| settings.certificates.push(older);
    assert!(matches!(asked(&stub, stub.mosip(), both).await, Ok(Verdict::Matched { .. })));
    assert_eq!(stub.asked(PATH).len(), 2);
    let none = asked(&stub, stub.mosip(), |settings| settings.certificates.clear()).await.unwrap_err();
    assert!(matches!(none, VerifyError::NoCertificate));
}

#[tokio::test]
async fn where_idas_key_is_configured_an_answer_by_anybody_else_is_not_believed() {
    let signer = |key: &[u8], certificate: &[u8]| EventSigner::from_pem(key, Some(certificate)).unwrap();
    let ida = signer(KEY, CERTIFICATE);
    let other = signer(
        include_bytes!("../vectors/ida/client-key.pem"),
        include_bytes!("../vectors/ida/client-cert.pem"),
    );
    let body = |asked: &Asked| {
        let transaction = asked.json()["transactionID"].clone();
        json!({ "transactionID": transaction, "errors": null, "response": { "authStatus": true } })
    };
    let trusting = |settings: &mut IdaSettings| {
        settings.response_keys = ProofKeys::from_pem([CERTIFICATE]).unwrap();
    };
    for (signer, believed) in [(Some(ida), true), (Some(other), false), (None, false)] {
        let stub = Stub::start(move |asked| {
            let body = body(asked);
            let answer = Answer::json(&body);
            match &signer {
                Some(signer) => answer.with(
                    "response-signature",
                    &sign_event_proof(body.to_string().as_bytes(), signer).unwrap(),
                ),
                None => answer,
            }
        })
        .await;
        let verdict = asked(&stub, stub.mosip(), trusting).await;
        assert_eq!(verdict.is_ok(), believed, "{verdict:?}");
    }
}

#[tokio::test]
async fn a_number_of_another_length_is_sent_without_a_kind_and_older_idas_are_told_the_type() {
    let stub = Stub::start(matched).await;
    let older = |settings: &mut IdaSettings| {
        settings.generation = Generation::V1_1;
        settings.id_types = BTreeMap::new();
        settings.domain_uri = Some("https://api.example.org".to_owned());
        settings.environment = Some("Staging".to_owned());
    };
    asked(&stub, stub.mosip(), older).await.unwrap();
    let body = stub.asked(PATH)[0].json();
    assert!(body.get("individualIdType").is_none());
    assert_eq!(body["requestedAuth"]["demo"], true);
    assert_eq!((&body["domainUri"], &body["env"]), (&json!("https://api.example.org"), &json!("Staging")));
}

#[tokio::test]
async fn failures_open_its_circuit_and_no_other() {
    let stub = Stub::start(|asked| {
        if asked.path.contains("idauthentication") { Answer::text(503, "") } else { Answer::json(&json!({})) }
    })
    .await;
    let mosip = stub.mosip();
    for _ in 0..5 {
        asked(&stub, mosip.clone(), |_| {}).await.unwrap_err();
    }
    let error = asked(&stub, mosip.clone(), |_| {}).await.unwrap_err();
    let VerifyError::Call(error) = error else { panic!("{error}") };
    assert_eq!(error.class, Class::Parked);
    assert_eq!(stub.asked(PATH).len(), 5);
    let open: Vec<Service> = mosip
        .health(at())
        .into_iter()
        .filter(|health| health.circuit != civitas_mosip::Circuit::Closed)
        .map(|health| health.service)
        .collect();
    assert_eq!(open, [Service::IdAuthentication]);
}
