//! What was found about a person on a form, kept as what it is: ours, with its outcome, and nothing of the person.

use uuid::Uuid;

use crate::{Engine, EngineError};
use civitas_audit::NewLeaf;

/// How a person was identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Typed data were compared with MOSIP's.
    IdAuthentication,
    /// The person signed in.
    ESignet,
}

impl Way {
    /// Its name in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Way::IdAuthentication => "id_authentication",
            Way::ESignet => "esignet",
        }
    }
}

/// One attempt and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// How.
    pub way: Way,
    /// `verified`, `authenticated`, `failed`, or `technical`: nothing was found out.
    pub outcome: &'static str,
    /// The record, where the request names one.
    pub event_id: Option<Uuid>,
    /// The action, where the request names one.
    pub action_id: Option<Uuid>,
    /// The section or page of the form, where the request names one.
    pub person: Option<String>,
    /// Who asked: `opencrvs:<user>`.
    pub actor: String,
    /// The class of the answer, attributes by name and codes; never a value.
    pub detail: String,
    /// SHA-256 of the receipt that the form was given, hexadecimal.
    pub receipt: Option<String>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

impl Engine {
    /// Writes an outcome into the audit log. Until it is there, it is not ours, and nobody is told of it.
    pub async fn record_identified(&self, identified: Identified) -> Result<(), EngineError> {
        let Identified { way, outcome, event_id, action_id, person, actor, detail, receipt, traceparent } =
            identified;
        metrics::counter!("civitas_identified_total", "way" => way.as_str(), "outcome" => outcome)
            .increment(1);
        let mut leaf = NewLeaf::new("identified", actor, self.now());
        leaf.event_id = event_id;
        leaf.action_id = action_id;
        leaf.to = Some(outcome.to_owned());
        leaf.traceparent = traceparent;
        let person = person.map(|person| format!(", {person}")).unwrap_or_default();
        let receipt = receipt.map(|receipt| format!("; receipt {receipt}")).unwrap_or_default();
        leaf.reason = Some(format!("{}{person}: {detail}{receipt}", way.as_str()));
        self.witness(leaf).await
    }
}
