//! Starting and stopping the whole.

use crate::admin;
use crate::entropy::Dice;
use crate::faults::{FaultBox, Faults, Flavour, inject};
use crate::generator::Population;
use crate::keys::{KeyError, SandboxKeys};
use crate::mosip::{self, Desk, Grants, Hub, Mosip, Office, Registry, Shares};
use crate::opencrvs::{self, Core, OpenCrvs, Tokens};
use crate::options::SandboxOptions;
use crate::time::{Clock, Pace};
use crate::wire::serve;
use axum::Router;
use axum::middleware::from_fn_with_state;
use http::StatusCode;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Both stand-ins, running. Dropping it stops them.
pub struct Sandbox {
    opencrvs: OpenCrvs,
    mosip: Mosip,
    faults: Arc<FaultBox>,
    population: Population,
    seed: u64,
    stop: CancellationToken,
}

/// What is kept over a restart.
#[derive(serde::Serialize, serde::Deserialize)]
struct Snapshot {
    records: Vec<opencrvs::Document>,
    mosip: mosip::Snapshot,
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken or not allowed.
    #[error("sandbox could not listen on {addr}: choose a free port")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Keys could not be made.
    #[error("sandbox keys could not be made")]
    Keys(#[from] KeyError),
}

impl From<openssl::error::ErrorStack> for StartError {
    fn from(error: openssl::error::ErrorStack) -> Self {
        Self::Keys(KeyError::Crypto(error))
    }
}

impl Sandbox {
    /// Starts both stand-ins on the current runtime.
    ///
    /// The client calls the engine (triggers, deliveries); the clock stamps
    /// actions and tokens.
    pub async fn start(
        options: SandboxOptions,
        http: reqwest::Client,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let SandboxOptions { seed, speed, opencrvs_addr, mosip_addr, opencrvs, mosip, keys, faults } =
            options;
        let pace = Pace::new(clock, speed);
        let keys = match keys {
            Some(keys) => keys,
            None => SandboxKeys::generate(pace.now())?,
        };
        let faults = Arc::new(FaultBox::new(seed, faults));
        let stop = CancellationToken::new();
        let population = Population::new(seed, mosip.population);
        let mut mac = [0; 32];
        let dice = Dice::new(seed, 0x0C);
        dice.fill(&mut mac);
        let core = Arc::new(Core {
            store: opencrvs::Store::default(),
            tokens: Tokens::new(&keys, opencrvs.version, &mac)?,
            public_key_pem: String::from_utf8_lossy(&keys.auth_public_key_pem()?).into_owned(),
            country_config: Mutex::new(opencrvs.country_config_url.clone()),
            exchanges: Mutex::default(),
            lacking: Mutex::default(),
            trigger_loss: Mutex::default(),
            options: opencrvs,
            pace: pace.clone(),
            dice,
            http: http.clone(),
        });
        let shared = Arc::new(mosip::Shared {
            started: pace.now(),
            pace,
            dice: Dice::new(seed, 0x05),
            faults: Arc::clone(&faults),
            http,
            published: Mutex::new(keys.kernel_public_key_pem()?),
            keys: Mutex::new(Arc::new(keys)),
            shares: Shares::new(mosip.shares.clone()),
            grants: Grants::default(),
            desk: Mutex::new(Desk::default()),
            registry: Mutex::new(Registry::with(population)),
            hub: Hub::default(),
            office: Office::default(),
            options: mosip,
            crypto: Semaphore::new(2),
            seed,
            stop: stop.clone(),
            tasks: TaskTracker::new(),
        });
        let mut opencrvs = OpenCrvs { core: Arc::clone(&core), url: String::new() };
        let mut mosip = Mosip { shared: Arc::clone(&shared), url: String::new() };
        let admin = admin::router(opencrvs.clone(), mosip.clone(), Arc::clone(&faults));
        let wrap = |router: Router, flavour| {
            // A service that is out is so for every path, also for those that it has not.
            let router = router.fallback(async || StatusCode::NOT_FOUND);
            router.layer(from_fn_with_state((Arc::clone(&faults), flavour), inject)).merge(admin.clone())
        };
        let gateway = wrap(opencrvs::router(core), Flavour { name: opencrvs::fault_name, mosip: false });
        let platform = wrap(mosip::router(shared), Flavour { name: mosip::fault_name, mosip: true });
        opencrvs.url = url(serve(opencrvs_addr, gateway, stop.clone()).await, opencrvs_addr)?;
        mosip.url = url(serve(mosip_addr, platform, stop.clone()).await, mosip_addr)?;
        mosip.shared.shares.set_base(&mosip.url);
        Ok(Self { opencrvs, mosip, faults, population, seed, stop })
    }

    /// The OpenCRVS stand-in.
    pub fn opencrvs(&self) -> &OpenCrvs {
        &self.opencrvs
    }

    /// The MOSIP stand-in.
    pub fn mosip(&self) -> &Mosip {
        &self.mosip
    }

    /// How many calls of a route came in each tenth of a second of real time since the start, those that a fault
    /// struck included. Routes by their fault names, such as `mosip.packetmanager`.
    pub fn arrivals(&self, route: &str) -> Vec<u32> {
        self.faults.arrivals(route)
    }

    /// The faults in force.
    pub fn faults(&self) -> Faults {
        self.faults.get()
    }

    /// Replaces the faults in force.
    pub fn set_faults(&self, faults: Faults) {
        self.faults.set(faults);
    }

    /// The people who had an identity before the sandbox started.
    pub fn population(&self) -> Population {
        self.population
    }

    /// The seed it was started with.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Counters and truth, for checking invariants; with `summary` the counters only.
    pub fn ledger(&self, summary: bool) -> serde_json::Value {
        admin::ledger_of(&self.opencrvs, &self.mosip, summary)
    }

    /// Every violation that was seen: empty when the engine kept its promises.
    pub fn violations(&self) -> Vec<String> {
        let mut all = self.opencrvs.core.store.rows().tally.violations.clone();
        all.extend(self.mosip.shared.desk().violations.iter().cloned());
        all
    }

    /// Everything that the two systems would keep over a restart, as JSON.
    /// Tokens, counters of the ledger's OpenCRVS half and faults are not in it.
    /// Holds the records' personal data and the hub's secrets: a file of the
    /// sandbox's own.
    pub fn snapshot(&self) -> Result<serde_json::Value, serde_json::Error> {
        let records: Vec<_> =
            self.opencrvs.records().into_iter().filter_map(|record| self.opencrvs.document(record)).collect();
        serde_json::to_value(Snapshot { records, mosip: mosip::take(&self.mosip.shared) })
    }

    /// Takes up a snapshot in a sandbox that was just started; unfinished flows go on.
    pub fn restore(&self, snapshot: serde_json::Value) -> Result<(), serde_json::Error> {
        let snapshot: Snapshot = serde_json::from_value(snapshot)?;
        let count = u64::try_from(snapshot.records.len()).unwrap_or(0);
        self.opencrvs.core.dice.reseed(self.seed ^ count, 0x0C);
        for record in snapshot.records {
            self.opencrvs.import(record);
        }
        mosip::restore(&self.mosip.shared, snapshot.mosip);
        Ok(())
    }

    /// Stops both servers and all work in the background; requests that are
    /// being answered are finished.
    pub fn stop(&self) {
        self.stop.cancel();
        self.mosip.shared.tasks.close();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop();
    }
}

fn url(served: std::io::Result<crate::wire::Served>, addr: SocketAddr) -> Result<String, StartError> {
    let served = served.map_err(|source| StartError::Listen { addr, source })?;
    Ok(format!("http://{}", served.addr))
}
