//! `civitas serve`: server, consumer, dispatcher, reconciler and publisher in one process, or some of them.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use civitas_engine::Engine;
use civitas_engine::swap::{Ask, Trigger, Watch};
use civitas_kafka::{Consumer, Publisher};
use civitas_server::{Live, Parts};
use clap::{Args, ValueEnum};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::bridge::Bridge;
use crate::config::{self, Config, Layers};
use crate::starting::{self, Starting};
use crate::{assembly, identity, pack, telemetry};

/// Run the engine.
#[derive(Debug, Args)]
pub struct Serve {
    /// Run only these parts; several processes can share the work on PostgreSQL
    #[arg(long, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
}

/// A part of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// HTTP: triggers, callbacks, operator API, pages
    Server,
    /// Kafka to the journal
    Consumer,
    /// Operations to MOSIP, answers to OpenCRVS
    Dispatcher,
    /// Asks MOSIP about what nobody answered; deadlines, subscriptions
    Reconciler,
    /// Journal to Kafka
    Publisher,
}

impl Part {
    const ALL: [Self; 5] =
        [Self::Server, Self::Consumer, Self::Dispatcher, Self::Reconciler, Self::Publisher];

    /// Every part that runs with, or without, a broker.
    pub fn all(kafka: bool) -> Vec<Self> {
        Self::ALL.into_iter().filter(|part| kafka || !part.needs_kafka()).collect()
    }

    /// Whether new events are decided there: it then keeps its rule set up to date.
    fn decides(self) -> bool {
        matches!(self, Self::Server | Self::Consumer)
    }

    fn needs_kafka(self) -> bool {
        matches!(self, Self::Consumer | Self::Publisher)
    }
}

/// The parts to run: those asked for, else all that the configuration allows.
fn parts(only: &[Part], kafka: bool) -> anyhow::Result<Vec<Part>> {
    if let Some(part) = only.iter().find(|part| part.needs_kafka() && !kafka) {
        let name = part.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        bail!("`--only {name}` needs Kafka, but `kafka.enabled` is false in the configuration");
    }
    Ok(if only.is_empty() { Part::all(kafka) } else { only.to_vec() })
}

/// Runs the command.
pub fn run(serve: &Serve, file: Option<PathBuf>) -> anyhow::Result<()> {
    let config = config::load(&Layers::of_process(file)).map_err(|problems| anyhow!("{problems}"))?;
    let parts = parts(&serve.only, config.kafka.enabled)?;
    let telemetry = telemetry::start(&config.telemetry, &assembly::instance(&config))?;
    let runtime = tokio::runtime::Runtime::new().context("the asynchronous runtime cannot start")?;
    let result = runtime.block_on(until_stopped(config, parts));
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    drop(telemetry);
    result
}

async fn until_stopped(config: Config, parts: Vec<Part>) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let signals = stop.clone();
    tokio::spawn(async move {
        stop_signal().await;
        tracing::info!("stopping: open work is finished first; a second signal ends at once");
        signals.cancel();
        stop_signal().await;
        // The journal knows what was in hand; its leases end by themselves.
        std::process::exit(130);
    });
    // From here on SIGHUP ends nothing, also while the engine starts.
    let hangup = signal(SignalKind::hangup()).context("SIGHUP cannot be listened to")?;
    start(config, parts, stop, Some(hangup)).await
}

/// Completes when the process is asked to end.
pub(super) async fn stop_signal() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without signals the process is ended by SIGKILL only, which the journal survives as well.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Runs the parts until `stop`, or until one of them ends by itself. On a hangup the pack is read anew.
pub async fn start(
    config: Config,
    parts: Vec<Part>,
    stop: CancellationToken,
    hangup: Option<Signal>,
) -> anyhow::Result<()> {
    let kafka = assembly::kafka(&config)?;
    // The port is taken before anything else starts, so that two servers on one port never both work.
    let listener = if parts.contains(&Part::Server) { Some(listen(&config).await?) } else { None };
    let journal = assembly::migrated_journal(&config).await?;
    let starting = starting::pack(&config, &journal).await?;
    let engine = assembly::engine(&config, journal, starting.pack.clone()).await?;
    let release = starting.pack.country().opencrvs;
    let (ruleset, country) = (starting.pack.digest(), starting.pack.country().code.as_str());
    tracing::info!(ruleset, country, "country pack loaded");
    let mut running: JoinSet<anyhow::Result<&'static str>> = JoinSet::new();
    // Before the first metric is counted.
    let metrics = if listener.is_some() { Some(recorder()?) } else { None };
    // Before the first event is decided.
    if parts.iter().any(|part| part.decides()) {
        keep_rules(&config, &engine, starting, &stop, &mut running).await?;
    }
    if let Some(listener) = listener {
        let live = Arc::new(Live { engine: engine.clone(), patience: config.server.trigger_patience.0 });
        let server = Parts {
            intake: live.clone(),
            desk: live,
            tokens: assembly::trigger_tokens(&config)?,
            clock: assembly::clock(),
            identification: identification(&config, &engine).await?,
            metrics,
            stop: stop.clone(),
        };
        let options = assembly::server_options(&config, release)?;
        assembly::warn_of_certificates(&options);
        let router = civitas_server::router(server, options);
        let (stop, drain) = (stop.clone(), config.server.drain.0);
        running.spawn(async move {
            civitas_server::serve(listener, router, stop, drain).await.context("the HTTP server failed")?;
            Ok("server")
        });
    }
    if let Some(hangup) = hangup {
        tokio::spawn(reload_on(hangup, engine.clone()));
    }
    if parts.contains(&Part::Dispatcher) {
        let (engine, stop) = (engine.clone(), stop.clone());
        running.spawn(async move {
            engine.run_dispatcher(stop).await;
            Ok("dispatcher")
        });
    }
    if parts.contains(&Part::Reconciler) {
        let (engine, stop) = (engine.clone(), stop.clone());
        running.spawn(async move {
            engine.run_reconciler(stop).await;
            Ok("reconciler")
        });
    }
    if let Some(kafka) = &kafka {
        if parts.contains(&Part::Consumer) {
            let consumer = Consumer::new(kafka).context("the Kafka consumer cannot start")?;
            let (bridge, stop) = (Bridge(engine.clone()), stop.clone());
            running.spawn(async move {
                consumer.run(bridge, stop).await;
                Ok("consumer")
            });
        }
        if parts.contains(&Part::Publisher) {
            let publisher = Publisher::new(kafka).context("the Kafka publisher cannot start")?;
            let (engine, stop) = (engine.clone(), stop.clone());
            running.spawn(async move {
                publisher.run(Bridge(engine.clone()), stop).await;
                engine.outbox_release().await.context("the publisher's role could not be given up")?;
                Ok("publisher")
            });
        }
    }
    supervise(running, &stop).await
}

