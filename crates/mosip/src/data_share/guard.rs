//! Names are looked up here, and what they lead to is looked at: the addresses that pass are the very ones that are
//! connected to.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Network, address::admits};

/// How a name is looked up.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// A resolver for an HTTP client: refuses names that lead inside.
///
/// The client that has it must use no proxy (a proxy looks names up by itself) and follow no redirects.
#[derive(Clone)]
pub struct AddressGuard {
    networks: Arc<[Network]>,
    lookup: Lookup,
}

/// A name led inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address {address} is not public, nor in an allowed network")]
pub struct AddressRefused {
    /// The address.
    pub address: IpAddr,
}

impl AddressGuard {
    /// Looks names up as the system does; these networks are allowed beside what is public.
    pub fn new(networks: Vec<Network>) -> Self {
        Self::with_lookup(networks, Arc::new(|host| Box::pin(system(host))))
    }

    /// The same, with another way to look names up.
    pub fn with_lookup(networks: Vec<Network>, lookup: Lookup) -> Self {
        AddressGuard { networks: networks.into(), lookup }
    }
}

impl fmt::Debug for AddressGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressGuard").field("networks", &self.networks).finish_non_exhaustive()
    }
}

async fn system(host: String) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}

impl Resolve for AddressGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = (guard.lookup)(name.as_str().to_owned()).await?;
            // One that leads inside spoils all: a name that is partly public and partly not is a trick.
            if let Some(address) = found.iter().find(|address| !admits(&guard.networks, **address)) {
                return Err(AddressRefused { address: *address }.into());
            }
            // Port 0 is replaced by the address's own.
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
