//! `/verify` and `/esignet/get-oidp-user-info`, as forms and country configurations that were written for mosip-api call
//! them, in front of an ID authentication and an e-Signet that check what they are sent.

use std::sync::Arc;
use std::time::Duration;

use civitas_mosip::{
    Mosip,
    credential::{KeyRing, ProofKeys},
    esignet::{ClientKey, ESignet, ESignetEndpoints, ESignetSettings},
    ida::{Generation, IdType, Ida, IdaSettings},
    keys::{KeyPair, SigningKey},
    packet::EncryptionCertificate,
};
use civitas_sandbox::{ESignetFault, Faults, IdentityFaults, Outage, RouteFaults, Sandbox};
use civitas_server::{Authentication, Compares, Contract, Identification, MosipApi, Verification};
use civitas_tests::{
    stack::{Setup, Stack, entropy},
    wait::until,
};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::support::*;

const VID: &str = "4512879630124577";
const PAGE: &str =
    "https://register.example/events/declare/6f1c0d4e-4f1a-4c58-9f0b-2f0a5b7f2d11/pages/mother";

/// The clients as `civitas serve` makes them, with the sandbox's keys.
fn identify(sandbox: &Sandbox, mosip: &Mosip) -> Identification {
    let keys = sandbox.mosip().keys();
    let (key, certificate) = keys.identity_client_pem().unwrap();
    let pair = || KeyPair::from_pem(&key, None, &certificate).unwrap();
    let ida_certificate = keys.ida_certificate_pem().unwrap();
    let url = sandbox.mosip().url();
    let settings = IdaSettings {
        url: format!("{url}/idauthentication/v1/auth"),
        license_key: SecretString::from("sandbox-misp-licence-key"),
        partner_id: "crvs-partner".to_owned(),
        api_key: SecretString::from("sandbox-api-key"),
        signing_key: SigningKey::of(&pair()).unwrap(),
        certificates: vec![EncryptionCertificate::from_pem(&ida_certificate).unwrap()],
        response_keys: ProofKeys::from_pem([ida_certificate.as_slice()]).unwrap(),
        generation: Generation::V1_2,
        id_types: [(10, IdType::Uin), (16, IdType::Vid)].into(),
        domain_uri: None,
        environment: Some("Staging".to_owned()),
        language: "eng".to_owned(),
        titles: vec!["Mr".to_owned(), "Dr".to_owned()],
        classes: std::collections::BTreeMap::new(),
    };
    let verification = Verification {
        ida: Ida::new(mosip.clone(), settings, Arc::new(|bytes: &mut [u8]| entropy()(bytes))),
        compares: Compares { name: true, dob: true, gender: true },
        per_user: 20,
        per_id: 6,
    };
    let mut ring = KeyRing::new();
    ring.insert(pair());
    let settings = ESignetSettings {
        client_id: "crvs-client".to_owned(),
        client_key: ClientKey::read(&SecretString::from(keys.esignet_client_jwk().unwrap())).unwrap(),
        endpoints: ESignetEndpoints::of(&format!("{url}/v1/esignet/oauth/v2/token"), None, None, None)
            .unwrap(),
        keys: ring,
    };
    let authentication = Authentication {
        esignet: ESignet::new(mosip.clone(), settings, Arc::new(|bytes: &mut [u8]| entropy()(bytes))),
        redirect_uris: vec!["https://register.example/events/**".to_owned()],
        patience: Duration::from_secs(4),
        fill: Arc::new(|bytes: &mut [u8]| entropy()(bytes)),
    };
    Identification { verification: Some(verification), authentication: Some(authentication) }
}

fn served(contract: Contract) -> Setup {
    let mosip_api = Some(MosipApi { contract, client_app_url: None });
    Setup { mosip_api, identify: Some(identify), ..Setup::default() }
}

/// A stack in which somebody has an identity.
async fn start(setup: Setup) -> Stack {
    let stack = Stack::without_work(setup).await;
    stack.sandbox.mosip().enrol_with(VID, asha());
    stack
}

fn asha() -> Map<String, Value> {
    let fields = json!({
        "fullName": "[{\"language\":\"eng\",\"value\":\"Asha Canary Rao\"}]", "dateOfBirth": "1990/01/02",
        "gender": "[{\"language\":\"eng\",\"value\":\"Female\"}]",
    });
    fields.as_object().unwrap().clone()
}

