//! Why an operation is not going on, and what a person can do about it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A code, and what MOSIP, OpenCRVS or the pack said: never personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// A stable code: ours (`deadline_passed`), or the service's (`RPR-WIS-000`).
    pub code: String,
    /// More of it: a field's name, a stage, a status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Cause {
    /// A cause without detail.
    pub fn new(code: impl Into<String>) -> Self {
        Cause { code: code.into(), detail: None }
    }

    /// A cause with detail.
    pub fn with(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Cause { code: code.into(), detail: Some(detail.into()) }
    }

    /// The cause that an operation carries.
    pub fn of(operation: &civitas_journal::operations::Operation) -> Option<Self> {
        let code = operation.cause.clone()?;
        Some(Cause { code, detail: operation.cause_detail.clone() })
    }

    /// Whether it says that two answers of MOSIP disagree: a person looks, whatever the state is.
    pub fn is_contradiction(&self) -> bool {
        CONTRADICTIONS.contains(&self.code.as_str())
    }

    /// What a person can do about it.
    pub fn advice(&self) -> &'static str {
        OWN.iter()
            .find(|(code, _)| *code == self.code)
            .map(|(_, advice)| *advice)
            .or_else(|| civitas_mosip::advice(&self.code))
            .unwrap_or("look at the record's timeline; retry when what it names is mended")
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{}: {detail}", self.code),
            None => f.write_str(&self.code),
        }
    }
}

/// Causes that stay with an operation that is finished, until a person settles them.
pub(crate) const CONTRADICTIONS: [&str; 2] = ["contradicting_answer", "contradicting_credential"];

