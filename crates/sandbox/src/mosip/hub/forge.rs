//! A forger who knows the partner's certificate and guesses an AID, but has
//! neither the hub's secret nor MOSIP's key.

use super::super::credential::{self, Draft};
use super::super::issuance;
use super::super::pipeline::COMPLETED;
use super::super::state::Mosip;
use super::{Subscription, deliver};
use serde_json::{Map, json};
use std::sync::Arc;

/// A credential event for an AID with an identifier of the forger's choice.
pub(crate) async fn forged(mosip: &Arc<Mosip>, aid: &str, vid: &str) -> Option<Vec<u8>> {
    let claims = Map::from_iter([("VID".to_owned(), json!(vid))]);
    let draft = Draft::new(mosip, aid, claims, issuance::meta_info(mosip, aid));
    let (shared, mut keys) = (Arc::clone(mosip), (*mosip.keys()).clone());
    // Any key that is not MOSIP's; the certificate it shows is the real one.
    keys.kernel = keys.auth.clone();
    let built = tokio::task::spawn_blocking(move || credential::event(&shared, &keys, &keys.auth, &draft));
    built.await.ok()?.ok()
}

pub(super) async fn deliver(mosip: &Arc<Mosip>, subscription: &Subscription, aid: &str) {
    let body = if subscription.topic == COMPLETED {
        let event = json!({"instanceId": aid, "resultCode": "REJECTED", "workflowType": "CRVS_NEW", "errorCode": "PACKET_REJECTED"});
        Some(event.to_string().into_bytes())
    } else {
        forged(mosip, aid, &mosip.dice.digits(16)).await
    };
    let Some(body) = body else { return };
    mosip.hub.count("forged");
    let wrong = format!("not-{}", subscription.secret.len());
    let status = deliver::post_once(mosip, &subscription.callback, &subscription.topic, &wrong, &body).await;
    if status.is_some_and(|status| (200..300).contains(&status)) {
        mosip.desk().violation(format!("hub: a forged delivery for AID {aid} was answered 2xx"));
    }
}
