//! A packet of our own: announced, uploaded, asked about, with what MOSIP answers when it should not.

use civitas_mosip::{
    Announcement, Class, Limits, Notification, Upload, UploadStatus, Uploaded,
    packet::{DecryptionKeys, EncryptionCertificate, EnvelopeEntropy, open_envelope},
};
use serde_json::{Value, json};

use crate::stub::{Answer, Stub, aid, now};

const KEY: &[u8] = include_bytes!("../vectors/key.pem");
const CERTIFICATE: &[u8] = include_bytes!("../vectors/cert.pem");

fn announcement() -> Announcement {
    Announcement {
        aid: aid(),
        packet_id: aid().to_string(),
        ref_id: aid().ref_id(),
        process: "OPENCRVS_NEW".to_owned(),
        hash: "AB".repeat(32),
        size: 12_345,
        notification: Notification { name: Some("Asha Rao".to_owned()), phone: None, email: None },
    }
}

fn entropy() -> EnvelopeEntropy {
    EnvelopeEntropy { key: [1; 32], nonce: [2; 12], aad: [3; 32] }
}

async fn announced(answer: Value) -> (Result<(), civitas_mosip::CallError>, Stub) {
    let stub = Stub::start(move |_| Answer::json(&answer)).await;
    let certificate = EncryptionCertificate::from_pem(CERTIFICATE).unwrap();
    (stub.mosip().announce(&announcement(), &certificate, &entropy(), now()).await, stub)
}

fn refusal(code: &str) -> Value {
    json!({ "response": null, "errors": [{ "errorCode": code, "message": "about Asha Rao" }] })
}

#[tokio::test]
async fn an_announcement_is_encrypted_like_a_packet() {
    let row = json!({ "registrationId": aid(), "packetId": aid(), "status": "SUCCESS" });
    let (answer, stub) = announced(json!({ "response": [row], "errors": null })).await;
    assert_eq!(answer, Ok(()));
    let asked = &stub.asked("/registrationprocessor/v1/registrationstatus/syncV2")[0];
    assert_eq!(asked.headers["Center-Machine-RefId"], "10001_20042");
    assert_eq!(asked.headers["timestamp"], "2026-01-02T03:04:06.000Z");
    assert!(!asked.body.contains("Asha"), "nobody in between reads a name");
    let text: String = serde_json::from_str(&asked.body).unwrap();
    let sealed = openssl_base64url(&text);
    let keys = DecryptionKeys::from_pem([(KEY, Some(CERTIFICATE))]).unwrap();
    let plain: Value = serde_json::from_slice(&open_envelope(&keys, &sealed).unwrap()).unwrap();
    assert_eq!(plain["id"], "mosip.registration.sync");
    let one = &plain["request"][0];
    assert_eq!(one["registrationType"], "OPENCRVS_NEW");
    assert_eq!((&one["packetSize"], &one["packetHashValue"]), (&json!(12_345), &json!("AB".repeat(32))));
    assert_eq!(one["name"], "Asha Rao");
}

fn openssl_base64url(text: &str) -> Vec<u8> {
    let mut standard = text.replace('-', "+").replace('_', "/");
    while !standard.len().is_multiple_of(4) {
        standard.push('=');
    }
    openssl::base64::decode_block(&standard).unwrap()
}

#[tokio::test]
async fn an_answer_of_nothing_is_a_refusal() {
    let (answer, _stub) = announced(json!({ "response": null, "errors": null })).await;
    let error = answer.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Transient, Some("sync-null-response")));
    assert!(error.attempts.is_some(), "it becomes a person's turn");
}

