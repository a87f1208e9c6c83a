//! Everything that somebody may send who is not MOSIP, or is MOSIP no more, by what they have in hand.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::mint::{Dice, Generation, Genuine, Mint, proof};

/// One delivery, and what has to become of it.
pub(super) struct Forged {
    pub(super) what: String,
    pub(super) body: Vec<u8>,
    pub(super) signed: Signed,
    /// Causes for which it may be put aside; none: refused at the door.
    pub(super) causes: &'static [&'static str],
}

/// What stands in `X-Hub-Signature`.
pub(super) enum Signed {
    /// The hub's secret of the time.
    Well,
    /// This, whatever it is.
    As(Option<String>),
}

const NOT_PROVEN: &[&str] = &["credential_proof_refused"];
const NOT_OPENED: &[&str] = &["credential_not_openable"];
/// Of a credential that MOSIP's event proof covers, and that was altered before it.
const NOT_BELIEVED: &[&str] = &[
    "vc_signature_refused",
    "vc_form_unknown",
    "vc_context_not_pinned",
    "vc_issuer_not_trusted",
    "vc_algorithm_refused",
    "credential_own_proof_missing",
    "credential_unreadable",
];

/// All forgeries of one genuine credential. `other` is genuine too, of another packet.
pub(super) fn all(
    dice: &mut Dice,
    mint: &Mint,
    genuine: &Genuine,
    other: &Genuine,
    secret: &str,
) -> Vec<Forged> {
    let mut made = Vec::new();
    by_anybody(dice, genuine, secret, &mut made);
    by_who_has_the_secret(dice, mint, genuine, other, &mut made);
    by_who_sits_before_the_proof(dice, mint, genuine, other, &mut made);
    made
}

/// Without the hub's secret: the genuine event, altered after it was signed, or signed by a guess.
fn by_anybody(dice: &mut Dice, genuine: &Genuine, secret: &str, made: &mut Vec<Forged>) {
    let signature = |secret: &str, body: &[u8]| civitas_sandbox::Mosip::hub_signature(secret, body).unwrap();
    let mut refused = |what: &str, body: Vec<u8>, signed: Option<String>| {
        let what = format!("unsigned: {what}");
        made.push(Forged { what, body, signed: Signed::As(signed), causes: &[] });
    };
    let fresh =
        dice.enveloped(genuine, text(&genuine.event, "/event/data/credential"), &genuine.proof).to_string();
    let good = signature(secret, fresh.as_bytes());
    refused("no signature", fresh.clone().into_bytes(), None);
    for guess in ["0", "test-secret", "a-hub-secret-of-more-than-thirty-two-bytez"] {
        refused("a guessed secret", fresh.clone().into_bytes(), Some(signature(guess, fresh.as_bytes())));
    }
    let digits = good.trim_start_matches("sha256=");
    for header in [
        digits.to_owned(),
        format!("sha1={digits}"),
        format!("sha256={}", &digits[..62]),
        format!("{good}00"),
        "sha256=".to_owned(),
        format!("sha256={}", URL_SAFE_NO_PAD.encode(digits)),
        "sha256=0".repeat(8),
        String::new(),
    ] {
        refused("a mangled signature", fresh.clone().into_bytes(), Some(header));
    }
    for _ in 0..12 {
        let mut header = good.clone().into_bytes();
        let at = 7 + dice.below(64);
        header[at] = if header[at] == b'0' { b'1' } else { b'0' };
        refused("a flipped digit", fresh.clone().into_bytes(), Some(String::from_utf8(header).unwrap()));
    }
    for path in leaves(&genuine.event) {
        for change in changes(dice, text_or_empty(&genuine.event, &path)) {
            let body = at(&genuine.event, &path, &change).to_string();
            refused(&path, body.into_bytes(), Some(signature(secret, genuine.event.to_string().as_bytes())));
        }
    }
    for _ in 0..80 {
        let mut body = fresh.clone().into_bytes();
        let at = dice.below(body.len());
        body[at] ^= 1 << dice.below(7);
        refused("a flipped bit", body, Some(good.clone()));
    }
    for _ in 0..6 {
        let body = fresh.as_bytes()[..dice.below(fresh.len())].to_vec();
        refused("cut short", body, Some(good.clone()));
    }
}

