//! The data share: credentials that partners fetch, a few times and for a while.
//!
//! As the real one does, it answers HTTP 200 whatever happens: a share that is used up or gone is told by a code.

use super::auth;
use super::envelope;
use super::state::Mosip;
use crate::entropy::lock;
use crate::options::ShareOptions;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ID: &str = "mosip.data.share";

/// How credentials are handed over at present, and those that wait to be fetched.
#[derive(Default)]
pub(crate) struct Shares {
    mode: Mutex<Option<ShareOptions>>,
    held: Mutex<HashMap<String, Share>>,
    base: Mutex<String>,
}

struct Share {
    content: Vec<u8>,
    left: u32,
    until: Timestamp,
}

impl Shares {
    pub(crate) fn new(mode: Option<ShareOptions>) -> Self {
        Self { mode: Mutex::new(mode), ..Self::default() }
    }

    pub(crate) fn mode(&self) -> Option<ShareOptions> {
        lock(&self.mode).clone()
    }

    pub(crate) fn set_mode(&self, mode: Option<ShareOptions>) {
        *lock(&self.mode) = mode;
    }

    /// Where this MOSIP listens.
    pub(crate) fn set_base(&self, base: &str) {
        base.clone_into(&mut lock(&self.base));
    }

    /// Where this MOSIP listens.
    pub(crate) fn base(&self) -> String {
        lock(&self.base).clone()
    }

    /// Puts a credential there; the address that its event names.
    pub(crate) fn put(&self, mosip: &Mosip, mode: &ShareOptions, content: Vec<u8>) -> String {
        let partner = &mosip.options.partner;
        let key = format!("{partner}{POLICY}{}", mosip.dice.digits(14));
        let until = mosip.pace.now() + mosip.pace.real(Duration::from_mins(mode.valid_for_minutes.into()));
        let share = Share { content, left: mode.transactions_allowed, until };
        lock(&self.held).insert(key.clone(), share);
        let base = match &mode.base {
            Some(base) => base.clone(),
            None => lock(&self.base).clone(),
        };
        format!("{base}/v1/datashare/get/{POLICY}/{partner}/{key}")
    }

    fn take(&self, key: &str, now: Timestamp) -> Result<Vec<u8>, (&'static str, &'static str)> {
        let mut held = lock(&self.held);
        // The object store throws away what is past its validity.
        held.retain(|_, share| share.until > now);
        let share = held.get_mut(key).ok_or(("DAT-SER-008", "Data share not found"))?;
        share.left = share.left.checked_sub(1).ok_or(("DAT-SER-006", "Data share usuage expired"))?;
        Ok(share.content.clone())
    }
}

const POLICY: &str = "mpolicy-crvs";

/// `GET /v1/datashare/get/{policyId}/{subscriberId}/{randomShareKey}`.
pub(crate) async fn get(
    State(mosip): State<Arc<Mosip>>,
    Path((policy, subscriber, key)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    if auth::grant(&mosip, &headers).is_none() {
        return envelope::refused(StatusCode::UNAUTHORIZED);
    }
    let found = if policy == POLICY && subscriber == mosip.options.partner {
        mosip.shares.take(&key, mosip.pace.now())
    } else {
        Err(("DAT-SER-008", "Data share not found"))
    };
    match found {
        Ok(content) => ([(CONTENT_TYPE, "application/octet-stream")], content).into_response(),
        Err((code, message)) => Json(json!({
            "id": ID, "version": "1.0", "responsetime": mosip.pace.iso(), "dataShare": null,
            "errors": [{"errorCode": code, "message": message}],
        }))
        .into_response(),
    }
}
