//! What every endpoint of the OpenCRVS stand-in shares.

use super::action::Actor;
use super::store::Store;
use super::tokens::{Claims, Tokens};
use super::{Exchange, TriggerLoss};
use crate::entropy::{Dice, lock};
use crate::options::OpenCrvsOptions;
use crate::time::Pace;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Mutex;
use uuid::Uuid;

/// Head office, registrar and user of the sandbox's small country.
pub(crate) const OFFICE: &str = "9e069dda-0d83-4f67-a4f2-9adbf5658e2e";
pub(crate) const REGISTRAR: &str = "c1f3c1de-2222-4b6f-9d4e-7c2f4f3a9a10";
/// 1.9 user ids are Mongo ObjectIds.
pub(crate) const REGISTRAR_1_9: &str = "68a33795caf0b9e13a86d51f";

pub(crate) struct Core {
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
    pub(crate) options: OpenCrvsOptions,
    pub(crate) pace: Pace,
    pub(crate) dice: Dice,
    pub(crate) http: reqwest::Client,
    pub(crate) country_config: Mutex<Option<String>>,
    /// What was exchanged, where it is kept.
    pub(crate) exchanges: Mutex<Option<Vec<Exchange>>>,
    /// Fields that forms lack.
    pub(crate) lacking: Mutex<BTreeSet<String>>,
    pub(crate) trigger_loss: Mutex<TriggerLoss>,
    pub(crate) public_key_pem: String,
}

impl Core {
    pub(crate) fn now(&self) -> Timestamp {
        self.pace.now()
    }

    pub(crate) fn uuid(&self) -> Uuid {
        self.dice.uuid()
    }

    pub(crate) fn registrar(&self) -> Claims {
        let sub = if self.tokens.regime == crate::options::Regime::V1_9 { REGISTRAR_1_9 } else { REGISTRAR };
        Claims::registrar(sub)
    }

    pub(crate) fn country_config(&self) -> Option<String> {
        lock(&self.country_config).clone()
    }

    /// Keeps an exchange, if exchanges are kept.
    pub(crate) fn keep(&self, exchange: impl FnOnce() -> Exchange) {
        if let Some(kept) = lock(&self.exchanges).as_mut() {
            kept.push(exchange());
        }
    }

    /// When a write of now becomes searchable.
    pub(crate) fn searchable_at(&self) -> Timestamp {
        self.now() + self.pace.real(self.dice.draw(self.options.index_lag))
    }
}

impl From<&Claims> for Actor {
    fn from(claims: &Claims) -> Self {
        Self {
            id: claims.sub.clone(),
            system: claims.system,
            role: (!claims.system)
                .then(|| claims.role.clone().unwrap_or_else(|| "LOCAL_REGISTRAR".to_owned())),
            office: (!claims.system).then(|| OFFICE.to_owned()),
        }
    }
}
