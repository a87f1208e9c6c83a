//! Why a call failed, in the only terms that matter to the caller: may it have been applied, and whose turn is it.

use std::{fmt, time::Duration};

use crate::codes;

/// A service of MOSIP that we call; limits and failures are counted per service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// authmanager: tokens.
    Auth,
    /// Packet manager: creates packets.
    PacketManager,
    /// Registration processor: workflow manager and registration transactions.
    Workflow,
    /// Announcements and statuses of our own packets.
    RegistrationStatus,
    /// Receiver of our own packets.
    PacketReceiver,
    /// The WebSub hub.
    Hub,
    /// Credential request generator.
    CredentialRequest,
    /// ID repository: identities and VIDs.
    IdRepository,
    /// Data shares: credentials that are fetched.
    DataShare,
    /// ID authentication: comparisons of demographic data.
    IdAuthentication,
    /// e-Signet: logins.
    ESignet,
}

impl Service {
    /// All of them.
    pub const ALL: [Service; 11] = [
        Service::Auth,
        Service::PacketManager,
        Service::Workflow,
        Service::RegistrationStatus,
        Service::PacketReceiver,
        Service::Hub,
        Service::CredentialRequest,
        Service::IdRepository,
        Service::DataShare,
        Service::IdAuthentication,
        Service::ESignet,
    ];

    /// Its name in metrics, configuration and error texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Service::Auth => "auth",
            Service::PacketManager => "packet_manager",
            Service::Workflow => "workflow",
            Service::RegistrationStatus => "registration_status",
            Service::PacketReceiver => "packet_receiver",
            Service::Hub => "hub",
            Service::CredentialRequest => "credential_request",
            Service::IdRepository => "id_repository",
            Service::DataShare => "data_share",
            Service::IdAuthentication => "id_authentication",
            Service::ESignet => "esignet",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a failure means for the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Surely not applied, or harmless to repeat: try the identical call again later.
    Transient,
    /// May have been applied: ask before repeating, unless the call is one that may be repeated.
    Unknown,
    /// Data or configuration: repeating changes nothing, it is a person's turn.
    Permanent,
    /// Our credentials or roles are refused, also with a fresh token.
    Unauthorised,
    /// Nothing was sent: the service, or the one that gives the token, failed too often. It is no attempt; the time
    /// to wait is in [`CallError::retry_after`].
    Parked,
}

/// A failed call to MOSIP. Holds no personal data: MOSIP's own message texts are left out on purpose, since they may
/// quote what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{service}: {summary}; {advice}")]
pub struct CallError {
    /// Who was called.
    pub service: Service,
    /// What follows from it.
    pub class: Class,
    /// MOSIP's error code (`KER-PUT-006`) or ours (`null-response`, `time-out`, `http-503`): the key into [`codes`].
    pub code: Option<String>,
    /// How long the service asked us to wait.
    pub retry_after: Option<Duration>,
    /// For how many attempts a [`Class::Transient`] failure is worth repeating before it becomes a person's turn.
    /// `None`: for as long as it takes.
    pub attempts: Option<u32>,
    /// What happened, to which call.
    pub summary: String,
    /// What to do about it.
    pub advice: &'static str,
}

impl CallError {
    /// A failure named by one of our own or MOSIP's codes; the class is what the table says of it.
    pub(crate) fn known(service: Service, code: &str, summary: impl Into<String>) -> Self {
        let entry = codes::lookup(code);
        CallError {
            service,
            class: entry.map_or(Class::Transient, |known| known.class),
            code: Some(code.to_owned()),
            retry_after: None,
            attempts: entry.map_or(Some(codes::UNKNOWN_CODE_ATTEMPTS), |known| known.attempts),
            summary: summary.into(),
            advice: entry.map_or(codes::UNKNOWN_CODE_ADVICE, |known| known.advice),
        }
    }

    /// The same, with a class that depends on the call rather than on the code.
    pub(crate) fn classed(service: Service, class: Class, code: &str, summary: impl Into<String>) -> Self {
        let mut error = CallError::known(service, code, summary);
        error.class = class;
        if class != Class::Transient {
            error.attempts = None;
        }
        error
    }
}
