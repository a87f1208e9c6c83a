//! The client of OpenCRVS: accepts and rejects pending actions, reads records, searches.
//!
//! One call is one request (two where a token is bought first, twice that where a token had to be renewed): when to
//! call again is the caller's business, and [`Class`] says whether that is safe. tRPC procedures take the non-batch
//! form, `{"json":{…}}`, without superjson's `meta`: a `null` never travels, since OpenCRVS reads one under a dotted
//! key as an erasure.

mod accept;
mod answer;
mod auth;
pub(crate) mod check;
mod confirmation;
mod custom_action;
mod error;
mod event_config;
mod get;
mod procedure;
mod reject;
mod search;
mod system_token;
mod transport;

use std::fmt;
use std::sync::Arc;

pub use auth::{ConfirmationAuth, SystemClient, token_expiry};
pub use check::AuthCheck;
pub use confirmation::Confirmation;
pub use custom_action::CustomAction;
pub use error::{CallError, Cause, Class};
pub use event_config::EventConfig;
pub use search::{EventIndex, PAGE, SearchPage, SearchQuery, requested_flag};

use crate::Version;
use system_token::SystemTokens;
use transport::Transport;

/// Where OpenCRVS is. A trailing slash is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Base address of the gateway, `http://gateway:7070`; procedures are below `/events/`.
    pub gateway: String,
    /// Base address of the token service: `http://auth:4040`, or `https://gateway.<domain>/auth` from outside.
    pub auth: String,
}

/// A client of one OpenCRVS. Cheap to clone; clones share the system token.
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    gateway: Arc<str>,
    country_config: Option<Arc<str>>,
    tokens: Option<Arc<SystemTokens>>,
    mode: auth::Mode,
    version: Version,
}

impl Client {
    /// A client that sends through `http`, whose time-outs and TLS settings are the caller's.
    ///
    /// The HTTP client should not follow redirects: a redirected POST would arrive as a GET.
    pub fn new(
        http: reqwest::Client,
        endpoints: Endpoints,
        auth: ConfirmationAuth,
        version: Version,
    ) -> Self {
        let Endpoints { gateway, auth: token_service } = endpoints;
        let transport = Transport::new(http);
        let (mode, system) = auth.into_parts();
        let tokens = system.map(|client| {
            Arc::new(SystemTokens::new(transport.clone(), base(&token_service), client, version))
        });
        Self { transport, gateway: base(&gateway), country_config: None, tokens, mode, version }
    }

    /// Names the country configuration server, the primary source of [`Client::event_config`].
    #[must_use]
    pub fn with_country_config(mut self, address: &str) -> Self {
        self.country_config = Some(base(address));
        self
    }

    /// Gives a client in trigger-token mode a system client of its own, for [`Client::get`] and [`Client::search`]
    /// only; without one those two fail in that mode. `auth` is the token service, as in [`Endpoints`].
    #[must_use]
    pub fn with_reader(mut self, auth: &str, client: SystemClient) -> Self {
        let tokens = SystemTokens::new(self.transport.clone(), base(auth), client, self.version);
        self.tokens = Some(Arc::new(tokens));
        self
    }

    /// The release line that the client was made for.
    pub fn version(&self) -> Version {
        self.version
    }

    /// `{gateway}/events/{path}`.
    fn url(&self, path: &str) -> String {
        format!("{}/events/{path}", self.gateway)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("gateway", &self.gateway)
            .field("mode", &self.mode)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn base(address: &str) -> Arc<str> {
    address.trim_end_matches('/').into()
}