/// With the hub's secret and our public certificate, but not MOSIP's key.
fn by_who_has_the_secret(
    dice: &mut Dice,
    mint: &Mint,
    genuine: &Genuine,
    other: &Genuine,
    made: &mut Vec<Forged>,
) {
    let mut put = |what: &str, event: Value, causes| {
        let what = format!("with the hub's secret: {what}");
        made.push(Forged { what, body: event.to_string().into_bytes(), signed: Signed::Well, causes });
    };
    let credential = genuine.credential();
    for path in leaves(&credential) {
        for change in changes(dice, text_or_empty(&credential, &path)) {
            let plain = at(&credential, &path, &change).to_string();
            put(&path, dice.event(genuine, &plain, &genuine.proof, &mint.to), NOT_PROVEN);
        }
    }
    for plain in [
        genuine.plain.replacen("\"zone\":\"north\"", "\"zone\":\"south\"", 1),
        genuine.plain.replacen("\"zone\"", "\"PSUT\":\"1\",\"zone\"", 1),
        format!("{} ", genuine.plain),
        without(&credential, &["proof"]),
        without(&credential, &["@context", "proof"]),
        "{}".to_owned(),
        String::new(),
    ] {
        assert_ne!(plain, genuine.plain);
        put("another plaintext", dice.event(genuine, &plain, &genuine.proof, &mint.to), NOT_PROVEN);
    }
    let forger = forger();
    let altered = at(&credential, "/credentialSubject/VID", &json!("6666666666666666")).to_string();
    let (head, signature) = genuine.proof.split_once("..").unwrap();
    for plain in [&genuine.plain, &altered] {
        for signer in [&forger.kernel, &forger.kernel_bare] {
            put(
                "the forger's own key",
                dice.event(genuine, plain, &proof(plain, signer), &mint.to),
                NOT_PROVEN,
            );
        }
        let own = proof(plain, &forger.kernel_bare);
        let dressed = format!("{head}..{}", own.split_once("..").unwrap().1);
        put(
            "mosip's certificate, the forger's signature",
            dice.event(genuine, plain, &dressed, &mint.to),
            NOT_PROVEN,
        );
        for header in HEADERS {
            for signature in [signature, ""] {
                let jws = format!("{}..{signature}", URL_SAFE_NO_PAD.encode(header));
                put(header, dice.event(genuine, plain, &jws, &mint.to), NOT_PROVEN);
            }
        }
        let attached = genuine.proof.replacen("..", &format!(".{}.", URL_SAFE_NO_PAD.encode(plain)), 1);
        put("an attached payload", dice.event(genuine, plain, &attached, &mint.to), NOT_PROVEN);
        put("the proof of another", dice.event(genuine, plain, &other.proof, &mint.to), NOT_PROVEN);
        let mut bare = dice.event(genuine, plain, "", &mint.to);
        put("an empty proof", bare.clone(), &["credential_proof_refused", "credential_without_proof"]);
        bare["event"]["data"].as_object_mut().unwrap().remove("proof");
        put("no proof", bare, &["credential_without_proof"]);
    }
    for _ in 0..10 {
        let mut jws = genuine.proof.clone().into_bytes();
        let at = jws.len() - 1 - dice.below(340);
        jws[at] = if jws[at] == b'A' { b'B' } else { b'A' };
        let jws = String::from_utf8(jws).unwrap();
        put("a changed letter of the proof", dice.event(genuine, &genuine.plain, &jws, &mint.to), NOT_PROVEN);
    }
    let mut swapped = dice.event(genuine, &other.plain, &other.proof, &mint.to);
    put("another packet's credential", swapped.clone(), &["credential_of_another_packet"]);
    swapped["event"]["data"]["registrationId"] = json!("10001200420000120260102030405");
    put("a packet that is nobody's", swapped, &["credential_of_another_packet"]);

    put(
        "sealed to somebody else",
        dice.event(genuine, &genuine.plain, &genuine.proof, &forger.recipient()),
        NOT_OPENED,
    );
    let sealed = text(&genuine.event, "/event/data/credential").to_owned();
    let blob = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
    let mut tampered = |what: &str, blob: &[u8], dice: &mut Dice| {
        put(what, dice.enveloped(genuine, &URL_SAFE_NO_PAD.encode(blob), &genuine.proof), NOT_OPENED);
    };
    for range in [0..6, 6..38, 38..294, 294..308, 308..340, 340..blob.len() - 16, blob.len() - 16..blob.len()]
    {
        for _ in 0..12 {
            let mut blob = blob.clone();
            let at = range.start + dice.below(range.len());
            blob[at] ^= 1 << dice.below(8);
            tampered("a flipped bit of the ciphertext", &blob, dice);
        }
    }
    for _ in 0..10 {
        tampered("ciphertext cut short", &blob[..dice.below(blob.len())], dice);
    }
    let theirs = URL_SAFE_NO_PAD.decode(text(&other.event, "/event/data/credential")).unwrap();
    tampered("the key of another", &[&theirs[..308], &blob[308..]].concat(), dice);
    tampered("the thumbprint of another", &[&blob[..6], &[7; 32], &blob[38..]].concat(), dice);
    put("no ciphertext", dice.enveloped(genuine, "", &genuine.proof), &["credential_missing"]);
    for text in ["~", &genuine.plain, &sealed[..sealed.len() - 1]] {
        put("what is no ciphertext", dice.enveloped(genuine, text, &genuine.proof), NOT_OPENED);
    }
}