#[tokio::test]
async fn a_row_that_is_no_success_is_none() {
    let row = |extra: Value| {
        let mut row = json!({ "registrationId": aid(), "status": "FAILURE" });
        row.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({ "response": [row], "errors": null })
    };
    let (answer, _stub) = announced(row(json!({ "errorCode": "RPR-RGS-003" }))).await;
    assert_eq!(answer.unwrap_err().class, Class::Permanent);
    let (answer, _stub) = announced(row(json!({}))).await;
    assert_eq!(answer.unwrap_err().code.as_deref(), Some("sync-refused"));
    let other = json!({ "response": [{ "registrationId": "1", "status": "SUCCESS" }], "errors": null });
    let (answer, _stub) = announced(other).await;
    assert_eq!(answer.unwrap_err().class, Class::Transient);
    let (answer, _stub) = announced(refusal("RPR-RGS-028")).await;
    assert!(!format!("{:?}", answer.unwrap_err()).contains("Asha"));
}

async fn uploaded(answer: Value) -> (Result<Uploaded, civitas_mosip::CallError>, Stub) {
    let stub = Stub::start(move |_| Answer::json(&answer)).await;
    let upload = Upload { packet_id: "10001", bytes: b"PK-file" };
    (stub.mosip().upload(&upload, now()).await, stub)
}

#[tokio::test]
async fn an_upload_is_a_multipart_form_with_the_file() {
    let (answer, stub) =
        uploaded(json!({ "response": { "status": "Packet has been received" }, "errors": null })).await;
    assert_eq!(answer, Ok(Uploaded { already_there: false }));
    let asked = &stub.asked("/registrationprocessor/v1/packetreceiver/registrationpackets")[0];
    let kind = asked.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("multipart/form-data; boundary="), "{kind}");
    assert!(asked.body.contains("filename=\"10001.zip\"") && asked.body.contains("\r\n\r\nPK-file\r\n--"));
}

#[tokio::test]
async fn a_packet_that_is_there_already_counts_as_received() {
    let (answer, _stub) = uploaded(refusal("RPR-PKR-005")).await;
    assert_eq!(answer, Ok(Uploaded { already_there: true }));
}

#[tokio::test]
async fn refused_uploads_are_a_persons_turn_or_sent_again() {
    for (code, class) in [
        ("RPR-PKR-001", Class::Transient),
        ("RPR-PKR-002", Class::Permanent),
        ("RPR-PKR-008", Class::Transient),
        ("RPR-PKR-009", Class::Transient),
        ("RPR-PKR-010", Class::Permanent),
        ("RPR-PKR-015", Class::Permanent),
    ] {
        let (answer, _stub) = uploaded(refusal(code)).await;
        assert_eq!(answer.unwrap_err().class, class, "{code}");
    }
}

#[tokio::test]
async fn an_upload_without_an_answer_is_open() {
    let stub = Stub::start(|_| Answer::never()).await;
    let mosip = stub.impatient(&Limits::default());
    let upload = Upload { packet_id: "10001", bytes: b"PK-file" };
    let error = mosip.upload(&upload, now()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Unknown, Some("time-out")));
    let (answer, _stub) = uploaded(json!({ "response": null, "errors": null })).await;
    assert_eq!(answer.unwrap_err().class, Class::Unknown);
}

#[tokio::test]
async fn the_status_says_whether_a_packet_is_wanted() {
    let ask = |answer: Value| async move {
        let stub = Stub::start(move |_| Answer::json(&answer)).await;
        stub.mosip().upload_status("10001", now()).await
    };
    let row =
        |word: &str| json!({ "response": [{ "packetId": "10001", "statusCode": word }], "errors": null });
    assert_eq!(ask(row("UPLOAD_PENDING")).await, Ok(UploadStatus::Pending));
    assert_eq!(ask(row("RESEND")).await, Ok(UploadStatus::Resend));
    let received = ask(row("PROCESSING")).await.unwrap();
    assert!(!received.is_wanted());
    assert_eq!(ask(refusal("RPR-RGS-037")).await, Ok(UploadStatus::Unknown));
    assert!(ask(json!({ "response": [], "errors": null })).await.is_err());
}
