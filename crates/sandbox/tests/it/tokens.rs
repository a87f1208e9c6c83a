//! Who may confirm, under the three regimes.

use crate::stage::{awaiting, country_config, http, sandbox};
use civitas_sandbox::{Regime, Sandbox};
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

async fn waiting(regime: Regime) -> (Sandbox, Uuid, Uuid, crate::stage::Time) {
    let (sandbox, time) = sandbox(regime).await;
    let config = country_config(&[(200, "{}"), (202, "")]).await;
    sandbox.opencrvs().set_country_config(&config.url);
    let (record, action) = awaiting(&sandbox).await;
    (sandbox, record, action, time)
}

async fn form(sandbox: &Sandbox, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let url = format!("{}{path}", sandbox.opencrvs().url());
    let reply = http().post(url).form(form).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

async fn client_token(sandbox: &Sandbox) -> String {
    let fields =
        [("grant_type", "client_credentials"), ("client_id", "civitas"), ("client_secret", "civitas-secret")];
    let (status, body) = form(sandbox, "/auth/token", &fields).await;
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

async fn exchange(sandbox: &Sandbox, subject: &str, record: Uuid, action: Uuid) -> (u16, Value) {
    let (record, action) = (record.to_string(), action.to_string());
    let fields = [
        ("grant_type", "urn:opencrvs:oauth:grant-type:token-exchange"),
        ("subject_token", subject),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("requested_token_type", "urn:opencrvs:oauth:token-type:single_record_token"),
        ("event_id", &record),
        ("action_id", &action),
    ];
    form(sandbox, "/token", &fields).await
}

async fn accept(sandbox: &Sandbox, token: &str, record: Uuid, action: Uuid) -> u16 {
    let body = json!({"json": {"transactionId": "t-1", "eventId": record, "actionId": action, "registrationNumber": "N-1234567890"}});
    let url = format!("{}/events/event.actions.register.accept", sandbox.opencrvs().url());
    http().post(url).bearer_auth(token).json(&body).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn the_triggers_token_confirms_its_own_action_only() {
    for regime in [Regime::V1_9, Regime::V2_0] {
        let (sandbox, record, action, time) = waiting(regime).await;
        let other = sandbox.opencrvs().trigger_token(record, Uuid::nil()).await.unwrap();
        assert_eq!(accept(&sandbox, &other, record, action).await, 403, "{regime:?}");
        assert_eq!(accept(&sandbox, "ey.no.token", record, action).await, 401, "{regime:?}");
        let token = sandbox.opencrvs().trigger_token(record, action).await.unwrap();
        time.forward(SignedDuration::from_hours(24 * 7 + 1));
        assert_eq!(
            accept(&sandbox, &token, record, action).await,
            401,
            "{regime:?}: expired after seven days"
        );
        let token = sandbox.opencrvs().trigger_token(record, action).await.unwrap();
        assert_eq!(accept(&sandbox, &token, record, action).await, 200, "{regime:?}");
    }
}

#[tokio::test]
async fn the_exchange_exists_in_2_0_only() {
    for (regime, exchanged, accepted) in [(Regime::V2_0, 200, 200), (Regime::V2_1, 400, 401)] {
        let (sandbox, record, action, _) = waiting(regime).await;
        let subject = client_token(&sandbox).await;
        let (status, body) = exchange(&sandbox, &subject, record, action).await;
        assert_eq!(status, exchanged, "{regime:?} {body}");
        let token = body["access_token"].as_str().unwrap_or("none");
        assert_eq!(accept(&sandbox, token, record, action).await, accepted, "{regime:?}");
        if regime == Regime::V2_1 {
            assert_eq!(body["error"], "unsupported_grant_type");
        }
    }
}

#[tokio::test]
async fn a_clients_own_token_confirms_in_2_1_only() {
    for (regime, expected) in [(Regime::V2_0, 403), (Regime::V2_1, 200)] {
        let (sandbox, record, action, _) = waiting(regime).await;
        let token = client_token(&sandbox).await;
        assert_eq!(accept(&sandbox, &token, record, action).await, expected, "{regime:?}");
        if expected == 200 {
            let document = sandbox.opencrvs().document(record).unwrap();
            let last = document.actions.last().unwrap();
            assert_eq!(
                (last.kind.as_str(), last.created_by_user_type.as_str()),
                ("REGISTER", "system"),
                "stays assigned"
            );
        }
    }
}

#[tokio::test]
async fn refusals_have_oauths_words() {
    let (sandbox, record, action, _) = waiting(Regime::V2_0).await;
    let wrong = [("grant_type", "client_credentials"), ("client_id", "civitas"), ("client_secret", "guess")];
    assert_eq!(form(&sandbox, "/token", &wrong).await.1["error"], "invalid_client");
    assert_eq!(
        form(&sandbox, "/token", &[("grant_type", "password")]).await.1["error"],
        "unsupported_grant_type"
    );
    assert_eq!(form(&sandbox, "/token", &[("x", "y")]).await.1["error"], "invalid_request");
    let (status, body) = exchange(&sandbox, "ey.no.token", record, action).await;
    assert_eq!((status, &body["error"]), (401, &json!("unauthorized_client")));
}

#[tokio::test]
async fn the_public_key_is_pem_and_verifies_triggers() {
    let (sandbox, record, action, time) = waiting(Regime::V2_0).await;
    let url = format!("{}/.well-known", sandbox.opencrvs().url());
    assert!(
        http().get(&url).send().await.unwrap().text().await.unwrap().starts_with("-----BEGIN PUBLIC KEY")
    );
    let key = civitas_opencrvs::KeySource::Url(url);
    let tokens = civitas_opencrvs::TriggerTokens::new(
        http(),
        key,
        civitas_opencrvs::ISSUER,
        civitas_opencrvs::AUDIENCE,
    );
    let token = sandbox.opencrvs().trigger_token(record, action).await.unwrap();
    assert!(tokens.verify(&token, record, action, time.now()).await.is_ok());
    assert!(tokens.verify(&token, record, Uuid::nil(), time.now()).await.is_err());
}
