//! Clients of MOSIP's services, one call per file, over one way of calling.

mod auth;
mod create_packet;
mod credential_request;
mod envelope;
mod health;
mod hub;
mod id_repository;
mod packet_status;
mod sync;
mod token;
mod transactions;
mod transport;
mod trigger;
mod upload;
mod workflow_status;

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};
use reqwest::header::HeaderValue;

pub use auth::{AuthCheck, Credentials};
pub use create_packet::{PacketReceipt, SubPacket};
pub use credential_request::{CredentialRequest, credential_request_id};
pub use hub::{HubAnswer, Subscription};
pub use id_repository::{Changed, Found, Identity, IdentityKey, IdentityStatus, StatusChange, Vid};
pub use packet_status::UploadStatus;
pub use sync::Announcement;
pub use transactions::{StageRecord, reason};
pub use trigger::{Notification, Trigger, Triggered};
pub use upload::{Upload, Uploaded};
pub use workflow_status::WorkflowStatus;

use self::token::TokenSource;
pub(crate) use self::transport::{Body, Call, Effect, Raw, Reply, not_sent, retry_after, token_refused};
use crate::{
    Admission, Limits, Service, ServiceHealth,
    data_share::{DataShare, DataSharePolicy},
    gate::Gates,
};

/// Base addresses of MOSIP's services, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// authmanager: `https://host/v1/authmanager`.
    pub auth: String,
    /// Packet manager: `https://host/commons/v1/packetmanager`.
    pub packet_manager: String,
    /// Registration processor: `https://host/registrationprocessor/v1`.
    pub workflow: String,
    /// Announcements and statuses of our own packets: `https://host/registrationprocessor/v1/registrationstatus`.
    pub registration_status: String,
    /// Receiver of our own packets: `https://host/registrationprocessor/v1/packetreceiver`.
    pub packet_receiver: String,
    /// WebSub hub: `https://host/hub`.
    pub hub: String,
    /// Credential request generator: `https://host/v1/credentialrequest`.
    pub credential_request: String,
    /// ID repository, identities and VIDs: `https://host/idrepository/v1`.
    pub id_repository: String,
}

impl Endpoints {
    /// The addresses that these services have behind one gateway (`https://host`).
    pub fn behind(gateway: &str) -> Self {
        let gateway = gateway.trim_end_matches('/');
        Endpoints {
            auth: format!("{gateway}/v1/authmanager"),
            packet_manager: format!("{gateway}/commons/v1/packetmanager"),
            workflow: format!("{gateway}/registrationprocessor/v1"),
            registration_status: format!("{gateway}/registrationprocessor/v1/registrationstatus"),
            packet_receiver: format!("{gateway}/registrationprocessor/v1/packetreceiver"),
            hub: format!("{gateway}/hub"),
            credential_request: format!("{gateway}/v1/credentialrequest"),
            id_repository: format!("{gateway}/idrepository/v1"),
        }
    }

    fn trimmed(self) -> Self {
        let trim = |address: String| address.trim_end_matches('/').to_owned();
        Endpoints {
            auth: trim(self.auth),
            packet_manager: trim(self.packet_manager),
            workflow: trim(self.workflow),
            registration_status: trim(self.registration_status),
            packet_receiver: trim(self.packet_receiver),
            hub: trim(self.hub),
            credential_request: trim(self.credential_request),
            id_repository: trim(self.id_repository),
        }
    }
}

/// Which of our MOSIP clients (in Keycloak) makes a call: their roles differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Creates and triggers packets: `ONLINE_REGISTRATION_CLIENT`.
    Packet,
    /// Subscribes at the hub: the partner.
    Partner,
    /// Asks for statuses and credential requests: `REGISTRATION_PROCESSOR`, `CREDENTIAL_REQUEST`.
    Status,
    /// Reads identities and changes their status: `REGISTRATION_PROCESSOR` or `ID_REPOSITORY`, and in the ID repository's
    /// own list of audiences.
    Identity,
}

/// All calls to MOSIP. Cheap to clone; clones share tokens and limits.
#[derive(Clone)]
pub struct Mosip {
    shared: Arc<Shared>,
    packet: Arc<TokenSource>,
    partner: Arc<TokenSource>,
    status: Arc<TokenSource>,
    identity: Option<Arc<TokenSource>>,
    data_share: Option<Arc<DataShare>>,
    traceparent: Option<HeaderValue>,
}

struct Shared {
    http: reqwest::Client,
    of_service: Vec<(Service, reqwest::Client)>,
    endpoints: Endpoints,
    gates: Gates,
}

impl Shared {
    fn http(&self, service: Service) -> &reqwest::Client {
        let own = self.of_service.iter().find(|(of, _)| *of == service);
        own.map_or(&self.http, |(_, client)| client)
    }
}

