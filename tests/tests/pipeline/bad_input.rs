//! What OpenCRVS never should send, and somebody else might: a typed error, one of the codes that OpenCRVS
//! understands, and nothing recorded.

use base64_url::encode;
use civitas_sandbox::{Outage, RouteFaults, SandboxOptions};
use civitas_tests::stack::{Setup, Stack};
use openssl::{hash::MessageDigest, pkey::PKey, rsa::Rsa, sign::Signer};

use crate::support::*;

const JSON: &str = "application/json";
const REGISTER: &str = "/trigger/events/birth/actions/REGISTER";

mod base64_url {
    //! base64url without padding.

    pub(crate) fn encode(bytes: &[u8]) -> String {
        openssl::base64::encode_block(bytes).replace('+', "-").replace('/', "_").replace('=', "")
    }
}

/// The sample, known to OpenCRVS, with a good token.
async fn sent_right(stack: &Stack) -> (Vec<u8>, String) {
    let document = sample("birth-register");
    let (action, _) = pending(&document);
    let token = stack.sandbox.opencrvs().trigger_token(document.id, action).await.unwrap();
    (serde_json::to_vec(&document).unwrap(), token)
}

async fn nothing_recorded(stack: &Stack) {
    let overview = stack.engine.queue().overview(10).await.unwrap();
    assert!(overview.decisions.is_empty(), "{:?}", overview.decisions);
    assert!(overview.counts.operations.values().all(|count| *count == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn unusable_requests_are_answered_400_with_a_typed_error_and_nothing_is_stuck_behind_them() {
    let stack = Stack::start().await;
    let (good, token) = sent_right(&stack).await;
    let token = Some(&*token);
    let text = String::from_utf8(good.clone()).unwrap();
    let mut invalid = good.clone();
    let name = text.find("Portgas").unwrap();
    invalid[name] = 0xFF;
    let answered = text.replace("\"status\":\"Requested\"", "\"status\":\"Accepted\"");
    let large = vec![b' '; 4 * 1024 * 1024 + 1];
    let cases: [(&str, &str, Vec<u8>, &str); 12] = [
        (REGISTER, JSON, good[..good.len() / 2].to_vec(), "document_unreadable"),
        (REGISTER, JSON, b"{\"id\":".to_vec(), "document_unreadable"),
        (REGISTER, JSON, Vec::new(), "document_unreadable"),
        (REGISTER, JSON, b"[]".to_vec(), "document_unreadable"),
        (REGISTER, JSON, b"null".to_vec(), "document_unreadable"),
        (REGISTER, JSON, invalid, "document_unreadable"),
        (REGISTER, "text/xml", good.clone(), "content_type_not_json"),
        (REGISTER, "", good.clone(), "content_type_not_json"),
        (REGISTER, JSON, answered.into_bytes(), "no_pending_action"),
        ("/trigger/events/birth/actions/ARCHIVE", JSON, good.clone(), "no_pending_action"),
        ("/trigger/events/death/actions/REGISTER", JSON, good.clone(), "record_mismatch"),
        (REGISTER, JSON, large, "body_too_large"),
    ];
    for (path, kind, body, code) in cases {
        let reply = post(&stack, path, token, kind, body).await;
        assert_eq!((reply.status, reply.code()), (400, code), "{path} {kind}: {reply:?}");
        assert!(reply.body["error"]["advice"].as_str().is_some_and(|advice| advice.len() > 10), "{reply:?}");
        assert!(!reply.body.to_string().contains("Portgas"), "no personal data: {reply:?}");
    }
    for path in ["/trigger", "/trigger/", "/trigger/events", "/trigger/events/birth/actions/REGISTER/more"] {
        let reply = post(&stack, path, token, JSON, good.clone()).await;
        assert!(matches!(reply.status, 400 | 404), "{path}: {reply:?}");
    }
    nothing_recorded(&stack).await;
    assert_eq!(post(&stack, REGISTER, token, JSON, good).await.status, 202, "the good one is taken as ever");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_type_that_no_rule_knows_is_accepted() {
    let stack = Stack::start().await;
    let mut document = sample("birth-register");
    "marriage".clone_into(&mut document.kind);
    let reply = trigger(&stack, &document).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.body["registrationNumber"].as_str().is_some_and(|number| !number.is_empty()));
    let case = Case::of(&document);
    assert_eq!(action(&stack, case).await.effect, "none");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_that_no_rule_is_for_are_accepted_whatever_their_type() {
    let stack = Stack::start().await;
    for (number, kind) in (1..).zip(["NOTIFY", "DECLARE", "ARCHIVE", "PRINT_CERTIFICATE", "CUSTOM", "EDIT"]) {
        let mut document = another("birth-register", number);
        kind.clone_into(&mut document.actions.last_mut().unwrap().kind);
        let reply = trigger(&stack, &document).await;
        assert_eq!(reply.status, 200, "{kind}: {reply:?}");
        assert_eq!(reply.body.get("registrationNumber"), None, "{kind} mints no number");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_provably_not_for_this_is_refused_and_the_refusal_is_witnessed() {
    let stack = Stack::start().await;
    let (good, token) = sent_right(&stack).await;
    let other = another("birth-register", 5);
    let for_another = stack.sandbox.opencrvs().trigger_token(other.id, pending(&other).0).await.unwrap();
    let (signed, _) = token.rsplit_once('.').unwrap();
    let stranger = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut key = Signer::new(MessageDigest::sha256(), &stranger).unwrap();
    let forged = format!("{signed}.{}", encode(&key.sign_oneshot_to_vec(signed.as_bytes()).unwrap()));
    let unsigned = {
        let payload = signed.split_once('.').unwrap().1;
        format!("{}.{payload}.", encode(br#"{"alg":"none","typ":"JWT"}"#))
    };
    let cases = [
        (None, "token_missing"),
        (Some(&*for_another), "token_for_another_record"),
        (Some(&*forged), "token_invalid"),
        (Some(&*unsigned), "token_invalid"),
        (Some("not.a.token"), "token_invalid"),
    ];
    for (bearer, code) in cases {
        let reply = post(&stack, REGISTER, bearer, JSON, good.clone()).await;
        assert_eq!((reply.status, reply.code()), (401, code), "{reply:?}");
    }
    nothing_recorded(&stack).await;
    assert!(witnessed(&stack, "\"kind\":\"denied\"").await);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_refused() {
    let mut sandbox = SandboxOptions::instant(7);
    sandbox.opencrvs.confirmation_token_life = std::time::Duration::ZERO;
    let stack = Stack::with(Setup { sandbox, ..Setup::default() }).await;
    let (good, token) = sent_right(&stack).await;
    let reply = post(&stack, REGISTER, Some(&token), JSON, good).await;
    assert_eq!((reply.status, reply.code()), (401, "token_expired"));
    nothing_recorded(&stack).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_checked_freezes_no_record() {
    for outage in [Outage::Disconnect, Outage::Unavailable] {
        let stack = Stack::start().await;
        fault(&stack, "opencrvs.publicKey", RouteFaults { outage, ..RouteFaults::default() });
        let (good, token) = sent_right(&stack).await;
        assert_eq!(post(&stack, REGISTER, Some(&token), JSON, good).await.status, 202);
        stack.stop().await;
    }
}
