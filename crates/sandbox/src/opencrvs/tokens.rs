//! OpenCRVS tokens: minting and checking under the three regimes.

use crate::jwt;
use crate::keys::SandboxKeys;
use crate::options::Regime;
use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// Audiences of a trigger token.
const AUDIENCES: [&str; 6] = [
    "opencrvs:gateway-user",
    "opencrvs:events-user",
    "opencrvs:user-mgnt-user",
    "opencrvs:auth-user",
    "opencrvs:countryconfig-user",
    "opencrvs:documents-user",
];

pub(crate) struct Tokens {
    key: PKey<Private>,
    mac: PKey<Private>,
    pub(crate) regime: Regime,
}

/// The claims that decide what a bearer may do.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) system: bool,
    pub(crate) role: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) event_id: Option<Uuid>,
    pub(crate) action_id: Option<Uuid>,
    /// 1.9 stamps an exchanged client's token as a user's: no such user exists.
    pub(crate) ghost: bool,
}

impl Tokens {
    pub(crate) fn new(keys: &SandboxKeys, regime: Regime, mac: &[u8]) -> Result<Self, ErrorStack> {
        Ok(Self { key: keys.auth.clone(), mac: PKey::hmac(mac)?, regime })
    }

    /// What confirms one action of one record. The subject's own scopes for
    /// reading and rejecting are copied, as core does.
    pub(crate) fn confirmation(
        &self,
        subject: &Claims,
        event: Uuid,
        action: Uuid,
        now: Timestamp,
        life: Duration,
        signed: bool,
    ) -> Result<String, ErrorStack> {
        let user_type = if subject.system && self.regime != Regime::V1_9 { "system" } else { "user" };
        let mut claims = json!({
            "scope": self.confirmation_scopes(),
            "eventId": event, "actionId": action,
            "userType": user_type, "sub": subject.sub,
        });
        if subject.system && self.regime == Regime::V1_9 {
            claims["sandboxGhost"] = json!(true);
        }
        if let (Some(role), false) = (&subject.role, subject.system) {
            claims["role"] = json!(role);
        }
        self.mint(claims, now, life, signed)
    }

    /// What a 2.1 trigger carries: the registrar's own token, without record claims.
    pub(crate) fn registrar(&self, subject: &Claims, now: Timestamp) -> Result<String, ErrorStack> {
        let claims =
            json!({"scope": subject.scopes, "userType": "user", "sub": subject.sub, "role": subject.role});
        self.mint(claims, now, Duration::from_mins(10), true)
    }

    /// A client's token.
    pub(crate) fn system(
        &self,
        client: &str,
        scopes: &[String],
        now: Timestamp,
        life: Duration,
    ) -> Result<String, ErrorStack> {
        let scopes: Vec<String> = scopes.iter().map(|scope| self.encode(scope)).collect();
        self.mint(json!({"scope": scopes, "userType": "system", "sub": client}), now, life, true)
    }

    fn mint(
        &self,
        mut claims: Value,
        now: Timestamp,
        life: Duration,
        signed: bool,
    ) -> Result<String, ErrorStack> {
        let issued = now.as_second();
        claims["iss"] = json!("opencrvs:auth-service");
        claims["aud"] = json!(AUDIENCES);
        claims["iat"] = json!(issued);
        claims["exp"] = json!(issued.saturating_add_unsigned(life.as_secs()));
        if signed { jwt::sign(&self.key, &claims) } else { jwt::sign_cheap(&self.mac, &claims) }
    }

    /// The claims of a token of ours that has not expired.
    pub(crate) fn check(&self, token: &str, now: Timestamp) -> Option<Claims> {
        let claims = jwt::verify(&self.key, &self.mac, token)?;
        if claims["exp"].as_i64()? <= now.as_second() {
            return None;
        }
        let uuid = |name: &str| claims[name].as_str().and_then(|text| text.parse().ok());
        let scopes = claims["scope"].as_array()?.iter().filter_map(|scope| scope.as_str().map(str::to_owned));
        Some(Claims {
            sub: claims["sub"].as_str()?.to_owned(),
            system: claims["userType"] == "system",
            role: claims["role"].as_str().map(str::to_owned),
            scopes: scopes.collect(),
            event_id: uuid("eventId"),
            action_id: uuid("actionId"),
            ghost: claims["sandboxGhost"] == true,
        })
    }

    /// 2.1 has no confirmation scopes any more.
    fn confirmation_scopes(&self) -> Vec<String> {
        let mut scopes = Vec::new();
        if self.regime != Regime::V2_1 {
            scopes.extend(
                ["record.confirm-registration", "record.reject-registration"]
                    .map(|scope| self.encode_bare(scope)),
            );
        }
        scopes.extend(["record.read", "record.reject"].map(|scope| self.encode(scope)));
        scopes
    }

    fn encode_bare(&self, scope: &str) -> String {
        if self.regime == Regime::V1_9 { scope.to_owned() } else { format!("type={scope}") }
    }

    fn encode(&self, scope: &str) -> String {
        match self.regime {
            Regime::V1_9 => scope.to_owned(),
            _ if scope.starts_with("record.") && scope != "record.search" && scope != "record.reindex" => {
                format!("type={scope}&event=birth,death")
            }
            _ => format!("type={scope}"),
        }
    }
}

impl Claims {
    /// The registrar whose clicks the sandbox makes.
    pub(crate) fn registrar(sub: &str) -> Self {
        Self {
            sub: sub.to_owned(),
            system: false,
            role: Some("LOCAL_REGISTRAR".to_owned()),
            scopes: ["record.register", "record.declare", "record.correct", "record.read", "record.reject"]
                .map(|scope| format!("type={scope}&event=birth,death"))
                .to_vec(),
            event_id: None,
            action_id: None,
            ghost: false,
        }
    }

    /// True if a scope is held, in either encoding.
    pub(crate) fn holds(&self, regime: Regime, scope: &str) -> bool {
        self.scopes.iter().any(|held| match regime {
            Regime::V1_9 => held == scope,
            _ => held.strip_prefix("type=").and_then(|rest| rest.split('&').next()) == Some(scope),
        })
    }
}