/// Between the credential's signature and the event's: whoever can alter a credential before MOSIP proves the event.
/// Only the credential's own proof speaks against them.
fn by_who_sits_before_the_proof(
    dice: &mut Dice,
    mint: &Mint,
    genuine: &Genuine,
    other: &Genuine,
    made: &mut Vec<Forged>,
) {
    let mut put = |what: &str, plain: &str, dice: &mut Dice| {
        let event = dice.event(genuine, plain, &proof(plain, &mint.signs.kernel), &mint.to);
        let what = format!("before the event's proof: {what}");
        made.push(Forged {
            what,
            body: event.to_string().into_bytes(),
            signed: Signed::Well,
            causes: NOT_BELIEVED,
        });
    };
    let credential = genuine.credential();
    for path in leaves(&credential) {
        // These the credential's own proof does not cover, and does not pretend to.
        if path == "/credentialSubject/zone" || path == "/type/1" {
            continue;
        }
        for change in changes(dice, text_or_empty(&credential, &path)) {
            put(&path, &at(&credential, &path, &change).to_string(), dice);
        }
        put(&path, &without_leaf(&credential, &path), dice);
    }
    for name in ["proof", "@context", "type", "issuer", "issuanceDate", "id", "credentialSubject"] {
        put("a member taken away", &without(&credential, &[name]), dice);
    }
    let added = [
        ("/@context", json!({"zone": "https://mosip.sandbox.example/mosip#zone"})),
        ("/@context", json!("https://w3id.org/security/v3")),
        ("/type", json!("https://example.org/Passport")),
        ("/type", json!("Policy")),
    ];
    for (path, value) in added {
        let mut altered = credential.clone();
        altered.pointer_mut(path).unwrap().as_array_mut().unwrap().push(value);
        put("something added", &altered.to_string(), dice);
    }
    for (path, name, value) in [
        ("/credentialSubject", "UIN", json!("2074397357")),
        ("/credentialSubject", "mosip:VID", json!("1")),
        ("/credentialSubject", "uid", json!("http://a/b")),
        ("/credentialSubject", "@id", json!("http://a/b")),
        ("/proof", "domain", json!("example.org")),
        ("/proof", "x", json!(1)),
        ("", "expirationDate", json!("2020-01-01T00:00:00Z")),
    ] {
        let mut altered = credential.clone();
        altered.pointer_mut(path).unwrap()[name] = value;
        put("a term added", &altered.to_string(), dice);
    }
    put("a name twice", &genuine.plain.replacen("\"VID\"", "\"VID\":\"6666666666666666\",\"VID\"", 1), dice);
    put(
        "the subject twice",
        &genuine.plain.replacen("\"credentialSubject\"", "\"credentialSubject\":{},\"credentialSubject\"", 1),
        dice,
    );
    let theirs = other.credential();
    put("the proof of another", &at(&credential, "/proof", &theirs["proof"]).to_string(), dice);
    put(
        "the signature of another",
        &at(&credential, "/proof/jws", &theirs["proof"]["jws"]).to_string(),
        dice,
    );
    put(
        "the subject of another",
        &at(&credential, "/credentialSubject", &theirs["credentialSubject"]).to_string(),
        dice,
    );
    let jws = text(&credential, "/proof/jws").to_owned();
    let (head, signature) = jws.split_once("..").unwrap();
    for header in VC_HEADERS {
        for signature in [signature, ""] {
            let jws = format!("{}..{signature}", URL_SAFE_NO_PAD.encode(header));
            put(header, &at(&credential, "/proof/jws", &json!(jws)).to_string(), dice);
        }
    }
    let own = forger();
    for signer in [&own.kernel_bare, &mint.signs.kernel_bare] {
        // PKCS#1 by the name of PSS, by the forger and by MOSIP.
        let pkcs1 = proof(&genuine.plain, signer);
        let jws = format!("{head}..{}", pkcs1.split_once("..").unwrap().1);
        put("a signature of another kind", &at(&credential, "/proof/jws", &json!(jws)).to_string(), dice);
    }
    put(
        "the event's proof for its own",
        &at(&credential, "/proof/jws", &json!(genuine.proof)).to_string(),
        dice,
    );
    put("issued by somebody else", &own_credential(&credential).to_string(), dice);
}

