mod published;

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::credential::{
    Claim, Cover, Credential, CredentialError, envelope::tests::test_key_pem, proof::Proven,
};

const HOST: &str = "api.example.org";
const AID: &str = "10001200420000120260102030405";
const FLAT: &str = "eyJiNjQiOmZhbHNlLCJjcml0IjpbImI2NCJdLCJhbGciOiJQUzI1NiJ9..3X8Tg1_61LZLBsh_ECdTTakFyBJxZxnN4BlC6iSCnSTsA31xCcl8zwe1WjLlvkwRWFqAp0qyBqAGY-siZfgRQzXBO-p13DOBZwGb0yKu4sacSfW3DHEIdJkdHIqNcDo-PeBLlYm66gqEwMejzRiSlZobXwCFfr9Cpl_uO35Q7Ai_rGyD7juBqKg8WMX43Zudl59c4C4-QuOYaXSeJtybt8hywpdAokBKHj1nNSaPBC9s0j8kL6H0-oHvDSdQ57sJdd-AzBE10Z0uWlctH5LsxgGajns65ShLGOCy9H9Voy9DSnuy4GOlkwrt2o6fnxdrCwR_ueyIwfGZB4FtT5C4aQ";
const SPOKEN: &str = "eyJiNjQiOmZhbHNlLCJjcml0IjpbImI2NCJdLCJhbGciOiJQUzI1NiJ9..ZK82IKW8mHSDQH60FuHAyZvYYgWTL7s6wbK_M3GlIEhN3oykkwRtqnPeyyUxzWnVy8HTMWEHcmisjye0aIbe-qQXdPxjO93oEdZNoDaeGz-pLddDw2eP44b-FxKynxG6rWjIAiT0_yA4wU7v7Ke_yt8Rt9e2IPMpn_VxAbgdDYWt9p7SmfHCA4RfAQorPYs9z3ooGIrEBx8_SW8b4-nXqRILr-RdtLU4j6svO6NrANUPtn_As3rU3_u8SVwjVonwstLAFrO7ukZ3RTppuSCuXDaiMmpdWFa-TM4opCSEioM3czWlc7zaBX5eCRYqPQ1MHMFXsdetrIGP62dNxfh5lg";

fn key() -> openssl::pkey::PKey<openssl::pkey::Private> {
    openssl::pkey::PKey::private_key_from_pem(&test_key_pem()).unwrap()
}

fn keys() -> ProofKeys {
    ProofKeys::from_pem([key().public_key_to_pem().unwrap().as_slice()]).unwrap()
}

fn trust() -> VcTrust {
    VcTrust::new(vec![VcIssuer::stock(HOST).unwrap()], keys())
}

fn recorded(subject: Value, jws: &str) -> Value {
    let mut credential = json!({
        "@context": [
            "https://www.w3.org/2018/credentials/v1", "https://api.example.org/.well-known/mosip-context.json",
            { "sec": "https://w3id.org/security#" },
        ],
        "id": "http://credential.idrepo/credentials/0e6a1f5c-6d0b-4a2e-9a57-3b9d3f1c2a10",
        "type": ["VerifiableCredential", "MOSIPVerifiableCredential"],
        "issuer": "https://api.example.org/.well-known/controller.json",
        "issuanceDate": "2026-01-02T03:10:00.123Z",
        "credentialSubject": { "id": format!("http://credential.idrepo/credentials/{AID}"), "vcVer": "VC-V1" },
        "proof": {
            "type": "RsaSignature2018", "created": "2026-01-02T03:10:00Z", "proofPurpose": "assertionMethod",
            "verificationMethod": "https://api.example.org/.well-known/public-key.json", "jws": jws,
        },
    });
    let Value::Object(subject) = subject else { panic!("an object") };
    credential["credentialSubject"].as_object_mut().unwrap().extend(subject);
    credential
}

fn flat() -> Value {
    recorded(json!({ "VID": "9830872690593682", "birthCertificateNumber": "BRN-2026-000001" }), FLAT)
}

