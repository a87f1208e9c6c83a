//! Credentials by data share: an event that names where to fetch the credential instead of holding it.
//!
//! The address comes from outside, so nothing is taken on faith: only hosts that are configured, https unless plain
//! HTTP is configured, no redirect, no address inside the deployment's own networks unless that network is configured
//! (looked at when connecting, so that a name cannot be turned to another address in between), and limits on size and
//! time. A share is used up by fetching it: store the bytes, then process them.

mod address;
mod fetch;
mod guard;

use std::{fmt, str::FromStr, time::Duration};

use reqwest::Url;

pub use self::address::{Network, NetworkError, is_public};
pub(crate) use self::fetch::DataShare;
pub use self::fetch::ShareError;
pub use self::guard::{AddressGuard, AddressRefused, Lookup};

/// What may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSharePolicy {
    /// Hosts that shares are fetched from; none: no share is.
    pub hosts: Vec<ShareHost>,
    /// Networks that are not public, and in which these hosts may all the same be.
    pub networks: Vec<Network>,
    /// Whether `http://` will do.
    pub plain_http: bool,
    /// Largest share, in bytes.
    pub max_size: usize,
    /// Longest time for one fetch, from connecting to the last byte.
    pub timeout: Duration,
}

impl DataSharePolicy {
    /// Nothing may be fetched.
    pub fn nothing() -> Self {
        DataSharePolicy {
            hosts: Vec::new(),
            networks: Vec::new(),
            plain_http: false,
            max_size: 8 << 20,
            timeout: Duration::from_secs(30),
        }
    }

    /// The address of a share, if it may be fetched. Its path is as good as a password: it is in no error.
    pub(crate) fn admit(&self, address: &str) -> Result<Url, ShareRefusal> {
        let url = Url::parse(address).map_err(|_| ShareRefusal::NotAnAddress)?;
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(ShareRefusal::NotAnAddress);
        };
        match url.scheme() {
            "https" => {}
            "http" if self.plain_http => {}
            scheme => return Err(ShareRefusal::Scheme { scheme: scheme.to_owned() }),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ShareRefusal::Credentials);
        }
        let usual = url.port().is_none();
        if !self.hosts.iter().any(|allowed| allowed.is(host, port, usual)) {
            return Err(ShareRefusal::Host { host: format!("{host}:{port}") });
        }
        // A literal address is connected to without a look-up, so that nobody else would look at it.
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = literal.parse()
            && !address::admits(&self.networks, address)
        {
            return Err(ShareRefusal::Address { address: address.to_string() });
        }
        Ok(url)
    }
}

/// A host that shares are fetched from: `datashare.mosip.example`, or with a port of its own `datashare.local:8097`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareHost {
    host: String,
    port: Option<u16>,
}

/// Why a text names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host or host:port; leave out scheme and path")]
pub struct ShareHostError(String);

impl FromStr for ShareHost {
    type Err = ShareHostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ShareHostError(text.to_owned());
        let url = Url::parse(&format!("https://{text}/")).map_err(|_| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?.to_owned();
        let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        let bare = port.and_then(|port| text.strip_suffix(&format!(":{port}"))).unwrap_or(text);
        // An IPv6 address may be spelled in several ways; in all else, whatever is more than host and port would have
        // been read as path, user or query.
        let literal = bare.strip_prefix('[').and_then(|bare| bare.strip_suffix(']'));
        let is_literal = literal.is_some_and(|literal| literal.parse::<std::net::Ipv6Addr>().is_ok());
        if is_literal || host.eq_ignore_ascii_case(bare) {
            Ok(ShareHost { host, port })
        } else {
            Err(wrong())
        }
    }
}

impl ShareHost {
    fn is(&self, host: &str, port: u16, usual: bool) -> bool {
        self.host.eq_ignore_ascii_case(host) && self.port.map_or(usual, |own| own == port)
    }
}

impl fmt::Display for ShareHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

