//! e-Signet's published keys, and those of the ID system behind it, kept for a while.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, header::CACHE_CONTROL};
use tokio::sync::Mutex;

use super::LoginError;
use crate::{
    Mosip, Service,
    client::{Body, Call, Effect, Reply, Role},
    jose::KeySet,
};

/// Longest time that keys are kept, whatever e-Signet says.
const LONGEST: Duration = Duration::from_hours(24);
/// How long where it says nothing.
const USUAL: Duration = Duration::from_hours(1);
/// Least time between two questions for keys that were not there: names of keys come from outside.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// Keys as they were fetched last.
#[derive(Default)]
pub(super) struct Keys(Mutex<Option<Kept>>);

struct Kept {
    set: Arc<KeySet>,
    asked: Timestamp,
    until: Timestamp,
}

impl Keys {
    /// The keys; `newer` asks for others than those that did not do, if it is time.
    pub(super) async fn get(
        &self,
        mosip: &Mosip,
        address: &str,
        newer: bool,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, LoginError> {
        let mut kept = self.0.lock().await;
        if let Some(kept) = &*kept {
            let asked_just_now = now.duration_since(kept.asked) < PAUSE;
            if asked_just_now || (!newer && now < kept.until) {
                return Ok(Arc::clone(&kept.set));
            }
        }
        let (set, lasts) = fetch(mosip, address, now).await?;
        let set = Arc::new(set);
        let until = now.checked_add(SignedDuration::try_from(lasts).unwrap_or_default()).unwrap_or(now);
        *kept = Some(Kept { set: Arc::clone(&set), asked: now, until });
        Ok(set)
    }
}

/// Fetches the keys, and for how long they are good.
pub(super) async fn fetch(
    mosip: &Mosip,
    address: &str,
    now: Timestamp,
) -> Result<(KeySet, Duration), LoginError> {
    let call = Call {
        service: Service::ESignet,
        role: Role::Partner,
        effect: Effect::Harmless,
        what: "jwks",
        method: Method::GET,
        url: address.to_owned(),
        body: Body::Nothing,
    };
    let reply = mosip.call_bare(&call, now).await?;
    if !reply.is_success() {
        return Err(LoginError::Answer("its key set is not answered with 200"));
    }
    let set = KeySet::read(&reply.body).map_err(LoginError::Keys)?;
    Ok((set, lifetime(&reply)))
}

/// `Cache-Control: max-age=…`, within a day.
fn lifetime(reply: &Reply) -> Duration {
    let header = reply.headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = header.split(',').map(str::trim);
    let seconds = parts.find_map(|part| match part {
        "no-store" | "no-cache" => Some(0),
        part => part.strip_prefix("max-age=")?.parse().ok(),
    });
    seconds.map_or(USUAL, Duration::from_secs).min(LONGEST)
}
