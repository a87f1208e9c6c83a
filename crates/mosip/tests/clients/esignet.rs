//! Logins against an e-Signet that is told what to answer.

use std::sync::Mutex;

use base64::Engine as _;

use civitas_mosip::{
    Class, Limits, Mosip,
    esignet::{ClientKey, ESignet, ESignetEndpoints, ESignetSettings, Login, LoginError, LoginFault},
    keys::KeyRing,
};
use openssl::{
    hash::MessageDigest,
    pkey::PKey,
    rsa::Padding,
    sha::sha256,
    sign::{RsaPssSaltlen, Signer},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::ida::{at, fill};
use crate::stub::{Answer, Asked, Stub};

const KEY: &[u8] = include_bytes!("../vectors/ida/ida-key.pem");
const CLIENT_KEY: &str = include_str!("../vectors/ida/client-key.pem");
const SUBJECT: &str = "258008647108301360320646006005841751";
const REDIRECT: &str = "https://register.example/events/declare/6f1c0d4e/pages/mother";

fn vector() -> Value {
    serde_json::from_str(include_str!("../vectors/esignet/userinfo.json")).unwrap()
}

fn b64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// A token by the key that e-Signet publishes.
fn signed(alg: &str, kid: &str, claims: &Value) -> String {
    let key = PKey::private_key_from_pem(KEY).unwrap();
    let input = format!(
        "{}.{}",
        b64(json!({ "alg": alg, "kid": kid }).to_string().as_bytes()),
        b64(claims.to_string().as_bytes())
    );
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    if alg == "PS256" {
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
        signer.set_rsa_mgf1_md(MessageDigest::sha256()).unwrap();
    }
    format!("{input}.{}", b64(&signer.sign_oneshot_to_vec(input.as_bytes()).unwrap()))
}

/// What e-Signet answers at each of its addresses.
#[derive(Clone)]
struct Script {
    access: String,
    id_token: Value,
    userinfo: String,
    kid: &'static str,
    jwks: Value,
}

impl Script {
    fn good() -> Self {
        let at = at().as_second();
        let access = signed("RS256", "kyc-sign-1", &json!({ "sub": SUBJECT, "aud": "client-1" }));
        let vector = vector();
        Script {
            id_token: json!({
                "iss": "ISSUER", "sub": SUBJECT, "aud": "client-1", "iat": at, "exp": at + 3600, "auth_time": at - 60,
                "acr": "mosip:idp:acr:generated-code", "at_hash": b64(&sha256(access.as_bytes())[..16]),
            }),
            access,
            userinfo: vector["accept"]["jws_ps256"].as_str().unwrap().to_owned(),
            kid: "kyc-sign-1",
            jwks: vector["jwks"].clone(),
        }
    }

    fn with(change: impl FnOnce(&mut Script)) -> Self {
        let mut script = Script::good();
        change(&mut script);
        script
    }

    fn answer(&self, asked: &Asked) -> Answer {
        if asked.path.ends_with("/token") {
            let issuer = format!("http://{}", asked.headers["host"].to_str().unwrap());
            let mut claims = self.id_token.clone();
            if claims["iss"] == "ISSUER" {
                claims["iss"] = json!(issuer);
            }
            let id_token = signed("RS256", self.kid, &claims);
            return Answer::json(&json!({
                "id_token": id_token, "token_type": "Bearer", "access_token": self.access, "expires_in": 3600,
            }));
        }
        if asked.path.ends_with("/userinfo") {
            return Answer::text(200, &self.userinfo);
        }
        Answer::json(&self.jwks)
    }
}

fn client(stub: &Stub, mosip: Mosip, keys: KeyRing) -> ESignet {
    let token = format!("{}/v1/esignet/oauth/v2/token", stub.address);
    let settings = ESignetSettings {
        client_id: "client-1".to_owned(),
        client_key: ClientKey::read(&SecretString::from(CLIENT_KEY)).unwrap(),
        endpoints: ESignetEndpoints::of(&token, None, None, None).unwrap(),
        keys,
    };
    ESignet::new(mosip, settings, fill())
}

fn our_keys() -> KeyRing {
    let certificate = include_bytes!("../vectors/ida/client-cert.pem").as_slice();
    KeyRing::from_pem([(CLIENT_KEY.as_bytes(), certificate)]).unwrap()
}

async fn login(script: Script) -> (Result<Login, LoginError>, Stub) {
    let stub = Stub::start(move |asked| script.answer(asked)).await;
    let login = client(&stub, stub.mosip(), our_keys()).login("the-code", REDIRECT, at()).await;
    (login, stub)
}

#[tokio::test]
async fn a_code_becomes_proven_claims_in_each_form_that_user_info_comes_in() {
    let vector = vector();
    for name in ["jws_ps256", "jws_rs256", "jwe_of_jws", "jwe_of_jws_zip_def"] {
        let userinfo = vector["accept"][name].as_str().unwrap().to_owned();
        let (login, _) = login(Script::with(|script| script.userinfo = userinfo)).await;
        let login = login.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(login.subject.expose_secret(), SUBJECT);
        assert_eq!(login.info.text("name", &[]), Some("Asha Devi Rao"));
        assert_eq!(login.info.birthdate(), Some(Some(jiff::civil::date(1990, 1, 2))));
        assert_eq!(login.acr.as_deref(), Some("mosip:idp:acr:generated-code"));
        assert_eq!(login.auth_time, Some(at().as_second() - 60));
        assert!(!format!("{login:?}").contains("Asha"));
    }
}

#[tokio::test]
async fn the_token_is_asked_for_in_our_name_with_a_new_assertion_each_time() {
    let stub = Stub::start(|_| Answer::text(503, "")).await;
    let esignet = client(&stub, stub.mosip(), KeyRing::new());
    let mut jtis = Vec::new();
    for code in ["a b&c", "2"] {
        esignet.login(code, REDIRECT, at()).await.unwrap_err();
    }
    for asked in stub.asked("/oauth/v2/token") {
        assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
        let form: Vec<(String, String)> = reqwest::Url::parse(&format!("http://x/?{}", asked.body))
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect();
        let of = |name: &str| &form.iter().find(|(key, _)| key == name).unwrap().1;
        assert_eq!((of("grant_type").as_str(), of("client_id").as_str()), ("authorization_code", "client-1"));
        assert_eq!(of("redirect_uri"), REDIRECT);
        assert_eq!(of("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        let claims = of("client_assertion").split('.').nth(1).unwrap().to_owned();
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("client-1"), &json!("client-1")));
        assert_eq!(claims["aud"], json!(format!("{}/v1/esignet/oauth/v2/token", stub.address)));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
        jtis.push(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_eq!(jtis.len(), 2);
    assert_ne!(jtis[0], jtis[1]);
    assert_eq!(stub.asked("/token").len(), 2, "a code is never tried twice");
}

/// A change to a good exchange, and whose fault it is then.
type Case = (&'static str, fn(&mut Script), LoginFault);

#[tokio::test]
async fn whatever_is_altered_expired_or_for_somebody_else_is_not_believed() {
    use LoginFault::Untrusted;
    let cases: [Case; 15] = [
        (
            "no signature",
            |script| script.userinfo = vector()["refuse"]["alg_none"].as_str().unwrap().into(),
            Untrusted,
        ),
        (
            "hmac",
            |script| {
                script.userinfo =
                    vector()["refuse"]["hs256_with_the_certificate_as_secret"].as_str().unwrap().into();
            },
            Untrusted,
        ),
        (
            "altered",
            |script| script.userinfo = vector()["refuse"]["payload_changed"].as_str().unwrap().into(),
            Untrusted,
        ),
        (
            "another person",
            |script| script.userinfo = signed("RS256", "kyc-sign-1", &json!({ "sub": "1" })),
            Untrusted,
        ),
        (
            "nobody",
            |script| script.userinfo = signed("RS256", "kyc-sign-1", &json!({ "name": "x" })),
            Untrusted,
        ),
        (
            "access token of another",
            |script| {
                script.access = signed("RS256", "kyc-sign-1", &json!({ "sub": "1" }));
                script.id_token["at_hash"] = Value::Null;
            },
            Untrusted,
        ),
        ("another access token", |script| script.id_token["at_hash"] = json!("AAAA"), Untrusted),
        ("expired", |script| script.id_token["exp"] = json!(at().as_second() - 5), Untrusted),
        ("without an end", |script| script.id_token["exp"] = Value::Null, Untrusted),
        ("of the future", |script| script.id_token["iat"] = json!(at().as_second() + 6), Untrusted),
        ("wrong audience", |script| script.id_token["aud"] = json!("client-2"), Untrusted),
        ("audience of several", |script| script.id_token["aud"] = json!(["client-1", "client-2"]), Untrusted),
        ("wrong issuer", |script| script.id_token["iss"] = json!("https://elsewhere.example"), Untrusted),
        ("unknown key", |script| script.kid = "other", Untrusted),
        ("no token", |script| script.userinfo = "nonsense".into(), LoginFault::Service),
    ];
    for (what, change, fault) in cases {
        let (login, stub) = login(Script::with(change)).await;
        let error = login.expect_err(what);
        assert_eq!(error.fault(), fault, "{what}: {error}");
        assert!(error.advice().len() > 20 && !error.to_string().contains(SUBJECT), "{error}");
        assert_eq!(stub.asked("/token").len(), 1, "{what}");
    }
    let leeway = |script: &mut Script| {
        script.id_token["exp"] = json!(at().as_second() - 4);
        script.id_token["iat"] = json!(at().as_second() + 5);
        script.id_token["aud"] = json!(["client-1", "client-2"]);
        script.id_token["azp"] = json!("client-1");
    };
    login(Script::with(leeway)).await.0.unwrap();
}

#[tokio::test]
async fn user_info_for_another_key_is_a_matter_of_configuration() {
    let userinfo = vector()["accept"]["jwe_of_jws"].as_str().unwrap().to_owned();
    let script = Script::with(|script| script.userinfo = userinfo);
    let stub = Stub::start(move |asked| script.answer(asked)).await;
    let error = client(&stub, stub.mosip(), KeyRing::new()).login("c", REDIRECT, at()).await.unwrap_err();
    assert_eq!(error.fault(), LoginFault::Configuration);
    assert!(error.advice().contains("mosip.esignet.keys"));
}

#[tokio::test]
async fn a_key_that_is_not_there_is_asked_for_once_and_not_more_than_once_a_minute() {
    // The first set lacks the key; the second has it.
    let answered = Mutex::new(0);
    let script = Script::good();
    let lacking = {
        let mut jwks = vector()["jwks"].clone();
        jwks["keys"][0]["kid"] = json!("of-before");
        jwks
    };
    let stub = Stub::start(move |asked| {
        if asked.path.ends_with("jwks.json") {
            let mut answered = answered.lock().unwrap();
            *answered += 1;
            return if *answered == 1 { Answer::json(&lacking) } else { script.answer(asked) };
        }
        script.answer(asked)
    })
    .await;
    let esignet = client(&stub, stub.mosip(), our_keys());
    let error = esignet.login("1", REDIRECT, at()).await.unwrap_err();
    assert_eq!(error.fault(), LoginFault::Untrusted, "the set was fetched a moment ago: {error}");
    assert_eq!(stub.asked("jwks.json").len(), 1);
    let later = at() + jiff::SignedDuration::from_mins(2);
    esignet.login("2", REDIRECT, later).await.unwrap();
    esignet.login("3", REDIRECT, later).await.unwrap();
    assert_eq!(stub.asked("jwks.json").len(), 2, "and then kept");
}

#[tokio::test]
async fn each_refusal_of_the_token_endpoint_says_whose_turn_it_is() {
    for (status, body, fault) in [
        (
            400,
            json!({ "error": "invalid_grant", "error_description": "invalid_transaction" }),
            LoginFault::Code,
        ),
        (
            400,
            json!({ "error": "invalid_request", "error_description": "invalid_redirect_uri" }),
            LoginFault::Code,
        ),
        (400, json!({ "error": "invalid_client" }), LoginFault::Configuration),
        (400, json!({ "error": "invalid_assertion" }), LoginFault::Configuration),
        (400, json!({ "error": "use_dpop_nonce" }), LoginFault::Configuration),
        (
            400,
            json!({ "error": "invalid_request", "error_description": "invalid_client_id" }),
            LoginFault::Configuration,
        ),
        (400, json!({ "error": "data_exchange_failed" }), LoginFault::Service),
        (400, json!({ "error": "IDA-MLC-002" }), LoginFault::Service),
        (500, json!({ "error": "unknown_error" }), LoginFault::Service),
        (200, json!({ "token_type": "Bearer" }), LoginFault::Service),
        (200, json!({ "access_token": "a", "expires_in": "1h" }), LoginFault::Service),
    ] {
        let answer = body.clone();
        let stub = Stub::start(move |_| {
            if status == 200 { Answer::json(&answer) } else { Answer::text(status, &answer.to_string()) }
        })
        .await;
        let error = client(&stub, stub.mosip(), KeyRing::new()).login("c", REDIRECT, at()).await.unwrap_err();
        assert_eq!(error.fault(), fault, "{body}: {error}");
        assert!(error.advice().len() > 20);
    }
    let odd = json!({ "error": "no such user: Asha Rao" });
    let stub = Stub::start(move |_| Answer::text(400, &odd.to_string())).await;
    let error = client(&stub, stub.mosip(), KeyRing::new()).login("c", REDIRECT, at()).await.unwrap_err();
    assert!(!error.to_string().contains("Asha"), "{error}");
}

#[tokio::test]
async fn a_refused_access_token_and_a_missing_answer_say_so() {
    let script = Script::good();
    let stub = Stub::start(move |asked| {
        if asked.path.ends_with("/userinfo") {
            return Answer::text(401, "").with("www-authenticate", "error=\"invalid_token\"");
        }
        script.answer(asked)
    })
    .await;
    let error = client(&stub, stub.mosip(), KeyRing::new()).login("c", REDIRECT, at()).await.unwrap_err();
    assert!(matches!(&error, LoginError::UserInfo { error } if error == "invalid_token"), "{error}");
    let stub = Stub::start(|_| Answer::never()).await;
    let login =
        client(&stub, stub.impatient(&Limits::default()), KeyRing::new()).login("c", REDIRECT, at()).await;
    let Err(LoginError::Call(error)) = login else { panic!("{login:?}") };
    assert_eq!(error.class, Class::Unknown, "the code may be spent");
}