fn spoken() -> Value {
    let names =
        json!([{ "language": "eng", "value": "Asha Rao" }, { "language": "fra", "value": "Asha Râo" }]);
    recorded(json!({ "UIN": "2074397357", "dateOfBirth": "2026/01/01", "fullName": names }), SPOKEN)
}

fn read_by(trust: &VcTrust, credential: &Value) -> Result<Credential, CredentialError> {
    Credential::read(Proven::assumed(credential.to_string().as_bytes()), trust)
}

fn read(credential: &Value) -> Result<Credential, CredentialError> {
    read_by(&trust(), credential)
}

fn refusal(credential: &Value) -> VcError {
    match read(credential).map(drop) {
        Err(CredentialError::Proof(error)) => error,
        other => panic!("{other:?} of {credential}"),
    }
}

/// The credential changed at one place.
fn altered(mut credential: Value, change: impl FnOnce(&mut Value)) -> Value {
    change(&mut credential);
    credential
}

/// Canonical lines and hash.
fn canonical(
    credential: &Value,
    vocabulary: &Vocabulary,
    spelling: Spelling,
) -> Result<canonical::Canonical, VcError> {
    let text = credential.to_string();
    let envelope: Members<'_> = serde_json::from_str(&text).unwrap();
    let subject = Members::of(envelope.get("credentialSubject").unwrap()).unwrap();
    canonicalise(&Parts { envelope: &envelope, subject: &subject, vocabulary }, spelling)
}

#[test]
fn the_recorded_lines_and_hashes_come_out() {
    let stock = VcIssuer::stock(HOST).unwrap().vocabulary;
    let of = |credential: &Value| canonical(credential, &stock, Spelling::Signer).unwrap();
    let flat = of(&flat());
    assert_eq!(hex::encode(flat.hash), "0251105f26fbbb2fbeb27882b7e8e927ebb19bb14041012f6fb18bf95e5ebde4");
    assert_eq!(flat.signed, ["vcVer", "VID"]);
    let spoken = of(&spoken());
    assert_eq!(hex::encode(spoken.hash), "47da9b1a5cc60537951b32812875e8f8e16e30cb0438af22cfb683a5e6de0179");
    let last: Vec<&str> = spoken.quads.lines().rev().take(2).collect();
    assert_eq!(
        last,
        [
            "_:c14n1 <http://www.w3.org/ns/odrl/2/language> \"eng\" .",
            "_:c14n1 <http://www.w3.org/1999/02/22-rdf-syntax-ns#value> \"Asha Rao\" ."
        ]
    );
    let proof = json!(self::flat()["proof"]).to_string();
    let members: Members<'_> = serde_json::from_str(&proof).unwrap();
    let options = Proof::read(&members).unwrap().options_hash();
    assert_eq!(hex::encode(options), "4dd3a8175df755fb423e70c7ed147b1eab91ea990dd7ad81aed71f7f712ffdd4");
}

