//! Whether services answer: for the doctor, not for decisions.

use jiff::Timestamp;
use reqwest::Method;

use super::{
    Mosip, Role,
    transport::{Body, Call, Effect},
};
use crate::{CallError, Service};

impl Mosip {
    /// Whether the packet manager is up.
    pub async fn ping_packet_manager(&self, now: Timestamp) -> Result<(), CallError> {
        self.ping(Service::PacketManager, now).await
    }

    /// Asks a service's `actuator/health`, without a token. An answer below 500 shows that it is reachable: many
    /// deployments hide the address.
    pub async fn ping(&self, service: Service, now: Timestamp) -> Result<(), CallError> {
        self.knock(service, now).await
    }

    /// The same: not through the gate, whose circuit may be open for the very reason that this looks into.
    pub(super) async fn knock(&self, service: Service, now: Timestamp) -> Result<(), CallError> {
        let endpoints = &self.shared.endpoints;
        let base = match service {
            Service::Auth => endpoints.auth.clone(),
            Service::PacketManager => endpoints.packet_manager.clone(),
            Service::Workflow => format!("{}/workflowmanager", endpoints.workflow),
            Service::RegistrationStatus => endpoints.registration_status.clone(),
            Service::PacketReceiver => endpoints.packet_receiver.clone(),
            Service::Hub => endpoints.hub.clone(),
            Service::CredentialRequest => endpoints.credential_request.clone(),
            Service::IdRepository => format!("{}/identity", endpoints.id_repository),
            // They have no such address that a partner may ask: the call that tries is itself the question.
            Service::IdAuthentication | Service::ESignet => return Ok(()),
            Service::DataShare => return self.ping_share_hosts(now).await,
        };
        let call = Call {
            service,
            role: Role::Status,
            effect: Effect::Harmless,
            what: "actuator/health",
            method: Method::GET,
            url: format!("{base}/actuator/health"),
            body: Body::Nothing,
        };
        let reply = self.send(&call, None, now).await?;
        if reply.status < 500 {
            return Ok(());
        }
        let code = format!("http-{}", reply.status);
        let summary = format!("actuator/health answered {}", reply.status);
        let mut error = CallError::classed(service, crate::Class::Transient, &code, summary);
        error.retry_after = reply.retry_after;
        Err(error)
    }
}
