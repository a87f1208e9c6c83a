//! `civitas sandbox`: stand-ins for OpenCRVS and MOSIP, and a configuration by which an engine speaks with them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use civitas_sandbox::{Regime, Sandbox as Stand, SandboxKeys, SandboxOptions};
use clap::{Args, ValueEnum};

use super::wiring::Wiring;
use crate::{assembly, clock, http};

/// Run stand-ins for OpenCRVS and MOSIP.
#[derive(Debug, Args)]
pub struct Sandbox {
    /// Folder for its keys, and for a civitas.yaml by which an engine speaks with it
    #[arg(default_value = "sandbox")]
    folder: PathBuf,
    /// Where OpenCRVS listens
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 7070)))]
    opencrvs: SocketAddr,
    /// Where MOSIP listens
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8090)))]
    mosip: SocketAddr,
    /// Where the engine listens: triggers and deliveries go there
    #[arg(long, default_value = "http://127.0.0.1:7080")]
    engine: String,
    /// Which OpenCRVS to be
    #[arg(long, value_enum, default_value_t = Release::V2_0)]
    release: Release,
    /// How many times faster than life
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Seed of all randomness
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Country pack to name in the written configuration
    #[arg(long, default_value = "country-config/farajaland")]
    pack: PathBuf,
    /// Let packets go to the MOSIP mock of opencrvs/mosip at this address, whose credentials come back through here
    #[arg(long, value_name = "URL")]
    mosip_mock: Option<String>,
}

/// A release line of OpenCRVS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Release {
    #[value(name = "1.9")]
    V1_9,
    #[value(name = "2.0")]
    V2_0,
    #[value(name = "2.1")]
    V2_1,
}

impl Release {
    fn regime(self) -> Regime {
        match self {
            Self::V1_9 => Regime::V1_9,
            Self::V2_0 => Regime::V2_0,
            Self::V2_1 => Regime::V2_1,
        }
    }

    fn mode(self) -> &'static str {
        match self {
            Self::V1_9 => "trigger_token",
            Self::V2_0 => "exchange",
            Self::V2_1 => "client_credentials",
        }
    }
}

/// Runs the command.
pub async fn run(sandbox: &Sandbox) -> anyhow::Result<()> {
    anyhow::ensure!(sandbox.speed > 0.0, "--speed is a number above 0");
    let keys = SandboxKeys::load_or_create(&sandbox.folder.join("keys"), clock::now())
        .with_context(|| format!("the sandbox's keys in {} cannot be used", sandbox.folder.display()))?;
    let mut options = SandboxOptions {
        seed: sandbox.seed,
        speed: sandbox.speed,
        opencrvs_addr: sandbox.opencrvs,
        mosip_addr: sandbox.mosip,
        keys: Some(keys),
        ..SandboxOptions::default()
    };
    options.opencrvs.version = sandbox.release.regime();
    options.opencrvs.country_config_url = Some(sandbox.engine.clone());
    let stand = Stand::start(options, http::client(Duration::from_mins(1))?, assembly::clock())
        .await
        .context("the sandbox cannot start")?;
    let file = sandbox.wiring().write()?;
    println!("OpenCRVS  {}", stand.opencrvs().url());
    println!("MOSIP     {}", stand.mosip().url());
    println!("faults    PUT {}/admin/faults, ledger GET /admin/ledger", stand.mosip().url());
    println!("engine    civitas serve --config {}", file.display());
    if sandbox.mosip_mock.is_some() {
        let key = sandbox.folder.join("keys/partner-key.pem");
        println!("mock      MOSIP_WEBSUB_CALLBACK_URL={}/relay/opencrvs-mosip-mock", stand.mosip().url());
        println!("          PRIVATE_KEY_PATH={}", std::fs::canonicalize(&key).unwrap_or(key).display());
    }
    println!("Ctrl-C ends it.");
    super::serve::stop_signal().await;
    stand.stop();
    Ok(())
}

impl Sandbox {
    fn wiring(&self) -> Wiring {
        let mut wiring = Wiring::new(&self.folder, &self.pack, &self.engine, self.opencrvs, self.mosip);
        wiring.mode = self.release.mode();
        wiring.mosip_mock.clone_from(&self.mosip_mock);
        wiring
    }
}