#[test]
fn the_recorded_credentials_verify_and_say_what_their_proof_covers() {
    let flat = read(&flat()).unwrap();
    assert!(flat.is_verifiable());
    assert_eq!(flat.aid(), AID);
    let claim = |name| flat.claim(name).map(|claim: Claim<'_>| (claim.text(), claim.cover()));
    assert_eq!(claim("VID"), Some(("9830872690593682", Cover::OwnProof)));
    assert_eq!(claim("birthCertificateNumber"), Some(("BRN-2026-000001", Cover::EventProof)));
    assert_eq!(claim("PSUT"), None);
    let spoken = read(&spoken()).unwrap();
    assert_eq!(spoken.claim("UIN").map(|claim| claim.cover()), Some(Cover::OwnProof));
    assert_eq!(spoken.claim("fullName"), None, "composite");
}

#[test]
fn a_name_without_a_term_is_not_covered_and_changing_it_is_not_noticed() {
    for change in [json!("BRN-0"), json!({ "a": [1.5, { "@id": 3 }] }), Value::Null] {
        let credential = altered(flat(), |c| c["credentialSubject"]["birthCertificateNumber"] = change);
        assert!(
            read(&credential)
                .unwrap()
                .claim("birthCertificateNumber")
                .is_none_or(|c| c.cover() == Cover::EventProof)
        );
    }
    let added = altered(flat(), |c| c["credentialSubject"]["PSUT"] = json!("1234"));
    assert_eq!(read(&added).unwrap().claim("PSUT").unwrap().cover(), Cover::EventProof);
}

/// Where each value stands that is neither an object nor a list.
fn leaves(credential: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    let mut open = vec![(String::new(), credential.clone())];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(members) => {
                let named = |k: &str| format!("{path}/{}", k.replace('~', "~0").replace('/', "~1"));
                open.extend(members.into_iter().map(|(k, v)| (named(&k), v)));
            }
            Value::Array(items) => {
                open.extend(items.into_iter().enumerate().map(|(i, v)| (format!("{path}/{i}"), v)));
            }
            _ => paths.push(path),
        }
    }
    paths
}

#[test]
fn every_change_of_what_is_signed_is_noticed() {
    for original in [flat(), spoken()] {
        for path in leaves(&original) {
            let unsigned = path.ends_with("birthCertificateNumber") || path == "/type/1";
            for change in ["x", "", "https://api.example.org/x", "9830872690593683"] {
                let credential =
                    altered(original.clone(), |c| *c.pointer_mut(&path).unwrap() = json!(change));
                assert_eq!(
                    read(&credential).is_ok(),
                    unsigned && !(path == "/type/1" && change.contains(':')),
                    "{path} {change:?}"
                );
            }
            let (parent, name) = path.rsplit_once('/').unwrap();
            let removed = altered(original.clone(), |c| match c.pointer_mut(parent).unwrap() {
                Value::Object(members) => drop(members.remove(name)),
                Value::Array(items) => drop(items.remove(name.parse().unwrap())),
                _ => unreachable!(),
            });
            assert_eq!(read(&removed).is_ok(), unsigned, "{path} removed");
        }
    }
}

#[test]
fn contexts_are_exactly_the_configured_ones() {
    let changes: [fn(&mut Value); 8] = [
        |c| c["@context"] = json!("https://www.w3.org/2018/credentials/v1"),
        |c| c["@context"][1] = json!("https://evil.example/.well-known/mosip-context.json"),
        |c| c["@context"].as_array_mut().unwrap().swap(0, 1),
        |c| {
            c["@context"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "PSUT": "https://api.example.org/mosip#PSUT" }));
        },
        |c| c["@context"][2]["VID"] = json!("https://api.example.org/mosip#UIN"),
        |c| c["@context"][2]["sec"] = json!("https://api.example.org/mosip#"),
        |c| c["@context"][2] = json!({}),
        |c| drop(c["@context"].as_array_mut().unwrap().pop()),
    ];
    for change in changes {
        assert_eq!(refusal(&altered(flat(), change)), VcError::Context);
    }
}

#[test]
fn issuer_method_suite_and_purpose_are_pinned() {
    let set =
        |path: &str, value: &str| refusal(&altered(flat(), |c| *c.pointer_mut(path).unwrap() = json!(value)));
    assert_eq!(set("/issuer", "https://evil.example/.well-known/controller.json"), VcError::Issuer);
    assert_eq!(
        set("/proof/verificationMethod", "https://evil.example/.well-known/public-key.json"),
        VcError::Method
    );
    assert_eq!(
        set("/proof/verificationMethod", "https://api.example.org/.well-known/other.json"),
        VcError::Method
    );
    assert_eq!(set("/proof/type", "RsaSignature2017"), VcError::Suite);
    assert!(matches!(set("/proof/proofPurpose", "authentication"), VcError::Form(_)));
    for created in
        ["2026-01-02T03:10:00.123Z", "2026-01-02T03:10:00+00:00", "yesterday", "2026-01-02t03:10:00Z"]
    {
        assert!(matches!(set("/proof/created", created), VcError::Form(_)), "{created}");
    }
    assert_eq!(set("/proof/created", "2026-01-02T03:10:01Z"), VcError::Signature);
    let more = altered(flat(), |c| c["proof"]["domain"] = json!("example.org"));
    assert!(matches!(refusal(&more), VcError::Form(_)));
    let two = altered(flat(), |c| c["proof"] = json!([c["proof"], c["proof"]]));
    assert!(matches!(refusal(&two), VcError::Form(_)));
}

