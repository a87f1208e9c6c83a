//! The project's own clients against the stand-ins: what one side writes the
//! other reads.

use crate::packets::schema;
use crate::stage::{Time, awaiting, callback, country_config, http, sandbox, start, until};
use civitas_mosip::{
    Aid, CreatePacket, Credentials, Endpoints, HubAnswer, IdSchema, Limits, Mosip, Notification, Status,
    Subscription, Trigger,
};
use civitas_opencrvs::{Client, Confirmation, ConfirmationAuth, SearchQuery, SystemClient};
use civitas_sandbox::{Regime, SandboxOptions};
use secrecy::SecretString;
use std::{collections::BTreeMap, sync::Arc};

fn system() -> SystemClient {
    SystemClient { id: "civitas".into(), secret: SecretString::from("civitas-secret") }
}

#[tokio::test]
async fn the_three_confirmation_modes_close_a_record() {
    for regime in [Regime::V1_9, Regime::V2_0, Regime::V2_1] {
        let (sandbox, time) = sandbox(regime).await;
        let config = country_config(&[(200, "{}"), (202, "")]).await;
        sandbox.opencrvs().set_country_config(&config.url);
        let (record, action) = awaiting(&sandbox).await;
        let url = sandbox.opencrvs().url().to_owned();
        let endpoints = civitas_opencrvs::Endpoints { gateway: url.clone(), auth: url };
        let auth = match regime {
            Regime::V1_9 => ConfirmationAuth::TriggerToken,
            Regime::V2_0 => ConfirmationAuth::Exchange { client: system() },
            Regime::V2_1 => ConfirmationAuth::ClientCredentials { client: system() },
        };
        let client = Client::new(http(), endpoints, auth, regime.into());
        let pending = sandbox.opencrvs().document(record).unwrap();
        let event = civitas_opencrvs::EventDocument::parse(&serde_json::to_vec(&pending).unwrap()).unwrap();
        let mut confirmation = Confirmation::of(record, event.pending("REGISTER").unwrap().action);
        confirmation.registration_number = Some("B26ABCDEFGHIJ".into());
        confirmation.declaration.insert("child.nid".into(), "9830872690593682".into());
        confirmation.trigger_token =
            sandbox.opencrvs().trigger_token(record, action).await.map(SecretString::from);
        if regime != Regime::V1_9 {
            let page = client.search(&SearchQuery::awaiting(Some("birth")), time.now()).await.unwrap();
            assert_eq!((page.total, page.results[0].id), (1, record), "{regime:?}");
            let config = client.event_config("birth", time.now()).await.unwrap().unwrap();
            assert!(config.has_field("child.nid"));
        }
        client.accept(&confirmation, time.now()).await.unwrap_or_else(|error| panic!("{regime:?}: {error}"));
        client
            .accept(&confirmation, time.now())
            .await
            .unwrap_or_else(|error| panic!("{regime:?} again: {error}"));
        assert_eq!(sandbox.opencrvs().status(record), Some("REGISTERED"), "{regime:?}");
        assert_eq!(sandbox.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_mosip_client_sends_triggers_asks_and_subscribes() {
    let time = Time::new();
    let sandbox = start(SandboxOptions::instant(5), &time).await;
    let credentials = Credentials {
        client_id: "crvs_partner".into(),
        secret: SecretString::from("crvs_partner-secret"),
        app_id: "regproc".into(),
    };
    let mosip = Mosip::new(http(), Endpoints::behind(sandbox.mosip().url()), credentials, &Limits::default());
    let mut ear = callback().await;
    let subscription = Subscription {
        topic: civitas_mosip::websub::credential_issued("crvs_partner"),
        callback: ear.url.clone(),
        secret: SecretString::from(crate::hub::SECRET),
        lease_seconds: 86_400,
    };
    assert_eq!(mosip.subscribe(&subscription, time.now()).await.unwrap(), HubAnswer::Accepted);
    ear.intent().await;
    until("the subscription lives", || sandbox.mosip().subscriptions().iter().any(|state| state.alive)).await;
    let aid: Aid = crate::packets::AID.parse().unwrap();
    let packet = CreatePacket {
        ref_id: aid.ref_id(),
        aid: aid.clone(),
        process: "CRVS_NEW".into(),
        source: "CRVS1".into(),
        schema_version: "0.5".into(),
        schema: Arc::new(IdSchema::new(schema())),
        fields: BTreeMap::from([
            ("fullName".into(), r#"[{"language":"eng","value":"Ace \"D\" Portgas\\"}]"#.into()),
            ("dateOfBirth".into(), "2026/05/20".into()),
        ]),
        meta_info: BTreeMap::from([("crvsEventId".into(), "record-1".into())]),
        at: "2026-06-01T09:00:00Z".parse().unwrap(),
        officer: "crvs".into(),
    };
    let receipt = mosip.create_packet(&packet, time.now()).await.unwrap();
    assert_eq!(receipt.sub_packets.len(), 3);
    mosip.create_packet(&packet, time.now()).await.unwrap();
    let trigger = Trigger {
        aid: aid.clone(),
        process: "CRVS_NEW".into(),
        source: "CRVS1".into(),
        notification: Notification::default(),
    };
    assert!(!mosip.trigger(&trigger, time.now()).await.unwrap().already_present);
    assert!(mosip.trigger(&trigger, time.now()).await.unwrap().already_present);
    let (signature, raw) = ear.delivery().await;
    let secrets = [SecretString::from(crate::hub::SECRET)];
    civitas_mosip::websub::verify_signature(&secrets, &raw, Some(&signature)).unwrap();
    let status = mosip.workflow_status(std::slice::from_ref(&aid), time.now()).await.unwrap();
    assert_eq!(status[0].status, Status::Processed);
    assert!(!mosip.transactions(&aid, time.now()).await.unwrap().is_empty());
    // An identical re-PUT before the trigger is no violation; a revoked token costs one renewal.
    sandbox.mosip().revoke_tokens();
    mosip.workflow_status(&[aid], time.now()).await.unwrap();
    assert_eq!(sandbox.violations(), Vec::<String>::new());
}
