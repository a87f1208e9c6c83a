//! The one place that makes HTTP clients, so that none is without time-outs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use civitas_mosip::data_share::{AddressGuard, Network};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub struct TimeOuts {
    /// To connect.
    pub connect: Duration,
    /// Without a byte.
    pub read: Duration,
    /// In all.
    pub total: Duration,
}

/// A client whose calls end within `total`. It follows no redirect: a redirected POST would arrive as a GET.
pub fn client(total: Duration) -> anyhow::Result<reqwest::Client> {
    client_with(TimeOuts { connect: CONNECT, read: total, total })
}

/// The same, with each time-out given.
pub fn client_with(time_outs: TimeOuts) -> anyhow::Result<reqwest::Client> {
    made(builder(time_outs))
}

/// The same, for addresses that come from outside: it connects to public ones only, and to those in these networks.
/// It uses no proxy, which would look names up by itself.
pub fn guarded(networks: Vec<Network>, time_outs: TimeOuts) -> anyhow::Result<reqwest::Client> {
    made(builder(time_outs).no_proxy().dns_resolver(Arc::new(AddressGuard::new(networks))))
}

fn builder(time_outs: TimeOuts) -> reqwest::ClientBuilder {
    let TimeOuts { connect, read, total } = time_outs;
    #[expect(clippy::disallowed_methods, reason = "the one place, with time-outs")]
    let builder = reqwest::Client::builder();
    builder
        .connect_timeout(connect.min(total))
        .read_timeout(read.min(total))
        .timeout(total)
        .pool_idle_timeout(Duration::from_mins(1))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("civitas/", env!("CARGO_PKG_VERSION")))
}

fn made(builder: reqwest::ClientBuilder) -> anyhow::Result<reqwest::Client> {
    builder.build().context("the HTTP client cannot be made; are the system's certificates installed?")
}