impl Mosip {
    /// A client that makes every call with the same credentials. Time-outs are those of `http`; it should not follow
    /// redirects.
    pub fn new(
        http: reqwest::Client,
        endpoints: Endpoints,
        credentials: Credentials,
        limits: &Limits,
    ) -> Self {
        Mosip::with_clients(http, Vec::new(), endpoints, credentials, limits)
    }

    /// The same, where some services have an HTTP client, and with it time-outs, of their own.
    pub fn with_clients(
        http: reqwest::Client,
        of_service: Vec<(Service, reqwest::Client)>,
        endpoints: Endpoints,
        credentials: Credentials,
        limits: &Limits,
    ) -> Self {
        let source = Arc::new(TokenSource::new(credentials));
        let gates = Gates::new(limits);
        let shared = Shared { http, of_service, endpoints: endpoints.trimmed(), gates };
        Mosip {
            shared: Arc::new(shared),
            packet: source.clone(),
            partner: source.clone(),
            status: source,
            identity: None,
            data_share: None,
            traceparent: None,
        }
    }

    /// Subscribes at the hub with these credentials: topics belong to the partner whose id is the client's.
    #[must_use]
    pub fn with_partner(mut self, credentials: Credentials) -> Self {
        self.partner = Arc::new(TokenSource::new(credentials));
        self
    }

    /// Asks for statuses, trails and credential requests with these credentials.
    #[must_use]
    pub fn with_status(mut self, credentials: Credentials) -> Self {
        self.status = Arc::new(TokenSource::new(credentials));
        self
    }

    /// Works in the ID repository with these credentials; without them with those that ask for statuses.
    #[must_use]
    pub fn with_identity(mut self, credentials: Credentials) -> Self {
        self.identity = Some(Arc::new(TokenSource::new(credentials)));
        self
    }

    /// Fetches data shares with this client and within this policy. The client needs the policy's
    /// [`AddressGuard`](crate::data_share::AddressGuard) as resolver, no proxy, and no redirects.
    #[must_use]
    pub fn with_data_share(mut self, http: reqwest::Client, policy: DataSharePolicy) -> Self {
        self.data_share = Some(Arc::new(DataShare { http, policy }));
        self
    }

    /// The same client whose calls carry this W3C trace context. A text that cannot be a header is left out.
    #[must_use]
    pub fn traced(&self, traceparent: Option<&str>) -> Self {
        let mut traced = self.clone();
        traced.traceparent = traceparent.and_then(|text| HeaderValue::from_str(text).ok());
        traced
    }

    pub(crate) fn data_share(&self) -> Option<&DataShare> {
        self.data_share.as_deref()
    }

    /// What one may do with a service now. Also says [`Admission::Parked`] when the service itself is well, but no
    /// token can be had for it.
    pub fn admission(&self, service: Service, now: Timestamp) -> Admission {
        let of = |service| self.shared.gates.admission(service, now);
        match (of(service), of(Service::Auth)) {
            (Admission::Parked(until), _) => Admission::Parked(until),
            (own, Admission::Free) => own,
            (own, _) if self.has_tokens(now) => own,
            (_, auth) => auth,
        }
    }

    /// Lets no further call through, for a stop: what waits for its turn is parked, and calls under way end.
    pub fn close(&self) {
        self.shared.gates.close();
    }

    /// How the way to each service stands.
    pub fn health(&self, now: Timestamp) -> Vec<ServiceHealth> {
        self.shared.gates.health(now)
    }

    /// Whether no call needs authmanager now.
    fn has_tokens(&self, now: Timestamp) -> bool {
        let all = [&self.packet, &self.partner, &self.status].into_iter().chain(&self.identity);
        all.into_iter().all(|source| source.is_fresh(now))
    }

    pub(crate) fn source(&self, role: Role) -> &Arc<TokenSource> {
        match role {
            Role::Packet => &self.packet,
            Role::Partner => &self.partner,
            Role::Status => &self.status,
            Role::Identity => self.identity.as_ref().unwrap_or(&self.status),
        }
    }
}

impl std::fmt::Debug for Mosip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mosip").field("endpoints", &self.shared.endpoints).finish_non_exhaustive()
    }
}

/// `yyyy-MM-dd'T'HH:mm:ss.SSS'Z'`, as MOSIP writes instants.
pub(crate) fn wire_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_three_decimals_and_a_z() {
        let wire = |text: &str| wire_time(text.parse().unwrap());
        assert_eq!(wire("2026-01-02T03:04:05Z"), "2026-01-02T03:04:05.000Z");
        assert_eq!(wire("2026-01-02T03:04:05.6789Z"), "2026-01-02T03:04:05.678Z");
    }
}