/// As the published client posts it.
fn question() -> Value {
    json!({
        "nid": VID, "dob": "1990-01-02", "name": {"firstname": "Asha", "middlename": "Canary", "surname": "Rao"},
        "gender": "female", "transactionId": "mother-6f1c0d4e-4f1a-4c58-9f0b-2f0a5b7f2d11", "unknown": "x",
    })
}

/// Status, content type and text.
async fn asked(stack: &Stack, path: &str, body: &Value) -> (u16, String, String) {
    let token = stack.sandbox.opencrvs().registrar_token().unwrap();
    let sent =
        stack.http.post(format!("{}{path}", stack.url)).bearer_auth(token).json(body).send().await.unwrap();
    let kind = sent.headers()["content-type"].to_str().unwrap().to_owned();
    (sent.status().as_u16(), kind, sent.text().await.unwrap())
}

async fn verify(stack: &Stack, body: &Value) -> (u16, String) {
    let (status, kind, text) = asked(stack, "/verify", body).await;
    let expected =
        if status == 200 { "text/plain; charset=utf-8" } else { "application/json; charset=utf-8" };
    assert_eq!(kind, expected, "{text}");
    (status, text)
}

async fn code_of(stack: &Stack, body: &Value) -> (u16, String) {
    let (status, text) = verify(stack, body).await;
    let body: Value = serde_json::from_str(&text).unwrap();
    assert!(body["error"].is_string() && body["advice"].is_string(), "{body}");
    (status, body["code"].as_str().unwrap().to_owned())
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = question();
    change(&mut body);
    body
}

