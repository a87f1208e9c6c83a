//! Why an operation is not going on, and what a person can do about it.

use std::fmt;

use civitas_mosip::credential::VcError;
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
            .chain(&DELIVERIES)
            .find(|(code, _)| *code == self.code)
            .map(|(_, advice)| *advice)
            .or_else(|| civitas_mosip::advice(&self.code))
            .unwrap_or("look at the record's timeline; retry when what it names is mended")
    }
}

impl Cause {
    /// Whether a credential was put aside because a signature, or what is needed to check one, does not hold.
    pub(crate) fn is_about_proof(&self) -> bool {
        const PROOFS: [&str; 3] =
            ["credential_without_proof", "credential_proof_refused", "credential_own_proof_missing"];
        PROOFS.contains(&self.code.as_str()) || self.code.starts_with("vc_")
    }
}

/// The code of a verifiable credential's refusal.
pub(crate) fn of_own_proof(error: &VcError) -> &'static str {
    match error {
        VcError::NoIssuer | VcError::NoKeys => "vc_not_verifiable",
        VcError::Form(_) | VcError::NotCovered(_) => "vc_form_unknown",
        VcError::Context => "vc_context_not_pinned",
        VcError::Issuer | VcError::Method => "vc_issuer_not_trusted",
        VcError::Suite | VcError::Algorithm => "vc_algorithm_refused",
        VcError::Signature => "vc_signature_refused",
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

/// The cause of an operation that was not triggered but found, and of which MOSIP may know.
pub(crate) const FOUND: &str = "found_waiting";

/// The engine's own causes. MOSIP's codes are listed in the crate that speaks with it.
pub const OWN: [(&str, &str); 52] = [
    (
        "field_not_in_form",
        "the country's form has no such field, and OpenCRVS could not read the record any more: add the hidden field to \
         the form, then retry",
    ),
    (
        "registration_number_taken",
        "another record in OpenCRVS, named here by its tracking id, has the registration number: correct that record, then \
         retry; the number is on MOSIP's packet and does not change",
    ),
    (
        FOUND,
        "the record was found waiting in OpenCRVS, where its trigger was lost: MOSIP is asked whether it has the packet \
         already, then it is sent; nothing is to be done",
    ),
    (
        "released_in_opencrvs",
        "somebody else let the record go in OpenCRVS: if it was accepted, release closes the operation here, and an \
         identifier that MOSIP still issues is entered by a correction; if it was rejected, reject closes it; if it is not \
         there, see whether OpenCRVS was restored from a backup",
    ),
    (
        "accepted_by_somebody_else",
        "the action was accepted in OpenCRVS, but not by Civitas, and the identifier is not on the record: enter it by a \
         correction, then release",
    ),
    (
        "frozen_without_token",
        "the record waits in OpenCRVS, and only its trigger's token could answer: move to OpenCRVS 2.0, or have the \
         record's registration sent anew by whoever runs OpenCRVS",
    ),
    (
        "record_not_readable",
        "OpenCRVS lets the integration client search but not read this record: give it the scope record.read for every \
         event type",
    ),
    (
        "record_unreadable",
        "OpenCRVS answered with a document that Civitas cannot read: compare the versions on both sides",
    ),
    (
        "fields_unknown",
        "the rule needs fields that the record lacks: reject it to have them filled in, or release it",
    ),
    (
        "packet_not_buildable",
        "the pack cannot make a packet of this record: mend the record or the pack, then retry",
    ),
    (
        "certificate_number_taken",
        "another record was sent with the same certificate number: find out which of them has it at OpenCRVS; reject \
         the other one to have it registered anew",
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

/// Why a delivery of the hub was put aside.
pub const DELIVERIES: [(&str, &str); 18] = [
    (
        "credential_by_data_share",
        "MOSIP's policy shares credentials by address: have the partner's policy deliver them inline",
    ),
    (
        "credential_not_openable",
        "our keys do not open the credential: see the detail, and that MOSIP has the certificate of a configured key",
    ),
    (
        "credential_without_proof",
        "the event carries no proof of MOSIP: find out who sent it; a genuine one is asked for again",
    ),
    (
        "credential_proof_refused",
        "the event's proof does not hold: find out who sent it, or, if MOSIP's signing key changed, add its certificate",
    ),
    (
        "credential_own_proof_missing",
        "the credential has lost its own proof or its contexts: ask MOSIP how it was issued, change nothing by hand",
    ),
    (
        "vc_not_verifiable",
        "nothing is configured to verify credentials by: set mosip.credential_proof.host and MOSIP's signing certificate",
    ),
    (
        "vc_form_unknown",
        "the credential has something that its check does not cover: see the detail, and compare MOSIP's release and policy",
    ),
    (
        "vc_context_not_pinned",
        "the credential names other contexts than those configured: compare mosip.credential_proof with MOSIP's vccontext",
    ),
    (
        "vc_issuer_not_trusted",
        "the credential names another issuer or key address: find out who made it, or correct mosip.credential_proof.host",
    ),
    (
        "vc_algorithm_refused",
        "the credential is signed in a way that is not allowed: find out who made it; MOSIP signs by PS256",
    ),
    (
        "vc_signature_refused",
        "the credential's own proof does not hold: if MOSIP's context was edited, configure it; else find out who made it",
    ),
    (
        "credential_unreadable",
        "the credential is not of a form that MOSIP issues: see the detail, and compare MOSIP's release",
    ),
    (
        "credential_of_another_packet",
        "event and credential name different packets: ask MOSIP, change nothing by hand",
    ),
    (
        "credential_pin_missing",
        "a claim is protected by a pin that the event lacks: ask MOSIP about the policy of the partner",
    ),
    ("credential_pin_refused", "the event's pin does not open a claim: ask MOSIP, and have it issued again"),
    (
        "aid_unknown",
        "no operation has this AID: it was sent by another system, or the journal is another; nothing is to be done",
    ),
    ("delivery_of_no_use", "the hub delivered something that nothing here waits for: nothing is to be done"),
    (
        "delivery_unreadable",
        "the hub delivered something that is no event: see the detail, and ask who publishes it",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_of_ours_is_listed_once_and_says_what_to_do() {
        let all = [&OWN[..], &DELIVERIES].concat();
        for (index, (code, advice)) in all.iter().enumerate() {
            assert!(!all[..index].iter().any(|(other, _)| other == code), "{code} is listed twice");
            assert!(advice.contains(':') || advice.contains(';'), "{code}: {advice}");
            assert_eq!(Cause::new(*code).advice(), *advice);
        }
    }
}