#[test]
fn no_other_algorithm_and_no_other_key() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let with_header = |header: &str| {
        let jws = format!("{}..{}", URL_SAFE_NO_PAD.encode(header), FLAT.rsplit('.').next().unwrap());
        refusal(&altered(flat(), |c| c["proof"]["jws"] = json!(jws)))
    };
    for header in [
        r#"{"b64":false,"crit":["b64"],"alg":"none"}"#,
        r#"{"b64":false,"crit":["b64"],"alg":"HS256"}"#,
        r#"{"b64":false,"crit":["b64"],"alg":"RS256"}"#,
        r#"{"b64":false,"crit":["b64"],"alg":"ps256"}"#,
        r#"{"b64":true,"crit":["b64"],"alg":"PS256"}"#,
        r#"{"b64":false,"crit":[],"alg":"PS256"}"#,
        r#"{"b64":false,"crit":["b64","exp"],"alg":"PS256"}"#,
    ] {
        assert_eq!(with_header(header), VcError::Algorithm, "{header}");
    }
    for header in
        [r#"{"b64":false,"crit":["b64"],"alg":"PS256","alg":"PS256"}"#, r#"{"alg":"PS256"}"#, "", "[]"]
    {
        assert!(matches!(with_header(header), VcError::Form(_)), "{header}");
    }
    assert_eq!(with_header(r#"{"crit":["b64"],"b64":false,"alg":"PS256"}"#), VcError::Signature);
    for jws in ["", "a..b", &FLAT.replacen("..", ".AA.", 1), &format!("{FLAT}="), &FLAT.replace('_', "/")] {
        assert!(
            matches!(refusal(&altered(flat(), |c| c["proof"]["jws"] = json!(jws))), VcError::Form(_)),
            "{jws}"
        );
    }
    let certificate: &[u8] = include_bytes!("../../../tests/vectors/cert.pem");
    let issuers = || vec![VcIssuer::stock(HOST).unwrap()];
    let other = ProofKeys::from_pem([certificate]).unwrap();
    let by = |trust: VcTrust| read_by(&trust, &flat()).map(drop);
    assert_eq!(by(VcTrust::new(issuers(), other)), Err(VcError::Signature.into()));
    assert_eq!(by(VcTrust::new(issuers(), ProofKeys::new())), Err(VcError::NoKeys.into()));
    assert_eq!(by(VcTrust::new(vec![], keys())), Err(VcError::NoIssuer.into()));
    assert_eq!(by(trust().allowing(vec![SignatureAlgorithm::Rs256])), Err(VcError::Algorithm.into()));
    let mine = key().public_key_to_pem().unwrap();
    let both = ProofKeys::from_pem([certificate, mine.as_slice()]).unwrap();
    let elsewhere = VcIssuer::stock("old.example.org").unwrap();
    assert_eq!(by(VcTrust::new(vec![elsewhere, VcIssuer::stock(HOST).unwrap()], both)), Ok(()));
}

/// Signs what is canonical here, by either algorithm and spelling.
fn signed(mut credential: Value, algorithm: SignatureAlgorithm, spelling: Spelling) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use openssl::{
        hash::MessageDigest,
        rsa::Padding,
        sign::{RsaPssSaltlen, Signer},
    };
    let document = canonical(&credential, &VcIssuer::stock(HOST).unwrap().vocabulary, spelling).unwrap().hash;
    let proof = credential["proof"].to_string();
    let members: Members<'_> = serde_json::from_str(&proof).unwrap();
    let options = Proof::read(&members).unwrap().options_hash();
    let head =
        URL_SAFE_NO_PAD.encode(json!({ "alg": algorithm.name(), "b64": false, "crit": ["b64"] }).to_string());
    let key = key();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    if algorithm == SignatureAlgorithm::Ps256 {
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::custom(32)).unwrap();
    }
    let input = [head.as_bytes(), b".", &options, &document].concat();
    let signature = URL_SAFE_NO_PAD.encode(signer.sign_oneshot_to_vec(&input).unwrap());
    credential["proof"]["jws"] = json!(format!("{head}..{signature}"));
    credential
}

