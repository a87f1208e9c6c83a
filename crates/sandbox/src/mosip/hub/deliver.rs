//! Poll threads: at least once while all is well, silence after the retries.

use super::super::state::Mosip;
use super::{Message, Subscription, forge};
use futures::StreamExt;
use http::header::{CONTENT_TYPE, LINK};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Done,
    /// 410: the subscriber left.
    Gone,
    /// All attempts failed: the thread ends.
    Failed,
}

/// One subscription's thread.
pub(super) async fn poll(mosip: Arc<Mosip>, id: String, epoch: u64) {
    let Some((subscription, mut head)) = mosip.hub.watch(&id, epoch) else { return };
    let size = mosip.options.hub.batch.max(mosip.options.hub.parallel).max(1);
    loop {
        if mosip.faults.deliveries().stopped {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        head.borrow_and_update();
        let Some(batch) = mosip.hub.batch(&id, epoch, size) else { return };
        let Some((last, _)) = batch.last() else {
            if head.changed().await.is_err() {
                return;
            }
            continue;
        };
        let end = last + 1;
        let deliveries = futures::stream::iter(batch)
            .map(|(offset, message)| {
                let (mosip, subscription) = (Arc::clone(&mosip), subscription.clone());
                async move { (offset, handle(&mosip, &subscription, &message).await) }
            })
            .buffered(mosip.options.hub.parallel.max(1));
        let mut deliveries = std::pin::pin!(deliveries);
        while let Some((offset, delivery)) = deliveries.next().await {
            match delivery {
                Delivery::Done => {
                    let whole = mosip.faults.deliveries().batch_commit;
                    mosip.hub.commit(&id, if whole { end } else { offset + 1 });
                }
                Delivery::Gone => return mosip.hub.remove(&id),
                Delivery::Failed => {
                    mosip.hub.count("silenced");
                    return mosip.hub.silence(&id, epoch);
                }
            }
        }
    }
}

/// One message, with the faults that strike it.
async fn handle(mosip: &Arc<Mosip>, subscription: &Subscription, message: &Message) -> Delivery {
    let faults = mosip.faults.deliveries();
    let dice = &mosip.faults.dice;
    if dice.chance(faults.lost_rate) {
        mosip.hub.count("lost");
        return Delivery::Done;
    }
    if dice.chance(faults.forged_rate) {
        forge::deliver(mosip, subscription, &message.aid).await;
    }
    let body =
        if dice.chance(faults.tampered_rate) { tampered(&message.body) } else { Arc::clone(&message.body) };
    if dice.chance(faults.late_rate) {
        mosip.hub.count("late");
        let wait = dice.draw(faults.late_ms);
        let (late, subscription) = (Arc::clone(mosip), subscription.clone());
        mosip.spawn(async move {
            tokio::time::sleep(wait).await;
            attempts(&late, &subscription, &body).await;
        });
        return Delivery::Done;
    }
    mosip.pace.pass(mosip.dice.draw(mosip.options.hub.delay)).await;
    let delivery = attempts(mosip, subscription, &body).await;
    if delivery == Delivery::Done && dice.chance(faults.duplicate_rate) {
        mosip.hub.count("duplicate");
        post(mosip, subscription, &body).await;
    }
    delivery
}

async fn attempts(mosip: &Mosip, subscription: &Subscription, body: &[u8]) -> Delivery {
    let options = &mosip.options.hub;
    let mut pause = options.retry_pause;
    for attempt in 0..=options.retries {
        if attempt > 0 {
            mosip.pace.pass(pause).await;
            pause = (pause * 2).min(Duration::from_secs(20));
        }
        match post(mosip, subscription, body).await {
            Some(status) if (200..300).contains(&status) => {
                mosip.hub.count("delivered");
                return Delivery::Done;
            }
            Some(410) => return Delivery::Gone,
            _ => mosip.hub.count("attempt failed"),
        }
    }
    Delivery::Failed
}

async fn post(mosip: &Mosip, subscription: &Subscription, body: &[u8]) -> Option<u16> {
    post_once(mosip, &subscription.callback, &subscription.topic, &subscription.secret, body).await
}

/// One delivery, signed with the given secret; the status it got.
pub(crate) async fn post_once(
    mosip: &Mosip,
    callback: &str,
    topic: &str,
    secret: &str,
    body: &[u8],
) -> Option<u16> {
    let signature = signature(secret, body)?;
    let reply = mosip
        .http
        .post(callback)
        .timeout(mosip.options.hub.timeout)
        .header(CONTENT_TYPE, "application/json")
        .header(LINK, format!("<https://{}/hub>; rel=\"hub\"", mosip.options.host))
        .header(LINK, format!("<{topic}>; rel=\"self\""))
        .header("X-Hub-Signature", signature)
        .body(body.to_vec())
        .send()
        .await
        .ok()?;
    Some(reply.status().as_u16())
}

/// `sha256=<lower-case hex>` over the raw body.
pub(crate) fn signature(secret: &str, body: &[u8]) -> Option<String> {
    let key = PKey::hmac(secret.as_bytes()).ok()?;
    let mac = Signer::new(MessageDigest::sha256(), &key).ok()?.sign_oneshot_to_vec(body).ok()?;
    Some(format!("sha256={}", hex::encode(mac)))
}

/// One character of the ciphertext changed; other bodies as they are.
fn tampered(body: &Arc<[u8]>) -> Arc<[u8]> {
    let Ok(mut event) = serde_json::from_slice::<Value>(body) else { return Arc::clone(body) };
    let Some(credential) = event["event"]["data"]["credential"].as_str() else { return Arc::clone(body) };
    let mut bytes = credential.as_bytes().to_vec();
    if let Some(byte) = bytes.iter_mut().rev().nth(40) {
        *byte = if *byte == b'A' { b'B' } else { b'A' };
    }
    event["event"]["data"]["credential"] = String::from_utf8_lossy(&bytes).into();
    event.to_string().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_recorded_one() {
        let body = br#"{"instanceId":"10001200420000120260102030405","resultCode":"PROCESSED","workflowType":"CRVS_NEW","errorCode":null}"#;
        assert_eq!(body.len(), 114);
        assert_eq!(
            signature("test-secret", body).unwrap(),
            "sha256=4ea6ab7a4157a4c05f07ed48431abfd59590107866256c4882a73375fbc320c2"
        );
    }
}
