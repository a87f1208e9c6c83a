//! What can be asked for. The JSON of `GET` and `PUT /admin/faults`.

use crate::time::Spread;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Every fault in force. The default is a system that works.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// By route name, most specific wins: `mosip.workflow.instance`, then
    /// `mosip.workflow`, then `mosip`, then `*`.
    pub routes: BTreeMap<String, RouteFaults>,
    /// What happens to hub deliveries.
    pub deliveries: DeliveryFaults,
    /// How MOSIP's processing ends.
    pub outcomes: OutcomeFaults,
    /// What is wrong with proofs of identity.
    pub identity: IdentityFaults,
}

impl Faults {
    /// A name under `routes` that is the name, or the beginning of a name, of none of `known`.
    pub(crate) fn unknown_route(&self, known: &[&str]) -> Option<&str> {
        let fits = |name: &str| {
            known.iter().any(|known| {
                known.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        self.routes.keys().map(String::as_str).find(|name| *name != "*" && !fits(name))
    }

    /// The faults of a route, by its own name or the nearest prefix.
    pub fn route(&self, name: &str) -> Option<&RouteFaults> {
        if self.routes.is_empty() {
            return None;
        }
        let mut prefix = name;
        loop {
            if let Some(found) = self.routes.get(prefix) {
                return Some(found);
            }
            match prefix.rfind('.') {
                Some(dot) => prefix = &prefix[..dot],
                None => return self.routes.get("*"),
            }
        }
    }
}

/// Faults of one route or service. Rates are probabilities per request, tried
/// in the order of the fields; at most one of them strikes a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteFaults {
    /// Delay before the work, `[min, max]` milliseconds of real time.
    pub latency_ms: Spread,
    /// Whether the service is out.
    pub outage: Outage,
    /// HTTP 500, nothing done.
    pub error_rate: f64,
    /// HTTP 200 with `errors[]` (MOSIP routes) or a masked 500 (OpenCRVS routes), nothing done.
    pub errors_in_200_rate: f64,
    /// HTTP 200 with `response: null` and no errors, nothing done.
    pub null_in_200_rate: f64,
    /// Starts a burst of such answers to everybody: keymanager or the object store behind it is out.
    pub null_burst_rate: f64,
    /// How long a burst lasts, milliseconds of real time; however many calls it meets.
    pub null_burst_ms: u64,
    /// HTTP 200 with `KER-ATH-401` (MOSIP routes) or 401 (OpenCRVS routes), nothing done.
    pub unauthorised_rate: f64,
    /// The work is done and the answer never comes: the connection is held, then closed.
    pub timeout_after_success_rate: f64,
    /// How long such a connection is held, milliseconds of real time.
    pub hold_ms: u64,
}

/// An outage window, switched on and off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outage {
    /// The service is there.
    #[default]
    Off,
    /// The gateway in front answers 503.
    Unavailable,
    /// The connection is closed without an answer.
    Disconnect,
}

/// Faults of the hub's deliveries. Rates are per message and subscriber.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryFaults {
    /// Delivered a second time, same bytes.
    pub duplicate_rate: f64,
    /// Delivered after `late_ms`, behind later messages.
    pub late_rate: f64,
    /// How late, `[min, max]` milliseconds of real time.
    pub late_ms: Spread,
    /// Never delivered.
    pub lost_rate: f64,
    /// Preceded by a forgery: sealed to the right certificate, for the right
    /// AID, signed with a wrong secret.
    pub forged_rate: f64,
    /// The credential is issued again: new event id, same AID.
    pub reissue_rate: f64,
    /// One byte of the ciphertext is changed before the hub signs.
    pub tampered_rate: f64,
    /// The hub takes subscriptions and publications, and delivers nothing.
    pub stopped: bool,
    /// Commit the whole polled batch after its first message, as the real hub
    /// does: what follows a failed one in the batch is lost.
    pub batch_commit: bool,
}

/// What is wrong with proofs of identity, each time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityFaults {
    /// ID authentication answers every request that it understood with this code.
    pub ida_code: Option<String>,
    /// What e-Signet does to its proofs.
    pub esignet: Option<ESignetFault>,
}

/// What may be wrong with a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ESignetFault {
    /// The ID token is for another client.
    WrongAudience,
    /// The ID token is over.
    Expired,
    /// The ID token is signed with a key that is not published.
    UnknownKey,
    /// The user info was altered after it was signed.
    AlteredUserinfo,
    /// The user info is about somebody else.
    AnotherPerson,
    /// The user info has no signature.
    UnsignedUserinfo,
}

/// How processing ends, where it does not end well. Rates are per AID.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutcomeFaults {
    /// Demographic de-duplication rejects: status REJECTED.
    pub rejected_rate: f64,
    /// Packet validation fails: status FAILED.
    pub failed_rate: f64,
    /// Twenty attempts, then REPROCESS_FAILED; no event is published.
    pub reprocess_failed_rate: f64,
    /// An upload is answered well and lost before it is stored.
    pub upload_lost_rate: f64,
    /// The completed event is not published.
    pub completed_lost_rate: f64,
    /// The credential request ends as FAILED.
    pub credential_failed_rate: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_name_wins() {
        let faults: Faults = serde_json::from_str(
            r#"{"routes":{"mosip":{"error_rate":0.1},"mosip.workflow":{"error_rate":0.2},"*":{"latency_ms":[5,9]}}}"#,
        )
        .unwrap();
        assert!((faults.route("mosip.workflow.instance").unwrap().error_rate - 0.2).abs() < f64::EPSILON);
        assert!((faults.route("mosip.hub").unwrap().error_rate - 0.1).abs() < f64::EPSILON);
        assert_eq!(faults.route("opencrvs.accept").unwrap().latency_ms, Spread::ms(5, 9));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(serde_json::from_str::<Faults>(r#"{"deliveries":{"dupe_rate":1}}"#).is_err());
    }

    #[test]
    fn the_json_round_trips() {
        let mut faults = Faults::default();
        faults
            .routes
            .insert("mosip".into(), RouteFaults { outage: Outage::Disconnect, ..RouteFaults::default() });
        faults.deliveries.late_ms = Spread::ms(1, 2);
        let text = serde_json::to_string(&faults).unwrap();
        assert_eq!(serde_json::from_str::<Faults>(&text).unwrap(), faults);
    }
}
