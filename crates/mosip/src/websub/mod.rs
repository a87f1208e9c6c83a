//! What the hub sends us: questions whether we meant to subscribe ([`Intent`]) and signed deliveries ([`Delivery`]).
//!
//! Delivery is neither at-least-once nor ordered in the worst case, and hours late under load: what arrives is a hint
//! to be made durable before it is answered, and polling finds what did not arrive. Check the signature over the bytes
//! as received ([`verify_signature`]), keep them, answer 2xx, and only then look into them.

mod delivery;
mod intent;
mod signature;

pub use delivery::{CredentialIssued, Delivery, DeliveryError, WorkflowCompleted, WorkflowPaused};
pub use intent::{Intent, IntentError, Mode};
pub use signature::{SIGNATURE_HEADER, SignatureError, sign, verify_signature};

/// Topic of finished workflows: of the whole country, with id and result only.
pub const WORKFLOW_COMPLETED: &str = "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT";

/// Topic of workflows that wait for additional information.
pub const WORKFLOW_PAUSED: &str = "REGISTRATION_PROCESSOR_WORKFLOW_PAUSED_FOR_ADDITIONAL_INFO_EVENT";

/// Topic of credentials issued to a partner. The partner's id is the id of the client that subscribes.
pub fn credential_issued(partner: &str) -> String {
    format!("{partner}/CREDENTIAL_ISSUED")
}

/// Whether a denial means that the subscription is alive at that hub.
pub fn means_already_registered(reason: &str) -> bool {
    reason.to_ascii_lowercase().contains("already registered")
}

/// Whether a denial means that the hub has no such subscription in memory: it cannot be ended, and must be asked for
/// again first.
pub fn means_unknown_subscriber(reason: &str) -> bool {
    reason.to_ascii_lowercase().contains("valid subscriber")
}