fn strike(stack: &Stack, identity: IdentityFaults) {
    stack.sandbox.set_faults(Faults { identity, ..Faults::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_as_mosip_has_them_is_verified_and_each_question_is_asked_once() {
    let stack = start(served(Contract::V1_9)).await;
    for _ in 0..3 {
        assert_eq!(verify(&stack, &question()).await, (200, "verified".to_owned()));
    }
    assert_eq!(stack.sandbox.mosip().told(VID), 1, "the person is told once");
    for body in [
        with(|body| body["dob"] = json!("1990-01-03")),
        with(|body| body["name"]["middlename"] = json!("")),
        with(|body| body["nid"] = json!("4512879630124578")),
        with(|body| body["nid"] = json!("12345")),
    ] {
        assert_eq!(verify(&stack, &body).await, (200, "failed".to_owned()), "{body}");
    }
    let said = leaves(&stack).await.join("\n");
    assert!(said.contains("identified") && said.contains("mismatch of dob"), "{said}");
    assert!(
        said.contains("not_found") && said.contains("invalid_id") && said.contains("as found at"),
        "{said}"
    );
    assert!(said.contains("mother") && !said.contains("Canary") && !said.contains(VID), "{said}");
    assert!(stack.sandbox.mosip().set_identity_status(VID, "DEACTIVATED"));
    let again = with(|body| body["name"]["firstname"] = json!("ASHA"));
    assert_eq!(verify(&stack, &again).await, (200, "failed".to_owned()));
    assert!(witnessed(&stack, "inactive_id").await);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_an_error_and_never_a_failed_person() {
    let stack = start(served(Contract::V2)).await;
    let outage = |outage| RouteFaults { outage, ..RouteFaults::default() };
    for (faults, code) in [
        (outage(Outage::Unavailable), "verification_unavailable"),
        (outage(Outage::Disconnect), "verification_unavailable"),
        (RouteFaults { error_rate: 1.0, ..RouteFaults::default() }, "verification_unavailable"),
        (RouteFaults { null_in_200_rate: 1.0, ..RouteFaults::default() }, "verification_misconfigured"),
    ] {
        fault(&stack, "mosip.ida", faults);
        assert_eq!(code_of(&stack, &question()).await, (503, code.to_owned()));
    }
    mend(&stack);
    stack.stop().await;
    // Circuits open after some of them; another process asks about codes.
    let stack = start(served(Contract::V2)).await;
    for (code, expected) in [
        ("IDA-MPA-009", (503, "verification_misconfigured")),
        ("IDA-MLC-007", (503, "verification_unavailable")),
        ("IDA-MLC-009", (502, "verification_refused")),
        ("IDA-XYZ-999", (503, "verification_unavailable")),
    ] {
        strike(&stack, IdentityFaults { ida_code: Some(code.to_owned()), esignet: None });
        let (status, said) = code_of(&stack, &question()).await;
        assert_eq!((status, said.as_str()), expected, "{code}");
    }
    assert!(!leaves(&stack).await.iter().any(|leaf| leaf.contains("failed")));
    mend(&stack);
    assert_eq!(verify(&stack, &question()).await, (200, "verified".to_owned()), "trouble is not remembered");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_about_a_number_without_end_is_stopped() {
    let stack = start(served(Contract::V2)).await;
    for day in 10..16 {
        let guess = with(|body| body["dob"] = json!(format!("1990-03-{day}")));
        assert_eq!(verify(&stack, &guess).await.0, 200);
    }
    let guess = with(|body| body["dob"] = json!("1990-03-20"));
    assert_eq!(code_of(&stack, &guess).await, (429, "asked_too_often".to_owned()));
    let known = with(|body| body["dob"] = json!("1990-03-10"));
    assert_eq!(verify(&stack, &known).await, (200, "failed".to_owned()), "what is known is told");
    stack.stop().await;
}

fn login_path(code: &str) -> String {
    format!("/esignet/get-oidp-user-info?code={code}&state=undefined")
}

fn form() -> Value {
    json!({"clientId": "crvs-client", "redirectUri": format!("{PAGE}?code=x&state=y#top")})
}

async fn signed_in(stack: &Stack, code: &str, body: &Value) -> (u16, Value) {
    let (status, kind, text) = asked(stack, &login_path(code), body).await;
    assert_eq!(kind, "application/json; charset=utf-8");
    (status, serde_json::from_str(&text).unwrap())
}

fn code(stack: &Stack, claims: &[&str]) -> String {
    stack.sandbox.mosip().sign_in(VID, PAGE, claims).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_fills_the_form_of_each_release_once() {
    for (contract, encrypted) in [(Contract::V1_9, false), (Contract::V2, true)] {
        let mut setup = served(contract);
        setup.sandbox.mosip.esignet.encrypted = encrypted;
        let stack = start(setup).await;
        let code = code(&stack, &["name", "birthdate", "gender", "individual_id"]);
        let (status, answer) = signed_in(&stack, &code, &form()).await;
        assert_eq!(status, 200, "{answer}");
        let name = json!({"firstname": "Asha", "middlename": "Canary", "surname": "Rao"});
        assert_eq!((&answer["name"], &answer["gender"]), (&name, &json!("female")));
        assert_eq!((&answer["birthDate"], &answer["dobUnknown"]), (&json!("1990-01-02"), &Value::Null));
        assert_eq!(answer["verificationStatus"], "authenticated");
        let (kind, nid) = match contract {
            Contract::V1_9 => (Value::Null, Value::Null),
            Contract::V2 => (json!("NATIONAL_ID"), json!(VID)),
        };
        assert_eq!((&answer["idType"], &answer["nid"]), (&kind, &nid));
        assert_eq!(answer["sub"].as_str().unwrap().len(), 36);
        let receipt = answer["receipt"].as_str().unwrap();
        assert_eq!(receipt.len(), 32);
        assert_eq!(signed_in(&stack, &code, &form()).await, (200, answer.clone()), "the same code again");
        assert_eq!(stack.sandbox.mosip().token_calls(), 1, "and no second token call");
        let elsewhere = json!({"redirectUri": PAGE.replace("mother", "father")});
        let (status, refused) = signed_in(&stack, &code, &elsewhere).await;
        assert_eq!((status, &refused["code"]), (409, &json!("code_used")));
        let said = leaves(&stack).await.join("\n");
        let hash = openssl::sha::sha256(receipt.as_bytes()).map(|byte| format!("{byte:02x}")).concat();
        assert!(said.contains("authenticated") && said.contains(&hash) && said.contains("mother"), "{said}");
        assert!(said.contains("6f1c0d4e-4f1a-4c58-9f0b-2f0a5b7f2d11"), "{said}");
        let subject = answer["sub"].as_str().unwrap();
        for private in ["Canary", receipt, subject, VID, &code] {
            assert!(!said.contains(private), "{private} in {said}");
        }
        stack.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_released_is_not_in_the_form() {
    let stack = start(served(Contract::V2)).await;
    let (status, answer) = signed_in(&stack, &code(&stack, &["name"]), &form()).await;
    assert_eq!(status, 200);
    for absent in ["birthDate", "dobUnknown", "gender", "nid", "idType"] {
        assert!(answer.get(absent).is_none(), "{absent} in {answer}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_is_none_authenticates_nobody() {
    let stack = start(served(Contract::V2)).await;
    for fault in [
        ESignetFault::WrongAudience,
        ESignetFault::Expired,
        ESignetFault::UnknownKey,
        ESignetFault::AlteredUserinfo,
        ESignetFault::AnotherPerson,
        ESignetFault::UnsignedUserinfo,
    ] {
        strike(&stack, IdentityFaults { ida_code: None, esignet: Some(fault) });
        let (status, answer) = signed_in(&stack, &code(&stack, &["name"]), &form()).await;
        assert_eq!((status, &answer["code"]), (502, &json!("user_info_not_believed")), "{fault:?}: {answer}");
        assert!(!answer.to_string().contains("Somebody"), "{answer}");
    }
    assert!(!leaves(&stack).await.iter().any(|leaf| leaf.contains("authenticated")));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_clients_other_pages_and_spent_codes_are_refused() {
    let stack = start(served(Contract::V2)).await;
    let fresh = || code(&stack, &["name"]);
    let cases = [
        (fresh(), json!({"clientId": "somebody-else", "redirectUri": PAGE}), "client_differs"),
        (
            fresh(),
            json!({"clientId": "crvs-client", "redirectUri": "https://elsewhere.example/x"}),
            "redirect_uri_refused",
        ),
        (fresh(), json!({"clientId": "crvs-client"}), "redirect_uri_refused"),
        (fresh(), json!("clientId"), "body_malformed"),
        (String::new(), form(), "code_missing"),
        ("made-up".to_owned(), form(), "code_refused"),
    ];
    for (code, body, expected) in cases {
        let calls = stack.sandbox.mosip().token_calls();
        let (status, answer) = signed_in(&stack, &code, &body).await;
        assert_eq!((status, answer["code"].as_str().unwrap()), (400, expected), "{answer}");
        assert_eq!(stack.sandbox.mosip().token_calls() - calls, u64::from(expected == "code_refused"));
    }
    let unauthorised = stack.http.post(format!("{}{}", stack.url, login_path("x"))).json(&form()).send();
    assert_eq!(unauthorised.await.unwrap().status(), 401);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_gave_up_finds_the_answer_by_the_same_code() {
    let mut setup = served(Contract::V2);
    setup.identify = Some(|sandbox, mosip| {
        let mut identification = identify(sandbox, mosip);
        identification.authentication.as_mut().unwrap().patience = Duration::from_millis(50);
        identification
    });
    let stack = start(setup).await;
    let latency_ms = civitas_sandbox::Spread::ms(400, 400);
    fault(&stack, "mosip.esignet.token", RouteFaults { latency_ms, ..RouteFaults::default() });
    let code = code(&stack, &["name"]);
    let (status, answer) = signed_in(&stack, &code, &form()).await;
    assert_eq!((status, &answer["code"]), (504, &json!("esignet_slow")));
    until("the answer is there", || async { signed_in(&stack, &code, &form()).await.0 == 200 }).await;
    assert_eq!(stack.sandbox.mosip().token_calls(), 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e_signet_that_is_down_is_an_error_of_its_own() {
    let stack = start(served(Contract::V2)).await;
    for route in ["mosip.esignet.published", "mosip.esignet.token", "mosip.esignet.userinfo"] {
        fault(&stack, route, RouteFaults { outage: Outage::Unavailable, ..RouteFaults::default() });
        let (status, answer) = signed_in(&stack, &code(&stack, &["name"]), &form()).await;
        assert_eq!((status, &answer["code"]), (503, &json!("esignet_unavailable")), "{route}: {answer}");
        mend(&stack);
    }
    assert_eq!(signed_in(&stack, &code(&stack, &["name"]), &form()).await.0, 200);
    stack.stop().await;
}