#[test]
fn another_algorithm_is_taken_where_it_is_allowed() {
    let credential = signed(flat(), SignatureAlgorithm::Rs256, Spelling::Signer);
    assert_eq!(refusal(&credential), VcError::Algorithm);
    let both = trust().allowing(vec![SignatureAlgorithm::Ps256, SignatureAlgorithm::Rs256]);
    assert!(read_by(&both, &credential).is_ok() && read_by(&both, &flat()).is_ok());
    let disguised = altered(credential, |c| {
        let jws = c["proof"]["jws"].as_str().unwrap();
        let (_, signature) = jws.split_once("..").unwrap();
        c["proof"]["jws"] = json!(format!("{}..{signature}", FLAT.split_once("..").unwrap().0));
    });
    assert_eq!(refusal(&disguised), VcError::Signature, "pkcs#1 by the name of pss");
}

#[test]
fn both_spellings_of_control_characters_are_believed() {
    let odd = recorded(json!({ "phone": ["a\tb\u{7f}\u{c}", "\u{ffee}", "😀"], "VID": "1\u{8}\u{1}" }), "");
    let stock = VcIssuer::stock(HOST).unwrap().vocabulary;
    let of = |spelling| canonical(&odd, &stock, spelling).unwrap();
    let (signer, standard) = (of(Spelling::Signer), of(Spelling::Standard));
    assert!(signer.spelling_matters && signer.hash != standard.hash);
    assert!(signer.quads.contains(r#""a\tb\u007f\f""#) && signer.quads.contains(r#""1\b\u0001""#));
    assert!(standard.quads.contains("\"a\tb\u{7f}\u{c}\""));
    let order = |quads: &str| quads.find('😀').unwrap() < quads.find('\u{ffee}').unwrap();
    assert!(order(&signer.quads) && !order(&standard.quads), "UTF-16 orders otherwise than code points");
    for spelling in [Spelling::Signer, Spelling::Standard] {
        assert!(read(&signed(odd.clone(), SignatureAlgorithm::Ps256, spelling)).is_ok(), "{spelling:?}");
    }
}

#[test]
fn what_the_closed_form_does_not_cover_is_refused() {
    let members = [
        ("VID", json!(1.5)),
        ("VID", json!(1e30)),
        ("VID", json!(9_007_199_254_740_993_u64)),
        ("VID", json!([["a"]])),
        ("fullName", json!({ "value": ["a"] })),
        ("fullName", json!({ "value": { "a": 1 } })),
        ("fullName", json!({ "lang": "eng", "value": "a" })),
        ("fullName", json!({ "@value": "a" })),
        ("fullName", json!({ "type": "VerifiableCredential" })),
        ("fullName", json!({ "uid": "http://a/b" })),
        ("mosip:VID", json!("1")),
        ("https://api.example.org/mosip#VID", json!("1")),
        ("@type", json!("a")),
        ("type", json!("VerifiableCredential")),
        ("uid", json!("http://a/b")),
        ("action", json!("use")),
        ("relation", json!("http://a/b")),
        ("VerifiableCredential", json!("1")),
        ("proof", json!({})),
    ];
    for (name, value) in members {
        let credential = altered(flat(), |c| c["credentialSubject"][name] = value.clone());
        assert!(matches!(refusal(&credential), VcError::NotCovered(_)), "{name} {value}");
    }
    let envelope = [
        ("expirationDate", json!("2027-01-01T00:00:00Z")),
        ("credentialStatus", json!({})),
        ("VID", json!("1")),
        ("issuanceDate", json!(5)),
        ("type", json!(["VerifiableCredential", "Policy"])),
        ("type", json!(["VerifiableCredential", "mosip:X"])),
        ("type", json!(5)),
        ("cred:issuer", json!("http://x/")),
    ];
    for (name, value) in envelope {
        let credential = altered(flat(), |c| c[name] = value.clone());
        assert!(matches!(refusal(&credential), VcError::NotCovered(_)), "{name} {value}");
    }
    for kind in [json!("MOSIPVerifiableCredential"), json!([])] {
        let credential = altered(flat(), |c| c["type"] = kind);
        assert!(matches!(refusal(&credential), VcError::Form(_)));
    }
    let twice = flat().to_string().replacen("\"vcVer\"", "\"VID\":\"1\",\"vcVer\"", 1);
    let read = Credential::read(Proven::assumed(twice.as_bytes()), &trust());
    assert_eq!(read.map(drop), Err(CredentialError::Subject));
}

#[test]
fn two_names_of_one_iri_are_refused() {
    let mut document = stock::document(HOST);
    document["@context"].as_array_mut().unwrap().push(json!({ "voterId": "mosip:VID" }));
    let issuer = VcIssuer::with_context(HOST, document.to_string().as_bytes()).unwrap();
    let trust = VcTrust::new(vec![issuer], keys());
    assert!(read_by(&trust, &flat()).is_ok());
    let credential = altered(flat(), |c| c["credentialSubject"]["voterId"] = json!("1"));
    assert_eq!(read_by(&trust, &credential).map(drop), Err(VcError::NotCovered("voterId".to_owned()).into()));
}

#[test]
fn a_host_is_a_host() {
    for host in ["", "https://a", "a/b", "a b", "a>b", "a\"b"] {
        assert!(matches!(VcIssuer::stock(host), Err(ContextError::Host(_))), "{host}");
    }
    assert!(VcIssuer::stock("api.example.org:8443").is_ok());
    assert!(matches!(VcIssuer::with_context(HOST, b"{"), Err(ContextError::Form)));
}

#[derive(Deserialize)]
struct Oracle {
    country_terms: Value,
    cases: Vec<OracleCase>,
}

#[derive(Deserialize)]
struct OracleCase {
    country: bool,
    sha256: String,
    lines: usize,
    credential: Value,
}

#[test]
fn an_independent_program_canonicalises_the_same() {
    let oracle: Oracle =
        serde_json::from_str(include_str!("../../../tests/vectors/vc-canonical.json")).unwrap();
    let stock = VcIssuer::stock(HOST).unwrap().vocabulary;
    let mut document = stock::document(HOST);
    document["@context"].as_array_mut().unwrap().push(oracle.country_terms);
    let country = VcIssuer::with_context(HOST, document.to_string().as_bytes()).unwrap().vocabulary;
    assert_eq!(oracle.cases.len(), 200);
    let mut odd = 0;
    for (number, case) in oracle.cases.iter().enumerate() {
        let vocabulary = if case.country { &country } else { &stock };
        let ours = canonical(&case.credential, vocabulary, Spelling::Standard).unwrap();
        assert_eq!(
            (ours.quads.lines().count(), hex::encode(ours.hash)),
            (case.lines, case.sha256.clone()),
            "case {number}\n{}",
            ours.quads
        );
        odd += usize::from(ours.spelling_matters);
        if !ours.spelling_matters {
            assert_eq!(
                canonical(&case.credential, vocabulary, Spelling::Signer).unwrap().hash,
                ours.hash,
                "case {number}"
            );
        }
    }
    assert!(odd > 20, "{odd}");
}
