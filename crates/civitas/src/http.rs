//! The one place that makes HTTP clients, so that none is without time-outs.

use std::time::Duration;

use anyhow::Context as _;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// A client whose calls end within `total`. It follows no redirect: a redirected POST would arrive as a GET.
pub fn client(total: Duration) -> anyhow::Result<reqwest::Client> {
    #[expect(clippy::disallowed_methods, reason = "the one place, with time-outs")]
    let builder = reqwest::Client::builder();
    builder
        .connect_timeout(CONNECT.min(total))
        .read_timeout(total)
        .timeout(total)
        .pool_idle_timeout(Duration::from_mins(1))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("civitas/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("the HTTP client cannot be made; are the system's certificates installed?")
}