/// The engine's own causes. MOSIP's codes are listed in the crate that speaks with it.
pub const OWN: [(&str, &str); 43] = [
    (
        "fields_unknown",
        "the rule needs fields that the record lacks: reject it to have them filled in, or release it",
    ),
    (
        "packet_not_buildable",
        "the pack cannot make a packet of this record: mend the record or the pack, then retry",
    ),
    (
        "operation_not_carried_out",
        "the engine has no way to carry this operation out: change the rule, then reject the record or release it",
    ),
    (
        "deadline_passed",
        "MOSIP has not answered in time: ask MOSIP about this AID; a late answer still lands",
    ),
    (
        "mosip_rejected",
        "MOSIP refused the packet for good: reject the record to have it corrected, or release it",
    ),
    (
        "mosip_failed",
        "MOSIP could not process the packet: ask MOSIP about this AID, then reject or release the record",
    ),
    (
        "mosip_gave_up",
        "MOSIP stopped retrying the packet: ask MOSIP to resume this AID; a late answer still lands",
    ),
    (
        "not_known_to_mosip",
        "MOSIP does not know this AID although it accepted it: ask MOSIP; a retry sends it again",
    ),
    (
        "processed_without_credential",
        "MOSIP processed the packet but sent no credential: it is being asked for again",
    ),
    (
        "data_share_refused",
        "the credential is where nothing may be fetched from: check MOSIP's share domain and mosip.data_share, then \
         restart; it is then taken up again",
    ),
    (
        "data_share_used_up",
        "somebody fetched the credential before us, or too late: it is being asked for again; if it goes on, see who \
         else uses this partner's shares",
    ),
    (
        "data_share_unavailable",
        "MOSIP's data share does not answer: the engine goes on trying; `civitas doctor` says more",
    ),
    (
        "key_token_away",
        "the token that holds the partner key does not answer: the engine goes on trying; `civitas doctor` says more",
    ),
    (
        "credential_request_unknown",
        "MOSIP has no credential request for this AID: have it add the process and the suffix to our partner entry",
    ),
    (
        "credential_cancelled",
        "somebody at MOSIP cancelled the credential request: ask why; a retrigger there issues it again",
    ),
    (
        "delivery_stale",
        "the event is older than the replay window: if it is genuine, have MOSIP retrigger the credential",
    ),
    (
        "credential_without_identifier",
        "the credential lacks the identifier that the pack names: check the partner policy",
    ),
    (
        "registration_number_differs",
        "the credential names another registration number: ask MOSIP, change nothing by hand",
    ),
    (
        "contradicting_credential",
        "MOSIP issued two different identifiers for one AID: ask MOSIP, change nothing by hand",
    ),
    (
        "contradicting_answer",
        "a later answer of MOSIP disagrees with the one that was taken: ask MOSIP about this AID; nothing was \
         changed, and releasing the record settles the matter",
    ),
    (
        "policy_guard",
        "MOSIP keeps this for people: change the rule or lift its guard with `despite`; then reject the record or \
         release it",
    ),
    (
        "identity_not_active",
        "the person's id, or the identity behind it, is not active: find out at MOSIP who switched it off; then \
         retry or release the record",
    ),
    (
        "identity_not_found",
        "MOSIP knows no identity by the record's id: compare it with the person's; correct the record, or release it",
    ),
    (
        "identity_blocked",
        "MOSIP's own people blocked this identity: ask them; release the record when it is settled",
    ),
    (
        "identity_changed_since",
        "MOSIP took this change before, and the identity has another status since: ask MOSIP who changed it; then \
         release the record",
    ),
    (
        "change_outcome_unknown",
        "the ID repository did not answer: it is being asked for the identity's status",
    ),
    ("being_verified", "MOSIP processed the update: it is being read back from the ID repository"),
    (
        "update_not_applied",
        "MOSIP processed the update and the identity lacks it: have MOSIP map the process to UPDATE \
         (additional-process.category-mapping, with provider and route), and take a VID in the field UIN \
         (vid-support-for-update) or set mosip.id_repository.packets_name to uin; a retry reads back again",
    ),
    (
        "processed_not_verified",
        "MOSIP processed the update, and it could not be read back: give our client the ID repository's role and \
         audience; `civitas doctor` says which",
    ),
    (
        "vid_not_to_be_looked_up",
        "the credential did not come and the VID could not be looked up: see `civitas doctor` on the ID repository; \
         it is tried again",
    ),
    ("create_outcome_unknown", "the packet manager did not answer: the same packet is sent again"),
    (
        "upload_outcome_unknown",
        "MOSIP did not answer the upload: it is being asked what became of it, and the same bytes are sent again",
    ),
    (
        "upload_not_stored",
        "MOSIP accepted the packet and has no workflow for it: the same bytes are sent again",
    ),
    (
        "upload_not_configured",
        "the packet was built for uploading, which the configuration does not name: set `mosip.route: upload`, then retry",
    ),
    (
        "process_not_uploadable",
        "MOSIP takes no uploads of this process: map it in `mosip.upload.processes` or have MOSIP list it, then retry",
    ),
    (
        "certificate_not_in_force",
        "no certificate to encrypt packets to is in force: name MOSIP's current one in \
         `mosip.upload.certificate_files`, then retry",
    ),
    ("trigger_outcome_unknown", "MOSIP did not answer the trigger: it is being asked what became of it"),
    (
        "service_unreachable",
        "a service cannot be reached: the engine goes on trying; `civitas doctor` says which",
    ),
    ("credentials_refused", "a service refuses our credentials: renew them and see `civitas doctor`"),
    (
        "record_already_rejected",
        "the record was rejected in OpenCRVS before MOSIP's answer came: release it, and tell MOSIP",
    ),
    ("action_not_found", "OpenCRVS does not know the action: check that both belong to the same deployment"),
    ("confirmation_refused", "OpenCRVS refuses the accept: look at the detail, mend it there, then retry"),
    ("confirmation_outcome_unknown", "OpenCRVS did not answer: the same accept is sent again"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_of_ours_is_listed_once_and_says_what_to_do() {
        for (index, (code, advice)) in OWN.iter().enumerate() {
            assert!(!OWN[..index].iter().any(|(other, _)| other == code), "{code} is listed twice");
            assert!(advice.contains(':') || advice.contains(';'), "{code}: {advice}");
            assert_eq!(Cause::new(*code).advice(), *advice);
        }
    }
}