/// Why a share is not fetched, or its answer not read. Repeating changes nothing: either somebody plays tricks, or the
/// configuration does not fit MOSIP's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareRefusal {
    /// Not an address.
    #[error("the data share's address is not a URL with a host")]
    NotAnAddress,
    /// Neither https, nor configured.
    #[error(
        "the data share's address is {scheme}, not https; `mosip.data_share.plain_http` would allow http"
    )]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// A user in the address.
    #[error("the data share's address holds a user or password")]
    Credentials,
    /// Another host.
    #[error("the data share is on {host}, which `mosip.data_share.hosts` does not list")]
    Host {
        /// Host and port.
        host: String,
    },
    /// An address inside.
    #[error(
        "the data share's host has the address {address}, which is not public and in none of `mosip.data_share.networks`"
    )]
    Address {
        /// The address.
        address: String,
    },
    /// A redirect.
    #[error("the data share was answered with a redirect (HTTP {status}), which is not followed")]
    Redirect {
        /// The status.
        status: u16,
    },
    /// Too large.
    #[error("the data share is larger than {limit} bytes (`mosip.data_share.max_size`)")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(hosts: &[&str]) -> DataSharePolicy {
        let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
        DataSharePolicy { hosts, ..DataSharePolicy::nothing() }
    }

    #[test]
    fn only_listed_hosts_over_https_are_admitted() {
        let policy = policy(&["datashare.mosip.example", "other.example:8443", "203.0.113.7"]);
        let admits = |address: &str| policy.admit(address).map(drop);
        assert_eq!(admits("https://datashare.mosip.example/v1/datashare/get/p/s/k"), Ok(()));
        assert_eq!(admits("https://DATASHARE.mosip.example:443/k"), Ok(()), "the usual port, spelled out");
        assert_eq!(admits("https://other.example:8443/k"), Ok(()));
        let host = |host: &str| Err(ShareRefusal::Host { host: host.to_owned() });
        assert_eq!(admits("https://datashare.mosip.example:8443/k"), host("datashare.mosip.example:8443"));
        assert_eq!(admits("https://other.example/k"), host("other.example:443"));
        assert_eq!(
            admits("https://datashare.mosip.example.evil.example/"),
            host("datashare.mosip.example.evil.example:443")
        );
        assert_eq!(admits("https://evil.example/?datashare.mosip.example"), host("evil.example:443"));
        assert_eq!(admits("https://datashare.mosip.example@evil.example/"), Err(ShareRefusal::Credentials));
        let scheme = |scheme: &str| Err(ShareRefusal::Scheme { scheme: scheme.to_owned() });
        assert_eq!(admits("http://datashare.mosip.example/k"), scheme("http"));
        assert_eq!(admits("ftp://datashare.mosip.example/k"), scheme("ftp"));
        for nothing in ["", "datashare.mosip.example", "file:///etc/passwd", "data:,x"] {
            assert_eq!(admits(nothing), Err(ShareRefusal::NotAnAddress), "{nothing}");
        }
    }

    #[test]
    fn a_literal_address_inside_is_refused_also_when_its_host_is_listed() {
        let mut policy = policy(&["127.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "8.8.8.8"]);
        let refused = |policy: &DataSharePolicy, address: &str| {
            matches!(policy.admit(address), Err(ShareRefusal::Address { .. }))
        };
        for inside in
            ["https://127.0.0.1/", "https://2130706433/", "https://[::1]/", "https://[::ffff:10.0.0.1]/"]
        {
            assert!(refused(&policy, inside), "{inside}");
        }
        policy.admit("https://8.8.8.8/").unwrap();
        policy.networks = vec!["127.0.0.0/8".parse().unwrap()];
        policy.admit("https://127.0.0.1/").unwrap();
        assert!(refused(&policy, "https://[::1]/"));
    }

    #[test]
    fn what_is_more_than_a_host_is_none() {
        for wrong in
            ["https://x.example", "x.example/path", "user@x.example", "x.example:port", "", "x.example?q"]
        {
            assert!(wrong.parse::<ShareHost>().is_err(), "{wrong}");
        }
        for right in ["x.example", "x.example:8443", "[2001:db8::1]", "[2001:db8::1]:8443", "10.1.2.3"] {
            assert_eq!(right.parse::<ShareHost>().unwrap().to_string(), right);
        }
    }
}
