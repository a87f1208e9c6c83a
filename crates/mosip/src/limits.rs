//! How much of each MOSIP service we take: calls at a time, and calls per second.
//!
//! MOSIP's services answer single digits to tens of calls per second and pod; a burst of registrations must queue
//! here, where it is durable, rather than there.

use std::num::NonZeroU32;

use crate::{Breaking, Service};

/// The limit of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Calls at a time; 0 counts as 1.
    pub concurrency: usize,
    /// Calls per second; `None`: as many as the concurrency yields.
    pub per_second: Option<NonZeroU32>,
}

impl Limit {
    /// So many calls at a time, at any rate.
    pub const fn at_a_time(concurrency: usize) -> Self {
        Limit { concurrency, per_second: None }
    }
}

/// Limits per service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// authmanager.
    pub auth: Limit,
    /// Packet manager.
    pub packet_manager: Limit,
    /// Registration processor.
    pub workflow: Limit,
    /// Announcements and statuses of our own packets.
    pub registration_status: Limit,
    /// Receiver of our own packets: measured to take one or two a second.
    pub packet_receiver: Limit,
    /// WebSub hub.
    pub hub: Limit,
    /// Credential request generator.
    pub credential_request: Limit,
    /// ID repository.
    pub id_repository: Limit,
    /// Data shares.
    pub data_share: Limit,
    /// ID authentication.
    pub id_authentication: Limit,
    /// e-Signet.
    pub esignet: Limit,
    /// When a service that fails is left alone.
    pub breaking: Breaking,
}

impl Default for Limits {
    /// What a MOSIP of one pod per service bears, without a rate.
    fn default() -> Self {
        Limits {
            auth: Limit::at_a_time(2),
            packet_manager: Limit::at_a_time(8),
            workflow: Limit::at_a_time(8),
            registration_status: Limit::at_a_time(4),
            packet_receiver: Limit::at_a_time(4),
            hub: Limit::at_a_time(2),
            credential_request: Limit::at_a_time(2),
            id_repository: Limit::at_a_time(4),
            data_share: Limit::at_a_time(4),
            id_authentication: Limit::at_a_time(8),
            esignet: Limit::at_a_time(16),
            breaking: Breaking::default(),
        }
    }
}

impl Limits {
    pub(crate) fn of(&self, service: Service) -> Limit {
        match service {
            Service::Auth => self.auth,
            Service::PacketManager => self.packet_manager,
            Service::Workflow => self.workflow,
            Service::RegistrationStatus => self.registration_status,
            Service::PacketReceiver => self.packet_receiver,
            Service::Hub => self.hub,
            Service::CredentialRequest => self.credential_request,
            Service::IdRepository => self.id_repository,
            Service::DataShare => self.data_share,
            Service::IdAuthentication => self.id_authentication,
            Service::ESignet => self.esignet,
        }
    }
}
