//! The stand-ins of the demo, their configuration, and their memory over a restart.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use civitas_sandbox::generator::Population;
use civitas_sandbox::{Handed, OpenCrvs, Sandbox, SandboxKeys, SandboxOptions, Trigger};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use super::{Addresses, Demo, speed};
use crate::commands::wiring::Wiring;
use crate::{assembly, clock, http};

const SEED: u64 = 20_260_601;
/// The world moves at the demo's speed, and the engine's patience with it.
const TIME_SCALES: &str = "dispatch:
  idle_poll: 200 ms
  backoff: { first: 200 ms, ceiling: 5 s }
  unknown_wait: 1 s
  polling: { shortest: 2 s, longest: 15 s }
  stalled_check: 10 s
  credential_grace: 10 s
  lease: 40 s
telemetry:
  log_format: json
";

/// OpenCRVS and MOSIP, running.
pub(super) struct World(Sandbox);

/// What the screen shows of OpenCRVS.
pub(super) struct Counters(OpenCrvs);

impl Counters {
    pub(super) fn text(&self) -> String {
        let ledger = self.0.ledger(true);
        let count = |key: &str| ledger[key].as_u64().unwrap_or_default();
        format!(
            "{} records, {} registered, {} frozen",
            count("records"),
            count("registered"),
            count("frozen")
        )
    }
}

/// Writes the keys of the stand-ins into the demo's folder, unless they are there.
pub(super) fn make_keys(demo: &Demo) -> anyhow::Result<()> {
    SandboxKeys::load_or_create(&demo.folder.join("keys"), clock::now())
        .with_context(|| format!("the keys in {} cannot be used", demo.folder.display()))?;
    Ok(())
}

/// Writes the engine's keys and configuration into the demo's folder; the configuration's file.
pub(super) fn configure(demo: &Demo, addresses: Addresses) -> anyhow::Result<PathBuf> {
    let engine = format!("http://{}", addresses.engine);
    let mut wiring = Wiring::new(&demo.folder, &demo.pack, &engine, addresses.opencrvs, addresses.mosip);
    wiring.settle = Some("200 ms");
    wiring.database.clone_from(&demo.database);
    wiring.brokers.clone_from(&demo.brokers);
    wiring.write_keys()?;
    let file = demo.folder.join("civitas.yaml");
    let text = wiring.configuration()? + TIME_SCALES;
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

impl World {
    /// Starts the stand-ins, where they stopped if they ran before. With brokers, clicks are handed over.
    pub(super) async fn start(
        demo: &Demo,
        addresses: Addresses,
    ) -> anyhow::Result<(Self, Option<UnboundedReceiver<Handed>>)> {
        let mut options = SandboxOptions {
            seed: SEED,
            speed: speed(demo.seconds),
            opencrvs_addr: addresses.opencrvs,
            mosip_addr: addresses.mosip,
            keys: Some(SandboxKeys::load_or_create(&demo.folder.join("keys"), clock::now())?),
            ..SandboxOptions::default()
        };
        options.opencrvs.country_config_url = Some(format!("http://{}", addresses.engine));
        let mut handed = None;
        if !demo.brokers.is_empty() {
            let (sender, receiver) = unbounded_channel();
            options.opencrvs.trigger = Trigger::Hand(sender);
            handed = Some(receiver);
        }
        let sandbox = Sandbox::start(options, http::client(Duration::from_secs(30))?, assembly::clock())
            .await
            .context("the stand-ins cannot start")?;
        let memory = demo.folder.join("world.json");
        if memory.exists() {
            let text = fs::read(&memory).with_context(|| format!("cannot read {}", memory.display()))?;
            let snapshot = serde_json::from_slice(&text).with_context(|| {
                format!("{} is not a world; remove the folder to begin anew", memory.display())
            })?;
            sandbox.restore(snapshot).context("the world cannot be taken up")?;
        }
        Ok((Self(sandbox), handed))
    }

    /// Writes the world down for the next start.
    pub(super) fn keep(&self, demo: &Demo) -> anyhow::Result<()> {
        let memory = demo.folder.join("world.json");
        let text = serde_json::to_vec(&self.0.snapshot()?)?;
        fs::write(&memory, text).with_context(|| format!("cannot write {}", memory.display()))?;
        self.0.stop();
        Ok(())
    }

    /// Waits until the engine answers and the hub delivers to it.
    pub(super) async fn ready(
        &self,
        engine: SocketAddr,
        running: &JoinHandle<anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        let http = http::client(Duration::from_secs(2))?;
        loop {
            if running.is_finished() {
                bail!("the engine ended while starting; the log in the demo's folder says why");
            }
            let answers = http.get(format!("http://{engine}/health/ready")).send().await;
            let delivers =
                self.0.mosip().subscriptions().iter().filter(|subscription| subscription.alive).count();
            if answers.is_ok_and(|answer| answer.status().is_success()) && delivers >= 2 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) fn opencrvs(&self) -> &OpenCrvs {
        self.0.opencrvs()
    }

    pub(super) fn counters(&self) -> Counters {
        Counters(self.0.opencrvs().clone())
    }

    pub(super) fn population(&self) -> Population {
        self.0.population()
    }

    pub(super) fn seed(&self) -> u64 {
        self.0.seed()
    }

    /// How many lives the stream has given already.
    pub(super) fn lives(&self) -> u64 {
        u64::try_from(self.0.opencrvs().records().len()).unwrap_or(0)
    }
}