const HEADERS: [&str; 8] = [
    r#"{"alg":"none"}"#,
    r#"{"alg":"HS256"}"#,
    r#"{"alg":"PS256"}"#,
    r#"{"alg":"RS512"}"#,
    r#"{"alg":"rs256"}"#,
    r#"{"alg":"RS256"}"#,
    r#"{"alg":"RS256","b64":false,"crit":["b64"]}"#,
    "{}",
];
const VC_HEADERS: [&str; 9] = [
    r#"{"b64":false,"crit":["b64"],"alg":"none"}"#,
    r#"{"b64":false,"crit":["b64"],"alg":"HS256"}"#,
    r#"{"b64":false,"crit":["b64"],"alg":"RS256"}"#,
    r#"{"b64":true,"crit":["b64"],"alg":"PS256"}"#,
    r#"{"crit":["b64"],"alg":"PS256"}"#,
    r#"{"b64":false,"alg":"PS256"}"#,
    r#"{"alg":"PS256","b64":false,"crit":["b64"]}"#,
    r#"{"b64":false,"crit":["b64","x"],"alg":"PS256"}"#,
    "{}",
];

/// A whole credential by somebody with keys, host and context of their own.
fn own_credential(like: &Value) -> Value {
    let text = like.to_string().replace("mosip.sandbox.example", "mosip.evil.example");
    serde_json::from_str(&text).unwrap()
}

/// Somebody with a key of their own. Made once: it costs a second.
fn forger() -> &'static Generation {
    static FORGER: LazyLock<(tempfile::TempDir, Generation)> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let generation = Generation::make(folder.path());
        (folder, generation)
    });
    &FORGER.1
}

/// Paths of all values that are neither object nor array.
fn leaves(of: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), of)];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(members) => {
                open.extend(members.iter().map(|(name, value)| (format!("{path}/{name}"), value)));
            }
            Value::Array(items) => {
                open.extend(items.iter().enumerate().map(|(at, value)| (format!("{path}/{at}"), value)));
            }
            _ => found.push(path),
        }
    }
    found.sort();
    found
}

/// What a text may be changed to; never to the same, and never to what means the same.
fn changes(dice: &mut Dice, text: &str) -> Vec<Value> {
    let mut changed = vec![
        json!(format!("{text}x")),
        json!(""),
        json!("6666666666666666"),
        json!(7),
        json!({}),
        json!(true),
    ];
    if !text.is_empty() {
        let at = dice.below(text.chars().count());
        let flip = |c: char| if c == '1' { '2' } else { '1' };
        let flipped: String =
            text.chars().enumerate().map(|(i, c)| if i == at { flip(c) } else { c }).collect();
        changed.push(json!(flipped));
        changed.push(json!(text.chars().rev().collect::<String>() + "z"));
    }
    changed
}

fn at(of: &Value, path: &str, value: &Value) -> Value {
    let mut altered = of.clone();
    *altered.pointer_mut(path).unwrap() = value.clone();
    assert_ne!(&altered, of, "{path}");
    altered
}

fn text<'a>(of: &'a Value, path: &str) -> &'a str {
    of.pointer(path).and_then(Value::as_str).unwrap()
}

fn text_or_empty<'a>(of: &'a Value, path: &str) -> &'a str {
    of.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn without(of: &Value, names: &[&str]) -> String {
    let mut altered = of.clone();
    for name in names {
        altered.as_object_mut().unwrap().remove(*name);
    }
    altered.to_string()
}

fn without_leaf(of: &Value, path: &str) -> String {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let mut altered = of.clone();
    match altered.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.remove(name)),
        Value::Array(items) => drop(items.remove(name.parse().unwrap())),
        _ => unreachable!("a leaf has a parent"),
    }
    altered.to_string()
}