/// What `/metrics` shows.
fn recorder() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets(&[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0])
        .and_then(PrometheusBuilder::install_recorder)
        .context("metrics were started twice")
}

/// Keeps the rule set of a process that decides up to date with its folder, and tells the others what it is.
async fn keep_rules(
    config: &Config,
    engine: &Engine,
    starting: Starting,
    stop: &CancellationToken,
    running: &mut JoinSet<anyhow::Result<&'static str>>,
) -> anyhow::Result<()> {
    engine.read_packs_from(pack::source(config.pack.as_path().to_owned()), starting.found);
    let begun = engine.begin_deciding(starting.before, starting.refused).await;
    begun.context("the rule set cannot be written into the journal")?;
    let (keeper, stopped) = (engine.clone(), stop.clone());
    running.spawn(async move {
        keeper.keep_deciding(stopped).await;
        Ok("rule set")
    });
    if config.reload.watch {
        let watch = Watch { every: config.reload.every.0, settle: config.reload.settle.0 };
        let (watcher, stopped) = (engine.clone(), stop.clone());
        running.spawn(async move {
            watcher.watch_pack(watch, stopped).await;
            Ok("watch of the pack")
        });
    }
    Ok(())
}

/// The clients that identify people, made off the async workers: a key may be in a token.
async fn identification(config: &Config, engine: &Engine) -> anyhow::Result<civitas_server::Identification> {
    let (config, mosip) = (config.clone(), engine.mosip().clone());
    tokio::task::spawn_blocking(move || identity::identification(&config, &mosip)).await?
}

/// Reads the pack anew on each hangup.
async fn reload_on(mut hangup: Signal, engine: Engine) {
    while hangup.recv().await.is_some() {
        if engine.reload_pack(Ask::by_itself(Trigger::Signal)).await.is_none() {
            tracing::info!("SIGHUP: this process decides nothing, so it reads no country pack");
        }
    }
}

/// Waits for all parts. One that ends before it was told to takes the others with it: half an engine would look
/// healthy while it is not.
async fn supervise(
    mut running: JoinSet<anyhow::Result<&'static str>>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let mut result = Ok(());
    while let Some(ended) = running.join_next().await {
        let early = !stop.is_cancelled();
        stop.cancel();
        let ended = ended.map_err(|_| anyhow!("a part of the engine panicked; the log above says where"));
        match ended.and_then(|ended| ended) {
            Ok(part) if early && result.is_ok() => result = Err(anyhow!("the {part} ended by itself")),
            Ok(part) => tracing::info!(part, "stopped"),
            Err(error) if result.is_ok() => result = Err(error),
            Err(error) => tracing::error!(error = format!("{error:#}"), "a part failed while stopping"),
        }
    }
    result
}

async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    let address = config.server.listen.0;
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address} (`server.listen`); is another process using this port?")
    })?;
    tracing::info!(%address, "listening");
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_kafka_its_parts_are_left_out_or_refused() {
        let without = parts(&[], false).unwrap();
        assert_eq!(without, [Part::Server, Part::Dispatcher, Part::Reconciler]);
        assert_eq!(parts(&[], true).unwrap().len(), 5);
        assert_eq!(parts(&[Part::Dispatcher], false).unwrap(), [Part::Dispatcher]);
        let error = parts(&[Part::Consumer], false).unwrap_err().to_string();
        assert!(error.contains("`--only consumer` needs Kafka"), "{error}");
    }

    #[tokio::test]
    async fn a_part_that_ends_by_itself_stops_the_others_and_is_named() {
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        let waits = stop.clone();
        running.spawn(async move {
            waits.cancelled().await;
            anyhow::Ok("dispatcher")
        });
        running.spawn(async { Err(anyhow!("the port is gone")) });
        let error = supervise(running, &stop).await.unwrap_err();
        assert_eq!(error.to_string(), "the port is gone");
        assert!(stop.is_cancelled());
    }
}
