//! e-Signet: a person signs in on its page, its code becomes tokens once, and tokens become signed claims.
//!
//! As 1.8.0 does it: assertions need a `jti` that was not there before, a code is spent by its first call, whatever comes
//! of it, and user info has neither issuer nor audience nor time.

mod authorize;
mod claims;
mod published;
mod token;
mod userinfo;

pub(crate) use authorize::{authorize, login};
pub(crate) use published::{discovery, jwks};
pub(crate) use token::token;
pub(crate) use userinfo::userinfo;

use super::state::Mosip;
use crate::entropy::lock;
use crate::jwt::b64;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

/// Where the service is below the domain.
pub(super) const SERVICE: &str = "/v1/esignet";
/// Life of a code.
const CODE_LIFE: SignedDuration = SignedDuration::from_secs(300);
/// How long a `jti` must not come again.
const JTI_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What happened here: for both ways of identifying people.
#[derive(Default)]
pub(crate) struct Office(Mutex<Books>);

#[derive(Default)]
pub(super) struct Books {
    /// Code → who signed in, for whom.
    codes: HashMap<String, Code>,
    jtis: HashMap<String, Timestamp>,
    /// How often a person was told of an authentication, by the number that was used.
    told: HashMap<String, u64>,
    /// Calls of the token endpoint.
    token_calls: u64,
}

/// A person signed in.
#[derive(Clone)]
pub(super) struct Code {
    uin: String,
    individual_id: String,
    redirect_uri: String,
    nonce: Option<String>,
    claims: Vec<String>,
    at: Timestamp,
}

impl Office {
    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        lock(&self.0)
    }

    /// The resident is notified, and the history has a line more.
    pub(super) fn tell(&self, id: &str) {
        *self.books().told.entry(id.to_owned()).or_default() += 1;
    }

    pub(crate) fn told(&self, id: &str) -> u64 {
        self.books().told.get(id).copied().unwrap_or_default()
    }

    pub(crate) fn token_calls(&self) -> u64 {
        self.books().token_calls
    }

    pub(crate) fn reset(&self) {
        *self.books() = Books::default();
    }
}

/// Signs somebody in whose number is active, as the page does; the code.
pub(crate) fn sign_in(mosip: &Mosip, id: &str, redirect_uri: &str, wanted: Wanted) -> Option<String> {
    let uin = {
        let registry = mosip.registry();
        let found = registry.by_vid(id).or_else(|| registry.by_uin(id));
        found.filter(|identity| identity.status == "ACTIVATED")?.uin.clone()
    };
    let code = mosip.dice.uuid().simple().to_string();
    let at = mosip.pace.now();
    let entry = Code {
        uin,
        individual_id: id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        nonce: wanted.nonce,
        claims: wanted.claims,
        at,
    };
    mosip.office.tell(id);
    mosip.office.books().codes.insert(code.clone(), entry);
    Some(code)
}

/// What a link asks for.
#[derive(Default)]
pub(crate) struct Wanted {
    pub(crate) nonce: Option<String>,
    /// Claims of user info; the person consents to all of them.
    pub(crate) claims: Vec<String>,
}

/// The address that e-Signet has for itself: also its issuer.
fn domain(mosip: &Mosip) -> String {
    mosip.shares.base()
}

fn refused(error: &str, description: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": error, "error_description": description}))).into_response()
}

/// A compact token.
fn signed(key: &PKey<Private>, pss: bool, kid: &str, claims: &Value) -> Result<String, ErrorStack> {
    let alg = if pss { "PS256" } else { "RS256" };
    let input = format!("{}.{}", b64(json!({"alg": alg, "kid": kid}).to_string()), b64(claims.to_string()));
    let mut signer = Signer::new(MessageDigest::sha256(), key)?;
    if pss {
        signer.set_rsa_padding(Padding::PKCS1_PSS)?;
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        signer.set_rsa_mgf1_md(MessageDigest::sha256())?;
    }
    Ok(format!("{input}.{}", b64(signer.sign_oneshot_to_vec(input.as_bytes())?)))
}
